"""Row 22 of the fault table: what is wrong with the secret is told by name before anything is read, and not shown."""

import json
import traceback
from typing import Any

import pytest

from reddit_ingest.core.errors import InvalidSetting, PlatformError, RunIncomplete, ServiceRefused, ServiceUnavailable

from ...conftest import SECRET
from ...emulator import RESET, Reply
from .conftest import ENVIRON, Lab
from .in_process_aws import TIMEOUT_AFTER, TIMEOUT_BEFORE

CANARY = "canary-9d41"
ARN = ENVIRON["REDDIT_SECRET_ARN"]
NAMES = ["REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "REDDIT_USER_AGENT"]
_ABSENT = object()
VALUES: dict[str, Any] = {
    "missing": _ABSENT,
    "empty": "",
    "blank": "  \t",
    "null": None,
    "number": 17,
    "list": [CANARY],
    "object": {"value": CANARY},
    "two lines": f"{CANARY}\n{CANARY}",
    "letters outside ASCII": f"{CANARY}ü",
    "a control character": f"{CANARY}\x1b[2J",
    "NUL": f"{CANARY}\0",
    "half a surrogate pair": f"{CANARY}\ud800",
    "a no-break space": f"{CANARY}\u00a0{CANARY}",
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_cannot_be_one_is_named_and_never_shown(lab: Lab, name: str, value: str) -> None:
    document = {**dict.fromkeys(NAMES, f"{CANARY}-other"), name: VALUES[value]}
    lab.aws.secret = json.dumps({key: kept for key, kept in document.items() if kept is not _ABSENT})
    _refused(lab, name)


DOCUMENTS = {
    "nothing": "",
    "plain text": CANARY,
    "text in quotes": f'"{CANARY}"',
    "null": "null",
    "number": "17",
    "list": f'["{CANARY}"]',
    "cut": f'{{"REDDIT_CLIENT_ID": "{CANARY}',
    "single quotes": f"{{'REDDIT_CLIENT_ID': '{CANARY}'}}",
    "lines of a shell": f"REDDIT_CLIENT_ID={CANARY}\nREDDIT_CLIENT_SECRET={CANARY}",
    "a byte order mark": "\ufeff" + json.dumps(SECRET),
    "two documents": json.dumps(SECRET) * 2,
    "nested beyond measure": "[" * 60_000,
    "names in lower case": json.dumps({name.lower(): CANARY for name in NAMES}),
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_secret_that_is_no_such_document_is_named_and_never_shown(lab: Lab, document: str) -> None:
    lab.aws.secret = DOCUMENTS[document]
    _refused(lab, ARN)


def _refused(lab: Lab, says: str) -> None:
    with pytest.raises(InvalidSetting) as told:
        lab.invoke()
    text = str(told.value)
    assert says in text
    assert ARN in text
    assert "\n" not in text
    shown = "".join(traceback.format_exception(told.value)) + repr(told.value.__context__)
    assert CANARY not in shown
    assert SECRET["REDDIT_CLIENT_SECRET"] not in shown
    assert lab.aws.calls == ["secretsmanager:GetSecretValue"], "nothing was read, nothing was landed"
    assert lab.source.asked == []


TROUBLE: dict[str, tuple[Reply | str, type[PlatformError]]] = {
    "no such secret": (Reply(400, b'{"__type":"ResourceNotFoundException","message":"x"}'), ServiceRefused),
    "no access": (Reply(400, b'{"__type":"AccessDeniedException","message":"x"}'), ServiceRefused),
    "no access to its key": (Reply(400, b'{"__type":"AccessDeniedException","message":"KMS"}'), ServiceRefused),
    "its key is disabled": (Reply(400, b'{"__type":"DecryptionFailure","message":"KMS"}'), ServiceRefused),
    "marked for deletion": (Reply(400, b'{"__type":"InvalidRequestException","message":"deleted"}'), ServiceRefused),
    "a binary secret": (Reply(200, b'{"ARN":"x","SecretBinary":"Y2FuYXJ5LTlkNDE="}'), InvalidSetting),
    "service error": (Reply(500, b'{"__type":"InternalServiceError","message":"x"}'), ServiceUnavailable),
    "throttled": (Reply(400, b'{"__type":"ThrottlingException","message":"x"}'), ServiceUnavailable),
    "reset": (RESET, ServiceUnavailable),
    "timeout": (TIMEOUT_BEFORE, ServiceUnavailable),
    "reply lost": (TIMEOUT_AFTER, ServiceUnavailable),
    "an answer that is no JSON": (Reply(200, b"<html>"), PlatformError),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_secret_that_cannot_be_read_ends_the_run_before_anything_is_read(lab: Lab, trouble: str) -> None:
    fault, meaning = TROUBLE[trouble]
    lab.aws.spoil("secretsmanager:GetSecretValue", fault, times=99)
    with pytest.raises(meaning) as told:
        lab.invoke()
    assert ARN in str(told.value)
    assert not isinstance(told.value, RunIncomplete)
    assert set(lab.aws.calls) == {"secretsmanager:GetSecretValue"}
    assert lab.source.asked == []


@pytest.mark.parametrize("extra", [{"NOTE": "rotated in May"}, {"password": None}, {"tags": [1, {"a": 2}]}])
def test_keys_that_nobody_asked_for_do_no_harm(lab: Lab, extra: dict[str, Any]) -> None:
    lab.aws.secret = json.dumps({**SECRET, **extra})
    lab.invoke()
    assert lab.source.asked != []


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_was_rotated_makes_a_new_client_and_the_same_key_does_not(lab: Lab, name: str) -> None:
    function = lab.function()
    for _ in range(2):
        function.serve({}, lambda: 600_000)
    lab.aws.secret = json.dumps({**SECRET, name: SECRET[name] + "2"})
    for _ in range(2):
        function.serve({}, lambda: 600_000)
    first, again, second, once_more = lab.sdk.connections
    assert first is again
    assert first is not second
    assert second is once_more


@pytest.mark.parametrize("space", [" ", "\n", "\t", " \r\n"])
@pytest.mark.parametrize("name", NAMES)
def test_space_around_a_key_is_a_slip_of_the_hand(lab: Lab, name: str, space: str) -> None:
    lab.aws.secret = json.dumps({**SECRET, name: space + SECRET[name] + space})
    lab.invoke()
    assert lab.source.asked != []
