"""The crew's loop: whoever has the work asks the model, uses tools, or hands off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace

from .. import models
from ..job import Job
from . import spans, tools
from .roles import PLANNER, ROLES, Role

tracer = trace.get_tracer("puffin.research", "0.9")
MAX_TURNS = 12


class CrewStuck(Exception):
    """A member of the crew used up its turns without an answer or a hand-off."""


@dataclass(frozen=True, slots=True)
class HandOff:
    to: Role
    brief: str


def handle(job: Job) -> str:
    """Researches one question and returns the writer's brief."""
    with tracer.start_as_current_span("research_crew.kickoff") as span:
        spans.describe_run(span, job)
        outcome: HandOff | str = HandOff(PLANNER, job.message)
        sender = "user"
        while isinstance(outcome, HandOff):
            member, brief = outcome.to, outcome.brief
            outcome = _work(member, brief, sender)
            sender = member.name
        spans.describe_answer(span, outcome)
    return outcome


def _work(role: Role, brief: str, sender: str) -> HandOff | str:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": role.instructions},
        {"role": "user", "content": brief},
    ]
    with tracer.start_as_current_span(role.name) as span:
        spans.describe_agent(span, role.name, sender, brief)
        for _ in range(MAX_TURNS):
            message = _ask(role, messages)
            messages.append(message)
            calls = message.get("tool_calls") or []
            if not calls:
                answer = str(message.get("content") or "")
                spans.describe_answer(span, answer)
                return answer
            for call in calls:
                result = _run_tool(role, call)
                if isinstance(result, HandOff):
                    spans.describe_answer(span, f"Handed to the {result.to.name}: {result.brief}")
                    return result
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        raise CrewStuck(f"The {role.name} used {MAX_TURNS} turns without a result.")


def _ask(role: Role, messages: list[dict[str, Any]]) -> dict[str, Any]:
    schemas = tools.describe(role.tools)
    request: dict[str, Any] = {"model": role.model, "messages": messages}
    if schemas:
        request["tools"] = schemas
    with tracer.start_as_current_span("ChatCompletion") as span:
        spans.describe_request(span, request)
        completion = models.client().chat.completions.create(**request)
        spans.describe_response(span, completion)
    message: dict[str, Any] = completion.choices[0].message.to_dict(exclude_none=True)
    return message


def _run_tool(role: Role, call: dict[str, Any]) -> HandOff | str:
    name = call["function"]["name"]
    arguments = json.loads(call["function"]["arguments"])
    with tracer.start_as_current_span(name) as span:
        spans.describe_tool(span, role.name, call)
        if name == "hand_off":
            spans.describe_answer(span, f"The {arguments['to']} takes over.")
            return HandOff(ROLES[arguments["to"]], arguments["brief"])
        if name == "search_library":
            with tracer.start_as_current_span("library.search") as retriever:
                result, documents = tools.search_library(**arguments)
                spans.describe_retrieval(retriever, arguments["query"], documents)
        else:
            result = tools.open_page(**arguments)
        spans.describe_answer(span, result)
    return result
