"""OTLP/JSON requests by hand, and posting them."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import httpx

SECOND_NS = 1_000_000_000


def new_trace_id() -> str:
    return secrets.token_hex(16)


def span(
    trace_id: str,
    name: str,
    *,
    parent: str = "",
    span_id: str = "",
    error: str = "",
    **attributes: str | int,
) -> dict[str, Any]:
    """A span that has just ended; dots of attribute names are written as double underscores."""
    end_ns = time.time_ns()
    made: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": span_id or secrets.token_hex(8),
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(end_ns - SECOND_NS),
        "endTimeUnixNano": str(end_ns),
        "attributes": [
            {"key": key.replace("__", "."), "value": _value(value)}
            for key, value in attributes.items()
        ],
        "status": {"code": 2, "message": error} if error else {"code": 1},
    }
    if error:
        exception = {"exception.type": "ToolError", "exception.message": error}
        made["events"] = [
            {
                "name": "exception",
                "timeUnixNano": str(end_ns),
                "attributes": [
                    {"key": key, "value": {"stringValue": text}} for key, text in exception.items()
                ],
            }
        ]
    return made


def failing_run(trace_id: str, error: str) -> dict[str, Any]:
    """An agent that calls one tool, which fails, and gives up."""
    root = secrets.token_hex(8)
    return request(
        span(
            trace_id,
            "refund agent",
            span_id=root,
            gen_ai__operation__name="invoke_agent",
            gen_ai__agent__name="refunds",
        ),
        span(
            trace_id,
            "execute_tool issue_refund",
            parent=root,
            error=error,
            gen_ai__operation__name="execute_tool",
            gen_ai__tool__name="issue_refund",
            gen_ai__tool__call__arguments='{"order": 7}',
        ),
    )


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "product-tests"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def post(url: str, api_key: str, body: dict[str, Any], *, seconds: float = 45) -> httpx.Response:
    return httpx.post(
        f"{url}/v1/traces",
        content=json.dumps(body),
        headers={"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"},
        timeout=seconds,
    )


def _value(value: str | int) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
