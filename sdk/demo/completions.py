"""The OpenAI wire format of a scripted reply: completions, stream chunks, embeddings, errors.

Pure functions of the request and the reply: the same request always gets the same bytes. Tokens are
counted as four characters each, which is close for English and needs no vocabulary.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from sdk.demo.scripting import ChatRequest, Json, Reply, text_of

CREATED = 1_700_000_000
CACHE_BLOCK_TOKENS = 128
CACHE_MINIMUM_TOKENS = 1024
EMBEDDING_DIMENSIONS = 64
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def completion(request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """A `chat.completion` object."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text or None,
        "refusal": reply.refusal or None,
    }
    if reply.calls:
        message["tool_calls"] = tool_calls(request, reply)
    return {
        **_envelope(request, reply, "chat.completion"),
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": finish_reason(reply),
            }
        ],
        "usage": usage(request, reply),
    }


def chunks(request: ChatRequest, reply: Reply) -> Iterator[dict[str, Any]]:
    """The same answer as `chat.completion.chunk` objects, usage last if the request asks for it."""
    yield _chunk(request, reply, {"role": "assistant", "content": ""})
    for piece in _pieces(reply.refusal):
        yield _chunk(request, reply, {"refusal": piece})
    for piece in _pieces(reply.text):
        yield _chunk(request, reply, {"content": piece})
    for index, call in enumerate(tool_calls(request, reply)):
        arguments = call["function"]["arguments"]
        opened = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        yield _chunk(request, reply, {"tool_calls": [opened]})
        for piece in _pieces(arguments):
            part = {"index": index, "function": {"arguments": piece}}
            yield _chunk(request, reply, {"tool_calls": [part]})
    yield _chunk(request, reply, {}, finish_reason(reply))
    if (request.body.get("stream_options") or {}).get("include_usage"):
        envelope = _envelope(request, reply, "chat.completion.chunk")
        yield {**envelope, "choices": [], "usage": usage(request, reply)}


def tool_calls(request: ChatRequest, reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{_digest(request, reply, number)[:20]}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments_text},
        }
        for number, call in enumerate(reply.calls)
    ]


def finish_reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.calls else "stop")


def usage(request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Token counts from the text; a prompt that grew by a turn has its older part cached."""
    prompt, completed = reply.usage or (prompt_tokens(request), completion_tokens(reply))
    cached = 0 if reply.usage else _cached_tokens(request)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def prompt_tokens(request: ChatRequest) -> int:
    return _tools_tokens(request) + sum(_message_tokens(m) for m in request.messages)


def completion_tokens(reply: Reply) -> int:
    called = sum(count_tokens(call.name + call.arguments_text) for call in reply.calls)
    return count_tokens(reply.text) + count_tokens(reply.refusal) + called


def count_tokens(text: str) -> int:
    return (len(text) + 3) // 4


def models(names: tuple[str, ...]) -> dict[str, Any]:
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "script"} for name in names
    ]
    return {"object": "list", "data": data}


def embeddings(body: Json) -> dict[str, Any]:
    """Vectors of words hashed to dimensions: texts that share words lie close to each other."""
    given = body.get("input", "")
    texts = [given] if isinstance(given, str) else [str(text) for text in given]
    dimensions = int(body.get("dimensions") or EMBEDDING_DIMENSIONS)
    is_base64 = body.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        vector = _vector(text, dimensions)
        packed = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode("ascii")
        data.append(
            {"object": "embedding", "index": index, "embedding": packed if is_base64 else vector}
        )
    total = sum(count_tokens(text) for text in texts)
    return {
        "object": "list",
        "data": data,
        "model": body.get("model", ""),
        "usage": {"prompt_tokens": total, "total_tokens": total},
    }


def error(status: int, message: str) -> dict[str, Any]:
    kind = _ERROR_TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _envelope(request: ChatRequest, reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{_digest(request, reply)[:24]}",
        "object": kind,
        "created": CREATED,
        "model": request.model,
        "system_fingerprint": "scripted",
    }


def _chunk(
    request: ChatRequest, reply: Reply, delta: Mapping[str, Any], finish: str | None = None
) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}
    return {**_envelope(request, reply, "chat.completion.chunk"), "choices": [choice]}


def _digest(request: ChatRequest, reply: Reply, number: int = -1) -> str:
    said = [reply.text, [[call.name, call.arguments_text] for call in reply.calls], number]
    text = json.dumps([request.messages, request.model, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _pieces(text: str, size: int = 24) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _tools_tokens(request: ChatRequest) -> int:
    tools = request.body.get("tools")
    return count_tokens(json.dumps(tools)) if tools else 0


def _message_tokens(message: Json) -> int:
    calls = message.get("tool_calls")
    return 4 + count_tokens(text_of(message)) + (count_tokens(json.dumps(calls)) if calls else 0)


def _cached_tokens(request: ChatRequest) -> int:
    answers = [n for n, m in enumerate(request.messages) if m.get("role") == "assistant"]
    if not answers:
        return 0
    prefix = request.messages[: answers[-1]]
    tokens = _tools_tokens(request) + sum(_message_tokens(m) for m in prefix)
    return tokens - tokens % CACHE_BLOCK_TOKENS if tokens >= CACHE_MINIMUM_TOKENS else 0


def _vector(text: str, dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for word in text.lower().split():
        digest = hashlib.sha256(word.encode()).digest()
        vector[int.from_bytes(digest[:4], "big") % dimensions] += 1.0 if digest[4] % 2 else -1.0
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / length for value in vector]
