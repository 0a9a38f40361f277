"""The docs say what is so: shown commands run, shown output is what they print, links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from market_opinion.cli import main
from reddit_sim import HostilePlan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DURATION = re.compile(r"\d+\.\d s\.")


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def commands(page: Path) -> Iterator[list[str]]:
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.partition(" | ")[0], comments=True)
            if words and words[0].endswith("market-opinion"):
                yield words[1:]


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_fault_table_names_every_fault() -> None:
    text = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8").split("| fault |")[1]
    assert set(re.findall(r"`([a-z0-9:-]+)`", text)) - {"seconds"} == set(HostilePlan.names())


def _plain(text: str) -> str:
    # How long it took is the machine's; a table's lines may end in padding.
    return "\n".join(line.rstrip() for line in _DURATION.sub("T s.", text).strip().splitlines())
