"""What the stages share, kept in step. Reads the files; needs no Terraform."""

import re
import subprocess
from pathlib import Path

import pytest

from .stages import BUCKETS, FUNCTION, REFRESH, STAGES

ALL = [STAGES / name for name in (BUCKETS, FUNCTION, REFRESH)]
STAGE = pytest.mark.parametrize("stage", ALL, ids=lambda stage: stage.name)


def _blocks(stage: Path, kind: str) -> dict[str, str]:
    text = "\n".join(file.read_text() for file in sorted(stage.glob("*.tf")))
    return dict(re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}$', text, re.MULTILINE | re.DOTALL))


@STAGE
def test_a_stage_declares_every_variable_of_the_shared_file(stage: Path) -> None:
    given = set(re.findall(r"^(\w+) *=", (STAGES.parent / "prod.tfvars").read_text(), re.MULTILINE))
    assert given
    assert given <= _blocks(stage, "variable").keys()


@STAGE
def test_every_variable_and_output_says_what_it_is(stage: Path) -> None:
    blocks = {**_blocks(stage, "variable"), **_blocks(stage, "output")}
    assert [name for name, body in blocks.items() if not re.search(r"^  description +=", body, re.MULTILINE)] == []


@STAGE
def test_the_state_lies_where_the_other_stages_look_for_it(stage: Path) -> None:
    backend = dict(re.findall(r'^ +(\w+) += "(.+)"$', (stage / "backend.tf").read_text(), re.MULTILINE))
    assert backend["key"] == f"{stage.name}/terraform.tfstate"
    assert f'default     = "{backend["bucket"]}"' in _blocks(stage, "variable")["state_bucket"]


@pytest.mark.parametrize("name", ["versions.tf", "providers.tf"])
def test_all_stages_work_with_the_same_versions_and_tags(name: str) -> None:
    assert len({(stage / name).read_text() for stage in ALL}) == 1


def test_no_stage_lacks_these_checks() -> None:
    assert sorted(stage for stage in STAGES.iterdir() if stage.is_dir()) == ALL


@STAGE
def test_nothing_that_terraform_or_a_deployment_makes_is_kept_with_a_stage(stage: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", stage], cwd=STAGES, capture_output=True, text=True, check=True).stdout
    assert tracked
    assert [name for name in tracked.split() if "/." in name or "tfstate" in name or "auto.tfvars" in name] == []
