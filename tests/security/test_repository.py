"""S13: no key, no account, no secret stands in the repository."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = {
    "AWS key id": re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Z0-9])"),
    "AWS secret key": re.compile(r"(?i)aws_secret_access_key[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "account": re.compile(r"(?<![0-9A-Za-z_.])(?!([0-9])\1{11}|123456789012)[0-9]{12}(?![0-9A-Za-z_])"),
    "Reddit secret": re.compile(r"REDDIT_CLIENT_SECRET[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9_-]{27,30}(?![A-Za-z0-9_-])"),
    "bearer token": re.compile(r"(?i)bearer [A-Za-z0-9_.-]{30,}"),
    "GitHub token": re.compile(r"gh[pousr]_[A-Za-z0-9]{36}"),
    "URL with a password": re.compile(r"https?://[^\s/:@\"'{}]+:[^\s/:@\"'{}]{8,}@[\w.-]+"),
}
# Written in two parts, so that this file passes its own rules.
CANARIES = {
    "AWS key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "AWS secret key": 'aws_secret_access_key = "' + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" + '"',
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "account": "arn:aws:iam::" + "210987" + "654321:role/x",
    "Reddit secret": "REDDIT_CLIENT_SECRET=" + "abcDEF123-_" * 2 + "abcde",
    "bearer token": "Authorization: Bearer " + "a1" * 20,
    "GitHub token": "ghp" + "_" + "a1B2" * 9,
    "URL with a password": "https://user:" + "hunter2hunter2" + "@example.com/x",
}
_NUMBERS_OF_NOTHING = (".lock", "requirements/")
"""Files of hashes, whose digits are no accounts."""


def files() -> Iterator[Path]:
    """Yield every file that is, or would be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"git is not here: {error}")
    if done.returncode:
        pytest.skip(f"this is no git repository: {done.stderr.strip()}")
    for name in done.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


def findings(text: str) -> list[tuple[str, str]]:
    return [(what, found.group()) for what, rule in RULES.items() for found in rule.finditer(text)]


@pytest.mark.parametrize("what", RULES)
def test_a_planted_canary_is_found(tmp_path: Path, what: str) -> None:
    planted = tmp_path / "planted.tf"
    planted.write_text(f"locals {{\n  x = <<EOT\n{CANARIES[what]}\nEOT\n}}\n")
    assert what in {rule for rule, _ in findings(planted.read_text())}


@pytest.mark.parametrize("harmless", ["123456789012", "000000000000", "t3_1767225600123", "0123456789abcdef"])
def test_what_is_no_secret_is_not_found(harmless: str) -> None:
    assert findings(f'x = "{harmless}"') == []


def test_no_key_no_account_and_no_secret_stands_in_the_repository() -> None:
    found = []
    for path in files():
        if any(mark in path.relative_to(ROOT).as_posix() for mark in _NUMBERS_OF_NOTHING):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {what}: {said[:30]}" for what, said in findings(text)]
    assert found == []


def test_no_state_and_no_plan_of_terraform_stands_in_the_repository() -> None:
    generated = (".tfstate", ".tfplan", ".pem", ".key", ".env", "credentials")
    assert [path.name for path in files() if path.name.endswith(generated) or ".tfstate." in path.name] == []
