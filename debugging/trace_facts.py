"""What the rule pass needs to know of a trace, and which of its spans failed first.

Plain facts: whoever reads spans from a store or a file fills these in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

FAILURE_LIMIT = 3
_DEPTH_LIMIT = 500
_ERROR_TEXT = re.compile(
    r"^\s*(?:\W{0,3}(?:error|exception|failed|failure|fatal|traceback)\b|[A-Z]\w*(?:Error|Exception)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExceptionFact:
    """One exception event of a span."""

    type: str
    message: str
    stacktrace: str


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """One span. `attributes` holds the code.* ones; `status` is OK, ERROR or UNSET."""

    span_id: str
    parent_span_id: str | None = None
    name: str = ""
    kind: str = ""
    status: str = "UNSET"
    error_type: str | None = None
    status_message: str | None = None
    start_ns: int = 0
    end_ns: int = 0
    exceptions: tuple[ExceptionFact, ...] = ()
    git_source_file: str | None = None
    git_source_line: int | None = None
    git_source_function: str | None = None
    tool_name: str | None = None
    agent_name: str | None = None
    input: str | None = None
    output: str | None = None
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """One trace with all of its spans in any order."""

    trace_id: str
    started_at: datetime
    git_repo: str | None
    git_ref: str | None
    release: str | None
    spans: tuple[SpanFacts, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A span where something went wrong first. `exceptions` come from the span and from those
    around it that saw the same exception pass, longest stack first."""

    span: SpanFacts
    span_ids: tuple[str, ...]
    exceptions: tuple[ExceptionFact, ...]
    error_text: str | None


def failures(trace: TraceFacts, focus: tuple[str, ...] = ()) -> tuple[Failure, ...]:
    """The primary failures, most telling first: errors that reached far up, then tool results
    that are errors and were not recovered, then the spans in `focus` whatever their status."""
    by_id = {span.span_id: span for span in trace.spans}
    chosen = [by_id[one] for one in focus if one in by_id]
    errors = [span for span in trace.spans if is_error(span)]
    parents_of_errors = {span.parent_span_id for span in errors}
    deepest = [
        span
        for span in errors
        if span.span_id not in parents_of_errors or _own_exception(span, errors)
    ]
    deepest.sort(key=lambda span: _weight(span, by_id), reverse=True)
    found = [_failure(span, by_id) for span in deepest]
    found += [Failure(s, (s.span_id,), (), error_result(s)) for s in _unrecovered(trace, errors)]
    found.sort(key=lambda one: not set(one.span_ids) & set(focus))
    known = {span_id for one in found for span_id in one.span_ids}
    found += [_failure(span, by_id) for span in chosen if span.span_id not in known]
    return tuple(found[:FAILURE_LIMIT])


def is_error(span: SpanFacts) -> bool:
    return span.status.upper() in ("ERROR", "STATUS_CODE_ERROR", "2") or bool(span.exceptions)


def error_result(span: SpanFacts) -> str | None:
    """The error that a span's output reports although its status does not say so."""
    text = (span.output or "").strip()
    if not text:
        return None
    try:
        value = json.loads(text) if text[0] in '{["' and len(text) < 1_000_000 else text
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        return _error_of_mapping(value)
    if isinstance(value, str) and _ERROR_TEXT.match(value):
        return value[:20_000]
    return None


def ancestors(span: SpanFacts, by_id: Mapping[str, SpanFacts]) -> tuple[SpanFacts, ...]:
    """The spans around `span`, innermost first; a cycle ends the walk."""
    found: list[SpanFacts] = []
    seen = {span.span_id}
    parent = by_id.get(span.parent_span_id or "")
    while parent is not None and parent.span_id not in seen and len(found) < _DEPTH_LIMIT:
        found.append(parent)
        seen.add(parent.span_id)
        parent = by_id.get(parent.parent_span_id or "")
    return tuple(found)


