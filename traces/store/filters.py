"""Which traces a list shows: a small, fixed set of conditions, as fragments and parameters.

The query language of the explorer compiles to the same shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from traces.store import statements

ATTRIBUTE_DAYS = 30
"""How far back a filter by an attribute of spans reads when the list has no start."""
ERROR_TEXT_DAYS = 30
"""How far back a search without a start reads what spans say of errors: never all of them."""
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NS = 2**64 - 1
_MAX_SECONDS = 2**32 - 1  # DateTime

# field → expression over a settled row
_TEXT_COLUMNS = {
    "name": "name",
    "environment": "environment",
    "session_id": "session_id",
    "user_id": "user_id",
    "release": "release",
    "service": "service_name",
    "status": "status",
}
_LIST_COLUMNS = {
    "model_name": "models",
    "agent": "agents",
    "tool": "tools",
    "tag": "tags",
}
TEXT_FIELDS = frozenset([*_TEXT_COLUMNS, *_LIST_COLUMNS, "kind", "metadata", "finding"])
"""Fields with a text or several; `metadata` has a key besides."""
_NUMBER_COLUMNS = {
    "cost": "toFloat64(ifNull(cost_usd, 0))",
    "total_tokens": (
        "uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens"
        " + cache_write_1h_tokens + output_tokens"
    ),
    "duration_ms": "(end_ns - start_ns) / 1000000",
    "errors": "error_count",
}
NUMBER_FIELDS = frozenset(_NUMBER_COLUMNS)
_NUMBER_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: texts for text fields, a number for number fields.

    `kind` and `metadata` hold for the trace or for some span of it, `attribute` for some span;
    `key` names the attribute or the metadata. An attribute with texts must be one of them (or hold
    one, `contains`), without texts it is a number to compare. A negated condition takes every trace
    that does not meet it: `attribute` holds for none of its spans.
    """

    field: str
    op: str
    texts: tuple[str, ...] = ()
    number: float = 0.0
    key: str = ""
    is_negated: bool = False

    def parameters(self, index: int) -> dict[str, Any]:
        return {
            f"texts_{index}": list(self.texts),
            f"number_{index}": self.number,
            f"key_{index}": self.key,
        }

    def fragment(self, index: int) -> str:
        """A fixed fragment; every value is bound as texts_N, number_N or key_N."""
        met = self._met(index)
        return f"NOT ({met})" if self.is_negated else met

    def _met(self, index: int) -> str:
        texts = f"{{texts_{index}:Array(String)}}"
        if self.field in _NUMBER_COLUMNS:
            sign = _NUMBER_SIGNS[self.op]
            return f"{_NUMBER_COLUMNS[self.field]} {sign} {{number_{index}:Float64}}"
        if self.field in _LIST_COLUMNS:
            column = _LIST_COLUMNS[self.field]
            if self.op == "contains":
                return f"arrayExists(one -> {self._text('one', texts)}, {column})"
            return f"hasAny({column}, {texts})"
        if self.field == "attribute":
            return self._of_a_span(self._attribute(index, texts))
        if self.field == "finding":
            return _has_finding(self._text("label", texts))
        if self.field == "kind":
            said = self._text("kind", texts)
            return f"({said} OR {self._of_a_span(said)})"
        if self.field == "metadata":
            key = f"{{key_{index}:String}}"
            # What is not there reads as an empty text.
            said = f"mapContains(metadata, {key}) AND {self._text(f'metadata[{key}]', texts)}"
            return f"({said} OR {self._of_a_span(said)})"
        return self._text(_TEXT_COLUMNS[self.field], texts)

    def _text(self, value: str, texts: str) -> str:
        if self.op == "contains":
            return f"multiSearchAnyCaseInsensitiveUTF8({value}, {texts})"
        return f"has({texts}, {value})"

    def _of_a_span(self, condition: str) -> str:
        """A span of the trace meets the condition.

        No span lies before the start of its trace, and few later than a week after it. That none
        meets it is known from all spans only.
        """
        newest = "least(toUnixTimestamp(now()), intDiv({until_ns:UInt64}, 1000000000))"
        oldest = "{since:Int64} - 86400"
        bounds = f"bucket_time >= toDateTime(greatest(0, {oldest}), 'UTC')"
        if not self.is_negated:
            bounds = (
                f"bucket_time <= toDateTime({newest} + 7 * 86400, 'UTC')"
                " AND bucket_time >= toDateTime(greatest(0, if({since:Int64} > 0, {since:Int64},"
                f" toInt64({newest}) - {{attribute_days:Int64}} * 86400)), 'UTC')"
            )
        return (
            "trace_id IN (SELECT trace_id FROM spans WHERE project_id = {project_id:UUID}"
            f" AND {bounds} AND {condition})"
        )

    def _attribute(self, index: int, texts: str) -> str:
        key = f"{{key_{index}:String}}"
        if self.texts and self.op == "contains":
            return f"multiSearchAnyCaseInsensitiveUTF8(attributes_string[{key}], {texts})"
        if self.texts:
            # What is not there reads as an empty text.
            is_there = f" AND mapContains(attributes_string, {key})" if "" in self.texts else ""
            return f"has({texts}, attributes_string[{key}]){is_there}"
        number = f"{{number_{index}:Float64}}"
        return (
            f"mapContains(attributes_number, {key})"
            f" AND attributes_number[{key}] {_NUMBER_SIGNS[self.op]} {number}"
        )


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Empty fields do not filter. `since` (inclusive) and `until` (exclusive) bound the start."""

    since: datetime | None = None
    until: datetime | None = None
    status: str = ""
    name: str = ""
    text: str = ""
    session_id: str = ""
    user_id: str = ""
    has_finding: bool | None = None
    include_evaluations: bool = False
    only_evaluations: bool = False
    conditions: tuple[Condition, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Time bounds and values, named as the fragments and the query files name them."""
        since_ns = in_ns(self.since) if self.since else 0
        until_ns = in_ns(self.until) if self.until else _MAX_NS
        bound: dict[str, Any] = {}
        for index, condition in enumerate(self.conditions):
            bound |= condition.parameters(index)
        return bound | {
            "since": min(since_ns // 10**9, _MAX_SECONDS),
            "since_ns": since_ns,
            "until_ns": until_ns,
            "include_evaluations": self.include_evaluations or self.only_evaluations,
            "status": self.status,
            "name": self.name,
            "terms": list(terms(self.text)),
            "error_text_days": ERROR_TEXT_DAYS,
            "attribute_days": ATTRIBUTE_DAYS,
            "session_id": self.session_id,
            "user_id": self.user_id,
        }

    def settled_fragments(self) -> tuple[str, ...]:
        fragments = [one.fragment(index) for index, one in enumerate(self.conditions)]
        if self.status:
            fragments.append("status = {status:String}")
        if self.name:
            fragments.append("positionCaseInsensitiveUTF8(name, {name:String}) > 0")
        if terms(self.text):
            fragments.append(
                _holds_all_terms("name, input_preview, output_preview, session_id, user_id")
            )
        if self.session_id:
            fragments.append("session_id = {session_id:String}")
        if self.user_id:
            fragments.append("user_id = {user_id:String}")
        if self.has_finding is not None:
            fragments.append(_has_finding() if self.has_finding else f"NOT {_has_finding()}")
        if self.only_evaluations:
            fragments.append("is_evaluation")
        return tuple(fragments)

    def running_fragments(self) -> tuple[str, ...]:
        """Over the first facts of a trace that has not settled: it has no previews yet."""
        fragments = []
        if terms(self.text):
            fragments.append(_holds_all_terms("shown_name, session_id, user_id"))
        if self.only_evaluations:
            fragments.append("is_evaluation = 1")
        return tuple(fragments)

    @property
    def sees_running(self) -> bool:
        """Whether a trace that still runs can match: it has no totals and no findings yet."""
        return not (self.conditions or self.has_finding)


def terms(text: str) -> tuple[str, ...]:
    """The words of a search, and its "quoted phrases" without the quotes. All must occur.

    A quote that is not closed reaches to the end; one that holds nothing is searched as it stands.
    """
    found = [phrase or word for phrase, word in _TERM.findall(text)]
    whole = text.strip()
    distinct = tuple(dict.fromkeys(term for term in found if term.strip()))
    return distinct or ((whole,) if whole else ())


def _holds_all_terms(columns: str) -> str:
    """Each term stands in a column, begins the trace id, or is said by a finding or an error."""
    return (
        "arrayAll(term ->"
        f" positionCaseInsensitiveUTF8(concatWithSeparator('\\n', {columns}), term) > 0"
        " OR (length(term) >= 8 AND startsWith(lower(hex(trace_id)), lower(term)))"
        f" OR (trace_id, term) IN ({statements.text('said_of_traces')}),"
        " {terms:Array(String)})"
    )


def _has_finding(condition: str = "") -> str:
    narrowed = f" AND {condition}" if condition else ""
    return (
        "trace_id IN (SELECT trace_id FROM trace_marks FINAL WHERE"
        f" project_id = {{project_id:UUID}} AND name = 'finding' AND NOT is_removed{narrowed})"
    )


def in_ns(moment: datetime) -> int:
    """Exact, where a float would move a microsecond; within what a column holds."""
    return min(max((moment - _EPOCH) // timedelta(microseconds=1) * 1000, 0), _MAX_NS)
