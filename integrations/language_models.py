"""The gateway to language models: one call, typed errors, no retries of its own.

litellm knows the providers. Its import takes seconds and 190 MB, so it happens inside the first
call and never at start-up. Retrying, budgets and meaning belong to the caller.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn

Message = Mapping[str, Any]
Tool = Mapping[str, Any]


class ModelError(Exception):
    """Any failure of a model call. The text is for people: the model and what it answered."""


class RateLimited(ModelError):
    """The provider asks for a pause; `retry_after_seconds` when it said how long."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ProviderUnavailable(ModelError):
    """The provider cannot be reached or answered 5xx. Worth another try."""


class TimedOut(ModelError):
    """No answer in the time given. Worth another try."""


class BadRequest(ModelError):
    """The request will not work as it is: unknown model, wrong key, context too long."""


class ContentRefused(ModelError):
    """The model or the provider's filter declined to answer."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is the model's own text; it may be no JSON at all."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class TokenCount:
    input: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """`cost_usd` is None when the price of the model is unknown."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: TokenCount
    cost_usd: Decimal | None
    model: str
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Which model to call, where and with which key. Empty base and key: the provider's own."""

    model: str
    api_base: str = ""
    api_key: str = field(default="", repr=False)


def complete(
    messages: Sequence[Message],
    *,
    address: ModelAddress,
    timeout_seconds: float,
    max_tokens: int,
    tools: Sequence[Tool] = (),
    tool_choice: str = "",
    temperature: float | None = 0.0,
) -> Completion:
    """One answer of the model. `tool_choice` names the one tool that must be called.

    Raises RateLimited, ProviderUnavailable, TimedOut, BadRequest or ContentRefused.
    """
    import litellm

    arguments: dict[str, Any] = {
        "model": qualified_name(address),
        "messages": list(messages),
        "timeout": timeout_seconds,
        "max_tokens": max_tokens,
        "max_retries": 0,
        "num_retries": 0,
        "drop_params": True,
    }
    if temperature is not None:
        arguments["temperature"] = temperature
    if address.api_base:
        arguments["api_base"] = address.api_base
        # Local servers want some key in the header, and litellm refuses to send none.
        arguments["api_key"] = address.api_key or "none"
    elif address.api_key:
        arguments["api_key"] = address.api_key
    if tools:
        arguments["tools"] = list(tools)
        if tool_choice:
            arguments["tool_choice"] = {"type": "function", "function": {"name": tool_choice}}
    litellm.suppress_debug_info = True  # else every error prints advertisements on the console
    try:
        response = litellm.completion(**arguments)
    except Exception as error:
        _raise_typed(error, address.model)
    return _read(response, address.model)


def qualified_name(address: ModelAddress) -> str:
    """litellm's `provider/model`. With an address of one's own a bare model speaks OpenAI's
    protocol."""
    if not address.api_base:
        return address.model
    import litellm

    provider = address.model.split("/", 1)[0] if "/" in address.model else ""
    known = {str(getattr(name, "value", name)) for name in litellm.provider_list}
    return address.model if provider in known else f"openai/{address.model}"


def _read(response: Any, model: str) -> Completion:
    choices = getattr(response, "choices", None)
    if not choices:
        raise ProviderUnavailable(f"{model} answered without any choice.")
    choice = choices[0]
    message = choice.message
    finish_reason = str(choice.finish_reason or "")
    refusal = _refusal(message)
    calls = tuple(
        ToolCall(
            id=str(call.id or ""),
            name=str(call.function.name or ""),
            arguments=_arguments_text(call.function.arguments),
        )
        for call in message.tool_calls or ()
    )
    if refusal or (finish_reason == "content_filter" and not calls):
        raise ContentRefused(
            f"{model} declined to answer: {str(refusal or 'content filter')[:300]}"
        )
    usage = getattr(response, "usage", None)
    return Completion(
        text=str(message.content or ""),
        tool_calls=calls,
        usage=TokenCount(
            input=int(getattr(usage, "prompt_tokens", 0) or 0),
            output=int(getattr(usage, "completion_tokens", 0) or 0),
        ),
        cost_usd=_cost(response),
        model=str(getattr(response, "model", "") or model),
        finish_reason=finish_reason,
    )


def _refusal(message: Any) -> str:
    """OpenAI's `refusal`; litellm keeps what is one provider's own beside the message."""
    specific = getattr(message, "provider_specific_fields", None) or {}
    return str(getattr(message, "refusal", None) or specific.get("refusal") or "")


def _arguments_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _cost(response: Any) -> Decimal | None:
    """litellm's own figure; it raises for models whose price it does not know."""
    import litellm

    try:
        cost = litellm.completion_cost(completion_response=response)
    except Exception:
        return None
    if not cost or not math.isfinite(cost):
        return None
    return Decimal(str(cost)).quantize(Decimal("0.000000001"))


def _raise_typed(error: Exception, model: str) -> NoReturn:
    import litellm

    text = f"{model}: {' '.join(str(error).split())[:500]}"
    kinds = litellm.exceptions
    if isinstance(error, kinds.ContentPolicyViolationError):
        raise ContentRefused(text) from error
    if isinstance(error, kinds.RateLimitError):
        raise RateLimited(text, _retry_after(error)) from error
    if isinstance(error, kinds.Timeout):
        raise TimedOut(text) from error
    if isinstance(
        error, kinds.APIConnectionError | kinds.ServiceUnavailableError | kinds.InternalServerError
    ):
        raise ProviderUnavailable(text) from error
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and (status >= 500 or status in (408, 425)):
        raise ProviderUnavailable(text) from error
    if isinstance(status, int) and status == 429:
        raise RateLimited(text, _retry_after(error)) from error
    if isinstance(status, int) or isinstance(error, kinds.BudgetExceededError):
        raise BadRequest(text) from error
    raise error


def _retry_after(error: Exception) -> float | None:
    """litellm makes a response of its own without headers and keeps the provider's beside it."""
    response = getattr(error, "response", None)
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(response, "headers", None),
    ):
        try:
            seconds = float((headers or {}).get("retry-after", ""))
        except (TypeError, ValueError):
            continue
        if 0 <= seconds <= 3600:
            return seconds
    return None
