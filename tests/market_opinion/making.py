"""Documents for the tests."""

from typing import Any

from market_opinion.documents import Document, document_of

NOON = 1_767_268_800


def comment(body: str | None, **fields: Any) -> Document:
    row = {
        "fullname": "t1_c",
        "subreddit": "Android",
        "created_utc": NOON,
        "observed_at_ts": NOON + 60,
        "author": "somebody",
    }
    row |= {"link_id": "t3_s", "parent_id": "t3_s", "score": 3, "score_hidden": False, "permalink": "/r/Android/x"}
    return document_of({**row, "body": body, **fields}, "comments")


def submission(title: str | None, selftext: str | None = "", **fields: Any) -> Document:
    row = {
        "fullname": "t3_s",
        "subreddit": "Android",
        "created_utc": NOON,
        "observed_at_ts": NOON + 60,
        "author": "somebody",
    }
    return document_of({**row, "score": 3, "title": title, "selftext": selftext, **fields}, "submissions")
