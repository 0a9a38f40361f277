"""Build the zip of the functions: the same bytes every time, compiled for Lambda, and checked.

    python lambda/package.py [--out build/reddit_ingestion_lambda/reddit_ingestion_lambda.zip]

Both functions run the same zip, each by its own handler. Libraries come from requirements/lambda.txt as Linux wheels,
whatever this machine runs. Two builds by one interpreter are equal byte for byte; another build of Python 3.11 may
compress or compile a little differently.
"""

from __future__ import annotations  # an older Python, too, gets as far as to be refused in one line

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "lambda.txt"
DEFAULT_OUT = ROOT / "build" / "reddit_ingestion_lambda" / "reddit_ingestion_lambda.zip"

HANDLERS = {"ingestion": "handler.py", "refresh": "refresh_handler.py"}
"""A function's folder in lambda/, and what its handler is called in the zip."""

MOST_ZIPPED = 3_000_000
"""Bytes of the zip; measured 2.2 million."""

MOST_UNZIPPED = 8_000_000
"""Bytes of what is in it; measured 5.9 million."""

_TAG = "cpython-311"
_TASK_ROOT = "/var/task"  # where Lambda unpacks the zip, and so what tracebacks show
_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest a zip can say
_FILE_MODE, _FOLDER_MODE = 0o100644, 0o040755

_UNUSED_FOLDERS = {"bin", "tests", "images", "__pycache__"}
_UNUSED_ENDINGS = {".pyi", ".typed", ".js"}
# Scanners for known weaknesses, and update_checker, read METADATA; licences travel with what they license.
_KEPT_METADATA = re.compile(r"METADATA|LICENSE.*|NOTICE.*|AUTHORS.*|COPYING.*", re.ASCII)

_NEEDED = (
    *HANDLERS.values(),
    *("reddit_ingest/bootstrap_aws.py", "praw/__init__.py", "praw/praw.ini", "certifi/cacert.pem"),
)
_IN_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "awslambdaric"}
_OTHER_ROOMS = {"market_opinion", "reddit_sim", "modules", "simulator"}
_OTHER_SYSTEMS = {".pyd", ".dll", ".exe", ".bat", ".dylib"}
_PUBLIC_INI_AND_PEM = {"praw/praw.ini", "certifi/cacert.pem"}
_SECRET = re.compile(
    r"secret|credential|password|token|id_rsa|netrc|pypirc|\.env|\.(ini|pem|key|p12|pfx|tfvars|tfstate)\b"
)


class PackageError(Exception):
    """The zip cannot be built or must not be deployed; the message says why and what to do."""


def check_interpreter(tag: str | None = sys.implementation.cache_tag) -> None:
    """Refuse an interpreter whose compiled files Lambda's Python 3.11 cannot use."""
    if tag != _TAG:
        raise PackageError(f"Lambda runs {_TAG} and this is {tag}; run `make package`, or this script by Python 3.11")


def stage(folder: Path) -> None:
    """Lay out in `folder` what the zip holds, compiled."""
    _install(folder)
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "modules" / "reddit_ingest", folder / "reddit_ingest", ignore=ignored)
    for function, name in HANDLERS.items():
        shutil.copy(ROOT / "lambda" / function / "handler.py", folder / name)
    drop_unused(folder)
    compile_all(folder)


