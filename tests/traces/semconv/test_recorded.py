"""What real instrumentations sent (`record/`), read as we promise it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.traces.semconv.raw_spans import PROJECT
from traces import totals
from traces.otlp import decoder
from traces.semconv import messages, normalize
from traces.spans import Kind, Span
from traces.store.rows import SPAN_COLUMNS

_RECORDED = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in _RECORDED.glob("*.json"))
QUESTION = "What is the weather in Paris?"
ANSWER = "It is 21 degrees in Paris."
OTHER_ANSWER = "Paris is the capital of France."
RESULT = "21 degrees and sunny in Paris"


def recorded(name: str) -> list[Span]:
    decoded = decoder.decode((_RECORDED / f"{name}.json").read_bytes(), "json")
    assert not decoded.rejected
    return normalize.spans(decoded.spans, project_id=PROJECT, received_ns=1)


def named(spans: list[Span], beginning: str) -> Span:
    return next(span for span in spans if span.name.startswith(beginning))


def said(span: Span) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Role and what was said, of input and output: text, a call as name(arguments), a result."""
    conversation = messages.of(span)
    return (
        [(message.role, _parts(message)) for message in conversation.input],
        [(message.role, _parts(message)) for message in conversation.output],
    )


def _parts(message: messages.Message) -> str:
    return "".join(
        part.text or part.result or f"{part.tool_name}({part.arguments.replace(' ', '')})"
        for part in message.parts
    )


CALL = ("assistant", 'get_weather({"city":"Paris"})')

EMITTERS: dict[str, str] = {
    "langfuse_3": "langfuse",
    "vercel_ai_sdk_4": "vercel_ai_sdk",
    "vercel_ai_sdk_5": "vercel_ai_sdk",
    "vercel_ai_sdk_6": "vercel_ai_sdk",
}
KINDS: dict[str, dict[str, Kind]] = {
    "autogen": {"create_agent": "agent", "execute_tool": "tool", "invoke_agent": "agent"},
    "crewai": {
        "execute crew": "chain",
        "execute task": "task",
        "execute agent": "agent",
        "call llm": "llm",
        "call tool": "tool",
    },
    "genkit": {
        "assistant": "chain",
        "generate": "chain",
        "openai/gpt-4o-mini": "llm",
        "get_weather": "tool",
    },
    "langfuse": {
        "assistant": "agent",
        "OpenAI-generation": "llm",
        "get_weather": "tool",
        "by hand": "llm",
    },
    "langsmith": {
        "assistant": "chain",
        "search": "retriever",
        "get_weather": "tool",
        "ChatOpenAI": "llm",
    },
    "langwatch": {"assistant": "span", "search": "retriever", "get_weather": "tool"}
    | {"answer": "llm"},
    "livekit": {
        "agent_session": "chain",
        "agent_turn": "agent",
        "llm_node": "chain",
        "llm_request": "llm",
        "function_tool": "tool",
    },
    "mastra": {"invoke_agent": "agent", "chat": "llm", "execute_tool": "tool"},
    "mlflow": {"assistant": "agent", "Completions": "llm", "get_weather": "tool"},
    "openlit": {"chat": "llm", "embeddings": "embedding"},
    "semantic_kernel": {
        "invoke_agent": "agent",
        "AutoFunctionInvocationLoop": "chain",
        "chat": "llm",
        "execute_tool": "tool",
    },
    "strands": {
        "invoke_agent": "agent",
        "execute_event_loop_cycle": "chain",
        "chat": "llm",
        "execute_tool": "tool",
    },
    "vercel_ai_sdk": {
        "ai.generateText": "chain",
        "ai.generateText.doGenerate": "llm",
        "ai.streamText": "chain",
        "ai.streamText.doStream": "llm",
        "ai.toolCall": "tool",
        "ai.embed": "embedding",
        "ai.embed.doEmbed": "embedding",
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_recognised_and_its_kinds_are_right(name: str) -> None:
    convention = EMITTERS.get(name, name)
    spans = recorded(name)
    assert {span.convention for span in spans} == {convention}
    expected = KINDS[convention]
    for span in spans:
        beginning = max(
            (known for known in expected if span.name.startswith(known)), key=len, default=""
        )
        if beginning:
            assert span.kind == expected[beginning], span.name
    assert all(any(span.name.startswith(known) for span in spans) for known in expected)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "autogen"])
def test_model_calls_have_model_and_tokens(name: str) -> None:
    calls = [
        span for span in recorded(name) if span.kind == "llm" and "generation" not in span.name
    ]
    assert calls
    for span in calls:
        assert span.request_model.removeprefix("openai/") == "gpt-4o-mini"
        assert span.computed_cost_usd or name == "vercel_ai_sdk_4"  # whose stream counts nothing
        if span.usage is not None:
            assert (span.usage.input, span.usage.output) in {(90, 12), (120, 9), (64, 8)}


@pytest.mark.parametrize(
    "name",
    ["genkit", "langsmith", "mlflow", "openlit", "vercel_ai_sdk_4", "vercel_ai_sdk_6"],
)
def test_cached_tokens_are_apart(name: str) -> None:
    usages = [span.usage for span in recorded(name) if span.kind == "llm" and span.usage]
    cached = [usage for usage in usages if usage.cache_read]
    if name == "genkit":  # asked about the weather only
        assert not cached
    else:
        assert {(usage.uncached_input, usage.cache_read) for usage in cached} == {(16, 48)}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("crewai", "call llm"),
        ("genkit", "openai/gpt-4o-mini"),
        ("langfuse", "OpenAI-generation"),
        ("langfuse_3", "OpenAI-generation"),
        ("livekit", "llm_request"),
        ("livekit", "llm_node"),
        ("openlit", "chat"),
        ("strands", "chat"),
        ("vercel_ai_sdk_4", "ai.generateText.doGenerate"),
        ("vercel_ai_sdk_5", "ai.generateText.doGenerate"),
        ("vercel_ai_sdk_6", "ai.generateText.doGenerate"),
    ],
)
def test_a_request_that_is_answered_with_a_tool_call_reads_as_messages(
    name: str, first: str
) -> None:
    told, answered = said(named(recorded(name), first))
    assert any(role == "user" and QUESTION in text for role, text in told)
    assert answered == [CALL]


