"""Traces as these tests send them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from tests.product import otlp

HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>{{ 7*7 }}'
LONG_CHARS = 300_000


def post(url: str, api_key: str, *spans: dict[str, Any]) -> None:
    answer = otlp.post(url, api_key, otlp.request(*spans))
    assert answer.status_code == 200, answer.text[:300]


def agent(trace_id: str, name: str, span_id: str = "", **more: str) -> dict[str, Any]:
    """The root of a run."""
    return otlp.span(
        trace_id,
        name,
        span_id=span_id,
        gen_ai__operation__name="invoke_agent",
        gen_ai__agent__name=name,
        **more,
    )


def tool(trace_id: str, name: str, parent: str, *, error: str = "") -> dict[str, Any]:
    return otlp.span(
        trace_id,
        f"execute_tool {name}",
        parent=parent,
        error=error,
        gen_ai__operation__name="execute_tool",
        gen_ai__tool__name=name,
        gen_ai__tool__call__arguments='{"order": 7}',
    )


def chat(trace_id: str, parent: str, question: str, answer: str) -> dict[str, Any]:
    def said(role: str, text: str) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    return otlp.span(
        trace_id,
        "chat gpt-4.1-mini",
        parent=parent,
        gen_ai__operation__name="chat",
        gen_ai__request__model="gpt-4.1-mini",
        gen_ai__usage__input_tokens=120,
        gen_ai__usage__output_tokens=30,
        gen_ai__input__messages=said("user", question),
        gen_ai__output__messages=said("assistant", answer),
    )


def failing_run(trace_id: str) -> list[dict[str, Any]]:
    """Question, a tool that fails with an exception, and an end without recovery."""
    root = secrets.token_hex(8)
    return [
        agent(trace_id, "refunds", root, session__id="s-1", user__id="mara"),
        chat(trace_id, root, "Refund order 7, please.", "I will do that."),
        tool(trace_id, "issue_refund", root, error="fare_not_refundable"),
    ]


def hostile_run(trace_id: str) -> list[dict[str, Any]]:
    """Markup wherever a sender can put text, and one value that is larger than a page should be."""
    root = secrets.token_hex(8)
    run = [
        agent(
            trace_id, HOSTILE, root, session__id=HOSTILE, user__id=HOSTILE, huge="x" * LONG_CHARS
        ),
        chat(trace_id, root, HOSTILE, HOSTILE + "y" * LONG_CHARS),
        tool(trace_id, HOSTILE, root, error=HOSTILE),
    ]
    for number in range(60):
        run[0]["attributes"].append(
            {"key": f"traceroot.metadata.key_{number}{HOSTILE}", "value": {"stringValue": HOSTILE}}
        )
    return run


def siblings(trace_id: str, parent: str, count: int) -> Sequence[dict[str, Any]]:
    return [tool(trace_id, f"step_{number}", parent) for number in range(count)]


def run_behind_http(trace_id: str) -> list[dict[str, Any]]:
    """A model call below two spans of HTTP, one of which failed; a query to a database beside."""
    root, inner, outer = (secrets.token_hex(8) for _ in range(3))
    return [
        agent(trace_id, "refunds", root),
        otlp.span(trace_id, "POST /v1/chat", span_id=outer, parent=root, http__method="POST"),
        otlp.span(trace_id, "proxy", span_id=inner, parent=outer, http__method="POST", error="502"),
        chat(trace_id, inner, "Refund order 7, please.", "I will do that."),
        otlp.span(trace_id, "SELECT orders", parent=root, db__system="postgresql"),
    ]
