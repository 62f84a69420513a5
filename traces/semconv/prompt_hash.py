"""Which prompt a model call used: a hash of its system prompt's skeleton, its tools and its model.

What changes from call to call (numbers, dates, ids) is masked, so that a prompt which names the day
stays one prompt. Ingest is the hot path: a text is looked at as it was sent, never parsed, and
what was seen before is remembered.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from traces.semconv import reading, reads
from traces.semconv.reads import ReadField
from traces.semconv.registry import CONVENTIONS, FLAT_MESSAGES
from traces.spans import AttributeValue, Span

_MODEL_KINDS = frozenset({"llm"})
_SYSTEM_ROLES = frozenset({"system", "developer"})
_SYSTEM_FIRST = re.compile(r'\{\s*"role"\s*:\s*"(?:system|developer)"')
_SYSTEM_ANYWHERE = re.compile(r'"role"\s*:\s*"(?:system|developer)"')
_BETWEEN = re.compile(r"}\s*,\s*{")
_MESSAGES_KEY = '"messages"'
_LOOK_FOR_MESSAGES = 2_000
_LONGEST_HEAD = 100_000
_FLAT_TOOLS = ("llm.tools.", "llm.request.functions.")
_FIRST_FLAT_TOOLS = ("llm.tools.0.tool.json_schema", "llm.request.functions.0.name")
_NO_DIGITS = bytes.maketrans(b"", b""), b"0123456789"
# The rest of a UUID's first eight digits is before it.
_UUID_TAIL = re.compile(rb"-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# One group of plain words, so that the search can skip from capital to capital.
_DATE_WORDS = re.compile(
    rb"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    rb"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    rb"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun|AM|PM)(?![a-z])"
)
_REMEMBERED = 1_024


def _names(field: ReadField) -> tuple[str, ...]:
    places = [place for c in CONVENTIONS for place in c.reads.fields.get(field, ())]
    return tuple(dict.fromkeys(place for place in places if not reads.split(place)[1]))


_SYSTEM = _names("system_instructions")
_TOOLS = _names("tool_definitions")
_FLAT = tuple(
    (f"{flat.prefix}0.{middle}role", f"{flat.prefix}0.{middle}content")
    for flat in FLAT_MESSAGES
    if flat.side == "input" and flat.are_messages
    for middle in ("message.", "")
)


def of(span: Span) -> str:
    """Sixteen hexadecimal digits; empty for a span that calls no model, or shows no prompt."""
    if span.kind not in _MODEL_KINDS:
        return ""
    system, tools = _system(span), _tools(span.attributes)
    if not system and not tools:
        return ""
    return _hash(system, tools, span.request_model or span.model)


def skeleton(text: str) -> bytes:
    """The text without numbers, ids, and the words of dates."""
    sent = text.encode("utf-8", "surrogatepass")
    masked = sent.translate(*_NO_DIGITS)
    if len(masked) == len(sent):
        return sent
    if _UUID_TAIL.search(sent):
        masked = _without_ids(sent).translate(*_NO_DIGITS)
    return _DATE_WORDS.sub(b"", masked)


def _without_ids(text: bytes) -> bytes:
    kept, end = [], 0
    for tail in _UUID_TAIL.finditer(text):
        kept.append(text[end : max(end, tail.start() - 8)])
        end = tail.end()
    return b"".join((*kept, text[end:]))


@lru_cache(maxsize=_REMEMBERED)
def _hash(system: str, tools: str, model: str) -> str:
    digest = hashlib.blake2b(skeleton(system), digest_size=8)
    digest.update(f"\0{tools}\0{model}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


# --- finding them -----------------------------------------------------------------------------


def _system(span: Span) -> str:
    """The system prompt's text or JSON: of its own attribute, else of the first message."""
    attributes = span.attributes
    for name in _SYSTEM:
        value = attributes.get(name)
        if value:
            return reading.text(value)
    for role, content in _FLAT:
        if attributes.get(role) in _SYSTEM_ROLES:
            return _flat_content(attributes, content)
    return _head(span.input)


def _flat_content(attributes: dict[str, AttributeValue], content: str) -> str:
    value = attributes.get(content)
    if value is None:  # as blocks, of which the first says most
        value = attributes.get(f"{content}s.0.message_content.text")
    return reading.text(value) if value else ""


def _head(text: str) -> str:
    """The JSON of the first message, when it is the system's: up to where the second begins."""
    start = 0
    if text[:1] == "{":
        start = text.find(_MESSAGES_KEY, 0, _LOOK_FOR_MESSAGES)
    elif text[:1] != "[":
        return ""
    start = text.find("{", start + 1) if start >= 0 else -1
    if start < 0:
        return ""
    if _SYSTEM_FIRST.match(text, start):
        end = text.find('{"role"', start + 1)
        return text[start : end if end >= 0 else len(text)][:_LONGEST_HEAD]
    following = _BETWEEN.search(text, start, start + _LONGEST_HEAD)
    head = text[start : following.start() if following else start + _LONGEST_HEAD]
    return head if _SYSTEM_ANYWHERE.search(head) else ""


def _tools(attributes: dict[str, AttributeValue]) -> str:
    for name in _TOOLS:
        value = attributes.get(name)
        if value:
            return reading.text(value)
    if any(name in attributes for name in _FIRST_FLAT_TOOLS):
        found = (value for name, value in attributes.items() if name.startswith(_FLAT_TOOLS))
        return "\n".join(map(reading.text, found))
    return ""
