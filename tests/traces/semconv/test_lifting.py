"""What a span's attributes mean together, and what lies inside of their JSON."""

from __future__ import annotations

import pytest

from tests.traces.semconv.raw_spans import read
from traces.otlp import decoded
from traces.semconv import messages
from traces.spans import Usage

LANGSMITH = {"scope": decoded.scope("langsmith", "1", {})}
STRANDS = {"scope": decoded.scope("strands.telemetry.tracer", "1", {})}


def test_what_is_remembered_of_one_span_changes_no_other() -> None:
    model = {"genkit:metadata:subtype": "model", "genkit:name": "m", "genkit:output": "{}"}
    tool = {**model, "genkit:metadata:subtype": "tool"}
    counted = {**model, "genkit:output": '{"usage": {"inputTokens": 3, "outputTokens": 1}}'}
    first = read(model)
    assert (first.kind, first.model, first.usage) == ("llm", "m", None)
    assert (read(tool).kind, read(tool).model, read(tool).tool_name) == ("tool", "", "m")
    assert read(counted).usage == Usage(3, output=1)
    assert (read(model).usage, read(model).sources) == (None, first.sources)


def test_an_empty_attribute_leaves_its_field_to_the_next_one() -> None:
    for empty in ("", None):
        span = read({"ai.response.text": empty, "ai.response.object": '{"a":1}'})
        assert (span.output, span.sources["output"]) == ('{"a":1}', "ai.response.object")
    assert read({"ai.response.text": "yes", "ai.response.object": "{}"}).output == "yes"


def test_many_attributes_are_read_like_few() -> None:
    many = {f"acme.{number}": number for number in range(5_000)}
    span = read({**many, "ai.operationId": "ai.toolCall", "ai.toolCall.name": "look"})
    assert (span.kind, span.tool_name) == ("tool", "look")


@pytest.mark.parametrize(
    "details",
    ["{'cache_read': 48, 'audio': None}", '{"cache_read": 48}', {"cache_read": 48}],
)
def test_token_details_are_read_as_json_as_pythons_text_and_as_a_map(details: object) -> None:
    span = read(
        {
            "gen_ai.usage.input_tokens": 64,
            "gen_ai.usage.output_tokens": 8,
            "gen_ai.usage.input_token_details": details,  # type: ignore[dict-item]
        },
        **LANGSMITH,
    )
    assert span.usage == Usage(16, cache_read=48, output=8)


@pytest.mark.parametrize(
    "hostile", ["{'a': " * 500, "{'x': __import__('os')}", "[{" + "'a'," * 3_000, "{'a'"]
)
def test_hostile_text_of_a_dictionary_is_no_dictionary(hostile: str) -> None:
    span = read({"gen_ai.usage.input_token_details": hostile}, **LANGSMITH)
    assert span.usage is None


def test_tags_separated_by_commas_are_tags() -> None:
    assert read({"langsmith.span.tags": "a, b,,c"}, **LANGSMITH).tags == ("a", "b", "c")


def test_langsmiths_session_name_is_its_project_not_a_session() -> None:
    span = read({"langsmith.trace.session_name": "default"}, **LANGSMITH)
    assert span.session_id == ""


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        ('{"input": 16, "output": 8, "input_cached_tokens": 48}', Usage(16, 48, output=8)),
        (
            '{"input": 16, "output": 8, "output_reasoning_tokens": 4, "total": 28}',
            Usage(16, output=12, reasoning=4),
        ),
        (
            '{"prompt_tokens": 64, "completion_tokens": 8,'
            ' "prompt_tokens_details": {"cached_tokens": 48}}',
            Usage(16, 48, output=8),
        ),
        (
            '{"input_tokens": 1, "cache_read_input_tokens": 9, "output_tokens": 2}',
            Usage(1, 9, output=2),
        ),
        ('{"total": 5}', None),
    ],
)
def test_langfuse_usage_adds_up_or_is_a_providers(value: str, usage: Usage | None) -> None:
    assert read({"langfuse.observation.usage_details": value}).usage == usage


@pytest.mark.parametrize(
    "moment", ['"1970-01-01T00:00:00.000501Z"', "1970-01-01T01:00:00.000501+01:00"]
)
def test_the_first_token_may_be_a_moment(moment: str) -> None:
    span = read({"langfuse.observation.completion_start_time": moment})
    assert span.first_token_ns == 501_000


@pytest.mark.parametrize("moment", ["soon", "1960-01-01T00:00:00Z", "9999-01-01T00:00:00Z", ""])
def test_a_senseless_moment_is_no_first_token(moment: str) -> None:
    assert read({"langfuse.observation.completion_start_time": moment}).first_token_ns == 0


def test_strands_means_milliseconds_where_others_mean_seconds() -> None:
    attributes = {"gen_ai.server.time_to_first_token": 2}
    assert read(attributes, **STRANDS).first_token_ns == 1_000 + 2_000_000
    assert read(attributes).first_token_ns == 1_000 + 2_000_000_000


def test_a_reported_zero_gives_way_to_a_computed_price_only() -> None:
    zero = {"gen_ai.usage.cost": 0.0, "gen_ai.usage.input_tokens": 100}
    assert read({**zero, "gen_ai.request.model": "gpt-4o"}).reported_cost_usd is None
    assert read({**zero, "gen_ai.request.model": "acme-7"}).reported_cost_usd == 0


def test_spring_ai_as_its_documentation_says() -> None:
    client = read(
        {
            "gen_ai.operation.name": "framework",
            "gen_ai.system": "spring_ai",
            "spring.ai.kind": "chat_client",
            "spring.ai.chat.client.conversation.id": "session-1",
        },
        name="spring_ai chat_client",
    )
    assert (client.kind, client.convention, client.session_id) == (
        "chain",
        "spring_ai",
        "session-1",
    )
    tool = read(
        {
            "spring.ai.kind": "tool_call",
            "spring.ai.tool.definition.name": "get_weather",
            "spring.ai.tool.call.arguments": '{"city":"Paris"}',
            "spring.ai.tool.call.result": "sun",
        }
    )
    assert (tool.kind, tool.tool_name) == ("tool", "get_weather")
    assert messages.tool_text(tool, "output") == "sun"
    store = read({"spring.ai.kind": "vector_store", "db.vector.query.content": "Paris"})
    assert (store.kind, store.input) == ("retriever", "Paris")
