"""Coding agents' spans, made by hand after what their published builds and documents write."""

from __future__ import annotations

import pytest

from tests.traces.semconv.raw_spans import read
from traces.otlp import decoded
from traces.semconv import messages
from traces.spans import Kind, Usage

CLAUDE = decoded.scope("com.anthropic.claude_code.tracing", "1.0.0", {})
CODEX = decoded.scope("codex_cli_rs", "0.169.0", {})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("claude_code.interaction", "agent"),
        ("claude_code.llm_request", "llm"),
        ("claude_code.tool", "tool"),
        ("claude_code.tool.blocked_on_user", "span"),
        ("claude_code.tool.execution", "span"),
        ("claude_code.subagent.spawn", "task"),
        ("claude_code.hook", "task"),
        ("claude_code.something_new", "span"),
    ],
)
def test_claude_code_says_by_its_names_what_its_spans_are(name: str, kind: Kind) -> None:
    for scope in (CLAUDE, decoded.scope("another", "", {})):
        span = read({"span.type": "x"}, name=name, scope=scope)
        assert (span.kind, span.convention) == (kind, "claude_code")


def test_claude_code_counts_cached_tokens_beside_the_input() -> None:
    span = read(
        {
            "model": "claude-sonnet-4-5",
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "input_tokens": 12,
            "output_tokens": 80,
            "cache_read_tokens": 9_000,
            "cache_creation_tokens": 400,
            "ttft_ms": 250,
            "request_id": "req_1",
            "stop_reason": "tool_use",
            "session.id": "session-1",
            "agent_id": "a1",
        },
        name="claude_code.llm_request",
        scope=CLAUDE,
    )
    assert span.usage == Usage(12, cache_read=9_000, cache_write_5m=400, output=80)
    assert (span.model, span.response_id, span.finish_reasons) == (
        "claude-sonnet-4-5",
        "req_1",
        ("tool_use",),
    )
    assert (span.first_token_ns - span.start_ns, span.session_id) == (250_000_000, "session-1")


def test_claude_code_withholds_prompts_which_are_then_no_input() -> None:
    names = {"name": "claude_code.interaction", "scope": CLAUDE}
    assert read({"user_prompt": "<REDACTED>"}, **names).input == ""
    assert read({"user_prompt": "Mend the test."}, **names).input == "Mend the test."


def test_claude_code_tools_have_name_and_arguments() -> None:
    span = read(
        {"tool_name": "Bash", "full_command": "make test", "tool_use_id": "toolu_1"},
        name="claude_code.tool",
        scope=CLAUDE,
    )
    assert (span.tool_name, span.tool_call_id, span.input) == ("Bash", "toolu_1", "make test")


def test_bare_names_mean_nothing_on_the_spans_of_others() -> None:
    span = read({"model": "T", "input_tokens": 7, "user_prompt": "hi", "turn.id": "1"})
    assert (span.model, span.usage, span.input, span.session_id) == ("", None, "", "")


def test_codex_has_its_thread_as_the_session_and_its_turn_as_the_agent() -> None:
    span = read(
        {
            "thread.id": "thread-1",
            "turn.id": "turn-1",
            "model": "gpt-5-codex",
            "codex.turn.token_usage.input_tokens": 1_000,
            "codex.turn.token_usage.cached_input_tokens": 800,
            "codex.turn.token_usage.output_tokens": 60,
            "codex.turn.token_usage.reasoning_output_tokens": 20,
            "codex.turn.token_usage.total_tokens": 1_060,
        },
        name="session_task.turn",
        scope=CODEX,
    )
    assert (span.kind, span.convention, span.session_id) == ("agent", "codex", "thread-1")
    assert span.usage == Usage(200, cache_read=800, output=60, reasoning=20)
    assert (span.request_model, span.response_model) == ("gpt-5-codex", "gpt-5-codex")


def test_codex_responses_are_model_calls() -> None:
    assert read({}, name="handle_responses", scope=CODEX).kind == "llm"


def test_copilot_has_a_billing_unit_that_is_no_money() -> None:
    span = read(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "auto",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.output_tokens": 5,
            "github.copilot.cost": 1,
            "github.copilot.nano_aiu": 4_459_750_000,
            "github.copilot.git.repository": "acme/support",
            "github.copilot.git.commit_sha": "abc123",
            "copilot_chat.chat_session_id": "chat-1",
            "copilot_chat.time_to_first_token": 450,
            "enduser.pseudo.id": "hash",
        },
        scope=decoded.scope("copilot-chat", "1", {}),
    )
    assert (span.convention, span.kind, span.model) == ("github_copilot", "llm", "gpt-4o")
    assert span.reported_cost_usd is None
    assert span.metadata == {"copilot_cost": "1", "copilot_nano_aiu": "4459750000"}
    assert (span.git_repo, span.git_ref) == ("acme/support", "abc123")
    assert (span.session_id, span.user_id) == ("chat-1", "hash")
    assert span.first_token_ns - span.start_ns == 450_000_000


def test_opencode_is_read_as_the_ai_sdk_it_is_built_on() -> None:
    span = read(
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.telemetry.metadata.sessionId": "ses_1",
            "ai.telemetry.metadata.userId": "ada",
            "ai.model.id": "claude-haiku-4-5",
            "ai.model.provider": "anthropic",
            "ai.response.text": "Done.",
            "ai.response.toolCalls": '[{"toolCallId":"1","toolName":"edit","input":{"a":1}}]',
        },
        name="ai.streamText.doStream",
        scope=decoded.scope("opencode", "", {}),
    )
    assert (span.kind, span.convention) == ("llm", "vercel_ai_sdk")
    assert (span.session_id, span.user_id) == ("ses_1", "ada")
    parts = [part.type for message in messages.of(span).output for part in message.parts]
    assert parts == ["text", "tool_call"]
