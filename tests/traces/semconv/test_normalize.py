"""What is read from a span: precedence, kinds, tokens, errors, roots, and that nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.semconv.raw_spans import PROJECT, raw, read
from traces.semconv import messages, normalize
from traces.semconv.registry import ENTRIES
from traces.spans import Attributes, SpanEvent, Usage

EXCEPTION = SpanEvent(
    1_500, "exception", {"exception.type": "ValueError", "exception.message": "nope"}
)


@pytest.mark.parametrize(
    ("sent", "start_ns", "said"),
    [
        ({"start_ns": 0, "end_ns": 2_000}, 2_000, "the end: no start was sent"),
        ({"start_ns": 0, "end_ns": 0}, 9, "receipt: neither start nor end was sent"),
        ({"start_ns": 1_000, "end_ns": 0}, 1_000, None),
    ],
)
def test_a_missing_start_is_not_1970_and_the_span_says_so(
    sent: dict[str, Any], start_ns: int, said: str | None
) -> None:
    span = read(**sent)
    assert (span.start_ns, span.end_ns, span.duration_ns) == (
        start_ns,
        sent["end_ns"],
        0,
    )
    assert span.sources.get("start_ns") == said


def test_the_published_python_sdk_is_read() -> None:
    span = read(
        {
            "traceroot.sdk.name": "traceroot-py",
            "traceroot.span.type": "agent",
            "traceroot.span.input": '{"question": "Where is my order?"}',
            "traceroot.span.output": "On its way.",
            "traceroot.span.metadata": '{"plan": "pro", "seats": 3, "gone": null}',
            "traceroot.span.tags": ["a", "b"],
            "traceroot.trace.session_id": "sess",
            "session.id": "s2",
            "user.id": "u2",
            "traceroot.trace.tags": ["vip"],
            "traceroot.trace.metadata": '{"region": "eu"}',
            "traceroot.git.repo": "acme/support",
            "traceroot.git.ref": "abc123",
            "traceroot.git.source_file": "app/agent.py",
            "traceroot.git.source_line": 42,
            "traceroot.git.source_function": "handle",
            "traceroot.span.ids_path": [],
        },
        name="handle",
    )
    assert (span.convention, span.kind, span.agent_name) == ("traceroot", "agent", "handle")
    assert span.input == '{"question": "Where is my order?"}'
    assert span.output == "On its way."
    assert span.metadata == {"plan": "pro", "seats": "3"}
    assert (span.tags, span.trace_tags) == (("a", "b"), ("vip",))
    assert span.trace_metadata == {"region": "eu"}
    assert (span.session_id, span.user_id) == ("sess", "u2")
    assert span.sources["session_id"] == "traceroot.trace.session_id"
    assert (span.git_repo, span.git_ref) == ("acme/support", "abc123")
    assert (span.git_source_file, span.git_source_line) == ("app/agent.py", 42)
    assert span.git_source_function == "handle"


def test_the_published_typescript_sdk_is_read() -> None:
    span = read(
        {
            "openinference.span.kind": "LLM",
            "input.value": '"hi"',
            "output.value": '"hello"',
            "traceroot.span.tags": '["a","b"]',
            "traceroot.span.metadata": '{"k":"v"}',
            "deployment.environment": "staging",
        }
    )
    assert (span.kind, span.environment, span.tags) == ("llm", "staging", ("a", "b"))
    assert span.input == '"hi"', "the emitter's text stays verbatim"
    conversation = messages.of(span)
    assert conversation.input[0].text == "hi"
    assert conversation.output[0].text == "hello"


@pytest.mark.parametrize(
    ("attributes", "field", "expected"),
    [
        ({"traceroot.llm.model": "a", "gen_ai.response.model": "b"}, "model", "a"),
        ({"gen_ai.response.model": "b", "gen_ai.request.model": "c"}, "model", "b"),
        ({"gen_ai.request.model": "c", "llm.model_name": "d"}, "model", "c"),
        ({"traceroot.span.input": "a", "input.value": "b"}, "input", "a"),
        ({"input.value": "b", "gen_ai.input.messages": "c"}, "input", "b"),
        ({"gen_ai.input.messages": "c", "gen_ai.tool.call.arguments": "d"}, "input", "c"),
        ({"traceroot.span.type": "agent", "openinference.span.kind": "LLM"}, "kind", "agent"),
        ({"openinference.span.kind": "NONSENSE", "llm.model_name": "m"}, "kind", "llm"),
        ({"openinference.span.kind": "TOOL", "gen_ai.operation.name": "chat"}, "kind", "tool"),
        ({"gen_ai.operation.name": "generate_content"}, "kind", "llm"),
        ({"gen_ai.tool.call.result": "x"}, "kind", "tool"),
        ({"openinference.span.kind": "RETRIEVER"}, "kind", "retriever"),
        ({"http.request.method": "GET"}, "kind", "span"),
        ({"user.id": "u", "session.user_id": "v"}, "user_id", "u"),
        ({"gen_ai.conversation.id": "c"}, "session_id", "c"),
        ({"traceroot.environment": "e", "deployment.environment": "f"}, "environment", "e"),
        ({"input.value": ""}, "input", ""),
        ({"input.value": "", "gen_ai.prompt": "p"}, "input", "p"),
        ({"input.value": {"a": [1, None]}}, "input", '{"a":[1,null]}'),
        ({"session.id": 7}, "session_id", "7"),
    ],
)
def test_the_first_present_attribute_wins(
    attributes: Attributes, field: str, expected: str
) -> None:
    assert getattr(read(attributes), field) == expected
    reversed_order = dict(reversed(attributes.items()))
    assert getattr(read(reversed_order), field) == expected


def test_the_resource_speaks_where_the_span_does_not() -> None:
    resource: Attributes = {
        "service.name": "support",
        "service.version": "1.4",
        "deployment.environment.name": "production",
        "vcs.ref.head.revision": "abc",
    }
    span = read({}, resource)
    assert (span.service_name, span.release, span.environment) == ("support", "1.4", "production")
    assert span.git_ref == "abc"
    assert span.sources["environment"] == "resource:deployment.environment.name"
    assert read({"deployment.environment": "test"}, resource).environment == "test"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            {
                "llm.token_count.prompt": 100,
                "llm.token_count.prompt_details.cache_read": 50,
                "llm.token_count.prompt_details.cache_creation": 20,
                "llm.token_count.completion": 7,
                "llm.token_count.completion_details.reasoning": 5,
            },
            Usage(uncached_input=30, cache_read=50, cache_write_5m=20, output=7, reasoning=5),
        ),
        (
            {
                "gen_ai.usage.input_tokens": "100",
                "gen_ai.usage.cache_read.input_tokens": 150,
                "gen_ai.usage.output_tokens": 3.0,
            },
            Usage(cache_read=150, output=3),
        ),
        (
            {
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_creation.input_tokens": 60,
                "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens": 40,
            },
            Usage(uncached_input=40, cache_write_5m=20, cache_write_1h=40),
        ),
        (
            {"gen_ai.usage.output_tokens": 5, "gen_ai.usage.reasoning_tokens": 20},
            Usage(output=25, reasoning=20),
        ),
        (
            {
                "traceroot.llm.usage": '{"input_tokens": 10, "output_tokens": 2,'
                ' "cache_read_tokens": 4, "cache_write_1h_tokens": 1}'
            },
            Usage(uncached_input=5, cache_read=4, cache_write_1h=1, output=2),
        ),
        (
            {"traceroot.llm.usage": '{"input_tokens": 10, "cache_read_input_tokens": 40}'},
            Usage(uncached_input=10, cache_read=40),
        ),
        (
            {
                "traceroot.llm.usage": '{"prompt_tokens": 10, "completion_tokens": 4,'
                ' "prompt_tokens_details": {"cached_tokens": 6}}'
            },
            Usage(uncached_input=4, cache_read=6, output=4),
        ),
        (
            {"traceroot.llm.usage": '{"input_tokens": 9}', "gen_ai.usage.input_tokens": 8},
            Usage(uncached_input=8),
        ),
        ({"gen_ai.usage.input_tokens": -1}, None),
        ({"gen_ai.usage.input_tokens": "many"}, None),
        ({"gen_ai.usage.input_tokens": True}, None),
        ({"traceroot.llm.usage": "[1]"}, None),
        ({}, None),
    ],
)
def test_tokens_are_put_into_disjoint_buckets(
    attributes: Attributes, expected: Usage | None
) -> None:
    assert read(attributes).usage == expected


def test_costs_are_reported_or_computed_or_unknown() -> None:
    tokens: Attributes = {"gen_ai.usage.input_tokens": 1_000_000}
    known = read({**tokens, "gen_ai.request.model": "gpt-4o", "gen_ai.system": "openai"})
    assert (known.computed_cost_usd, known.reported_cost_usd) == (Decimal("2.5"), None)
    assert known.price_version.startswith("litellm")
    unknown = read({**tokens, "gen_ai.request.model": "our-own-model"})
    assert (unknown.cost_usd, unknown.price_version) == (None, "")
    reported = read({**tokens, "gen_ai.request.model": "gpt-4o", "llm.cost.total": 0.0123})
    assert reported.cost_usd == Decimal("0.0123")
    assert reported.sources["reported_cost_usd"] == "llm.cost.total"
    assert read({"llm.cost.total": float("nan")}).reported_cost_usd is None
    assert read({"llm.cost.total": -1.0}).reported_cost_usd is None


def test_of_two_identical_exceptions_both_are_kept_and_one_is_shown() -> None:
    span = read(status_code=2, status_message="ValueError: nope", events=[EXCEPTION, EXCEPTION])
    assert (span.status, span.error_type, span.error_message) == ("error", "ValueError", "nope")
    assert len(span.events) == 2


def test_an_error_without_exception_is_still_told() -> None:
    span = read({"error.type": "timeout"}, status_code=2, status_message="gave up")
    assert (span.error_type, span.error_message) == ("timeout", "gave up")
    assert read(status_code=1, events=[EXCEPTION]).error_message == ""


@pytest.mark.parametrize(
    ("attributes", "fields", "expected"),
    [
        ({}, {}, True),
        ({}, {"parent_span_id": b"12345678"}, False),
        ({}, {"parent_span_id": b"12345678", "flags": 0x301}, True),
        ({}, {"parent_span_id": b"12345678", "flags": 0x101}, False),
        ({"traceroot.span.ids_path": []}, {"parent_span_id": b"12345678"}, True),
        ({"traceroot.span.ids_path": ["a"]}, {"parent_span_id": b"12345678"}, False),
    ],
)
def test_local_roots_are_known(
    attributes: Attributes, fields: dict[str, Any], expected: bool
) -> None:
    assert read(attributes, **fields).is_local_root is expected


def test_flat_messages_become_a_message_list() -> None:
    span = read(
        {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "quote",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"n": 2}',
        }
    )
    assert span.sources["output"] == "llm.output_messages.*"
    (message,) = messages.of(span).output
    (call,) = message.parts
    assert (call.type, call.tool_name, call.arguments) == ("tool_call", "quote", '{"n": 2}')


def test_evaluation_runs_are_marked() -> None:
    assert read({"traceroot.eval.case_id": "tc_1"}).is_evaluation
    assert read({"traceroot.environment": "evaluation"}).is_evaluation
    assert not read({"traceroot.environment": "production"}).is_evaluation


def test_tools_and_agents_have_a_name() -> None:
    span = read({"gen_ai.operation.name": "execute_tool"}, name="execute_tool get_weather")
    assert (span.tool_name, span.sources["tool_name"]) == ("get_weather", "name")
    named = read({"openinference.span.kind": "TOOL", "tool.name": "search"}, name="run")
    assert (named.tool_name, named.name) == ("search", "run")


def test_a_finished_span_stays_over_a_late_unfinished_copy() -> None:
    finished = normalize.span(raw(), project_id=PROJECT, received_ns=1_700_000_000 * 10**9)
    late = normalize.span(raw(end_ns=0), project_id=PROJECT, received_ns=1_700_000_100 * 10**9)
    assert finished.version > late.version


def test_metadata_of_all_kinds_is_merged() -> None:
    span = read(
        {
            "metadata": '{"a": "2", "b": {"c": 1}}',
            "traceroot.span.metadata": '{"a": "1"}',
            "traceroot.metadata.team": "blue",
            "traceloop.association.properties.customer": "acme",
        }
    )
    assert span.metadata == {"a": "1", "b": '{"c":1}', "team": "blue", "customer": "acme"}


def test_the_first_token_is_found() -> None:
    assert read({"gen_ai.response.time_to_first_chunk": 0.5}).first_token_ns == 1_000 + 5 * 10**8
    event = SpanEvent(1_234, "First Token Stream Event", {})
    assert read(events=[event]).first_token_ns == 1_234


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=6)
    | st.sampled_from(["{", '{"a":', "[[[", '[{"role":1}]', '{"messages":{"role":"user"}}', '"'])
)
_HOSTILE = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        *ENTRIES,
        "llm.input_messages.0.message.content",
        "llm.input_messages.0.message",
        "llm.input_messages.x.message.role",
        "llm.output_messages.0.message.tool_calls.0.tool_call",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.99999999999.role",
        "llm.tools.0.tool.json_schema",
        "gen_ai.tool.definitions",
        "gen_ai.system_instructions",
        "llm.invocation_parameters",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(_NAMES, _HOSTILE, max_size=8), st.sampled_from([0, 1, 2]))
def test_no_content_makes_it_raise_or_lose(attributes: Attributes, status: int) -> None:
    event = SpanEvent(1, "exception", attributes)
    choice = SpanEvent(1, "gen_ai.choice", attributes)
    span = read(attributes, attributes, status_code=status, events=[event, choice])
    assert span.attributes == attributes or any(value != value for value in attributes.values())
    for value in (span.input, span.output, span.session_id, span.error_message, span.model):
        assert isinstance(value, str)
    messages.of(span)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("https://github.com/acme/agents", "https://github.com/acme/agents"),
        ("https://ada:s3cret@github.com/acme/agents.git", "https://github.com/acme/agents.git"),
        ("https://ghp_token@github.com/acme/agents", "https://github.com/acme/agents"),
        ("HTTP://x:a@b@host/acme/agents", "HTTP://host/acme/agents"),
        ("ssh://git@github.com/acme/agents", "ssh://git@github.com/acme/agents"),
        ("ssh://git:s3cret@host/acme/agents", "ssh://git@host/acme/agents"),
        ("git@github.com:acme/agents.git", "git@github.com:acme/agents.git"),
        ("https://host/acme/agents@v1", "https://host/acme/agents@v1"),
    ],
)
def test_a_repositorys_address_says_no_password_or_token(sent: str, shown: str) -> None:
    assert read({"traceroot.git.repo": sent}).git_repo == shown
