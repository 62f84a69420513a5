"""Attribute names that mean something to the conventions, taken from their tables, and a value of
each kind that somebody could send for them.
"""

from __future__ import annotations

import math

from traces.semconv import reads
from traces.semconv.convention import Convention
from traces.semconv.registry import CONVENTIONS
from traces.spans import AttributeValue


def _of(convention: Convention) -> set[str]:
    """Names, and of prefixes names that begin so."""
    found: set[str] = set()
    for table in (convention.fields, convention.own_fields, convention.logs.fields):
        found.update(name for names in table.values() for name in names)
    for by_kind in convention.kind_fields.values():
        found.update(name for names in by_kind.values() for name in names)
    found.update(name for names in convention.resource_fields.values() for name in names)
    found.update(convention.kinds, convention.implies, convention.metadata_names)
    found.update(convention.json_fields, convention.own_json_fields)
    said = convention.reads
    for places in (*said.fields.values(), *said.params.values(), said.param_objects):
        found.update(reads.split(place)[0] for place in places)
    prefixes = (
        *convention.marks,
        *convention.metadata_prefixes,
        *convention.trace_metadata_prefixes,
        *convention.evaluation_prefixes,
        *said.param_prefixes,
        *said.usage_prefixes,
    )
    found.update(f"{prefix}x" for prefix in prefixes)
    flat = (*(one.prefix for one in convention.flat_messages), *said.flat_documents)
    found.update(f"{prefix}{leaf}" for prefix in flat for leaf in _LEAVES)
    return found


_LEAVES = (
    "0", "0.role", "0.content", "0.message", "0.message.role", "0.message.content",
    "0.message.contents.0.message_content.type", "0.message.contents.0.message_content.image.url",
    "0.message.tool_calls.0.tool_call.function.name", "0.tool_calls.0.name",
    "0.tool_calls.0.arguments", "0.document.content", "0.document.metadata", "0.document.score",
    "1.finish_reason", "-1.role", "99999999999.role", "0.message.role.deeper", "",
)  # fmt: skip
"""What follows a prefix of flat messages or documents."""

BY_CONVENTION = {convention.name: tuple(sorted(_of(convention))) for convention in CONVENTIONS}
ALL = tuple(sorted({name for names in BY_CONVENTION.values() for name in names}))
SCOPES = tuple(
    sorted({scope for one in CONVENTIONS for scope in (*one.scopes, *one.logs.scopes)} | {""})
)
SPAN_NAMES = tuple(sorted({f"{start}x" for one in CONVENTIONS for start in one.span_names}))
EVENT_NAMES = (
    "exception", "gen_ai.content.prompt", "gen_ai.content.completion", "gen_ai.choice",
    "gen_ai.user.message", "gen_ai.system.message", "gen_ai.assistant.message",
    "gen_ai.tool.message", "gen_ai.client.inference.operation.details", "ai.stream.firstChunk",
    "First Token Stream Event", "",
)  # fmt: skip
KINDS = tuple(
    sorted({said for one in CONVENTIONS for table in one.kinds.values() for said in table})
)

TEXTS = (
    "", " ", "0", "-1", "1e999", "-0", "NaN", "Infinity", "1" * 400, "0x10", "1_000", "٣", "true",
    "2026-01-31T12:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", '"2026"',
    "null", "[]", "{}", "[null]", '{"":null}', '{"role":', "[[[[]]]]", '"', '"\\ud83d"', "\x00",
    "\x00{", "{'a': 1}", "[{'role': 'user'}]", "['", "[{" * 50, "\ufeff{}", "\u2028", "🦊" * 3,
    '{"a":1,"a":{"b":[]}}', '{"total":"x"}', '{"a":NaN}', '[{"type":7,"kind":[]}]',
    '{"promptTokens":-1,"completionTokens":1e400,"input":true}',
    '{"input_tokens":9007199254740993,"prompt_tokens_details":{"cached_tokens":"7"}}',
    '[{"role":"user","content":[{"type":"text","text":{"a":1}},{"type":"image","image":[]}]}]',
    '[{"role":["x"],"parts":[{"type":"tool_call","id":1,"arguments":[[]],"name":null}]}]',
    '{"choices":[{"message":{"content":null,"tool_calls":[{"function":"f"},null]}}]}',
    '{"messages":[[{"kwargs":{"content":1},"id":[null]}]],"model":3}',
    '{"kind":"tool-result","content":[{"type":"tool_result","content":[["a"]]}]}',
    '[{"functionResponse":{"response":{"type":"json","value":null}}}]',
    '[{"event.name":"gen_ai.choice","message":{"role":"assistant"}}]',
    '[{"tool":{"json_schema":"[]"}},"f",7,{"function_declarations":[null]}]',
    "[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 20_000,
    '[{"role":"user","content":' * 300 + '"a"' + "}]" * 300, "{'a': {[]}}", "{'a': '\\ud83d'}",
)  # fmt: skip
"""Text on which readers of numbers, moments, JSON and messages stumble."""

VALUES: tuple[AttributeValue, ...] = (
    *TEXTS, *KINDS, None, True, False, 0, -1, 1, 7, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63),
    0.0, -0.0, 0.5, -3.0, 1e300, 5e-324, math.nan, math.inf, -math.inf, b"", b"\xff\x00", [], {},
    [None], [""], ["a", 1, None], [["a"]], [{"role": "user", "content": "hi"}], {"": None},
    {"a": {"b": [1.5, b"x"]}}, {"total": -1}, {"role": [], "content": {}}, [math.nan, math.inf],
)  # fmt: skip