def completeness(trace: TraceFacts) -> tuple[str, ...]:
    """What was not recorded, in sentences: each lowers what the rule pass can know."""
    by_id = {span.span_id for span in trace.spans}
    errors = [span for span in trace.spans if is_error(span)]
    notes = []
    if not trace.git_ref:
        notes.append("The trace does not name the commit that ran (traceroot.git.ref).")
    orphans = [s for s in trace.spans if s.parent_span_id and s.parent_span_id not in by_id]
    if orphans:
        which = "1 span names" if len(orphans) == 1 else f"{len(orphans):,} spans name"
        notes.append(f"{which} a parent that was not received.")
    if trace.spans and not any(not span.parent_span_id for span in trace.spans):
        notes.append("The root span was not received.")
    bare = [s for s in errors if not any(e.stacktrace.strip() for e in s.exceptions)]
    if bare:
        names = ", ".join(dict.fromkeys(span.name for span in bare[:3]))
        notes.append(f"{len(bare)} failed spans carry no stack trace ({names}).")
    silent = [
        s for s in trace.spans if s.kind.upper() == "TOOL" and not s.output and s not in errors
    ]
    if silent:
        notes.append(f"{len(silent)} tool spans carry no output.")
    return tuple(notes)


def _failure(span: SpanFacts, by_id: Mapping[str, SpanFacts]) -> Failure:
    """Spans around the failing one record the same exception with more of its callers."""
    own = list(dict.fromkeys(span.exceptions))
    seen_by, exceptions = [span.span_id], list(own)
    for around in ancestors(span, by_id):
        same = [e for e in around.exceptions if any(_same(e, mine) for mine in own)]
        if not same:
            break
        seen_by.append(around.span_id)
        exceptions += [one for one in same if one not in exceptions]
    exceptions.sort(key=lambda one: len(one.stacktrace), reverse=True)
    text = span.status_message or error_result(span)
    return Failure(span, tuple(seen_by), tuple(exceptions), text)


def _same(one: ExceptionFact, other: ExceptionFact) -> bool:
    return one.type == other.type and one.message == other.message


def _own_exception(span: SpanFacts, errors: list[SpanFacts]) -> bool:
    """True when none of the failed children saw this exception: it was raised here."""
    children = [one for one in errors if one.parent_span_id == span.span_id]
    seen = [e for child in children for e in child.exceptions]
    texts = [e.stacktrace for e in span.exceptions]
    return any(
        not any(_same(mine, theirs) or theirs.type in text for theirs in seen)
        for mine in span.exceptions
        for text in texts
    )


def _weight(span: SpanFacts, by_id: Mapping[str, SpanFacts]) -> tuple[int, int, int, int]:
    around = ancestors(span, by_id)
    reach = 0
    for one in around:
        if not is_error(one):
            break
        reach += 1
    reached_root = int(reach == len(around))
    has_stack = int(any(e.stacktrace for e in span.exceptions))
    return reached_root, has_stack, len(around), -span.start_ns


def _unrecovered(trace: TraceFacts, errors: list[SpanFacts]) -> list[SpanFacts]:
    """Error results of tools that no later call of the same tool made good."""
    found = []
    for span in trace.spans:
        if span in errors or not (span.tool_name or span.kind.upper() == "TOOL"):
            continue
        if error_result(span) is None:
            continue
        name = span.tool_name or span.name
        later = [
            s for s in trace.spans if (s.tool_name or s.name) == name and s.start_ns > span.start_ns
        ]
        if not any(not is_error(one) and error_result(one) is None for one in later):
            found.append(span)
    return sorted(found, key=lambda span: span.start_ns)


def _error_of_mapping(value: dict[str, object]) -> str | None:
    for key in ("error", "exception", "traceback", "errors", "error_message"):
        if value.get(key):
            found = value[key]
            return (found if isinstance(found, str) else json.dumps(found))[:20_000]
    status = str(value.get("status", "")).lower()
    failed = value.get("success") is False or value.get("ok") is False
    if failed or value.get("isError") is True or status in ("error", "failed", "failure"):
        detail = value.get("message") or value.get("detail") or value.get("content") or value
        return (detail if isinstance(detail, str) else json.dumps(detail))[:20_000]
    return None
