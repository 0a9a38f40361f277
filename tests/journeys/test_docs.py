"""The docs say what is so: shown commands run, shown output is what they print, links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_ingest.core import errors
from reddit_sim import HostilePlan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DURATION = re.compile(r"\d+\.\d s\.")
OPERATIONS = ROOT / "docs" / "operations.md"
STAGES = ROOT / "aws" / "us-east-1"
STAGE = STAGES / "20_lambda"


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words after `market-opinion` of every command in a page's shell and cron blocks."""
    for block in [*blocks(page, "sh"), *blocks(page, "cron")]:
        for line in block.replace("\\\n", " ").splitlines():
            for command in re.split(r" (?:\||&&|\|\|) |; ", line):
                if re.match(r"\s*[\w./]*market-opinion ", command):
                    yield shlex.split(re.split(r"\d?>", command)[0], comments=True)[1:]


def transcript(page: Path) -> Iterator[tuple[str, str]]:
    """Yield each command of a page's console blocks with the output that is shown below it."""
    for block in blocks(page, "console"):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def test_the_readme_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = list(transcript(ROOT / "README.md"))
    assert shown[0][0] == "make run"
    for command, output in shown:
        words = ["demo"] if command == "make run" else shlex.split(command)[1:]
        printed = CliRunner().invoke(main, words).stdout
        assert _plain(printed) == _plain(output), command


def test_make_run_is_the_demo() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nrun:")[1].split("\n\n")[0]
    assert recipe.endswith("$(BIN)/market-opinion demo")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_shown_command_is_understood(page: Path) -> None:
    for words in commands(page):
        with main.make_context("market-opinion", list(words)) as context:
            name, command, rest = main.resolve_command(context, [*context._protected_args, *context.args])
            assert command is not None, words
            command.make_context(name, rest, parent=context).close()


def test_there_are_commands_to_check() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) >= 6
    shown = [words[0] for words in commands(OPERATIONS)]
    assert {"status", "show", "backfill", "ingest"} <= set(shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        assert anchor in anchors(page.parent / target if target else page), (target, anchor)


def test_every_alarm_has_a_section_and_names_it() -> None:
    alarms = _resources("aws_cloudwatch_metric_alarm")
    assert alarms
    for name, body in alarms.items():
        anchor = f"alarm-{name.replace('_', '-')}"
        assert f"see docs/operations.md#{anchor}" in body, name
        assert anchor in anchors(OPERATIONS), name


def test_every_page_and_anchor_that_terraform_names_is_there() -> None:
    named = re.findall(r"(docs/[\w-]+\.md)#([\w-]+)", "\n".join(file.read_text() for file in STAGES.glob("*/*.tf")))
    assert named
    assert [(page, anchor) for page, anchor in named if anchor not in anchors(ROOT / page)] == []


def test_every_section_about_an_alarm_has_its_alarm() -> None:
    sections = {anchor for anchor in anchors(OPERATIONS) if anchor.startswith("alarm-")}
    assert sections == {f"alarm-{name.replace('_', '-')}" for name in _resources("aws_cloudwatch_metric_alarm")}


def test_a_section_about_an_alarm_says_what_it_means_and_when_it_is_over() -> None:
    sections = re.split(r"^#{2,3} ", OPERATIONS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in (text for text in sections if text.startswith("Alarm:")):
        for part in ("**It means:**", "**Look", "**It is over**"):
            assert part in section, section.splitlines()[0]


def test_the_operations_page_asks_terraform_only_for_outputs_that_there_are() -> None:
    asked = set(re.findall(r"terraform -chdir=\S+ output (?:-\S+ )*(\w+)", OPERATIONS.read_text(encoding="utf-8")))
    assert asked
    assert asked <= set(re.findall(r'^output "(\w+)"', (STAGE / "outputs.tf").read_text(), re.MULTILINE))


def test_the_settings_shown_are_variables_of_the_functions_stage() -> None:
    (settings,) = blocks(OPERATIONS, "hcl")
    shown = set(re.findall(r"^(\w+) *=", settings, re.MULTILINE))
    declared = set(re.findall(r'^variable "(\w+)"', (STAGE / "variables.tf").read_text(), re.MULTILINE))
    shared = set(re.findall(r"^(\w+) *=", (ROOT / "aws" / "prod.tfvars").read_text(), re.MULTILINE))
    assert shown
    assert shown <= declared - shared
    assert set(re.findall(r"-var (\w+)=", OPERATIONS.read_text(encoding="utf-8"))) <= declared


def test_the_names_of_things_on_aws_are_those_that_terraform_gives() -> None:
    given = dict(re.findall(r'^(\w+) += "([^"]*)"', (ROOT / "aws" / "prod.tfvars").read_text(), re.MULTILINE))
    prefix = f"{given['prefix']}{given['environment']}-smartcomp"
    text = "\n".join(file.read_text() for stage in STAGE.parent.iterdir() for file in stage.glob("*.tf"))
    templates = re.findall(r'"(\$\{local\.name_prefix\}[\w-]+)"', text)
    made = {template.replace("${local.name_prefix}", prefix) for template in templates} | {f"{prefix}-tfstate"}
    shown = set(re.findall(rf"{prefix}-[\w-]*\w", OPERATIONS.read_text(encoding="utf-8")))
    assert shown <= made


def test_the_errors_of_the_runbook_are_errors_of_the_code() -> None:
    runbook = OPERATIONS.read_text(encoding="utf-8").split("### Alarm: errors")[1].split("### Alarm: no window")[0]
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", runbook))
    assert {"RunIncomplete", "CredentialsRejected", "ServiceRefused"} <= named
    assert [name for name in sorted(named) if not hasattr(errors, name)] == []


def test_the_fault_table_names_every_fault() -> None:
    text = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8").split("| fault |")[1]
    assert set(re.findall(r"`([a-z0-9:-]+)`", text)) - {"seconds"} == set(HostilePlan.names())


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{1,6} (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _resources(kind: str) -> dict[str, str]:
    text = "\n".join(file.read_text() for file in sorted(STAGES.glob("*/*.tf")))
    return dict(re.findall(rf'^resource "{kind}" "(\w+)" \{{\n(.*?)^\}}$', text, re.MULTILINE | re.DOTALL))


def _plain(text: str) -> str:
    # How long it took is the machine's; a table's lines may end in padding.
    return "\n".join(line.rstrip() for line in _DURATION.sub("T s.", text).strip().splitlines())
