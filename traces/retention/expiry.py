"""Which stored traces have been kept for as long as the rules of their project say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from traces.models import RetentionPolicy, RetentionRule
from traces.store import client, statements

_PAGE = 5_000
_FOR_EVER = 1_000_000
_FINDING = (
    "trace_id IN (SELECT trace_id FROM trace_marks FINAL WHERE project_id = {project_id:UUID}"
    " AND name = 'finding' AND NOT is_removed)"
)
_WILDCARDS = str.maketrans({"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": "\\\\"})


def expired(project_id: UUID, now: dt.datetime) -> Iterator[str]:
    """Ids of traces, oldest ids first. Raises StoreError."""
    policy = RetentionPolicy.objects.for_project(project_id).first()
    rules = list(RetentionRule.objects.for_project(project_id).order_by("created_at", "id"))
    days, parameters = kept_days(rules, policy.days if policy else 0)
    sql = statements.with_filter("expired_traces", value=days)
    after = bytes(16)
    while True:
        found = client.query(
            sql,
            {
                **parameters,
                "project_id": str(project_id),
                "now": now,
                "after": after.hex(),
                "limit": _PAGE,
            },
        )
        yield from (row["trace_id"].hex() for row in found)
        if len(found) < _PAGE:
            return
        after = found[-1]["trace_id"]


def kept_days(rules: Sequence[RetentionRule], default_days: int) -> tuple[str, dict[str, Any]]:
    """An expression over a settled row, days that it is kept, and its parameters: fixed fragments,
    values bound. Of rules that match the longest time counts, else the default."""
    parameters: dict[str, Any] = {"default_days": default_days or _FOR_EVER}
    terms = []
    for number, rule in enumerate(rules):
        parameters[f"days_{number}"] = rule.days or _FOR_EVER
        conditions = []
        if rule.environment:
            parameters[f"environment_{number}"] = rule.environment.translate(_WILDCARDS)
            conditions.append(f"environment LIKE {{environment_{number}:String}}")
        if rule.tag:
            parameters[f"tag_{number}"] = rule.tag
            conditions.append(f"has(tags, {{tag_{number}:String}})")
        if rule.has_finding:
            conditions.append(_FINDING)
        if rule.is_error:
            conditions.append("status = 'error'")
        if conditions:
            terms.append(f"if({' AND '.join(conditions)}, {{days_{number}:UInt32}}, 0)")
    longest = f"arrayMax([{', '.join(terms)}])" if terms else "0"
    return f"if({longest} = 0, {{default_days:UInt32}}, {longest})", parameters
