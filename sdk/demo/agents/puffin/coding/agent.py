"""The coding agent's loop over one task in one scratch workspace."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry import trace

from .. import models
from ..job import Job
from .observe import observe, to_json
from .tools import SCHEMAS, Toolbox
from .workspace import Workspace

MAX_TURNS = 12
INSTRUCTIONS = (
    "You are a careful programmer. Read a file before you patch it, run the tests after every "
    "patch, and stop when they pass. Report what you changed in two sentences."
)


def handle(job: Job) -> str:
    """Works on the task of a job and returns the agent's report."""
    with Workspace.open() as workspace:
        return coding_agent(job, Toolbox(workspace))


@observe("agent")
def coding_agent(job: Job, toolbox: Toolbox) -> str:
    _describe_run(job)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": job.message},
    ]
    for _ in range(MAX_TURNS):
        message = ask_model(messages)
        messages.append(message)
        calls = message.get("tool_calls") or []
        if not calls:
            return str(message.get("content") or "")
        for call in calls:
            arguments = json.loads(call["function"]["arguments"])
            result = toolbox.run(call["function"]["name"], arguments)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return "I stopped: the tests still fail after twelve turns."


@observe("llm", name="chat")
def ask_model(messages: list[dict[str, Any]]) -> dict[str, Any]:
    request: Any = {"model": models.LARGE, "messages": messages, "tools": SCHEMAS}
    completion = models.client().chat.completions.create(**request, temperature=0)
    span = trace.get_current_span()
    span.set_attribute("traceroot.llm.model", completion.model)
    span.set_attribute("traceroot.llm.model_parameters", to_json({"temperature": 0}))
    span.set_attribute("traceroot.llm.prompt", to_json(messages))
    if completion.usage is not None:
        details = completion.usage.prompt_tokens_details
        usage = {
            "input_tokens": completion.usage.prompt_tokens,
            "output_tokens": completion.usage.completion_tokens,
            "cache_read_tokens": (details.cached_tokens if details else 0) or 0,
        }
        span.set_attribute("traceroot.llm.usage", to_json(usage))
    message: dict[str, Any] = completion.choices[0].message.to_dict(exclude_none=True)
    return message


def _describe_run(job: Job) -> None:
    span = trace.get_current_span()
    if job.session:
        span.set_attribute("traceroot.trace.session_id", job.session)
    if job.user:
        span.set_attribute("traceroot.trace.user_id", job.user)
    span.set_attribute("traceroot.trace.tags", job.tags)
    span.set_attribute("traceroot.trace.metadata", to_json(dict(job.metadata)))