@pytest.mark.parametrize(
    "name",
    ["crewai", "genkit", "langfuse", "livekit", "strands", "vercel_ai_sdk_4", "vercel_ai_sdk_6"],
)
def test_a_tool_result_in_the_next_request_is_one(name: str) -> None:
    calls = [span for span in recorded(name) if span.kind == "llm" and ANSWER in span.output]
    told, answered = said(calls[0])
    assert ("tool", RESULT) in told
    assert any(role == "assistant" and "get_weather" in text for role, text in told)
    assert [(role, text.strip()) for role, text in answered] == [("assistant", ANSWER)]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"autogen", "openlit"}])
def test_a_tool_has_name_arguments_and_result(name: str) -> None:
    span = next(span for span in recorded(name) if span.kind == "tool")
    assert span.tool_name.removeprefix("Weather-") == "get_weather"
    assert "Paris" in messages.tool_text(span, "input")
    assert messages.tool_text(span, "output") == RESULT


@pytest.mark.parametrize(
    "name", ["autogen", "crewai", "livekit", "mastra", "mlflow", "semantic_kernel", "strands"]
)
def test_an_agent_has_its_name(name: str) -> None:
    agents = [span for span in recorded(name) if span.kind == "agent"]
    assert {span.agent_name for span in agents} == {"assistant"}


@pytest.mark.parametrize(
    "name",
    ["langfuse", "langfuse_3", "langsmith", "langwatch", "mastra", "strands", "vercel_ai_sdk_6"],
)
def test_session_and_user_are_read(name: str) -> None:
    root = next(span for span in recorded(name) if not span.parent_span_id)
    assert (root.session_id, root.user_id) == ("session-1", "ada")


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("langfuse", ("weather",)),
        ("langsmith", ("weather", "demo")),
        ("langwatch", ("x",)),
        ("vercel_ai_sdk_5", ("weather",)),
    ],
)
def test_tags_are_read(name: str, tags: tuple[str, ...]) -> None:
    root = next(span for span in recorded(name) if not span.parent_span_id)
    assert root.tags == tags


def test_langfuse_gives_environment_release_metadata_and_its_own_counts() -> None:
    span = named(recorded("langfuse"), "by hand")
    assert (span.environment, span.release) == ("staging", "1.2.3")
    assert (span.metadata, span.trace_metadata) == ({"attempt": "1"}, {"tier": "gold"})
    assert span.usage is not None
    assert (span.usage.uncached_input, span.usage.cache_read, span.usage.output) == (16, 48, 8)
    assert span.reported_cost_usd == Decimal("0.003")
    assert said(span)[1] == [("assistant", OTHER_ANSWER)]


def test_langsmith_tells_a_retriever_from_an_embedding() -> None:
    span = named(recorded("langsmith"), "search")
    assert (span.operation, span.kind) == ("embeddings", "retriever")


def test_langwatch_unwraps_what_it_wraps() -> None:
    spans = recorded("langwatch")
    answer = named(spans, "answer")
    assert (answer.output, answer.reported_cost_usd) == (OTHER_ANSWER, Decimal("0.003"))
    assert named(spans, "assistant").metadata["customer_id"] == "acme"


def test_openlit_reports_no_price_as_zero_which_is_unknown() -> None:
    for span in recorded("openlit"):
        assert span.reported_cost_usd is None
        assert span.cost_usd == span.computed_cost_usd


def test_openlit_puts_tool_calls_on_the_model_span_which_stays_one() -> None:
    span = named(recorded("openlit"), "chat")
    assert (span.kind, span.sources["input"]) == ("llm", "gen_ai.input.messages")
    assert span.environment == "staging"


def test_strands_counts_the_first_token_in_milliseconds() -> None:
    for span in recorded("strands"):
        assert span.first_token_ns == 0 or span.first_token_ns - span.start_ns < 5 * 10**9


@pytest.mark.parametrize("name", ["vercel_ai_sdk_5", "vercel_ai_sdk_6"])
def test_vercel_streams_have_a_first_token(name: str) -> None:
    stream = named(recorded(name), "ai.streamText.doStream")
    assert 0 < stream.first_token_ns - stream.start_ns < 5 * 10**9


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"autogen", "openlit"}])
def test_a_trace_counts_each_token_once_whatever_restates_it(name: str) -> None:
    spans = recorded(name)
    first = min(spans, key=lambda span: span.start_ns).trace_id
    rows = [
        {column: read(span) for column, _, read in SPAN_COLUMNS}
        | {"stored_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "cost_usd": span.cost_usd}
        for span in spans
        if span.trace_id == first
    ]
    summary = totals.summarize(rows, is_running=False)
    assert summary.usage is not None
    two_calls, one_call = (210, 21), (64, 8)
    calls_a_tool = name not in {"langsmith", "langwatch", "mlflow"}
    expected = two_calls if calls_a_tool else one_call
    assert (summary.usage.input, summary.usage.output) == expected
    assert summary.cost_usd
    assert summary.output_preview in {ANSWER, OTHER_ANSWER}
