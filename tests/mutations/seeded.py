"""Mistakes that somebody could make in `modules/`, and the tests that must not let them pass."""

from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parents[2] / "modules"

SCHEDULES = "tests/faults/test_schedules.py"
MACHINE = "tests/faults/test_state_machine.py"
PIPELINE = "tests/test_pipeline.py"
VIEW = "tests/test_view.py"
WRITERS = "tests/contracts/test_jsonl_writer_contract.py"
WINDOWS = "tests/core/test_windows.py"
LATE = "tests/faults/test_late_items.py"
READING = "tests/journeys/test_hours_land.py"
TROUBLE = "tests/journeys/test_faults.py"


@dataclass(frozen=True)
class Mutation:
    """A replacement in one file of `reddit_ingest`, and the tests of which at least one must fail then."""

    what: str
    file: str
    old: str
    new: str
    caught_by: str

    @property
    def path(self) -> Path:
        """The file, from `modules` on."""
        return Path("reddit_ingest") / self.file


_SAVE = """\
            is_contiguous = is_contiguous and result.status.moves_watermark
            if is_contiguous:
                self._state.save_last_run_timestamp(subreddit, result.window_end_ts)
                outcome.watermark = result.window_end_ts
"""
_RECORD = """\
            record = self._record(result, mode)
            outcome.results.append(result)
"""
_LAND_QUARANTINE = "            *self._writer.land(folder, QUARANTINE, [*submissions.unusable, *comments.unusable]),\n"
_COMMIT_FIRST = """\
        self._writer.commit(
            folder, Manifest(subreddit, window, source, mode, observed_at_ts, __version__, (), reading.coverage)
        )
"""
_EMPTY = '{"kind": "Listing", "data": {"children": [], "after": None}}'
_SORTED = 'sorted(items, key=lambda item: (created_utc(item) or 0, str(item.get("name"))))'

