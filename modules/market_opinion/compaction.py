"""From what all attempts have landed to the newest of every item, as one sorted table; what was deleted is not in it.

DuckDB reads the objects, and whole columns are ordered at once. That cannot tell what the view's own rules tell: what a
tombstone leaves of a row, and which of two observations of one moment counts. The few items that need such a rule are
read again, line by line, by the view itself.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from reddit_ingest.core.errors import DamagedState
from reddit_ingest.core.keys import COMMENTS, KINDS, SUBMISSIONS
from reddit_ingest.core.manifest import LandedObject
from reddit_ingest.core.ports import StagingReader
from reddit_ingest.core.tombstones import Graves
from reddit_ingest.core.windows import Window
from reddit_ingest.view import lines_of, newest, visible

from .tables import ITEMS

Indices = NDArray[np.int64]

_FULLNAME = re.compile(rb'\{"fullname":"([^"\\]+)"')
_LONGEST_LINE = 16 * 1024 * 1024

_COLUMNS = {
    COMMENTS: ("body", "link_id", "parent_id", "score_hidden"),
    SUBMISSIONS: ("title", "selftext", "num_comments", "removed_by_category", "crosspost_parent"),
}
_SHARED = ("fullname", "created_utc", "observed_at_ts", "subreddit", "author", "score", "edited", "permalink")
_TYPES = {pa.int64(): "BIGINT", pa.bool_(): "BOOLEAN", pa.string(): "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Source:
    """An object of the landing zone and the folder it stands in."""

    folder: str
    landed: LandedObject

    @property
    def key(self) -> str:
        """Where it stands."""
        return self.folder + self.landed.name


def compact(lake: StagingReader, sources: Sequence[Source], span: Window, graves: Graves) -> pa.Table:
    """Return the newest of every item created in a span, of the schema `ITEMS`, ordered by time and fullname.

    The rows are those of `reddit_ingest.view.rows`. `link_title` is what any observation told of a comment's thread.

    Raises:
        DamagedState: an object is missing, or holds other bytes than its manifest says.
    """
    with tempfile.TemporaryDirectory(prefix="market-opinion-") as scratch:
        staged = [_staged(lake, source, Path(scratch) / str(number)) for number, source in enumerate(sources)]
        try:
            seen = _observations(sources, staged, span)
        except duckdb.Error:
            # Somewhere stands a value of another type than the contract says; the view minds less.
            return _sorted(_by_the_view(lake, sources, span, graves, None))
    found, special = _newest(seen)
    special |= _touched(found, graves)
    if not special:
        return found
    plain = found.filter(pc.invert(pc.is_in(found["fullname"], pa.array(sorted(special), pa.string()))))
    return _sorted(pa.concat_tables([plain, _by_the_view(lake, sources, span, graves, frozenset(special))]))


def _staged(lake: StagingReader, source: Source, place: Path) -> Path:
    """Return a local file with the object's bytes; DuckDB goes by the ending of its name."""
    path = place.with_suffix("".join(Path(source.landed.name).suffixes))
    lake.stage(source.key, path)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != source.landed.sha256:
            raise DamagedState(f"{source.key} does not hold the bytes that its manifest names; restore it from a copy")
    return path


