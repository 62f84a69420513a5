"""Text search over spans: names, inputs, outputs and error messages, word by word.

All words must occur in one span; "quoted" ones next to each other. With the text index the whole
range is asked at once; without it the newest spans are read first, within a time limit, and the
page says how far back it got.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from traces.store import statements, text_index
from traces.store.errors import QueryTooLarge
from traces.store.reads import search_words
from traces.store.reads.project import LIMITS, ProjectReads, from_cursor, to_cursor

DEFAULT_DAYS = 30
"""How far back a search without a start goes."""
SEARCH_SECONDS = 10.0
"""How long one page of a search may take where no index helps."""
MAX_PAGE = 200
_SPARE_KEYS = 10
_SCAN_HOURS = (3, 21, 48, 168, 480)
_AHEAD_SECONDS = 24 * 3600
"""So far a sender's clock may run before ours."""
_LAST_ID = b"\xff"


@dataclass(frozen=True, slots=True)
class Hit:
    """A span that holds what was searched; `snippet` is of `field`, around the first word."""

    trace_id: bytes
    span_id: bytes
    name: str
    kind: str
    status: str
    start_ns: int
    field: str
    snippet: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Hits, the latest first. Nothing before `searched_since` has been looked at yet."""

    hits: list[Hit]
    next_cursor: str
    searched_since: datetime


@dataclass(frozen=True, slots=True)
class _Place:
    """Before which span the page begins, and the seconds it is bounded by."""

    since: int
    before: int
    trace: bytes = _LAST_ID * 16
    span: bytes = _LAST_ID * 8


class SearchReads(ProjectReads):
    """Search over the deduplicated spans of a project."""

    def search(
        self,
        text: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
        include_evaluations: bool = False,
    ) -> SearchPage:
        """Spans that hold all words of `text`; none for an empty one.

        Raises BadCursor, and QueryTooLarge when not even the newest hours could be read in time.
        """
        wanted = search_words.of(text)
        place = _place(since, until, cursor)
        if wanted is None:
            return SearchPage([], "", _moment(place.since))
        limit = min(limit, MAX_PAGE)
        is_indexed = wanted.helps_the_index and text_index.is_built()
        parameters = {**wanted.parameters(), "include_evaluations": include_evaluations}
        sql = statements.with_filter("span_search_keys", wanted.fragments(is_indexed=is_indexed))
        rows: list[dict[str, Any]] = []
        reached = place.before
        deadline = time.monotonic() + SEARCH_SECONDS
        for window in _windows(place, () if is_indexed else _SCAN_HOURS):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                rows += self._window_of(sql, parameters, window, limit + 1 - len(rows), left)
            except QueryTooLarge:
                if reached == place.before:
                    raise
                break
            reached = window.since
            if len(rows) > limit:
                break
        return _page(rows, limit, place, reached)

    def _window_of(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        window: _Place,
        limit: int,
        seconds: float,
    ) -> list[dict[str, Any]]:
        """The latest `limit` hits of a window, each the newest version of its span."""
        rows: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        wanted = 2 * limit + _SPARE_KEYS
        while len(rows) < limit:
            bounds = {
                "since": window.since,
                "until": window.before + 1,
                "before": window.before,
                "before_trace": window.trace.hex(),
                "before_span": window.span.hex(),
                "limit": wanted,
            }
            left = max(0.1, deadline - time.monotonic())
            keys = self._query(sql, {**parameters, **bounds}, LIMITS, left)
            rows += self._newest_versions(keys, str(parameters["shown"]), limit - len(rows))
            if len(keys) < wanted:
                break
            last = keys[-1]
            window = replace(
                window, before=last["bucket"], trace=last["trace_id"], span=last["span_id"]
            )
        return rows

    def _newest_versions(
        self, keys: list[dict[str, Any]], shown: str, limit: int
    ) -> list[dict[str, Any]]:
        """Of rows that matched, those that are their span's newest version, at most `limit`."""
        found: list[dict[str, Any]] = []
        while keys and len(found) < limit:
            some, keys = keys[: limit + _SPARE_KEYS], keys[limit + _SPARE_KEYS :]
            rows = self._rows_of("span_search_rows", some, shown)
            newest = {(row["trace_id"], row["span_id"], row["version"]): row for row in rows}
            for key in some:
                row = newest.pop((key["trace_id"], key["span_id"], key["version"]), None)
                if row is not None:
                    found.append(row | {"bucket": key["bucket"]})
        return self._with_errors(found[:limit], shown)

    def _with_errors(self, found: list[dict[str, Any]], shown: str) -> list[dict[str, Any]]:
        """Those whose name and content do not hold the word, with their error around it."""
        unshown = [row for row in found if not row["field"]]
        if not unshown:
            return found
        errors = {
            (row["trace_id"], row["span_id"], row["version"]): row
            for row in self._rows_of("span_search_errors", unshown, shown)
        }
        return [
            row | errors.get((row["trace_id"], row["span_id"], row["version"]), {})
            if not row["field"]
            else row
            for row in found
        ]

    def _rows_of(
        self, query: str, keys: Sequence[Mapping[str, Any]], shown: str
    ) -> list[dict[str, Any]]:
        return self._query(
            statements.text(query),
            {
                "buckets": [key["bucket"] for key in keys],
                "trace_ids": [key["trace_id"].hex() for key in keys],
                "span_ids": [key["span_id"].hex() for key in keys],
                "shown": shown,
                "limit": len(keys),
            },
            LIMITS,
        )


def _windows(place: _Place, hours: tuple[int, ...]) -> Iterator[_Place]:
    """From the newest back to the beginning, each larger than the one before."""
    window = place
    now = int(time.time())
    for length in hours:
        since = min(window.before, now) - length * 3600
        if since <= place.since:
            break
        yield replace(window, since=since)
        # A span exactly at the bound belongs to the window that begins there.
        window = _Place(place.since, since - 1)
    if window.before >= window.since:
        yield window


def _place(since: datetime | None, until: datetime | None, cursor: str) -> _Place:
    now = datetime.now(UTC)
    end = int((until or now + timedelta(seconds=_AHEAD_SECONDS)).timestamp()) - 1
    start = int((since or (until or now) - timedelta(days=DEFAULT_DAYS)).timestamp())
    start, end = max(0, start), min(max(0, end), 2**32 - 2)
    if not cursor:
        return _Place(start, end)
    before, trace, span, start = from_cursor(cursor, "number", "trace", "span", "number")
    return _Place(start, min(before, 2**32 - 2), trace, span)


def _page(rows: list[dict[str, Any]], limit: int, place: _Place, reached: int) -> SearchPage:
    shown = rows[:limit]
    if len(rows) > limit:
        last = shown[-1]
        place_after = [last["bucket"], last["trace_id"].hex(), last["span_id"].hex(), place.since]
        return SearchPage(
            [_hit(row) for row in shown], to_cursor(place_after), _moment(last["bucket"])
        )
    cursor = ""
    if reached > place.since:
        cursor = to_cursor([reached - 1, _LAST_ID * 16, _LAST_ID * 8, place.since])
    return SearchPage([_hit(row) for row in shown], cursor, _moment(reached))


def _hit(row: Mapping[str, Any]) -> Hit:
    snippet = ("…" if row["is_cut_before"] else "") + row["snippet"]
    return Hit(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        name=row["name"],
        kind=row["kind"],
        status=row["status"],
        start_ns=row["start_ns"],
        field=row["field"],
        snippet=snippet + ("…" if row["is_cut_after"] else ""),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
