"""Rows of settled traces and span outlines as the dataclasses that reads return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from traces.shares import UsageShare
from traces.store.rows import SpanOutline, TraceSummary, parent_of, usage_of

_SAME = (
    "trace_id", "name", "kind", "status", "start_ns", "end_ns", "span_count", "error_count",
    "session_id", "user_id", "input_preview", "output_preview", "error_preview",
    "environment", "release", "service_name", "metadata", "git_repo", "git_ref", "cost_usd",
    "unpriced_spans", "orphan_spans", "is_rootless", "generation", "settled_at", "is_evaluation",
    "completeness", "missing", "infrastructure_spans", "estimated_tokens", "unreported_calls",
)  # fmt: skip
_TUPLES = ("models", "agents", "tools", "tags")


def from_settled(project_id: UUID, row: Mapping[str, Any]) -> TraceSummary:
    """A row of `traces` as a summary."""
    same: dict[str, Any] = {name: row[name] for name in _SAME}
    tuples: dict[str, Any] = {name: tuple(row[name]) for name in _TUPLES}
    return TraceSummary(
        project_id=project_id,
        **same,
        **tuples,
        uncounted_span_ids=frozenset(row["uncounted_span_ids"]),
        usage=usage_of(row),
        usage_shares=tuple(UsageShare(**share) for share in row.get("usage_shares") or ()),
        findings=tuple(sorted(row.get("findings") or ())),
    )


def outline(row: Mapping[str, Any]) -> SpanOutline:
    return SpanOutline(
        span_id=row["span_id"],
        parent_span_id=parent_of(row),
        name=row["name"],
        kind=row["kind"],
        status=row["status"],
        status_message=row["status_message"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        is_local_root=row["is_local_root"],
        agent_name=row["agent_name"],
        tool_name=row["tool_name"],
        model=row["model"],
        session_id=row["session_id"],
        user_id=row["user_id"],
        first_token_ns=row["first_token_ns"],
        usage=usage_of(row),
        cost_usd=row["cost_usd"],
        error_type=row["error_type"],
        error_message=row["error_message"],
        is_infrastructure=row["is_infrastructure"],
        is_estimated=row["is_estimated"],
        is_cost_estimated=bool(row["is_cost_estimated"]),
    )