def _observations(sources: Sequence[Source], staged: Sequence[Path], span: Window) -> pa.Table:
    """Return all observations of items created in a span, in no order."""
    parts = [ITEMS.empty_table()]
    with _database().cursor() as connection:
        connection.execute("SET enable_progress_bar = false")
        for kind in KINDS:
            paths = [path for source, path in zip(sources, staged, strict=True) if source.landed.kind == kind]
            if paths:
                parts.append(_as_items(connection.sql(_query(kind, paths, span)).to_arrow_table(), kind))
    return pa.concat_tables(parts)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return the DuckDB of this process; to start one takes as long as to read a small day."""
    # Nothing is ever fetched from a server, or kept: rows pass through.
    return duckdb.connect(config={"threads": 1, "temp_directory": "", "autoinstall_known_extensions": False})


def _query(kind: str, paths: Sequence[Path], span: Window) -> str:
    own = (*_SHARED, *_COLUMNS[kind])
    columns = {name: _TYPES[ITEMS.field(name).type] for name in own}
    if kind == COMMENTS:
        columns["raw"] = "STRUCT(link_title VARCHAR)"
        own = (*own, "raw.link_title AS link_title")
    files = ", ".join("'{}'".format(str(path).replace("'", "''")) for path in paths)
    read = f"read_json([{files}], format='newline_delimited', columns={columns}, maximum_object_size={_LONGEST_LINE})"
    within = f"created_utc >= {span.start_ts} AND created_utc < {span.end_ts}"
    return f"SELECT {', '.join(own)} FROM {read} WHERE {within}"  # noqa: S608  # names and files are ours


def _as_items(read: pa.Table, kind: str) -> pa.Table:
    columns = {name: read[name] for name in read.schema.names} | {"kind": pa.repeat(kind, read.num_rows)}
    nothing = pa.nulls(read.num_rows)
    return pa.table([columns.get(field.name, nothing).cast(field.type) for field in ITEMS], ITEMS)


def _newest(seen: pa.Table) -> tuple[pa.Table, set[str]]:
    """Return one row of each item, in order, and the items of which two observations of one moment differ."""
    if not seen.num_rows:
        return seen, set()
    names = pc.rank(seen["fullname"], tiebreaker="dense").to_numpy()
    moments = pc.fill_null(seen["observed_at_ts"], 0).to_numpy()
    order = np.lexsort((-moments, names))  # the last key counts first
    again = np.flatnonzero(names[order][1:] == names[order][:-1]) + 1
    firsts = np.delete(np.arange(len(order)), again)
    newest_ones = order[firsts]
    by_time = np.lexsort((names[newest_ones], seen["created_utc"].to_numpy()[newest_ones]))
    found = seen.take(pa.array(newest_ones[by_time]))
    if not len(again):
        return found, set()
    titles = _first_titles(seen["link_title"], order, firsts).take(pa.array(by_time))
    twice = again[moments[order[again]] == moments[order[again - 1]]]
    unlike = _unlike(seen, order[twice], order[twice - 1])
    return found.set_column(ITEMS.get_field_index("link_title"), "link_title", titles), unlike


def _first_titles(titles: pa.ChunkedArray, order: Indices, firsts: Indices) -> pa.ChunkedArray:
    """Return for each item the title that the newest of those observations tells that tell one."""
    told = np.flatnonzero(titles.is_valid().to_numpy()[order])[::-1]
    of = np.full(len(firsts), -1)
    of[np.searchsorted(firsts, told, side="right") - 1] = order[told]
    return titles.take(pa.array(of, mask=of < 0))


def _unlike(seen: pa.Table, ones: Indices, others: Indices) -> set[str]:
    """Return the items of which two observations differ."""
    if not len(ones):
        return set()
    rows, before = seen.take(pa.array(ones)), seen.take(pa.array(others))
    different = pc.invert(_equal(rows, before, [name for name in ITEMS.names if name != "link_title"]))
    return set(rows["fullname"].filter(different).to_pylist())


def _equal(rows: pa.Table, others: pa.Table, names: Sequence[str]) -> Any:
    equal: Any = pa.array([True] * rows.num_rows, pa.bool_())
    for name in names:
        one, other = rows[name], others[name]
        both_null = pc.and_(pc.is_null(one), pc.is_null(other))
        equal = pc.and_(equal, pc.or_(both_null, pc.fill_null(pc.equal(one, other), False)))
    return equal


def _touched(found: pa.Table, graves: Graves) -> set[str]:
    """Return the items that a tombstone may say something about: their own, their thread's, a thread's they link to."""
    if not graves or not found.num_rows:
        return set()
    buried = pa.array(sorted(graves), pa.string())
    touched = pc.or_(pc.is_in(found["fullname"], buried), pc.is_in(found["link_id"], buried))
    for name in ("title", "selftext", "body"):
        touched = pc.or_(touched, pc.fill_null(pc.match_substring(found[name], "/comments/"), False))
    return set(found["fullname"].filter(touched).to_pylist())


def _by_the_view(
    lake: StagingReader, sources: Sequence[Source], span: Window, graves: Graves, names: frozenset[str] | None
) -> pa.Table:
    """Return the newest of some items (None: of all), as the view tells it."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        lines = (
            line
            for source in sources
            if source.landed.kind == kind
            for line in lines_of(lake, source.folder, source.landed)
            if names is None or _name_in(line) in names
        )
        shown = list(visible(_created_in(span, map(json.loads, lines)), graves, kind))
        titles = {row["fullname"]: title for row in shown if (title := (row["raw"] or {}).get("link_title"))}
        rows += [_item(row, kind, titles.get(name)) for name, row in newest(shown, kind).items()]
    return pa.Table.from_pylist(rows, ITEMS)


def _name_in(line: bytes) -> str:
    found = _FULLNAME.match(line)
    return found[1].decode() if found else str(json.loads(line)["fullname"])


def _created_in(span: Window, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (row for row in rows if span.start_ts <= row["created_utc"] < span.end_ts)


def _item(row: dict[str, Any], kind: str, link_title: object) -> dict[str, Any]:
    own = {name: _of_type(row.get(name), ITEMS.field(name).type) for name in (*_SHARED, *_COLUMNS[kind])}
    return {**own, "kind": kind, "link_title": _of_type(link_title, pa.string())}


def _of_type(value: object, type_: pa.DataType) -> object:
    """Return a value where it is of the type that the contract says, else None."""
    if pa.types.is_string(type_):
        return value if isinstance(value, str) else None
    if pa.types.is_boolean(type_):
        return value if isinstance(value, bool) else None
    is_whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return value if is_whole else None


def _sorted(items: pa.Table) -> pa.Table:
    return items.sort_by([("created_utc", "ascending"), ("fullname", "ascending")]).combine_chunks()
