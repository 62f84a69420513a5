"""Decides whether the text that a tool returned is an error, and names it.

Precision first: a result is an error only by its form (how it starts, a field that frameworks use
to say so, a traceback), never because the word "error" occurs in it. "No results found" is an
answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

READ_CHARS = 200_000
QUOTE_CHARS = 600


@dataclass(frozen=True, slots=True)
class ErrorResult:
    """`quote` stands verbatim in the text that was read; `error_type` may be empty."""

    quote: str
    error_type: str
    message: str


# How tools and frameworks begin a result that is an error: OpenAI-style agents ("Error: …"),
# LangChain ("Error: ToolException(…)"), pydantic-ai ("Error executing tool"), AutoGen ("exitcode: 1
# (…)"), shells.
_PREFIX = re.compile(
    r"""^\s*["'\[(]*(?:
        (?:(?:tool|execution|runtime|internal|server|api|http|validation)\s)?
          error\s*(?::|\[|\(\w+\)\s*:|code\b|\d{3}\b)
      | (?:error|failure|exception)\s+(?:executing|calling|running|invoking|while|during|occurred
          |fetching|in\s+tool|from\s+tool)\b
      | an?\s+(?:unexpected\s+|internal\s+)?(?:error|exception)\s+(?:has\s+)?occurred\b
      | (?:tool\s+(?:call|execution|invocation)\s+(?:failed|error|timed\s+out))
      | failed\s+to\s+(?:execute|call|invoke|run|fetch|connect|load|parse|process|retrieve
          |complete)\b
      | fatal:\s | bash:\s.{1,80}:\s(?:command\snot\sfound|no\ssuch\sfile)
      | (?:the\s)?(?:request|connection|operation|tool|call)\s(?:has\s)?timed\sout\b
      | traceback\s\(most\srecent\scall\slast\)
      | https?\s(?:error\s)?[45]\d\d\b | [45]\d\d\s(?:client|server)\serror
      | <tool_use_error> | <error>
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# "ValueError: …", "requests.exceptions.ReadTimeout: …", "ToolException('…')"; case matters
# ("Terror: …").
_TYPED_PREFIX = re.compile(
    r"""^\s*["'\[(]*(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Timeout|Interrupt)\s*(?::|\()"""
)
_EXIT_CODE = re.compile(
    r"^\s*(?:exit\s?code|exit\sstatus|return\s?code|process\sexited\swith\scode)\s*[:=]?\s*(?P<code>-?\d+)",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):", re.MULTILINE)
_LAST_LINE = re.compile(
    r"^(?:\w+\.)*(?P<type>[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning))\b(?::\s?(?P<message>.*))?$",
    re.MULTILINE,
)
_TYPE_WORD = re.compile(r"\b(?P<type>[A-Z]\w*(?:Error|Exception))\b")

_TRUE_FLAGS = ("is_error", "isError", "iserror", "has_error", "hasError")
_FALSE_FLAGS = ("success", "ok", "succeeded", "isSuccess", "is_success")
_CODE_FIELDS = ("status_code", "statusCode", "http_status", "httpStatus", "code", "status")
_ERROR_FIELDS = ("error", "errors", "exception", "error_message", "errorMessage", "stderr_error")
_STATUS_WORDS = {"error", "failed", "failure", "exception"}
_REASON_FIELDS = ("message", "detail", "details", "reason", "msg")
_TEXT_FIELDS = (
    "message",
    "detail",
    "details",
    "reason",
    "error_message",
    "text",
    "content",
    "description",
    "title",
    "code",
    "type",
)


def find_error(text: str) -> ErrorResult | None:
    """The error that `text` (a tool's result) is, or None when it is an ordinary answer."""
    text = text[:READ_CHARS]
    stripped = text.strip()
    if not stripped:
        return None
    if stripped[0] in '{["':
        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, str):
            return _in_wrapped_text(value, text)
        if isinstance(value, dict | list):
            return _in_structure(value, text, depth=0)
    return _in_text(text)


def _in_wrapped_text(inner: str, whole: str) -> ErrorResult | None:
    """A JSON string: the quote has to stand in the text as it was sent, escapes included."""
    found = find_error(inner) if inner[:1] not in '"' else _in_text(inner)
    if found is None:
        return None
    return ErrorResult(_verbatim(found.quote, whole), found.error_type, found.message)


def _in_text(text: str) -> ErrorResult | None:
    exit_code = _EXIT_CODE.match(text)
    if exit_code:
        if int(exit_code["code"]) == 0:
            return None
        return _named(text)
    if _PREFIX.match(text) or _TYPED_PREFIX.match(text) or _TRACEBACK.match(text.lstrip()):
        return _named(text)
    # A program's output that ends in a traceback: the program died.
    start = _TRACEBACK.search(text)
    if start and _ends_in_exception(text):
        return _named(text[start.start() :])
    return None


def _ends_in_exception(text: str) -> bool:
    last = text.rstrip().rsplit("\n", 1)[-1]
    return bool(_LAST_LINE.match(last.strip()))


def _named(text: str) -> ErrorResult:
    """Type and message from the last exception line, else from the first line."""
    lines = list(_LAST_LINE.finditer(text)) if _TRACEBACK.search(text) or "\n" in text else []
    if lines:
        last = lines[-1]
        message = (last["message"] or last["type"]).strip()[:300]
        return ErrorResult(_excerpt(text), last["type"], message)
    first = text.strip().split("\n", 1)[0]
    word = _TYPE_WORD.search(first)
    return ErrorResult(_excerpt(text), word["type"] if word else "", first[:300])


def _excerpt(text: str) -> str:
    """The telling part, verbatim: the beginning, or for a long traceback its end."""
    text = text.strip()
    if len(text) <= QUOTE_CHARS:
        return text
    if _TRACEBACK.search(text):
        lines = list(_LAST_LINE.finditer(text))
        if lines:
            end = min(lines[-1].end(), lines[-1].start() + QUOTE_CHARS)
            return text[max(0, end - QUOTE_CHARS) : end].strip()
    return text[:QUOTE_CHARS].strip()


def _in_structure(value: object, whole: str, depth: int) -> ErrorResult | None:
    if depth > 3:
        return None
    if isinstance(value, list):
        return _in_list(value, whole, depth)
    if not isinstance(value, dict):
        return None
    if any(value.get(flag) is True for flag in _TRUE_FLAGS):
        return _from_structure(value, whole)
    if _has_error_field(value) and not any(value.get(flag) is True for flag in _FALSE_FLAGS):
        return _from_structure(value, whole)
    if any(value.get(flag) is False for flag in _FALSE_FLAGS) and _has_reason(value):
        return _from_structure(value, whole)
    if _has_error_code(value):
        return _from_structure(value, whole)
    status = value.get("status")
    # A job's state may rightly be "failed"; an answer about a job carries more than a reason.
    is_bare = len(value) == 1 or (len(value) <= 3 and _has_reason(value))
    if isinstance(status, str) and status.lower() in _STATUS_WORDS and is_bare:
        return _from_structure(value, whole)
    if value.get("type") == "error" and _has_reason(value):
        return _from_structure(value, whole)
    for wrapper in ("content", "result", "output", "response", "kwargs"):
        inner = value.get(wrapper)
        if isinstance(inner, str) and len(value) <= 6:
            found = find_error(inner)
            if found is not None:
                return ErrorResult(_verbatim(found.quote, whole), found.error_type, found.message)
        elif inner is not None:
            found = _in_structure(inner, whole, depth + 1)
            if found is not None:
                return found
    return None


def _in_list(values: list[object], whole: str, depth: int) -> ErrorResult | None:
    """Content parts as MCP and several SDKs return them: an error only when the only part is."""
    if len(values) != 1:
        return None
    part = values[0]
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        found = find_error(part["text"])
        if found is None:
            return None
        return ErrorResult(_verbatim(found.quote, whole), found.error_type, found.message)
    return _in_structure(part, whole, depth + 1)


def _has_error_field(value: dict[str, object]) -> bool:
    """A non-empty error field, in an answer that carries hardly anything else."""
    named = [
        field
        for field in _ERROR_FIELDS
        if value.get(field) not in (None, "", False, [], {}, 0, "none", "None", "null")
    ]
    if not named:
        return False
    others = [
        key
        for key, inner in value.items()
        if key not in named and inner not in (None, "", False, [], {})
    ]
    bulky = [
        key
        for key in others
        if isinstance(value[key], list | dict)
        and key not in ("request", "context", "params", "arguments", "metadata")
    ]
    return not bulky


def _has_reason(value: dict[str, object]) -> bool:
    given = any(isinstance(value.get(field), str) and value[field] for field in _REASON_FIELDS)
    return given or _has_error_field(value)


def _has_error_code(value: dict[str, object]) -> bool:
    """An HTTP status from 400 on. A bare "code" or "status" may be data and needs a reason."""
    for field in _CODE_FIELDS:
        code = value.get(field)
        if isinstance(code, str) and len(code) == 3 and code.isdecimal():
            code = int(code)
        if isinstance(code, bool) or not isinstance(code, int) or not 400 <= code <= 599:
            continue
        if field not in ("code", "status") or _has_reason(value):
            return True
    return False


def _from_structure(value: dict[str, object], whole: str) -> ErrorResult:
    message, error_type = _describe(value)
    quote = _verbatim(message, whole) if message else ""
    return ErrorResult(
        quote or whole.strip()[:QUOTE_CHARS], error_type, message[:300] or whole.strip()[:300]
    )


def _describe(value: dict[str, object]) -> tuple[str, str]:
    error_type = ""
    for field in ("error_type", "errorType", "type", "exception_type", "code", "error_code"):
        inner = value.get(field)
        if isinstance(inner, str) and inner and inner not in ("error", "text"):
            error_type = inner[:80]
            break
    for field in (*_ERROR_FIELDS, *_TEXT_FIELDS):
        inner = value.get(field)
        if isinstance(inner, str) and inner and inner.lower() not in _STATUS_WORDS:
            return inner, error_type
        if isinstance(inner, dict):
            text, inner_type = _describe(inner)
            if text:
                return text, inner_type or error_type
        if isinstance(inner, list) and inner:
            first = inner[0]
            if isinstance(first, dict):
                text, inner_type = _describe(first)
                if text:
                    return text, inner_type or error_type
            elif isinstance(first, str) and first:
                return first, error_type
    return "", error_type


def _verbatim(inner: str, whole: str) -> str:
    """`inner` as it stands in `whole`: itself, or as JSON escapes it; else the head of `whole`."""
    inner = inner.strip()[:QUOTE_CHARS]
    if inner in whole:
        return inner
    for ascii_only in (True, False):
        escaped = json.dumps(inner, ensure_ascii=ascii_only)[1:-1]
        if escaped in whole:
            return escaped
    return whole.strip()[:QUOTE_CHARS]
