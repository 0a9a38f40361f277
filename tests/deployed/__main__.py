"""`make test-aws`: Terraform applies both stages into an emulator, and the deployed function is put to the test.

Needs the command that plans and applies without an account (TERRAFORM_VERIFY names it) and Terraform; where one of them
is absent it says so and ends well.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from market_opinion.cli.simulator import environment
from reddit_sim import GeneratedWorld, Simulator

ROOT = Path(__file__).resolve().parents[2]
_DAYS_BEFORE = 3
_DAY_S = 86_400


def main() -> int:
    """Check, build, deploy, test; return the exit code of the first that fails."""
    verify = os.environ.get("TERRAFORM_VERIFY", "")
    if not verify or shutil.which(verify) is None or shutil.which("terraform") is None:
        missing = "terraform is not on PATH" if verify and shutil.which(verify) else "TERRAFORM_VERIFY names no command"
        sys.stdout.write(f"test-aws: skipped, {missing}\n")
        return 0
    verify = os.environ["TERRAFORM_VERIFY"] = str(Path(verify).resolve())
    with tempfile.TemporaryDirectory(prefix="package-") as scratch:
        package = Path(scratch) / "function.zip"
        return (
            _run([sys.executable, str(ROOT / "lambda" / "package.py"), "--out", str(package)])
            or _run([sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/terraform"])
            or _deploy(verify, package)
        )


def _deploy(verify: str, package: Path) -> int:
    now = int(time.time())
    world = GeneratedWorld(seed=3, start_ts=(now - _DAYS_BEFORE * _DAY_S) // _DAY_S * _DAY_S)
    with Simulator(world, now_ts=now, ticking=True) as reddit:
        urls = {name: value for name, value in environment(reddit.url).items() if name.endswith("_URL")}
        command = [verify, "deploy", str(ROOT), "--zip", str(package), "--no-invoke"]
        command += ["--function-name", "tf-prod-smartcomp-lambda-reddit-ingestion"]
        for name, value in urls.items():
            command += ["--function-env", f"{name}={value}"]
        tests = f"cd {ROOT} && {sys.executable} -m pytest -q tests/deployed/test_deployed.py"
        return _run([*command, "--keep-going-command", tests], SIMULATED_REDDIT=reddit.url)


def _run(command: list[str], **variables: str) -> int:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
