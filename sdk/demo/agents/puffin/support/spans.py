"""What the support desk's spans say, by OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openai.types.chat import ChatCompletion
from opentelemetry.trace import Span, Status, StatusCode

from ..job import Job
from ..telemetry import ROOT
from .tool import Tool

AGENT = "support-desk"


def describe_run(span: Span, job: Job) -> None:
    span.set_attributes(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": AGENT,
            "gen_ai.agent.id": "desk-1",
            "gen_ai.input.messages": _json([_text("user", job.message)]),
        }
    )
    if job.session:
        span.set_attribute("gen_ai.conversation.id", job.session)
        span.set_attribute("session.id", job.session)
    if job.user:
        span.set_attribute("user.id", job.user)
    if job.tags:
        span.set_attribute("traceroot.trace.tags", job.tags)
    if job.metadata:
        span.set_attribute("traceroot.trace.metadata", _json(dict(job.metadata)))


def describe_answer(span: Span, answer: str) -> None:
    span.set_attribute("gen_ai.output.messages", _json([_text("assistant", answer)]))


def describe_request(
    span: Span,
    model: str,
    instructions: str,
    history: Sequence[Mapping[str, Any]],
    schemas: Sequence[Mapping[str, Any]],
) -> None:
    span.set_attributes(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": AGENT,
            "gen_ai.request.model": model,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.system_instructions": _json([{"type": "text", "content": instructions}]),
            "gen_ai.tool.definitions": _json([schema["function"] for schema in schemas]),
            "gen_ai.input.messages": _json([_message(message) for message in history]),
        }
    )


def describe_response(span: Span, completion: ChatCompletion) -> None:
    choice = completion.choices[0]
    output = _message(choice.message.to_dict(exclude_none=True))
    output["finish_reason"] = choice.finish_reason
    span.set_attributes(
        {
            "gen_ai.response.model": completion.model,
            "gen_ai.response.id": completion.id,
            "gen_ai.response.finish_reasons": [choice.finish_reason],
            "gen_ai.output.messages": _json([output]),
        }
    )
    usage = completion.usage
    if usage is not None:
        span.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", usage.completion_tokens)
        details = usage.prompt_tokens_details
        if details is not None and details.cached_tokens:
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", details.cached_tokens)


def describe_call(span: Span, call: Mapping[str, Any], tool: Tool) -> None:
    code = inspect.unwrap(tool.run).__code__
    span.set_attributes(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.agent.name": AGENT,
            "gen_ai.tool.name": tool.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": tool.description,
            "gen_ai.tool.call.id": str(call["id"]),
            "gen_ai.tool.call.arguments": str(call["function"]["arguments"]),
            "code.file.path": str(Path(code.co_filename).relative_to(ROOT)),
            "code.line.number": code.co_firstlineno,
            "code.function.name": f"{tool.run.__module__}.{code.co_name}",
        }
    )


def describe_failure(span: Span, error: Exception) -> None:
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR, str(error)))


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    if message["role"] == "tool":
        part = {
            "type": "tool_call_response",
            "id": message["tool_call_id"],
            "response": message["content"],
        }
        return {"role": "tool", "parts": [part]}
    text = message.get("content") or message.get("refusal")
    parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        parts.append(
            {
                "type": "tool_call",
                "id": call["id"],
                "name": function["name"],
                "arguments": json.loads(function["arguments"]),
            }
        )
    return {"role": message["role"], "parts": parts}


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