MUTATIONS = (
    # Three designs that lose or double rows when runs overlap.
    Mutation(
        "design: keys by the time of the run",
        "ingestion_service.py",
        "folder = window_folder(self._prefix, subreddit, window)\n",
        'folder = window_folder(self._prefix, subreddit, window) + f"{observed_at_ts}/"\n',
        MACHINE,
    ),
    Mutation(
        "design: keys by window, what stands there is overwritten",
        "s3_storage.py",
        'ContentType=content_type, IfNoneMatch="*")',
        "ContentType=content_type)",
        WRITERS,
    ),
    Mutation(
        "design: one manifest per window, the first writer wins",
        "core/keys.py",
        'return f"manifest-{sha256[:_SHA_DIGITS]}.json"',
        'return f"manifest-{0:016x}.json"',
        SCHEDULES,
    ),
    # The order of effects.
    Mutation("watermark before run record", "pipeline.py", _RECORD + _SAVE, _SAVE + _RECORD, PIPELINE),
    Mutation(
        "watermark of the whole run at its first window",
        "pipeline.py",
        "self._state.save_last_run_timestamp(subreddit, result.window_end_ts)",
        "self._state.save_last_run_timestamp(subreddit, end_ts)",
        PIPELINE,
    ),
    Mutation(
        "manifest before objects",
        "ingestion_service.py",
        "        submissions = _Lines(SUBMISSIONS",
        _COMMIT_FIRST + "        submissions = _Lines(SUBMISSIONS",
        PIPELINE,
    ),
    # Landing.
    Mutation(
        "pieces of a large object put together without a condition",
        "s3_storage.py",
        'MultipartUpload={"Parts": pieces}, IfNoneMatch="*"',
        'MultipartUpload={"Parts": pieces}',
        WRITERS,
    ),
    Mutation(
        "a name that is taken in the bucket is an error",
        "s3_storage.py",
        "                if code != _TAKEN:\n                    raise\n                return False\n",
        "                raise\n",
        WRITERS,
    ),
    Mutation(
        "a file replaces another",
        "storage.py",
        "        os.link(temporary, target)\n    except FileExistsError",
        "        os.replace(temporary, target)\n    except FileExistsError",
        WRITERS,
    ),
    Mutation(
        "a file is not forced to disk",
        "storage.py",
        "        _force(Path(temporary))\n        os.link",
        "        os.link",
        WRITERS,
    ),
    Mutation(
        "a folder is not forced to disk",
        "storage.py",
        "    _force(target.parent)\n    return True",
        "    return True",
        WRITERS,
    ),
    Mutation(
        "what stands under a name, unseen, is taken for the same",
        "jsonl.py",
        "in (Put.TAKEN, Put.UNSEEN):",
        "is Put.TAKEN:",
        SCHEDULES,
    ),
    Mutation(
        "other bytes under a name are taken for the same",
        "jsonl.py",
        "in (Put.TAKEN, Put.UNSEEN):",
        "is Put.UNSEEN:",
        SCHEDULES,
    ),
    Mutation("the order the source has shown is kept", "ingestion_service.py", _SORTED, "items", PIPELINE),
    Mutation("no quarantine", "ingestion_service.py", _LAND_QUARANTINE, "", PIPELINE),
    Mutation("look-back not landed", "ingestion_service.py", "in reading.earlier:", "in ():", PIPELINE),
    # Planning.
    Mutation(
        "a window without its first second",
        "core/windows.py",
        "self.start_ts <= created_utc < self.end_ts",
        "self.start_ts < created_utc < self.end_ts",
        WINDOWS,
    ),
    Mutation(
        "a window with the first second of the next",
        "core/windows.py",
        "self.start_ts <= created_utc < self.end_ts",
        "self.start_ts <= created_utc <= self.end_ts",
        WINDOWS,
    ),
    Mutation("an hour is read before it settles", "core/windows.py", "SETTLE_S = 120", "SETTLE_S = 0", WINDOWS),
    Mutation(
        "a damaged watermark is believed",
        "core/windows.py",
        "    check_watermark(watermark, now_ts)\n",
        "",
        MACHINE,
    ),
    Mutation(
        "the watermark moves over a window that failed",
        "pipeline.py",
        "is_contiguous = is_contiguous and result.status.moves_watermark",
        "is_contiguous = is_contiguous",
        PIPELINE,
    ),
    Mutation(
        "the watermark moves on after a window that failed",
        "pipeline.py",
        "is_contiguous = is_contiguous and result.status.moves_watermark",
        "is_contiguous = mode is Mode.INCREMENTAL and result.status.moves_watermark",
        PIPELINE,
    ),
    Mutation(
        "a backfill moves the watermark",
        "pipeline.py",
        "is_contiguous = mode is Mode.INCREMENTAL\n",
        "is_contiguous = True\n",
        PIPELINE,
    ),
    Mutation(
        "a full disk ends only one subreddit", "core/errors.py", "ServiceRefused, Stop)", "ServiceRefused)", PIPELINE
    ),
    # Reading the source.
    Mutation(
        "the first second of a run's hours is nobody's",
        "sources/reddit_api.py",
        "if not self.start_ts <= created < self.end_ts:",
        "if not self.start_ts < created < self.end_ts:",
        READING,
    ),
    Mutation(
        "an empty body is an empty listing",
        "reddit_client.py",
        "answer = self._reddit.request(method=method, path=path, **content)",
        "answer = self._reddit.request(method=method, path=path, **content) or " + _EMPTY,
        TROUBLE,
    ),
    Mutation("late items dropped", "sources/reddit_api.py", " or id(item) in late:", ":", LATE),
    Mutation("one late item ends the reading", "fetchers.py", "\nTAIL = 25\n", "\nTAIL = 1\n", LATE),
    Mutation("a capped reading is whole", "fetchers.py", "return Ended.CAPPED", "return Ended.PAST_START", READING),
    Mutation(
        "a listing that was cut is whole",
        "fetchers.py",
        "return self.ended is Ended.EXHAUSTED and len(self.items) < _WHOLE_LISTING",
        "return self.ended is Ended.EXHAUSTED",
        READING,
    ),
    Mutation(
        "a window that the cap cut is read back to its start",
        "sources/reddit_api.py",
        "if reached is not None and reached <= window.start_ts:",
        "if reached is not None:",
        READING,
    ),
    # Readers.
    Mutation(
        "the first observation wins",
        "view.py",
        "elif _is_before(last[name], row",
        "elif not _is_before(last[name], row",
        VIEW,
    ),
    Mutation(
        "an object is shown whatever it holds",
        "view.py",
        "if sha256_hex(content) != landed.sha256:",
        "if False:",
        VIEW,
    ),
    Mutation(
        "the weakest attempt speaks for a window",
        "core/coverage.py",
        "return min(statuses, key",
        "return max(statuses, key",
        VIEW,
    ),
)
