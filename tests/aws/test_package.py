"""The zip of the ingestion function: what is in it, that it is always the same, and that Lambda's client can run it."""

import importlib.util
import re
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .runtime import lambda_environment, run_function
from .zipped import ROOT, build, script, skip_without_packages

CANNOT_BE_SERVED = {"mode": "backfill"}
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62)
HANDLERS = ("handler.py", "refresh_handler.py")
NEEDED = (*HANDLERS, "reddit_ingest/bootstrap_aws.py", "praw/__init__.py", "praw/praw.ini", "certifi/cacert.pem")


package = script()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """The smallest layout that passes the checks."""
    for name in NEEDED:
        _put(tmp_path, name)
    package.check_contents(tmp_path)
    return tmp_path


def _put(folder: Path, name: str, content: bytes = b"") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_two_builds_in_different_folders_are_equal_byte_for_byte(built: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a longer way" / "elsewhere"
    elsewhere.mkdir(parents=True)
    assert build(elsewhere).read_bytes() == built.read_bytes()


def test_it_holds_the_function_its_libraries_and_nothing_else(code: Path) -> None:
    ours = {path.name for path in code.iterdir() if not path.name.endswith(".dist-info")}
    libraries = {"certifi", "charset_normalizer", "defusedxml", "idna", "praw", "prawcore", "requests", "urllib3"}
    assert ours == {"__pycache__", *HANDLERS, "reddit_ingest", "update_checker", "websocket", *libraries}
    for function, name in package.HANDLERS.items():
        assert (code / name).read_bytes() == (ROOT / "lambda" / function / "handler.py").read_bytes()
    names = {path.relative_to(code / "reddit_ingest") for path in (code / "reddit_ingest").rglob("*.py")}
    source = ROOT / "modules" / "reddit_ingest"
    assert names == {path.relative_to(source) for path in source.rglob("*.py")}
    assert {path.suffix for path in code.rglob("*") if path.is_file()} <= {
        *(".py", ".pyc", ".so", ".ini", ".pem"),
        *("", ".txt", ".md", ".rst"),  # METADATA and licences
    }
    package.check_contents(code)


def test_dates_permissions_and_order_are_fixed(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()
    assert [entry.filename.rstrip("/") for entry in entries] == sorted(entry.filename.rstrip("/") for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    modes = {(entry.is_dir(), entry.external_attr >> 16) for entry in entries}
    assert modes == {(False, stat.S_IFREG | 0o644), (True, stat.S_IFDIR | 0o755)}


def test_nothing_in_it_names_this_machine(code: Path) -> None:
    told = [path for path in code.rglob("*") if path.is_file() and str(ROOT).encode() in path.read_bytes()]
    assert told == []


def test_every_module_has_a_compiled_twin_that_is_trusted_unseen(code: Path) -> None:
    modules = list(package.sources(code))
    assert len(modules) > 200
    for module in modules:
        head = package.compiled(module).read_bytes()[:8]
        assert head == importlib.util.MAGIC_NUMBER + struct.pack("<I", 0b01), module  # a hash, and never compared


def test_python_runs_the_compiled_twins_without_reading_a_source(code: Path, runtime: Path, tmp_path: Path) -> None:
    copy = tmp_path / "task"
    shutil.copytree(code, copy)
    for module in package.sources(copy):
        module.write_text("raise AssertionError('compiled here')")
    done = subprocess.run(
        [sys.executable, "-S", "-s", "-c", "import handler; print(handler.lambda_handler.__code__.co_filename)"],
        env=lambda_environment(copy, runtime, "nowhere"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == str(copy / "handler.py")


def test_under_lambdas_runtime_client_a_bad_event_is_refused_before_any_call(code: Path, runtime: Path) -> None:
    run = run_function(code, runtime, [CANNOT_BE_SERVED, CANNOT_BE_SERVED], {})
    assert [outcome for outcome, _ in run.answers] == ["error", "error"], run.log
    cold, warm = (body for _, body in run.answers)
    assert cold["errorType"] == "InvalidRequest", run.log
    assert (cold["errorType"], cold["errorMessage"]) == (warm["errorType"], warm["errorMessage"])


def test_its_tracebacks_show_the_source(code: Path, runtime: Path) -> None:
    [(_, body)] = run_function(code, runtime, [CANNOT_BE_SERVED], {}).answers
    assert "return _function.serve(event" in body["stackTrace"][0]


def test_the_json_log_has_fields(code: Path, runtime: Path) -> None:
    run = run_function(code, runtime, [CANNOT_BE_SERVED], {"AWS_LAMBDA_LOG_FORMAT": "JSON"})
    [line] = run.logged()
    assert line["level"] == "ERROR"
    assert line["errorType"] == "InvalidRequest"
    assert {"timestamp", "errorMessage", "requestId", "stackTrace"} <= line.keys()


@pytest.mark.slow
def test_the_hand_recipe_of_the_specification_still_works(runtime: Path, tmp_path: Path) -> None:
    by_hand = tmp_path / "build"
    lock = ROOT / "requirements" / "lambda.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock, "-t", by_hand]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        skip_without_packages()
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / "modules", by_hand / "modules")
    shutil.copy(ROOT / "lambda" / "ingestion" / "handler.py", by_hand)
    archive = shutil.make_archive(str(tmp_path / "by_hand"), "zip", by_hand)
    unpacked = tmp_path / "task"
    shutil.unpack_archive(archive, unpacked)
    [(outcome, body)] = run_function(unpacked, runtime, [CANNOT_BE_SERVED], {}).answers
    assert (outcome, body["errorType"]) == ("error", "InvalidRequest")


@pytest.mark.parametrize("name", NEEDED)
def test_a_package_that_lacks_something_is_refused(layout: Path, name: str) -> None:
    (layout / name).unlink()
    with pytest.raises(package.PackageError, match=f"{name} is missing"):
        package.check_contents(layout)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("charset_normalizer/md.cp311-win_amd64.pyd", b"MZ", "another system"),
        ("websocket/helper.dylib", b"\xcf\xfa\xed\xfe", "another system"),
        ("praw/.DS_Store", b"", "another system"),
        ("x/md.cpython-311-darwin.so", b"\xcf\xfa\xed\xfe", "not compiled for"),
        ("x/md.cpython-311-x86_64-linux-gnu.so", b"\xcf\xfa\xed\xfe", "not compiled for"),
        ("x/md.cpython-311-x86_64-linux-gnu.so", ELF[:18] + struct.pack("<H", 183), "not compiled for"),  # arm64
        ("x/md.cpython-312-x86_64-linux-gnu.so", ELF, "not compiled for"),
        ("boto3/__init__.py", b"", "Lambda's runtime"),
        ("botocore-1.43.106.dist-info/METADATA", b"", "Lambda's runtime"),
        ("market_opinion/__init__.py", b"", "no part of the function"),
        ("modules/reddit_ingest/__init__.py", b"", "no part of the function"),
        ("reddit_ingest/.env", b"", "named like a secret"),
        ("reddit_ingest/reddit_secret.json", b"", "named like a secret"),
        ("praw.ini", b"", "named like a secret"),
        ("reddit_ingest/server.pem", b"", "named like a secret"),
        ("reddit_ingest/prod.tfvars", b"", "named like a secret"),
    ],
)
def test_what_does_not_belong_on_lambda_is_refused(layout: Path, name: str, content: bytes, reason: str) -> None:
    _put(layout, name, content)
    with pytest.raises(package.PackageError, match=f"{re.escape(name)} in the package .*{reason}"):
        package.check_contents(layout)


def test_libraries_for_lambda_and_modules_about_secrets_are_accepted(layout: Path) -> None:
    _put(layout, "x/md.cpython-311-x86_64-linux-gnu.so", ELF)
    _put(layout, "x/md.abi3.so", ELF)
    _put(layout, "reddit_ingest/credentials.py")
    _put(layout, "reddit_ingest/__pycache__/credentials.cpython-311.pyc")
    package.check_contents(layout)


def test_too_much_is_refused_unpacked_and_packed(layout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_UNZIPPED", 1_000)
    _put(layout, "praw/more.py", b"#" * 1_001)
    with pytest.raises(package.PackageError, match="the package unpacked has 1,001 bytes, more than 1,000"):
        package.check_contents(layout)
    monkeypatch.setattr(package, "MOST_ZIPPED", 100)
    with pytest.raises(package.PackageError, match=r"the zip has [\d,]+ bytes, more than 100"):
        package.write_zip(layout, layout / "out.zip")


def test_a_module_that_does_not_compile_is_named(layout: Path) -> None:
    _put(layout, "praw/broken.py", b"def")
    with pytest.raises(package.PackageError, match=r"^praw/broken\.py does not compile"):
        package.compile_all(layout)


def test_what_never_runs_is_dropped(layout: Path) -> None:
    _put(layout, "bin/wsdump")
    _put(layout, "websocket/tests/test_app.py")
    _put(layout, "praw/py.typed")
    _put(layout, "praw-8.0.3.dist-info/RECORD")
    _put(layout, "praw-8.0.3.dist-info/METADATA")
    _put(layout, "praw-8.0.3.dist-info/licenses/LICENSE.txt")
    package.drop_unused(layout)
    left = {path.relative_to(layout).as_posix() for path in layout.rglob("*") if path.is_file()}
    assert left == {*NEEDED, "praw-8.0.3.dist-info/METADATA", "praw-8.0.3.dist-info/licenses/LICENSE.txt"}


def test_another_python_than_lambdas_is_refused() -> None:
    package.check_interpreter("cpython-311")
    with pytest.raises(package.PackageError, match=r"Lambda runs cpython-311 and this is cpython-312; run `make"):
        package.check_interpreter("cpython-312")


def test_a_failure_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, ROOT / "lambda" / "package.py", "--out", tmp_path / "file" / "function.zip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"package: cannot build .*function\.zip \(File exists\); check .*\n", done.stderr)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "does not match its hash"),
        ("Looking in https://host/\nERROR: No matching distribution found for praw==8.0.3", "offers praw==8.0.3"),
        ("/usr/bin/python: No module named pip", "this Python has no pip"),
        ("ERROR: https://host/simple is on fire", "^it failed$"),
    ],
)
def test_what_pip_says_is_told_without_hosts_and_folders(said: str, reason: str) -> None:
    told = package._pip_reason(said)
    assert re.search(reason, told)
    assert "host" not in told
    assert "/" not in told
