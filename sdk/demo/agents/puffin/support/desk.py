"""The support desk's loop: ask the model, run the tools it wants, until it answers."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry import trace

from .. import models
from ..job import Job
from . import spans
from .tool import ToolError
from .tools import TOOLS

tracer = trace.get_tracer("puffin.support", "1.0")
MAX_TURNS = 10
INSTRUCTIONS = (
    "You are the support desk of Puffin & Pine, a small shop for outdoor gear. Be brief and kind. "
    "Look an order up before you speak about it. Check the policy before you promise anything. "
    "Only say that something was done when a tool has confirmed it. "
    "If the order number is missing, ask for it in one sentence."
)

_conversations: dict[str, list[dict[str, Any]]] = {}


def handle(job: Job) -> str:
    """Answers one message of a customer; a session remembers its earlier ones."""
    history = _conversations.setdefault(job.session, []) if job.session else []
    history.append({"role": "user", "content": job.message})
    with tracer.start_as_current_span("invoke_agent support-desk") as span:
        spans.describe_run(span, job)
        answer = _converse(history)
        spans.describe_answer(span, answer)
    return answer


def _converse(history: list[dict[str, Any]]) -> str:
    for _ in range(MAX_TURNS):
        message = _ask(history)
        history.append(message)
        if not message.get("tool_calls"):
            return str(message.get("content") or message.get("refusal") or "")
        for call in message["tool_calls"]:
            result = _run_tool(call)
            history.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return "I am passing this on to a colleague, who will write to you today."


def _ask(history: list[dict[str, Any]]) -> dict[str, Any]:
    messages: Any = [{"role": "system", "content": INSTRUCTIONS}, *history]
    schemas: Any = [tool.schema for tool in TOOLS.values()]
    with tracer.start_as_current_span(f"chat {models.SMALL}", kind=trace.SpanKind.CLIENT) as span:
        spans.describe_request(span, models.SMALL, INSTRUCTIONS, history, schemas)
        with models.client().chat.completions.stream(
            model=models.SMALL,
            messages=messages,
            tools=schemas,
            temperature=0.2,
            stream_options={"include_usage": True},
        ) as stream:
            completion = stream.get_final_completion()
        spans.describe_response(span, completion)
    message: dict[str, Any] = completion.choices[0].message.to_dict(exclude_none=True)
    return message


def _run_tool(call: dict[str, Any]) -> str:
    name = call["function"]["name"]
    arguments = json.loads(call["function"]["arguments"])
    tool = TOOLS[name]
    with tracer.start_as_current_span(f"execute_tool {name}") as span:
        spans.describe_call(span, call, tool)
        try:
            result = tool.run(**arguments)
        except ToolError as error:
            result = {"error": str(error)}
            spans.describe_failure(span, error)
        text = json.dumps(result, ensure_ascii=False)
        span.set_attribute("gen_ai.tool.call.result", text)
    return text
