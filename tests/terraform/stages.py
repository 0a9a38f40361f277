"""Runs the checks of the Terraform stages on a copy of them, and reads what they say.

`TERRAFORM_VERIFY` names an executable that is called as `$TERRAFORM_VERIFY check FOLDER --save-plans PLANS`. It runs
fmt, init, validate, plan and test of every stage under FOLDER/aws, prints `FAIL  STAGE  CHECK  (SECONDS s)` with the
reason for each that fails, and writes the finished plans as PLANS/STAGE.json.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ROOT / "aws" / "us-east-1"
BUCKETS, FUNCTION, REFRESH = "10_s3", "20_lambda", "30_refresh"

_OUTPUTS_ONLY = """
terraform {
  backend "s3" {
    key = "10_s3/terraform.tfstate"
  }
}

output "s3_landing_zone_bucket_id" {
  value = "tf-prod-smartcomp-lz"
}

output "s3_landing_zone_bucket_arn" {
  value = "arn:aws:s3:::tf-prod-smartcomp-lz"
}
"""


@dataclass(frozen=True)
class Verdict:
    """What the checks said: which failed, their output on one line, and the plans that were made."""

    failed: tuple[str, ...]
    output: str
    plans: dict[str, dict[str, Any]]


def needs_terraform() -> None:
    """Skip the test where the checks cannot run."""
    if not os.environ.get("TERRAFORM_VERIFY"):
        pytest.skip("TERRAFORM_VERIFY does not name the command that checks the Terraform stages")
    if not shutil.which("terraform"):
        pytest.skip("terraform is not on PATH")


def copied(folder: Path) -> Path:
    """Copy all stages."""
    generated = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")
    shutil.copytree(ROOT / "aws", folder / "aws", ignore=generated)
    return folder


def keep_only(folder: Path, stages: tuple[str, ...], runs: tuple[str, ...]) -> None:
    """Leave away what a question does not need: a stage costs seconds, and so does every `run` of its tests.

    Where only 20_lambda stays, a stand-in with the outputs it reads takes the place of 10_s3.
    """
    for stage in (folder / "aws" / "us-east-1").iterdir():
        if stage.name not in stages:
            shutil.rmtree(stage)
            continue
        for tests in stage.glob("tests/*.tftest.hcl"):
            _keep_runs(tests, runs)
    stand_in = folder / "aws" / "us-east-1" / BUCKETS
    if not stand_in.exists():
        stand_in.mkdir()
        (stand_in / "main.tf").write_text(_OUTPUTS_ONLY.lstrip())


def _keep_runs(tests: Path, runs: tuple[str, ...]) -> None:
    text = tests.read_text()
    blocks = re.findall(r'^run "(\w+)" (\{\n.*?^\}\n)', text, re.MULTILINE | re.DOTALL)
    kept = [f'run "{name}" {body}' for name, body in blocks if name in runs]
    if kept:
        tests.write_text(text.partition(f'run "{blocks[0][0]}"')[0] + "\n".join(kept))
    else:
        tests.unlink()


def check(folder: Path) -> Verdict:
    """Run the checks on a copy."""
    plans = folder / "plans"
    command = [os.environ["TERRAFORM_VERIFY"], "check", str(folder), "--save-plans", str(plans)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    failed = re.findall(r"^FAIL\s+(.+?)\s+\([\d.]+ s\)$", output, re.MULTILINE)
    assert (done.returncode != 0) == bool(failed), output
    return Verdict(
        failed=tuple(" ".join(name.split()) for name in failed),
        output=" ".join(output.split()),
        plans={plan.stem: json.loads(plan.read_text()) for plan in plans.glob("*.json")},
    )


def resources(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all planned resources, those inside modules too."""
    waiting = [plan["planned_values"]["root_module"]]
    while waiting:
        module = waiting.pop()
        yield from module.get("resources", [])
        waiting += module.get("child_modules", [])


def complaints(plan: dict[str, Any]) -> list[str]:
    """Return what is wrong with the planned buckets.

    Terraform's own tests see of a module only its outputs; these settings are not among them.
    """
    zones = plan["planned_values"]["root_module"]["child_modules"]
    return [f"{zone['address']}: {text}" for zone in zones for text in _of_zone(zone["resources"])]


def _of_zone(planned: list[dict[str, Any]]) -> Iterator[str]:
    settings = {item["type"].removeprefix("aws_s3_bucket_"): item["values"] for item in planned}
    public = settings.get("public_access_block", {})
    doors = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    if not all(public.get(door) for door in doors):
        yield "public access is not blocked"
    if _first(settings, "ownership_controls", "rule").get("object_ownership") != "BucketOwnerEnforced":
        yield "objects may belong to other accounts"
    if _first(settings, "versioning", "versioning_configuration").get("status") != "Enabled":
        yield "old versions are not kept"
    encryption = _first(settings, "server_side_encryption_configuration", "rule")
    if _first({"": encryption}, "", "apply_server_side_encryption_by_default").get("sse_algorithm") != "AES256":
        yield "objects are not encrypted"
    yield from _of_lifecycle(settings.get("lifecycle_configuration", {}).get("rule", []))


def _of_lifecycle(rules: list[dict[str, Any]]) -> Iterator[str]:
    rule = next((rule for rule in rules if rule["status"] == "Enabled"), {})
    if _first({"": rule}, "", "abort_incomplete_multipart_upload").get("days_after_initiation") != 7:
        yield "pieces of broken uploads stay"
    if _first({"": rule}, "", "noncurrent_version_expiration").get("noncurrent_days") != 30:
        yield "old versions stay for ever"
    if any(_first({"": each}, "", "expiration").get("days") or each.get("transition") for each in rules):
        yield "current objects are deleted or moved"


def _first(settings: dict[str, Any], setting: str, block: str) -> dict[str, Any]:
    blocks = settings.get(setting, {}).get(block) or [{}]
    first: dict[str, Any] = blocks[0]
    return first
