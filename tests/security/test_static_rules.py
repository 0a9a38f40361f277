"""S12: the rules of `make lint` find code that must not be, and find none in the rooms."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {
    "eval": ("S307", "def f(text: str) -> object:\n    return eval(text)\n"),
    "exec": ("S102", "def f(text: str) -> None:\n    exec(text)\n"),
    "pickle": ("S301", "import pickle\n\n\ndef f(data: bytes) -> object:\n    return pickle.loads(data)\n"),
    "marshal": ("S302", "import marshal\n\n\ndef f(data: bytes) -> object:\n    return marshal.loads(data)\n"),
    "a shell": (
        "S602",
        "import subprocess\n\n\ndef f(name: str) -> None:\n    subprocess.run('ls ' + name, shell=True)\n",
    ),
    "os.system": ("S605", "import os\n\n\ndef f(name: str) -> None:\n    os.system('ls ' + name)\n"),
    "yaml.load": ("S506", "import yaml\n\n\ndef f(text: str) -> object:\n    return yaml.load(text)\n"),
    "a predictable file": ("S108", "def f() -> None:\n    open('/tmp/market-opinion', 'w').close()\n"),
    "mktemp": ("S306", "import tempfile\n\n\ndef f() -> str:\n    return tempfile.mktemp()\n"),
    "no verification": ("S501", "import requests\n\n\ndef f(url: str) -> None:\n    requests.get(url, verify=False)\n"),
    "no time-out": ("S113", "import requests\n\n\ndef f(url: str) -> None:\n    requests.get(url)\n"),
    "SQL from text": ("S608", "def f(name: str) -> str:\n    return 'select * from t where name = ' + name\n"),
    "a password": ("S105", "password = 'hunter2hunter2'\n"),
    "unpacking": ("S202", "import tarfile\n\n\ndef f(a: tarfile.TarFile) -> None:\n    a.extractall()\n"),
    "open to all": ("S103", "import os\n\n\ndef f(name: str) -> None:\n    os.chmod(name, 0o777)\n"),
    "assert": ("S101", "def f(a: int) -> None:\n    assert a\n"),
}


def found(code: str, place: str) -> set[str]:
    """Return the rules that a file in this place would break."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format=json", "--stdin-filename", place, "-"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {violation["code"] for violation in json.loads(done.stdout)}


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize("room", ["modules/reddit_ingest", "modules/market_opinion/cli", "lambda/ingestion"])
def test_a_planted_violation_is_found(room: str, what: str) -> None:
    rule, code = PLANTED[what]
    assert rule in found('"""Planted."""\n\n' + code, f"{room}/planted.py")


def test_harmless_code_is_found_harmless() -> None:
    assert found('"""Planted."""\n', "modules/reddit_ingest/planted.py") == set()


ALLOWED = {"S101", "S311", "S603", "S607", "S608"}
"""Rules that a line may be exempt from, where it says why."""


def test_exemptions_are_few_and_say_why() -> None:
    exempt = [
        (path, line)
        for room in ("modules", "lambda", "simulator")
        for path in (ROOT / room).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: .*\bS\d", line)
    ]
    for path, line in exempt:
        rules = set(re.findall(r"\bS\d{3}\b", line))
        assert rules <= ALLOWED, f"{path}: {line.strip()}"
        assert re.search(r"noqa: [A-Z0-9, ]+ *[#-] +\w|# \w.*# noqa", line), f"{path} does not say why: {line.strip()}"
    assert len(exempt) < 30
