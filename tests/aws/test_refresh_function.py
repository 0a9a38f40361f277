"""The refresh function: what was landed is looked at again on AWS, and what was deleted leaves every version behind."""

import json
from typing import Any

import pytest

from reddit_ingest import view
from reddit_ingest.bootstrap_aws import RefreshFunction
from reddit_ingest.clocks import FixedClock
from reddit_ingest.core.errors import InvalidRequest, InvalidSetting, RunIncomplete
from reddit_ingest.s3_storage import S3LakeReader
from reddit_sim import GeneratedWorld

from ..emulator import Deployment
from .conftest import HOUR, LAST, Invoker


def every_byte(deployment: Deployment) -> bytes:
    """Return what stands in the bucket, old versions included."""
    s3 = deployment.client("s3")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=deployment.bucket)
    versions = [version for page in pages for version in page.get("Versions", ())]
    return b"".join(
        s3.get_object(Bucket=deployment.bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        for version in versions
    )


class Refresher:
    """Invokes the refresh function with the rights that Terraform grants, and no others."""

    def __init__(self, invoker: Invoker, monkeypatch: pytest.MonkeyPatch) -> None:
        self._invoker = invoker
        self._monkeypatch = monkeypatch

    def invoke(self, hours_later: int, event: dict[str, Any] | None = None, left_ms: int = 600_000, **env: str) -> Any:
        invoker = self._invoker
        deployment, now = invoker.deployment, invoker.clock.ts + hours_later * HOUR
        invoker.reddit.clock.set(now)
        keys = deployment.role(deployment.granted_to_refresh())
        with self._monkeypatch.context() as patch:
            for name, value in deployment.sdk(invoker.wire.endpoint, keys).items():
                patch.setenv(name, value)
            function = RefreshFunction({**invoker.environ, **env}, FixedClock(now))
            return json.loads(json.dumps(function.serve(event or {}, lambda: left_ms)))


@pytest.fixture
def refresh(lambda_: Invoker, monkeypatch: pytest.MonkeyPatch) -> Refresher:
    lambda_.deployment.client("s3").put_bucket_versioning(
        Bucket=lambda_.deployment.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    lambda_.invoke({"mode": "backfill", "subreddit": "phones", "start_ts": LAST - 5 * HOUR, "end_ts": LAST + HOUR})
    return Refresher(lambda_, monkeypatch)


def rows(deployment: Deployment, kind: str) -> dict[str, Any]:
    return view.rows(S3LakeReader(deployment.client("s3"), deployment.bucket), "reddit/phones/", kind)


def test_a_refresh_lands_what_has_become_of_known_items_and_records_it(lambda_: Invoker, refresh: Refresher) -> None:
    before = rows(lambda_.deployment, "submissions")
    (report,) = refresh.invoke(40)["subreddits"]
    assert report["asked"] == report["due"] > 50
    after = rows(lambda_.deployment, "submissions")
    assert any(after[name]["score"] != row["score"] for name, row in before.items() if name in after)
    assert report["new_comments"] > 0
    figures = lambda_.deployment.figures()
    assert figures["RefreshedItems", "phones"] == report["found"]
    assert figures["CommentsRecovered", "phones"] == report["new_comments"]
    (item,) = lambda_.deployment.items("REFRESH")
    assert item["pk"] == "ENV#prod#SUBREDDIT#phones"
    (again,) = refresh.invoke(40)["subreddits"]
    assert (again["due"], again["requests"]) == (0, 0)


def test_what_its_author_deleted_is_in_no_version_of_any_object(lambda_: Invoker, refresh: Refresher) -> None:
    world = lambda_.reddit.world
    assert isinstance(world, GeneratedWorld)
    now = lambda_.clock.ts + 40 * HOUR
    known = {**rows(lambda_.deployment, "submissions"), **rows(lambda_.deployment, "comments")}
    deleted = [
        row
        for name, row in known.items()
        if (thing := world.by_name[name]).is_gone(now) and not thing.is_gone(lambda_.clock.ts)
        if thing.gone_by == "author"
    ]
    assert deleted
    assert all(row["permalink"].encode() in every_byte(lambda_.deployment) for row in deleted)
    (report,) = refresh.invoke(40)["subreddits"]
    assert report["deleted"] >= len(deleted)
    assert report["deletions_due"] == 0
    left = every_byte(lambda_.deployment)
    for row in deleted:
        # Generated texts repeat, and names do; a permalink is one item's own.
        assert row["permalink"].encode() not in left
        assert row["fullname"].encode() in left, "its tombstone stays"


def test_an_event_that_cannot_be_served_calls_nothing(lambda_: Invoker, refresh: Refresher) -> None:
    calls = len(lambda_.wire.calls)
    for event in ({"subreddit": "../x"}, {"budget": 0}, {"budget": True}, {"mode": "backfill"}):
        with pytest.raises(InvalidRequest):
            refresh.invoke(1, event)
    with pytest.raises(InvalidSetting, match="REDDIT_SECRET_ARN"):
        refresh.invoke(1, REDDIT_SECRET_ARN="")
    assert len(lambda_.wire.calls) == calls


def test_the_budget_bounds_the_requests_and_the_next_run_goes_on(lambda_: Invoker, refresh: Refresher) -> None:
    (first,) = refresh.invoke(40, {"budget": 1})["subreddits"]
    assert first["remaining"] > 0
    (second,) = refresh.invoke(40)["subreddits"]
    assert second["due"] == first["remaining"]
    assert second["remaining"] == 0


def test_too_little_time_and_a_blocked_subreddit_are_no_failures_and_a_failing_reddit_is_one(
    lambda_: Invoker, refresh: Refresher
) -> None:
    (late,) = refresh.invoke(40, left_ms=1_000)["subreddits"]
    assert "no time left" in late["trouble"]
    lambda_.spoil_reddit("/api/info", "status:503")
    with pytest.raises(RunIncomplete, match=r"r/phones: .*503"):
        refresh.invoke(40)
    lambda_.reddit.set_hostile("[]")
    (report,) = refresh.invoke(40)["subreddits"]
    assert report["remaining"] == 0


def test_every_right_is_used_and_no_other(lambda_: Invoker, refresh: Refresher) -> None:
    begin = len(lambda_.wire.calls)
    refresh.invoke(40)
    used = set(lambda_.wire.calls[begin:])
    granted = set(lambda_.deployment.granted_to_refresh())
    assert used <= granted
    # What only an upload in pieces or one that broke needs is used by the tests of those.
    assert granted - used <= {"s3:AbortMultipartUpload"}
