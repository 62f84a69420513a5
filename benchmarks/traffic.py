"""Agent traffic for measuring ingest: OTLP requests of 200 spans, the same for the same seed.

Runs of some twenty spans: an agent, model calls that carry their growing history (1 to 8 KB of
messages each), tools and retrievals, 15 to 25 attributes a span, resource and scope as SDKs send
them. Words are drawn by Zipf's law, so that text compresses about as prose does.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS_A_REQUEST = 200
_MS = 1_000_000
_VOCABULARY = 6_000
_HISTORY_CHARS = 6_500
_MODELS = ("gpt-4.1-mini", "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash")
_PROVIDERS = ("openai", "openai", "anthropic", "gcp.gemini")
_AGENTS = ("support", "researcher", "planner", "refunds")
_TOOLS = ("search_orders", "get_customer", "create_refund", "send_mail", "run_query")


@dataclass(frozen=True, slots=True)
class Request:
    """A gzipped protobuf body, and what it holds."""

    body: bytes
    plain_bytes: int
    spans: int


def requests(seed: int = 1, *, spans: int = SPANS_A_REQUEST) -> Iterator[Request]:
    """Without end; ids and times are new in each request, and repeat with the seed."""
    writer = _Writer(random.Random(seed))
    while True:
        made = ExportTraceServiceRequest()
        scope_spans = _envelope(made, writer.random)
        count = 0
        while count < spans:
            for span in writer.run(spans - count):
                scope_spans.append(span)
                count += 1
        plain = made.SerializeToString()
        yield Request(gzip.compress(plain, 1), len(plain), count)


def _envelope(made: ExportTraceServiceRequest, chance: random.Random) -> list[Span]:
    group = made.resource_spans.add()
    for key, value in (
        ("service.name", chance.choice(("support-api", "research-worker"))),
        ("service.version", "1.42.0"),
        ("deployment.environment.name", "production"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.language", "python"),
        ("telemetry.sdk.version", "1.38.0"),
        ("host.name", f"worker-{chance.randrange(12)}"),
        ("process.pid", str(chance.randrange(30_000))),
    ):
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.openai_v2"
    scope.scope.version = "2.3b0"
    return scope.spans  # type: ignore[return-value]


@dataclass(slots=True)
class _Writer:
    random: random.Random
    words: list[str] = field(init=False)
    weights: list[float] = field(init=False)

    def __post_init__(self) -> None:
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = [
            "".join(self.random.choices(letters, k=self.random.randint(2, 9)))
            for _ in range(_VOCABULARY)
        ]
        self.weights = [1 / (rank + 2.7) for rank in range(_VOCABULARY)]
        total, running = 0.0, []
        for weight in self.weights:
            total += weight
            running.append(total)
        self.weights = running

    def text(self, chars: int) -> str:
        count = max(1, chars // 6)
        return " ".join(self.random.choices(self.words, cum_weights=self.weights, k=count))

    def run(self, most: int) -> list[Span]:
        """One trace of about twenty spans, children before the root, as exporters send them."""
        chance = self.random
        trace_id, root = chance.randbytes(16), chance.randbytes(8)
        session, user = f"session-{chance.randrange(10**6)}", f"user-{chance.randrange(50_000)}"
        common = {
            "gen_ai.agent.name": chance.choice(_AGENTS),
            "gen_ai.conversation.id": session,
            "user.id": user,
            "app.tenant": f"tenant-{chance.randrange(400)}",
            "app.tier": chance.choice(("free", "pro", "enterprise")),
            "app.region": chance.choice(("eu-west-1", "us-east-1")),
            "thread.name": "MainThread",
            "code.function.name": "handle_turn",
            "code.file.path": "app/agents/loop.py",
        }
        question = self.text(400)
        history = [
            {"role": "system", "parts": [{"type": "text", "content": self.text(900)}]},
            {"role": "user", "parts": [{"type": "text", "content": question}]},
        ]
        at = time.time_ns() - 30_000 * _MS
        began = at
        spans: list[Span] = []
        answer = ""
        for _ in range(min(chance.randint(6, 14), max(1, (most - 1) // 2))):
            which = chance.randrange(len(_MODELS))
            answer = self.text(chance.randint(150, 900))
            took = chance.randint(300, 2500) * _MS
            spans.append(self.model_call(common, which, history, answer, at, took))
            at += took
            history.append({"role": "assistant", "parts": [{"type": "text", "content": answer}]})
            if len(spans) + 1 >= most:
                break
            result = self.text(chance.randint(200, 1500))
            took = chance.randint(20, 800) * _MS
            spans.append(self.tool_call(common, result, at, took))
            at += took
            history.append({"role": "tool", "parts": [{"type": "text", "content": result}]})
            while len(history) > 4 and sum(len(str(m)) for m in history) > _HISTORY_CHARS:
                del history[2]
        for span in spans:
            span.trace_id, span.parent_span_id = trace_id, root
        if len(spans) < most:
            last = self.span("invoke_agent " + common["gen_ai.agent.name"], began, at - began)
            last.trace_id, last.span_id = trace_id, root
            _put(last, {**common, "gen_ai.operation.name": "invoke_agent"})
            _put(last, {"input": question, "output": answer})
            spans.append(last)
        return spans

    def span(self, name: str, start_ns: int, took_ns: int) -> Span:
        return Span(
            span_id=self.random.randbytes(8),
            name=name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + took_ns,
            flags=0x100,
        )

    def model_call(
        self,
        common: dict[str, str],
        which: int,
        history: list[dict[str, object]],
        answer: str,
        at: int,
        took: int,
    ) -> Span:
        span = self.span(f"chat {_MODELS[which]}", at, took)
        sent = json.dumps(history)
        said = [{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]
        _put(
            span,
            {
                **common,
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": _PROVIDERS[which],
                "gen_ai.request.model": _MODELS[which],
                "gen_ai.response.model": _MODELS[which],
                "gen_ai.response.id": f"resp_{self.random.getrandbits(96):024x}",
                "gen_ai.input.messages": sent,
                "gen_ai.output.messages": json.dumps(said),
            },
        )
        span.attributes.add(key="gen_ai.request.temperature").value.double_value = 0.2
        span.attributes.add(key="gen_ai.request.max_tokens").value.int_value = 2048
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = len(sent) // 4
        span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = len(answer) // 4
        cached = span.attributes.add(key="gen_ai.usage.cache_read.input_tokens")
        cached.value.int_value = len(sent) // 8
        reasons = span.attributes.add(key="gen_ai.response.finish_reasons").value.array_value
        reasons.values.add().string_value = "stop"
        return span

    def tool_call(self, common: dict[str, str], result: str, at: int, took: int) -> Span:
        chance = self.random
        tool = chance.choice(_TOOLS)
        span = self.span(f"execute_tool {tool}", at, took)
        call_id = f"call_{chance.getrandbits(72):018x}"
        _put(
            span,
            {
                **common,
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": tool,
                "gen_ai.tool.call.id": call_id,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.arguments": json.dumps({"query": self.text(40), "limit": 20}),
                "gen_ai.tool.call.result": result,
            },
        )
        if chance.random() < 0.03:
            span.status.code = 2
            span.status.message = "upstream timed out"
        return span


def _put(span: Span, attributes: dict[str, str]) -> None:
    for key, value in attributes.items():
        span.attributes.add(key=key).value.string_value = value