def _install(folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--target", str(folder), "--requirement", str(LOCK)),
        *("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--require-hashes", "--no-deps"),
        *("--platform", "manylinux2014_x86_64", "--implementation", "cp", "--python-version", "3.11"),
        *("--only-binary", ":all:"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise PackageError(
            f"pip cannot install requirements/lambda.txt: {_pip_reason(done.stderr)}; see what it says by"
            " `python -m pip install --dry-run --ignore-installed --no-deps -r requirements/lambda.txt`"
        )


def _pip_reason(said: str) -> str:
    # pip's own lines name folders and hosts.
    if "DO NOT MATCH THE HASHES" in said:
        return "a downloaded file does not match its hash"
    if "No module named pip" in said:
        return "this Python has no pip"
    missing = re.search(r"No matching distribution found for ([\w.-]+==[\w.]+)", said)
    return f"no source of packages offers {missing[1]} for Lambda" if missing else "it failed"


def drop_unused(folder: Path) -> None:
    """Remove what pip brings and a function never runs."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if path.name in _UNUSED_FOLDERS:
                shutil.rmtree(path)
        elif path.exists() and (path.suffix in _UNUSED_ENDINGS or _is_spare_metadata(path.relative_to(folder))):
            path.unlink()


def _is_spare_metadata(path: Path) -> bool:
    return path.parts[0].endswith(".dist-info") and not _KEPT_METADATA.fullmatch(path.name)


def compile_all(folder: Path) -> None:
    """Compile every module beside its source, trusted unseen: Lambda can neither date nor write files.

    In a process of its own, since what is alive in an interpreter shows in what it compiles.
    """
    command = [
        *(sys.executable, "-S", "-s", "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(folder), "-p", _TASK_ROOT, str(folder)),
    ]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env={**quiet, "PYTHONHASHSEED": "0"}, check=False)  # noqa: S603 - our own words
    broken = sorted(path.relative_to(folder).as_posix() for path in sources(folder) if not compiled(path).is_file())
    if done.returncode or broken:
        raise PackageError(f"{', '.join(broken) or 'a module'} does not compile; run `python -m compileall` on it")


def sources(folder: Path) -> Iterable[Path]:
    """Return every module of a folder."""
    return folder.rglob("*.py")


def compiled(source: Path) -> Path:
    """Return where Python 3.11 looks for the compiled twin of a module."""
    return source.parent / "__pycache__" / f"{source.stem}.{_TAG}.pyc"


def check_contents(folder: Path) -> None:
    """Refuse a layout that lacks something, or holds what does not belong on Lambda."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    for name in _NEEDED:
        if name not in files:
            raise PackageError(f"{name} is missing in the package; see `stage` in lambda/package.py")
    for name, path in files.items():
        if wrong := _wrong_with(name, path):
            raise PackageError(f"{name} in the package {wrong}")
    unzipped = sum(path.stat().st_size for path in files.values())
    _check_size("the package unpacked", unzipped, MOST_UNZIPPED)


def _wrong_with(name: str, path: Path) -> str | None:
    top, ending = PurePosixPath(name).parts[0], path.suffix
    if re.split(r"[-.]", top)[0] in _IN_THE_RUNTIME:
        return "is already in Lambda's runtime; take it out of requirements/lambda.in"
    if top in _OTHER_ROOMS:
        return "is no part of the function; only reddit_ingest is"
    if ending in _OTHER_SYSTEMS or path.name == ".DS_Store":
        return "is for another system than Linux; build from requirements/lambda.txt again"
    if ending == ".so" and not _is_for_lambda(path):
        return "is not compiled for Python 3.11 on Linux x86-64; lock a version that has such a wheel"
    if _looks_secret(name):
        return "is named like a secret; remove it from modules/reddit_ingest, or list it as public in lambda/package.py"
    return None


def _is_for_lambda(library: Path) -> bool:
    with library.open("rb") as file:
        head = file.read(20)
    is_elf_64_little, is_x86_64 = head[:6] == b"\x7fELF\x02\x01", head[18:20] == b"\x3e\x00"
    return is_elf_64_little and is_x86_64 and bool(re.search(rf"\.({_TAG}-x86_64-linux-gnu|abi3)\.so$", library.name))


def _looks_secret(name: str) -> bool:
    is_module = name.endswith((".py", ".pyc"))
    return not is_module and name not in _PUBLIC_INI_AND_PEM and bool(_SECRET.search(name.lower()))


def _check_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise PackageError(
            f"{what} has {size:,} bytes, more than {most:,}; see what grew, then raise the limit in lambda/package.py"
        )


def write_zip(folder: Path, target: Path) -> int:
    """Write the zip, each entry as if made in 1980; return how many files it holds."""
    paths = sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix())
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                archive.writestr(_entry(f"{name}/", _FOLDER_MODE, zipfile.ZIP_STORED), b"")
            else:
                archive.writestr(_entry(name, _FILE_MODE, zipfile.ZIP_DEFLATED), path.read_bytes(), compresslevel=9)
    _check_size("the zip", target.stat().st_size, MOST_ZIPPED)
    return sum(path.is_file() for path in paths)


def _entry(name: str, mode: int, compression: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = 3  # Unix, wherever it is built
    entry.external_attr = mode << 16
    entry.compress_type = compression
    return entry


def build(out: Path) -> str:
    """Build and check the zip, put it at `out` in one step, and return one line about it."""
    check_interpreter()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="package-") as scratch:
        folder = Path(scratch) / "task"
        stage(folder)
        check_contents(folder)
        fresh = out.with_name(out.name + ".new")
        try:
            count = write_zip(folder, fresh)
            fresh.replace(out)
        finally:
            fresh.unlink(missing_ok=True)
    content = out.read_bytes()
    return f"{_shown(out)}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}  {count} files"


def _shown(path: Path) -> str:
    whole = path.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Build the zip from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="the zip to write")
    out = parser.parse_args().out
    try:
        sys.stdout.write(build(out) + "\n")
    except PackageError as error:
        sys.stderr.write(f"package: {error}\n")
        return 1
    except OSError as error:
        why = error.strerror or type(error).__name__
        sys.stderr.write(f"package: cannot build {_shown(out)} ({why}); check the folder, the disk space, or --out\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
