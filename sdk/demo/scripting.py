"""What a scripted model says: rules, tried in order against one chat request.

Only the decision is here; the wire format is in `completions`, the HTTP server in `model_server`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of a reply. Arguments given as text are sent as they are, even malformed."""

    name: str
    arguments: Json | str = field(default_factory=dict)

    @property
    def arguments_text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the model, or one way of not giving it.

    `seconds` is the whole time the answer takes, at pace 1; None leaves it to the script's tempo.
    `usage` is (prompt, completion) tokens instead of the counted ones. `body` is sent verbatim
    instead of JSON (a broken provider); `cut` drops a stream in its middle.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    seconds: float | None = None
    status: int = 200
    error: str = ""
    retry_after_seconds: float | None = None
    usage: tuple[int, int] | None = None
    finish_reason: str = ""
    body: bytes | None = None
    cut: bool = False


class ChatRequest:
    """A chat completion request, read only as far as rules need it."""

    __slots__ = ("body", "messages", "model", "tool_names")

    def __init__(self, body: Json) -> None:
        self.body = body
        self.model: str = str(body.get("model", ""))
        self.messages: tuple[Json, ...] = tuple(body.get("messages") or ())
        self.tool_names: tuple[str, ...] = tuple(
            str((tool.get("function") or {}).get("name", "")) for tool in body.get("tools") or ()
        )

    @property
    def system(self) -> str:
        return "\n".join(
            text_of(m) for m in self.messages if m.get("role") in {"system", "developer"}
        )

    @property
    def user(self) -> str:
        """The text of the last user message."""
        return text_of(self.messages[self._turn]) if self._turn >= 0 else ""

    @property
    def step(self) -> int:
        """How often the model has already answered since the last user message."""
        return sum(1 for m in self.messages[self._turn + 1 :] if m.get("role") == "assistant")

    @property
    def results(self) -> tuple[str, ...]:
        """Tool results since the last user message, oldest first."""
        turn = self.messages[self._turn + 1 :]
        return tuple(text_of(m) for m in turn if m.get("role") == "tool")

    @property
    def _turn(self) -> int:
        users = [n for n, m in enumerate(self.messages) if m.get("role") == "user"]
        return users[-1] if users else -1


@dataclass(frozen=True, slots=True)
class Rule:
    """A reply and when to give it: every condition that is set must hold.

    `user`, `system`, `model` and `result` (the newest tool result) are searched as regular
    expressions without regard to case; `tool` is the name of a tool that the request offers;
    `times` limits how often the rule answers in the life of its script.
    """

    reply: Reply | Callable[[ChatRequest], Reply]
    user: str = ""
    system: str = ""
    model: str = ""
    result: str = ""
    tool: str = ""
    step: int | None = None
    has_results: bool | None = None
    times: int | None = None

    def matches(self, request: ChatRequest) -> bool:
        newest = request.results[-1] if request.results else ""
        return (
            (self.step is None or self.step == request.step)
            and (self.has_results is None or self.has_results == bool(request.results))
            and (not self.tool or self.tool in request.tool_names)
            and (not self.model or _found(self.model, request.model))
            and (not self.result or _found(self.result, newest))
            and (not self.user or _found(self.user, request.user))
            and (not self.system or _found(self.system, request.system))
        )


class NoRule(Exception):
    """The script has nothing to say to a request; the message quotes what was asked."""


class Script:
    """Rules with their counters; safe to use from many threads.

    `tempo` gives the seconds of an answer from its (prompt, completion) tokens.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        models: Sequence[str] = ("scripted",),
        tempo: Callable[[int, int], float] = lambda prompt, completion: 0.0,
    ) -> None:
        self.rules = tuple(rules)
        self.models = tuple(models)
        self.tempo = tempo
        self._uses = [0] * len(self.rules)
        self._lock = threading.Lock()

    def answer(self, request: ChatRequest) -> Reply:
        """The reply of the first rule that matches; raises `NoRule`."""
        for number, rule in enumerate(self.rules):
            if rule.matches(request) and self._take(number):
                return rule.reply if isinstance(rule.reply, Reply) else rule.reply(request)
        raise NoRule(
            f"No rule of the script matches step {request.step} after the user message "
            f"{request.user[:120]!r} to model {request.model!r}."
        )

    def _take(self, number: int) -> bool:
        limit = self.rules[number].times
        with self._lock:
            if limit is not None and self._uses[number] >= limit:
                return False
            self._uses[number] += 1
            return True


def text_of(message: Json) -> str:
    """The text of a message whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None
