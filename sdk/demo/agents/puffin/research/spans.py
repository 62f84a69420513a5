"""What the crew's spans say, by the OpenInference conventions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from openai.types.chat import ChatCompletion
from opentelemetry.trace import Span

from ..job import Job
from .library import Document

QUOTED_CHARACTERS = 600


def describe_run(span: Span, job: Job) -> None:
    span.set_attribute("openinference.span.kind", "CHAIN")
    _input(span, job.message)
    if job.session:
        span.set_attribute("session.id", job.session)
    if job.user:
        span.set_attribute("user.id", job.user)
    if job.tags:
        span.set_attribute("tag.tags", job.tags)
    if job.metadata:
        span.set_attribute("metadata", json.dumps(dict(job.metadata)))


def describe_agent(span: Span, name: str, sender: str, brief: str) -> None:
    span.set_attributes(
        {
            "openinference.span.kind": "AGENT",
            "agent.name": name,
            "graph.node.id": name,
            "graph.node.parent_id": "" if sender == "user" else sender,
        }
    )
    _input(span, brief)


def describe_answer(span: Span, answer: str) -> None:
    span.set_attribute("output.value", answer)
    is_json = answer[:1] in "[{" and answer[-1:] in "]}" and bool(answer)
    span.set_attribute("output.mime_type", "application/json" if is_json else "text/plain")


def describe_request(span: Span, request: Mapping[str, Any]) -> None:
    span.set_attributes(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.system": "openai",
            "llm.model_name": request["model"],
            "llm.invocation_parameters": json.dumps({"model": request["model"]}),
            "input.value": json.dumps(request["messages"]),
            "input.mime_type": "application/json",
        }
    )
    for number, message in enumerate(request["messages"]):
        _message(span, f"llm.input_messages.{number}.message", message)
    for number, tool in enumerate(request.get("tools", ())):
        span.set_attribute(f"llm.tools.{number}.tool.json_schema", json.dumps(tool["function"]))


def describe_response(span: Span, completion: ChatCompletion) -> None:
    message = completion.choices[0].message.to_dict(exclude_none=True)
    span.set_attribute("llm.model_name", completion.model)
    span.set_attribute("output.value", json.dumps(message))
    span.set_attribute("output.mime_type", "application/json")
    _message(span, "llm.output_messages.0.message", message)
    usage = completion.usage
    if usage is not None:
        span.set_attribute("llm.token_count.prompt", usage.prompt_tokens)
        span.set_attribute("llm.token_count.completion", usage.completion_tokens)
        span.set_attribute("llm.token_count.total", usage.total_tokens)
        details = usage.prompt_tokens_details
        if details is not None and details.cached_tokens:
            span.set_attribute("llm.token_count.prompt_details.cache_read", details.cached_tokens)


def describe_tool(span: Span, agent: str, call: Mapping[str, Any]) -> None:
    function = call["function"]
    span.set_attributes(
        {
            "openinference.span.kind": "TOOL",
            "agent.name": agent,
            "tool.name": function["name"],
            "tool.id": call["id"],
            "tool.parameters": function["arguments"],
            "input.value": function["arguments"],
            "input.mime_type": "application/json",
        }
    )


def describe_retrieval(span: Span, query: str, documents: Sequence[Document]) -> None:
    span.set_attribute("openinference.span.kind", "RETRIEVER")
    _input(span, query)
    for number, document in enumerate(documents):
        prefix = f"retrieval.documents.{number}.document"
        span.set_attribute(f"{prefix}.id", document.id)
        span.set_attribute(f"{prefix}.content", document.text[:QUOTED_CHARACTERS])
        span.set_attribute(f"{prefix}.score", document.score)
        span.set_attribute(f"{prefix}.metadata", json.dumps({"title": document.title}))


def _input(span: Span, text: str) -> None:
    span.set_attribute("input.value", text)
    span.set_attribute("input.mime_type", "text/plain")


def _message(span: Span, prefix: str, message: Mapping[str, Any]) -> None:
    span.set_attribute(f"{prefix}.role", message["role"])
    if message.get("content"):
        span.set_attribute(f"{prefix}.content", message["content"])
    if message.get("tool_call_id"):
        span.set_attribute(f"{prefix}.tool_call_id", message["tool_call_id"])
    for number, call in enumerate(message.get("tool_calls") or ()):
        called = f"{prefix}.tool_calls.{number}.tool_call"
        span.set_attribute(f"{called}.id", call["id"])
        span.set_attribute(f"{called}.function.name", call["function"]["name"])
        span.set_attribute(f"{called}.function.arguments", call["function"]["arguments"])
