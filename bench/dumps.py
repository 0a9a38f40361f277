"""Makes dumps like today's public archives: their field sets, lengths and compression. The same seed, the same rows.

A comment is about 1.8 kB and a submission about 5.3 kB of JSON; the rows of one day lie in order of time, in
300 subreddits whose sizes differ as real ones do; one row in two hundred belongs to `TARGET`.
"""

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import zstandard

TARGET = "Smartphones"
TARGET_SHARE = 0.005
SUBREDDITS = 300
DAY_START_TS = 1_740_787_200  # 2025-03-01
_DAY_S = 86_400
_BATCH = 4_096

_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]

_COMMENT = {
    "all_awardings": [], "approved_at_utc": None, "approved_by": None, "archived": False, "associated_award": None,
    "author_flair_background_color": None, "author_flair_css_class": None, "author_flair_richtext": [],
    "author_flair_template_id": None, "author_flair_text": None, "author_flair_text_color": None,
    "author_flair_type": "text", "author_is_blocked": False, "author_patreon_flair": False, "author_premium": False,
    "awarders": [], "banned_at_utc": None, "banned_by": None, "can_gild": False, "can_mod_post": False,
    "collapsed": False, "collapsed_because_crowd_control": None, "collapsed_reason": None,
    "collapsed_reason_code": None, "comment_type": None, "controversiality": 0, "distinguished": None, "downs": 0,
    "edited": False, "gilded": 0, "gildings": {}, "is_submitter": False, "likes": None, "locked": False,
    "mod_note": None, "mod_reason_by": None, "mod_reason_title": None, "mod_reports": [], "no_follow": True,
    "num_reports": None, "removal_reason": None, "replies": "", "report_reasons": None, "saved": False,
    "score_hidden": False, "send_replies": True, "stickied": False, "subreddit_type": "public",
    "top_awarded_type": None, "total_awards_received": 0, "treatment_tags": [], "unrepliable_reason": None,
    "user_reports": [],
}  # fmt: skip

_SUBMISSION = {
    "all_awardings": [], "allow_live_comments": False, "approved_at_utc": None, "approved_by": None,
    "archived": False, "author_flair_background_color": None, "author_flair_css_class": None,
    "author_flair_richtext": [], "author_flair_template_id": None, "author_flair_text": None,
    "author_flair_text_color": None, "author_flair_type": "text", "author_is_blocked": False,
    "author_patreon_flair": False, "author_premium": False, "awarders": [], "banned_at_utc": None, "banned_by": None,
    "can_gild": False, "can_mod_post": False, "category": None, "clicked": False, "content_categories": None,
    "contest_mode": False, "discussion_type": None, "distinguished": None, "downs": 0, "edited": False, "gilded": 0,
    "gildings": {}, "hidden": False, "hide_score": False, "is_created_from_ads_ui": False, "is_crosspostable": True,
    "is_meta": False, "is_original_content": False, "is_reddit_media_domain": True, "is_robot_indexable": True,
    "is_self": False, "is_video": False, "likes": None, "link_flair_background_color": "#ff4500",
    "link_flair_css_class": "", "link_flair_richtext": [{"e": "text", "t": "Discussion"}],
    "link_flair_template_id": "0269a28a-4553-11f0-8a14-8246a3a6560d", "link_flair_text": "Discussion",
    "link_flair_text_color": "dark", "link_flair_type": "richtext", "locked": False, "media": None,
    "media_embed": {}, "media_only": False, "mod_note": None, "mod_reason_by": None, "mod_reason_title": None,
    "mod_reports": [], "no_follow": True, "num_crossposts": 0, "num_reports": None, "over_18": False,
    "parent_whitelist_status": "all_ads", "pinned": False, "post_hint": "image", "pwls": 6, "quarantine": False,
    "removal_reason": None, "removed_by": None, "removed_by_category": None, "report_reasons": None, "saved": False,
    "secure_media": None, "secure_media_embed": {}, "send_replies": True, "spoiler": False, "stickied": False,
    "subreddit_subscribers": 123456, "subreddit_type": "public", "suggested_sort": None, "thumbnail_height": 140,
    "thumbnail_width": 140, "top_awarded_type": None, "total_awards_received": 0, "treatment_tags": [],
    "user_reports": [], "view_count": None, "visited": False, "whitelist_status": "all_ads", "wls": 6,
}  # fmt: skip


