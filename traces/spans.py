"""The two shapes of a span: as it arrived (`RawSpan`) and as it is stored and read (`Span`).

Nothing here talks to a store or the wire. Times are nanoseconds since the Unix epoch (UTC); ids are
raw bytes (16 for a trace, 8 for a span, empty for "none").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID

ESTIMATED = "estimated:"
"""How the source of usage begins that no span reported; the encoding follows that counted it."""

# An OTLP AnyValue as Python: kvlists are dicts, arrays lists, an empty AnyValue is None.
AttributeValue = (
    str | bool | int | float | bytes | list["AttributeValue"] | dict[str, "AttributeValue"] | None
)
Attributes = dict[str, AttributeValue]

Kind = Literal[
    "llm",
    "agent",
    "tool",
    "retriever",
    "embedding",
    "reranker",
    "guardrail",
    "evaluator",
    "scorer",
    "chain",
    "task",
    "span",
]
Status = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class Resource:
    """What sent the spans. `json` is the exact OTLP/JSON attribute list, encoded once a request."""

    attributes: Attributes
    json: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation library. `json` is the exact OTLP/JSON scope object."""

    name: str
    version: str
    attributes: Attributes
    json: str


@dataclass(frozen=True, slots=True)
class SpanEvent:
    time_ns: int
    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SpanLink:
    trace_id: bytes
    span_id: bytes
    trace_state: str
    attributes: Attributes


@dataclass(slots=True)
class RawSpan:
    """One decoded OTLP span, validated (ids well-formed), nothing interpreted yet."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    otel_kind: int
    start_ns: int
    end_ns: int
    status_code: int
    status_message: str
    attributes: Attributes
    events: Sequence[SpanEvent]
    links: Sequence[SpanLink]
    trace_state: str
    flags: int
    dropped_attributes: int
    dropped_events: int
    dropped_links: int
    resource: Resource
    scope: Scope
    cut: Mapping[str, int] = field(default_factory=dict)
    """What was nested too deep, its resource's and scope's too: place to full length."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in disjoint buckets, except that `reasoning` is a part of `output`.

    Gross input is `uncached_input + cache_read + cache_write_5m + cache_write_1h`. `other` holds
    what is counted but is not text (audio, images, requests).
    """

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    other: Mapping[str, float] = field(default_factory=dict)

    @property
    def input(self) -> int:
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(slots=True)
class Span:
    """One normalised span: a row of the `spans` table.

    `input` and `output` are the emitter's own text, verbatim where an attribute held it (then
    `sources` names the attribute and the attribute is not stored a second time). Messages are
    parsed from them at read time by `traces.semconv.messages`. `usage` is None when the span
    reported none; costs are US dollars, None when unknown.
    """

    project_id: UUID
    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    status: Status
    version: int
    """Receipt, ns: the newest version of a span is the one shown."""
    received_ns: int
    status_message: str = ""
    error_type: str = ""
    error_message: str = ""
    is_local_root: bool = False
    """No parent, or a parent in another process (OTLP remote flag, the SDK's empty path)."""
    otel_kind: int = 0
    convention: str = ""
    operation: str = ""
    agent_name: str = ""
    agent_id: str = ""
    tool_name: str = ""
    tool_call_id: str = ""
    provider: str = ""
    model: str = ""
    """The response's model or, without one, the requested."""
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    finish_reasons: tuple[str, ...] = ()
    first_token_ns: int = 0
    session_id: str = ""
    user_id: str = ""
    environment: str = ""
    release: str = ""
    service_name: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    trace_name: str = ""
    trace_tags: tuple[str, ...] = ()
    trace_metadata: Mapping[str, str] = field(default_factory=dict)
    is_evaluation: bool = False
    prompt_name: str = ""
    prompt_version: str = ""
    prompt_hash: str = ""
    """Of a model call: its system prompt without what changes, its tools, its model."""
    git_repo: str = ""
    git_ref: str = ""
    git_source_file: str = ""
    git_source_line: int = 0
    git_source_function: str = ""
    input: str = ""
    output: str = ""
    usage: Usage | None = None
    reported_cost_usd: Decimal | None = None
    computed_cost_usd: Decimal | None = None
    price_version: str = ""
    prefers_computed: bool = False
    """Whether the computed cost counts before the reported one: the project's rule."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Which attribute (or event) gave each field: field name to attribute name."""
    attributes: Attributes = field(default_factory=dict)
    """Everything that was sent, lifted or not."""
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanLink] = ()
    resource_json: str = "[]"
    scope_json: str = "{}"
    trace_state: str = ""
    flags: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    truncated: Mapping[str, int] = field(default_factory=dict)
    """What was cut because it was too large: place to full length."""

    @property
    def duration_ns(self) -> int:
        return max(0, self.end_ns - self.start_ns) if self.end_ns else 0

    @property
    def estimated_by(self) -> str:
        """The encoding by which its tokens were estimated; empty where the span reported them."""
        source = self.sources.get("usage", "")
        return source.removeprefix(ESTIMATED) if source.startswith(ESTIMATED) else ""

    @property
    def cost_usd(self) -> Decimal | None:
        """What counts: the emitter's own figure when it gave one, else ours, or the other way."""
        if self.reported_cost_usd is None or (
            self.prefers_computed and self.computed_cost_usd is not None
        ):
            return self.computed_cost_usd
        return self.reported_cost_usd
