"""What a session found, as the JSON text on its row: the report of the rule pass and what the page
needs beside it, so that a report can be read after the trace and the repository are gone.

    {"report": report.Report, "repository": {"name", "note"}, "spans": {id: {"name", "kind",
    "error"}}, "frames": [{"path", "line", "function", "code"}]}

`frames` are the calls of the first failure's stack as the program wrote them, innermost last.
"""

from __future__ import annotations

import json
from typing import Any

from debugging import sightings, trace_facts
from debugging.report import Report
from debugging.rule_pass import SpanFacts, TraceFacts
from debugging.trace_facts import Failure

FRAME_LIMIT = 30
_QUOTE_CHARACTERS = 200


def to_text(
    report: Report, trace: TraceFacts, failures: tuple[Failure, ...], name: str, note: str
) -> str:
    """Storable in any database: `json.dumps` escapes null characters, lone surrogates go."""
    value = {
        "report": report.to_json(),
        "repository": {"name": name, "note": note},
        "spans": {span.span_id: _span(span) for span in _mentioned(report, trace, failures)},
        "frames": frames(failures),
    }
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def from_text(text: str) -> dict[str, Any] | None:
    """None for a session that has no report."""
    if not text:
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def frames(failures: tuple[Failure, ...]) -> list[dict[str, object]]:
    """The program's own calls, or all of them when none looks like its own."""
    for failure in failures:
        parsed = sightings.parsed_stacks(failure)
        if parsed and parsed[-1].frames:
            every = parsed[-1].frames
            own = [one for one in every if one.in_app_hint] or list(every)
            return [
                {"path": one.path, "line": one.line, "function": one.function, "code": one.code}
                for one in own[-FRAME_LIMIT:]
            ]
    return []


def _mentioned(report: Report, trace: TraceFacts, failures: tuple[Failure, ...]) -> list[SpanFacts]:
    wanted = {span_id for failure in failures for span_id in failure.span_ids}
    reasons = [reason for place in report.locations for reason in place.reasons]
    reasons += [reason for change in report.culprits for reason in change.reasons]
    wanted |= {span_id for reason in reasons for span_id in reason.span_ids}
    return [span for span in trace.spans if span.span_id in wanted]


def _span(span: SpanFacts) -> dict[str, str]:
    said = span.status_message or trace_facts.error_result(span) or ""
    if not said and span.exceptions:
        said = f"{span.exceptions[0].type}: {span.exceptions[0].message}"
    first = said.strip().split("\n")[0]
    return {"name": span.name[:200], "kind": span.kind, "error": first[:_QUOTE_CHARACTERS]}