class Generator:
    """Makes the lines of one dump; the kind and the seed settle every byte of them."""

    def __init__(self, kind: str, seed: int = 7) -> None:
        self._random = random.Random(f"{kind} {seed}")
        self._make = {"comments": self._comment, "submissions": self._submission}[kind]
        words = {"".join(self._random.choices(_SYLLABLES, k=1 + n % 4)) for n in range(9_000)}
        self._words = [*sorted(words), "the", "battery", "café", "don't", "“fine”", "😀", "line\nbreak"]
        self._random.shuffle(self._words)
        self._word_weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))
        others = [f"{word.title()}_{number}" for number, word in enumerate(sorted(words)[:SUBREDDITS])]
        self._subreddits = [TARGET, *others]
        spread = [1 / (rank + 10) for rank in range(len(others))]
        share = TARGET_SHARE / (1 - TARGET_SHARE) * sum(spread)
        self._subreddit_weights = list(accumulate([share, *spread]))
        self._number = 1_300_000_000

    def lines(self, total_bytes: int, line_bytes: int) -> Iterator[bytes]:
        """Yield lines to a total size; their times are spread over one day by their expected number."""
        made = 0
        while made < total_bytes:
            for subreddit in self._random.choices(self._subreddits, cum_weights=self._subreddit_weights, k=_BATCH):
                created = DAY_START_TS + min(_DAY_S - 1, made * _DAY_S // (total_bytes + 64 * line_bytes))
                row = self._make(subreddit, created)
                line = json.dumps(row, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
                yield line
                made += len(line)
                if made >= total_bytes:
                    return

    def _text(self, mean_words: int) -> str:
        count = 1 + min(1_500, int(self._random.expovariate(1 / mean_words)))
        return " ".join(self._random.choices(self._words, cum_weights=self._word_weights, k=count))

    def _id(self) -> str:
        self._number += self._random.randrange(1, 9)
        return _base36(self._number)

    def _shared(self, item_id: str, prefix: str, subreddit: str, created: int) -> dict[str, Any]:
        number = self._random.randrange(4_000_000)
        return {
            "id": item_id, "name": f"{prefix}_{item_id}", "author": f"writer_{number}",
            "author_fullname": f"t2_{_base36(number * 977)}", "created": created, "created_utc": created,
            "retrieved_on": created + self._random.randrange(5, 30), "updated_on": created + 40,
            "_meta": {"retrieved_2nd_on": created + 129_600 + self._random.randrange(60)},
            "score": int(self._random.paretovariate(0.9)) % 9_000, "subreddit": subreddit,
            "subreddit_id": f"t5_{_base36(hash_of(subreddit))}", "subreddit_name_prefixed": f"r/{subreddit}",
        }  # fmt: skip

    def _comment(self, subreddit: str, created: int) -> dict[str, Any]:
        item_id, link = self._id(), _base36(self._number // 7)
        parent = f"t3_{link}" if self._random.random() < 0.4 else f"t1_{_base36(self._number - 991)}"
        fields = self._shared(item_id, "t1", subreddit, created)
        fields["ups"] = fields["score"]
        return {
            **_COMMENT, **fields, "body": self._text(34), "link_id": f"t3_{link}", "parent_id": parent,
            "permalink": f"/r/{subreddit}/comments/{link}/{self._slug()}/{item_id}/",
        }  # fmt: skip

    def _submission(self, subreddit: str, created: int) -> dict[str, Any]:
        item_id = self._id()
        fields = self._shared(item_id, "t3", subreddit, created)
        image = self._key(13)
        row = {
            **_SUBMISSION, **fields, "title": self._text(9), "selftext": self._text(165), "domain": "i.redd.it",
            "permalink": f"/r/{subreddit}/comments/{item_id}/{self._slug()}/", "url": f"https://i.redd.it/{image}.jpg",
            "url_overridden_by_dest": f"https://i.redd.it/{image}.jpg", "num_comments": fields["score"] % 300,
            "thumbnail": f"https://b.thumbs.redditmedia.com/{self._key(43)}.jpg", "ups": fields["score"],
            "upvote_ratio": self._random.randrange(50, 100) / 100, "preview": self._preview(image),
        }  # fmt: skip
        if self._random.random() < 0.04:
            other = self._random.choice(self._subreddits)
            row["crosspost_parent"] = f"t3_{_base36(self._number - 4_321)}"
            row["crosspost_parent_list"] = [{**_SUBMISSION, "subreddit": other, "title": row["title"]}]
        return row

    def _preview(self, image: str) -> dict[str, Any]:
        def sized(width: int) -> dict[str, Any]:
            url = f"https://preview.redd.it/{image}.jpg?width={width}&crop=smart&auto=webp&s={self._key(40)}"
            return {"height": width * 4 // 3, "url": url, "width": width}

        resolutions = [sized(width) for width in (108, 216, 320, 640, 960, 1080)]
        return {
            "enabled": True,
            "images": [{"id": self._key(43), "resolutions": resolutions, "source": sized(3000), "variants": {}}],
        }

    def _key(self, length: int) -> str:
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def _slug(self) -> str:
        return "_".join(self._random.choices(self._words[:2_000], k=6)).replace("\n", "")[:50]


def hash_of(text: str) -> int:
    """Return a number that stands for a text in every process."""
    return int.from_bytes(text.encode()[-4:], "big")


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


def make(target: Path, kind: str, megabytes: int, seed: int = 7) -> Path:
    """Write a dump of so many megabytes of JSON, compressed as the archives are; one that is there is kept."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(".half")
        with half.open("wb") as file:
            _compress(Generator(kind, seed).lines(megabytes * 10**6, 5_300 if kind == "submissions" else 1_800), file)
        half.rename(target)
    return target


def _compress(lines: Iterator[bytes], file: Any) -> None:
    # From a pipe, so that the frame asks for the whole window, as those of the archives do.
    if shutil.which("zstd"):
        with subprocess.Popen(["zstd", "-q", "-19", "--long=31", "-c"], stdin=subprocess.PIPE, stdout=file) as zstd:
            assert zstd.stdin
            zstd.stdin.writelines(lines)
        assert zstd.returncode == 0
        return
    parameters = zstandard.ZstdCompressionParameters.from_level(19, window_log=31, enable_ldm=True, write_checksum=True)
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(file, closefd=False) as writer:
        for line in lines:
            writer.write(line)
