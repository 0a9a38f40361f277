"""`forget`: take people's words out of the lake for good."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from reddit_ingest.bootstrap import LocalLake
from reddit_ingest.core.errors import EXIT_DONE, EXIT_FAILED, EXIT_INCOMPLETE
from reddit_ingest.core.names import author_name, item_fullname, subreddit_key
from reddit_ingest.core.ports import Clock
from reddit_ingest.core.settings import IngestSettings
from reddit_ingest.core.tombstones import Graves, Reason, Tombstone
from reddit_ingest.erasure import ORPHAN_AGE_S, Erasure, PurgeReport
from reddit_ingest.view import graves, subreddits_in

from .display import LiveProgress, console, moment, table
from .options import REPORTS, json_option, lake_to_read, now_option


@dataclass(slots=True)
class _Wish:
    """What is to be forgotten: `names` are fullnames, `authors` as typed, `stored` as they may stand in the lake."""

    names: frozenset[str]
    authors: tuple[str, ...]
    stored: frozenset[str]
    is_due: bool


@dataclass(slots=True)
class _Outcome:
    """What became of one subreddit; `known` are fullnames that had been forgotten before."""

    subreddit: str
    forgotten: list[Tombstone]
    known: frozenset[str] = frozenset()
    report: PurgeReport = field(default_factory=PurgeReport)

    @property
    def has_erased(self) -> bool:
        """Whether anything became of it."""
        return bool(self.forgotten) or self.report != PurgeReport()

    def to_dict(self) -> dict[str, Any]:
        return {
            "subreddit": self.subreddit,
            "forgotten": [each.fullname for each in self.forgotten],
            **{name: getattr(self.report, name) for name in PurgeReport.__slots__},
        }


@click.command()
@click.argument("subreddits", nargs=-1)
@lake_to_read
@click.option("--id", "names", multiple=True, help="Fullname of a submission or comment; may be given again.")
@click.option("--author", "authors", multiple=True, help="Name of an account, u/name; may be given again.")
@click.option("--due", "is_due", is_flag=True, help="What was deleted on Reddit, as the lake knows, and old texts.")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@now_option
@json_option
def forget(
    subreddits: Sequence[str],
    lake: Any,
    names: Sequence[str],
    authors: Sequence[str],
    is_due: bool,
    yes: bool,
    clock: Clock,
    as_json: bool,
) -> None:
    """Erase items, or everything of an author, or what was deleted on Reddit, from the whole lake.

    First it is hidden from every reader, then the bytes go: the objects that hold it are landed again without it and
    erased, on AWS with all their versions. What others carry of it (the title of the submission that they answer, the
    original of a crosspost) goes too, and u/name out of other people's texts. A tombstone stays: id and times.

    Without SUBREDDITS the whole lake is searched. Running it again changes nothing more.

    \b
    Examples:
      market-opinion forget --id t3_1abcd --id t1_2efgh
      market-opinion forget --author u/name --yes
      market-opinion forget --due --yes
      market-opinion forget --author u/name --aws --yes --json

    Exit codes: 0 erased, 1 nothing of it is in the lake, 3 some of it is too young to be erased: a run may be about to
    commit it.
    """
    settings = IngestSettings.from_mapping(os.environ)
    if not (names or authors or is_due):
        raise click.UsageError("name what to forget: --id t3_1abcd, --author u/name, or --due")
    if not yes and not can_ask():
        raise click.UsageError("nobody can be asked here; add --yes to erase for good")
    accounts = tuple(dict.fromkeys(map(author_name, authors)))
    stored = frozenset[str]().union(*(lake.names_of(name, settings) for name in accounts))
    wish = _Wish(frozenset(map(item_fullname, names)), accounts, stored, is_due)
    chosen = [*dict.fromkeys(map(subreddit_key, subreddits))] or subreddits_in(lake.reader(), settings.landing_prefix)
    erasure: Erasure = lake.erasure(settings, clock)
    if not yes:
        _ask([_found(erasure, lake, settings, name, wish) for name in chosen], wish)
    with _alone(lake):
        outcomes = [_found(erasure, lake, settings, name, wish) for name in chosen]
        for outcome in outcomes:
            erasure.bury(outcome.subreddit, outcome.forgotten)
        for outcome in outcomes:
            outcome.report = _purged(erasure, outcome.subreddit, wish)
        if isinstance(lake, LocalLake) and any(outcome.has_erased for outcome in outcomes):
            _remove_pages(lake)
    missing = _missing(outcomes, wish)
    again_ts = clock.now_ts() + ORPHAN_AGE_S if any(outcome.report.due for outcome in outcomes) else None
    if as_json:
        told = {"subreddits": [outcome.to_dict() for outcome in outcomes], "not_found": missing}
        click.echo(json.dumps({**told, "again_from_ts": again_ts}, indent=1))
    else:
        _print(outcomes)
    for each in missing:
        click.echo(f"nothing of {each} is in the lake", err=True)
    if again_ts:
        click.echo(
            "some of it stands in what is too young to be erased, or is being written; readers do not see it: run it"
            f" again from {moment(again_ts)} UTC on",
            err=True,
        )
    click.get_current_context().exit(_exit_code(outcomes, missing, wish, again_ts))


def can_ask() -> bool:
    """Tell whether a person sits there."""
    return sys.stdin.isatty()


@contextmanager
def _alone(lake: Any) -> Iterator[None]:
    """Hold the lock of a local lake; a bucket has none, and needs none beside runs that only add."""
    if not isinstance(lake, LocalLake):
        yield
        return
    with LiveProgress() as progress, lake.locked(progress):
        yield


def _remove_pages(lake: LocalLake) -> None:
    """Remove the pages in the lake: nobody knows which of them quotes what was erased."""
    pages = sorted((lake.root / REPORTS).glob("*.html"))
    for page in pages:
        page.unlink(missing_ok=True)
    if pages:
        click.echo(f"the {len(pages):,} pages in {lake.root / REPORTS} may quote it and were removed", err=True)


def _found(erasure: Erasure, lake: Any, settings: IngestSettings, subreddit: str, wish: _Wish) -> _Outcome:
    known = graves(lake.reader(), f"{settings.landing_prefix}{subreddit}/")
    found = erasure.find(subreddit, names=wish.names, authors=wish.stored) if wish.names or wish.stored else []
    new = [each for each in found if not _is_forgotten(each.fullname, known)]
    if wish.is_due:
        new += [each for each in erasure.notice(subreddit) if each.fullname not in {other.fullname for other in new}]
    return _Outcome(subreddit, new, frozenset(name for name in wish.names if _is_forgotten(name, known)))


def _is_forgotten(name: str, known: Graves) -> bool:
    return name in known and known[name].reason is Reason.FORGOTTEN


def _purged(erasure: Erasure, subreddit: str, wish: _Wish) -> PurgeReport:
    # Who only asks for something to be forgotten does not ask for the age of all texts to be looked at.
    expiry: dict[str, int] = {} if wish.is_due else {"expire_before_ts": 0}
    reports = [erasure.purge(subreddit, author=author, **expiry) for author in wish.authors or (None,)]
    sums = {name: sum(getattr(report, name) for report in reports) for name in ("rows", "changed", "objects")}
    return PurgeReport(**sums, due=reports[-1].due)


def _ask(outcomes: Sequence[_Outcome], wish: _Wish) -> None:
    items = sum(len(outcome.forgotten) for outcome in outcomes)
    places = ", ".join(f"r/{outcome.subreddit}" for outcome in outcomes if outcome.forgotten)
    what = f"{items:,} items ({places})" if items else "no item of its own"
    more = "".join(f", and u/{name} in what others wrote" for name in wish.authors)
    more += ", and whatever is due" if wish.is_due else ""
    click.confirm(f"Erase for good: {what}{more}. Go on?", abort=True, err=True)


def _missing(outcomes: Sequence[_Outcome], wish: _Wish) -> list[str]:
    forgotten = {each.fullname for outcome in outcomes for each in outcome.forgotten}
    known = frozenset[str]().union(*(outcome.known for outcome in outcomes))
    missing = sorted(wish.names - forgotten - known)
    touched = any(outcome.report.rows or outcome.report.changed or outcome.report.objects for outcome in outcomes)
    if wish.authors and not (forgotten - wish.names) and not touched:
        missing += [f"u/{name}" for name in wish.authors]
    return missing


def _exit_code(outcomes: Sequence[_Outcome], missing: Sequence[str], wish: _Wish, again_ts: int | None) -> int:
    if again_ts:
        return EXIT_INCOMPLETE
    wished = len(wish.names) + len(wish.authors)
    return EXIT_FAILED if wished and len(missing) == wished and not wish.is_due else EXIT_DONE


def _print(outcomes: Sequence[_Outcome]) -> None:
    columns = ("subreddit", "#items forgotten", "#rows erased", "#rows changed", "#objects erased", "#waiting")
    rows = [
        (
            outcome.subreddit,
            len(outcome.forgotten),
            outcome.report.rows,
            outcome.report.changed,
            outcome.report.objects,
            outcome.report.due,
        )
        for outcome in outcomes
        if outcome.has_erased
    ]
    console().print(table(columns, rows) if rows else "nothing had to be erased")
