"""Spans of several traces at once, as far as tool calls are told from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from traces.spans import Span
from traces.store import rows, statements
from traces.store.reads.project import LIMITS, ProjectReads

TOOL_KINDS = frozenset({"tool", "retriever"})


class CallReads(ProjectReads):
    def call_spans(
        self, trace_ids: Sequence[bytes], *, limit: int = 10_000
    ) -> dict[bytes, list[Span]]:
        """Of each trace its first spans in time order, without attributes, resource and links.

        `input` and `output` are there of tools and retrievals; where no tool has a span, of models
        and agents too. A trace without spans is not among them.
        """
        found = self._call_spans(trace_ids, limit, with_messages=False)
        told = [one for one, spans in found.items() if all(span.kind != "tool" for span in spans)]
        return found | (self._call_spans(told, limit, with_messages=True) if told else {})

    def _call_spans(
        self, trace_ids: Sequence[bytes], limit: int, *, with_messages: bool
    ) -> dict[bytes, list[Span]]:
        wanted = {
            "trace_ids": [one.hex() for one in trace_ids],
            "per_trace": limit,
            "with_messages": with_messages,
        }
        newest: dict[tuple[bytes, bytes], dict[str, Any]] = {}
        for row in self._query(statements.text("call_spans"), wanted, LIMITS):
            key = row["trace_id"], row["span_id"]
            known = newest.get(key)
            if known is None or row["version"] > known["version"]:
                newest[key] = row
        found: dict[bytes, list[Span]] = defaultdict(list)
        for row in sorted(newest.values(), key=lambda each: (each["start_ns"], each["span_id"])):
            found[row["trace_id"]].append(self._span(row))
        return dict(found)

    def _span(self, row: Mapping[str, Any]) -> Span:
        return Span(
            project_id=self.project_id,
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            parent_span_id=rows.parent_of(row),
            name=row["name"],
            kind=row["kind"],
            start_ns=row["start_ns"],
            end_ns=row["end_ns"],
            status=row["status"],
            version=row["version"],
            received_ns=row["version"],
            status_message=row["status_message"],
            error_type=row["error_type"],
            error_message=row["error_message"],
            is_local_root=row["is_local_root"],
            agent_name=row["agent_name"],
            tool_name=row["tool_name"],
            tool_call_id=row["tool_call_id"],
            input=row["content_in"],
            output=row["content_out"],
            events=rows.events(row["events_json"]),
            scope_json=row["scope_json"],
            attributes=rows.attribute("traceroot.internal", row["internal_json"]),
        )
