"""Log records of agents and instrumentations: what is read of them, what spans get from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.traces.semconv import conformance
from tests.traces.semconv.raw_spans import PROJECT, read
from traces.logs import Log, RawLog
from traces.otlp import decoded
from traces.semconv import log_records, messages
from traces.spans import Attributes


def record(event: str = "", attributes: Attributes | None = None, **fields: Any) -> Log:
    known: dict[str, Any] = {
        "trace_id": bytes(range(1, 17)),
        "span_id": bytes(range(1, 9)),
        "time_ns": 1_000,
        "observed_ns": 0,
        "severity_number": 9,
        "severity_text": "",
        "event_name": event,
        "body": None,
        "attributes": attributes or {},
        "flags": 0,
        "dropped_attributes": 0,
        "resource": decoded.resource({"service.name": "support"}),
        "scope": decoded.scope("acme", "1", {}),
    }
    raw = RawLog(**{**known, **fields})
    [log] = log_records.of([raw], project_id=PROJECT, received_ns=9)
    return log


def scope(name: str) -> Any:
    return decoded.scope(name, "1", {})


CLAUDE = scope("com.anthropic.claude_code.events")


def test_claude_codes_prompt_is_its_input() -> None:
    log = record(
        "", {"event.name": "user_prompt", "prompt": "hi", "session.id": "s1", "user.id": "ada"},
        scope=CLAUDE, body="claude_code.user_prompt",
    )  # fmt: skip
    assert (log.event_name, log.session_id, log.user_id) == ("user_prompt", "s1", "ada")
    assert (log.convention, log.kind, log.service_name) == ("claude_code", "", "support")
    assert log_records.fields(log)["input"] == "hi"


def test_claude_codes_request_is_a_model_call_with_tokens_and_cost() -> None:
    log = record(
        "claude_code.api_request",
        {"model": "claude-opus-4-7", "input_tokens": "120", "output_tokens": 30,
         "cache_read_tokens": 1000, "cache_creation_tokens": "10", "cost_usd": "0.0875"},
        scope=CLAUDE,
    )  # fmt: skip
    found = log_records.fields(log)
    assert (log.kind, log.model) == ("llm", "claude-opus-4-7")
    assert (found["input_tokens"], found["uncached_input_tokens"]) == (1130, 120)
    assert (found["output_tokens"], found["cost_total"]) == (30, 0.0875)


def test_a_tool_result_says_what_failed() -> None:
    log = record(
        "tool_result",
        {"tool_name": "Bash", "success": "false", "error": "exit 1", "tool_input": '{"a":1}'},
        scope=CLAUDE,
    )
    found = log_records.fields(log)
    assert (log.kind, log.tool_name) == ("tool", "Bash")
    assert (found["tool_arguments"], found["error_message"]) == ('{"a":1}', "exit 1")


def test_codex_counts_cached_tokens_inside_the_input() -> None:
    counts: Attributes = {
        "input_token_count": 100, "output_token_count": 20, "cached_token_count": 80,
        "reasoning_token_count": 5, "tool_token_count": 120,
    }  # fmt: skip
    log = record("codex.sse_event", {"model": "gpt-5", "conversation.id": "c", **counts})
    found = log_records.fields(log)
    assert (log.convention, log.kind, log.session_id) == ("codex", "llm", "c")
    assert (found["uncached_input_tokens"], found["cache_read_tokens"]) == (20, 80)
    assert (found["output_tokens"], found["reasoning_tokens"]) == (20, 5)


def test_gemini_counts_thoughts_beside_the_output() -> None:
    log = record(
        "gemini_cli.api_response",
        {"model": "gemini-2.5-pro", "input_token_count": 100, "output_token_count": 20,
         "cached_content_token_count": 40, "thoughts_token_count": 7, "total_token_count": 127,
         "response_text": "done"},
    )  # fmt: skip
    found = log_records.fields(log)
    assert (log.convention, log.kind, log.model) == ("gemini_cli", "llm", "gemini-2.5-pro")
    assert (found["input_tokens"], found["cache_read_tokens"]) == (100, 40)
    assert (found["output_tokens"], found["reasoning_tokens"]) == (27, 7)
    assert found["output"] == "done"
    tool = record("gemini_cli.tool_call", {"function_name": "ls", "function_args": "{}"})
    assert (tool.kind, tool.tool_name) == ("tool", "ls")


def test_bodies_of_spring_ai_are_contents_only_with_their_heading() -> None:
    name = "org.springframework.ai.chat.observation.ChatModelCompletionObservationHandler"
    said = record(body="Chat Model Completion:\nOne\nTwo", scope=scope(name))
    assert log_records.fields(said)["output"] == "One\nTwo"
    for body in ("Chat Model Completion: missing newline", "Chat Model Completion:\n"):
        assert "output" not in log_records.fields(record(body=body, scope=scope(name)))


def test_bare_names_of_agents_mean_nothing_on_the_records_of_others() -> None:
    log = record("order.placed", {"prompt": "none", "model": "T"}, body="ordered")
    assert (log.model, log.kind) == ("", "")
    assert "input" not in log_records.fields(log)


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({"gen_ai.input.messages": '[{"role":"user","content":"q"}]'}, {}),
        (None, {"gen_ai.input.messages": [{"role": "user", "content": "q"}]}),
    ],
)
def test_the_details_of_an_operation_hold_its_messages(body: Any, attributes: Attributes) -> None:
    log = record("gen_ai.client.inference.operation.details", attributes, body=body)
    assert log_records.fields(log)["input_messages"] == [{"role": "user", "content": "q"}]


def conversation() -> list[Log]:
    """As Semantic Kernel in Python and the OpenTelemetry instrumentations send it."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "Rain."}}
    system: Attributes = {"gen_ai.system": "openai"}
    return [
        record("gen_ai.choice", system, body=choice, time_ns=4),
        record("gen_ai.system.message", system, body={"content": "Be kind."}, time_ns=2),
        record(
            "", {"event.name": "gen_ai.user.message", **system},
            body=json.dumps({"role": "user", "content": "Weather?"}), time_ns=3,
        ),
    ]  # fmt: skip


