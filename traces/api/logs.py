"""The shape of a log record in the public API."""

from __future__ import annotations

from typing import Any

from traces.api.values import jsonable
from traces.logs import Log
from traces.otlp import json_values
from traces.semconv import log_records, normalized


def log_item(log: Log, groups: set[str]) -> dict[str, Any]:
    """Times are ISO 8601 in UTC; a body that is no text is JSON."""
    item = {
        "log_id": log.log_id.hex(),
        "trace_id": log.trace_id.hex() or None,
        "span_id": log.span_id.hex() or None,
        "time": normalized.moment(log.at_ns) or None,
        "observed_time": normalized.moment(log.observed_ns) or None,
        "event_name": log.event_name or None,
        "level": log_records.level_of(log) or None,
        "severity_number": log.severity_number or None,
        "severity_text": log.severity_text or None,
        "body": jsonable(log.body),
        "kind": log.kind or None,
        "model": log.model or None,
        "agent_name": log.agent_name or None,
        "tool_name": log.tool_name or None,
        "session_id": log.session_id or None,
        "user_id": log.user_id or None,
        "environment": log.environment or None,
        "release": log.release or None,
        "service_name": log.service_name or None,
    }
    if "metadata" in groups:
        item["attributes"] = jsonable(log.attributes)
        item["resource"] = jsonable(json_values.values_from_json(log.resource_json))
    if "normalized" in groups:
        item["normalized"] = jsonable(log_records.fields(log))
    return item
