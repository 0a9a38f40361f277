"""Worlds: the same for the same seed, true to their recording, and moved from outside."""

import json
from collections import Counter
from pathlib import Path

import pytest
import requests

from reddit_sim import GeneratedWorld, RecordedWorld, SubredditSpec

from .conftest import T0, client, post, world

DAY = 86_400
START = T0 - T0 % DAY


def everything(made: GeneratedWorld, now: int, name: str = "smartphones") -> dict[str, object]:
    made.prepare(now)
    return {
        thing.name: (thing.created_utc, thing.shape(now) if hasattr(thing, "comments") else thing.shape(now, None))
        for thing in [*made.posts(name), *made.comments(name)]
        if thing.created_utc < now
    }


def test_two_worlds_of_one_seed_agree_on_the_days_both_hold() -> None:
    longer = everything(GeneratedWorld(seed=7, start_ts=START - 2 * DAY), START + DAY)
    shorter = everything(GeneratedWorld(seed=7, start_ts=START), START + DAY)
    posts = {name for name in shorter if name.startswith("t3_")}
    assert len(posts) > 80
    assert {name: longer[name] for name in posts} == {name: shorter[name] for name in posts}


def test_worlds_of_different_seeds_differ() -> None:
    one = everything(GeneratedWorld(seed=1, start_ts=START), START + DAY)
    two = everything(GeneratedWorld(seed=2, start_ts=START), START + DAY)
    assert one != two


def test_the_default_subreddits_have_very_different_traffic() -> None:
    made = GeneratedWorld(seed=7, start_ts=START)
    made.prepare(START + 2 * DAY)
    counts = {name: len(made.comments(name)) for name in ("android", "smartphones", "pocketphones")}
    assert counts["android"] > 2 * counts["smartphones"] > 10 * counts["pocketphones"] > 0


def test_what_people_mean_is_kept_beside_what_they_say() -> None:
    made = GeneratedWorld(seed=7, start_ts=START)
    made.prepare(START + DAY)
    comments = made.comments("android")
    opinions = [opinion for thing in comments for opinion in made.truth(thing.name)]
    flags = Counter(flag for thing in comments for flag in made.flags(thing.name))
    assert {opinion.polarity for opinion in opinions} == {-1, 0, 1}
    assert {opinion.brand for opinion in opinions} >= {"Apple", "Samsung", "Google"}
    assert {opinion.kind for opinion in opinions} == {"plain", "comparison", "sarcasm"}
    assert min(flags[name] for name in ("sarcasm", "spam", "bot")) > 5
    named = [t for t in comments if any(o.kind == "plain" for o in made.truth(t.name))]
    assert all(any(o.product in t.fields["body"] for o in made.truth(t.name)) for t in named)


def test_items_have_the_size_and_the_fields_of_today() -> None:
    made = GeneratedWorld(seed=7, start_ts=START)
    made.prepare(START + DAY)
    posts = [post.shape(START + DAY) for post in made.posts("android")]
    comments = [comment.shape(START + DAY, None) for comment in made.comments("android")]
    for shapes, low, high in ((posts, 2_500, 6_500), (comments, 1_500, 3_000)):
        mean = sum(len(json.dumps(shape)) for shape in shapes) / len(shapes)
        assert low < mean < high
        assert all(isinstance(shape["created_utc"], float) for shape in shapes)
    ids = [comment["id"] for comment in sorted(comments, key=lambda shape: shape["created_utc"])]
    assert ids != sorted(ids)


def test_the_clock_statistics_truth_and_hostility_are_moved_over_http(serve) -> None:
    simulator = serve(GeneratedWorld(seed=7, start_ts=START), now_ts=START + DAY)
    at = f"{simulator.url}/_sim"
    assert requests.get(f"{at}/clock", timeout=5).json()["now"] == START + DAY
    assert requests.post(f"{at}/clock", json={"advance": 60}, timeout=5).json()["now"] == START + DAY + 60
    assert requests.post(f"{at}/clock", json={"now": "2026-01-07T00:00"}, timeout=5).json()["now"] == 1_767_744_000
    assert requests.post(f"{at}/clock", json={"now": "never"}, timeout=5).status_code == 400
    list(client(simulator).subreddit("android").new(limit=5))
    stats = requests.get(f"{at}/stats", timeout=5).json()
    assert (stats["requests"], stats["items_served"], stats["tokens"]) == ({"GET /r/{}/new": 1}, 5, 1)
    lines = requests.get(f"{at}/truth", params={"subreddit": "android", "start_ts": START}, timeout=5).text.split("\n")
    assert len(lines) > 500
    assert {"fullname", "created_utc", "author", "opinions", "flags"} == json.loads(lines[0]).keys()
    requests.post(f"{at}/hostile", json=[{"fault": "451"}], timeout=5)
    with pytest.raises(Exception, match="451"):
        list(client(simulator).subreddit("android").new(limit=5))


@pytest.mark.parametrize("name", ["AskWomen_2019-10_submissions", "RC_2005-12_comments"])
def test_a_recorded_world_serves_the_real_dumps(serve, shared_data: Path, name: str) -> None:
    file = shared_data / "reddit" / "pushshift" / f"{name}.ndjson.gz"
    is_comments = name.endswith("comments")
    made = RecordedWorld.from_files(**{"comments" if is_comments else "submissions": [file]})
    now = 1_569_888_000 + 14 * DAY if not is_comments else 1_136_073_600
    reddit = client(serve(made, now_ts=now))
    subreddit = reddit.subreddit("reddit.com" if is_comments else "AskWomen")
    if is_comments:
        assert len(made.comments("reddit.com")) == 1_075
    else:
        found = list(subreddit.new(limit=None))
        assert len(found) == 1_000
        assert all(item.created_utc <= now - 10 for item in found)


def test_plain_gz_and_zst_recordings_are_the_same_world(tmp_path: Path) -> None:
    import gzip

    import zstandard

    row = {"id": "a1", "subreddit": "phones", "created_utc": T0, "title": "line\u2028separator", "selftext": "x"}
    content = (json.dumps(row, ensure_ascii=False) + "\n" + json.dumps({**row, "id": "a2"})).encode()
    files = [tmp_path / "w.ndjson", tmp_path / "w.gz", tmp_path / "w.zst"]
    files[0].write_bytes(content)
    files[1].write_bytes(gzip.compress(content))
    files[2].write_bytes(zstandard.ZstdCompressor().compress(content))
    for file in files:
        assert [item.id for item in RecordedWorld.from_files(submissions=[file]).posts("phones")] in (
            ["a1", "a2"],
            ["a2", "a1"],
        )


def test_a_recording_with_a_broken_line_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "w.ndjson"
    file.write_text('{"id": "a", "subreddit": "x", "created_utc": 1}\n{"id": 3}\n')
    with pytest.raises(ValueError, match=r"w\.ndjson line 2"):
        RecordedWorld.from_files(submissions=[file])


def test_what_could_be_seen_of_a_span_leaves_out_what_is_gone(serve) -> None:
    simulator = serve(world([post(1, T0), post(2, T0 + 5, gone_ts=T0 + 100)], subreddits=[SubredditSpec("phones")]))
    assert simulator.visible_in("phones", T0, T0 + 10) == {"t3_p00001"}