def test_a_span_without_messages_gets_those_of_its_records() -> None:
    span = read({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
    whole = log_records.completed(span, conversation())
    found = messages.of(whole)
    assert [(m.role, m.text) for m in found.input] == [
        ("system", "Be kind."),
        ("user", "Weather?"),
    ]
    assert [(m.role, m.text) for m in found.output] == [("assistant", "Rain.")]
    assert whole.sources["input"] == "log:gen_ai.system.message"
    assert not span.input, "the stored span is as it was"


def test_a_spans_own_messages_stay() -> None:
    span = read({"gen_ai.request.model": "gpt-4o", "gen_ai.input.messages": '[{"content":"own"}]'})
    whole = log_records.completed(span, conversation())
    assert (whole.input, whole.sources["input"]) == (span.input, "gen_ai.input.messages")
    assert "Rain." in whole.output


def test_a_turn_is_not_what_its_tool_was_asked() -> None:
    turn = read({}, name="session_task.turn", scope=scope("codex_core"))
    tool = record("codex.tool_result", {"arguments": "ls", "output": "a b"})
    asked = record("codex.user_prompt", {"prompt": "list them"}, time_ns=2_000)
    whole = log_records.completed(turn, [tool, asked])
    assert (whole.input, whole.output) == ("list them", "")
    assert log_records.completed(turn, [tool]) is turn


def test_equal_records_of_a_request_are_one() -> None:
    one = record("a")
    assert one.log_id == record("a").log_id != record("b").log_id


def test_log_cases_of_others_are_read_as_they_expect(shared: Path) -> None:
    found = list(conformance.log_cases(shared))
    assert found
    for case in found:
        reading = conformance.read(case, "json")
        assert reading == conformance.read(case, "protobuf"), case["case"]
        for check in case["checks"]:
            miss = conformance.miss(case, check, reading)
            assert miss is None, str(miss)
