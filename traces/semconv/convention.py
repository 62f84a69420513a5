"""What a semantic convention is: data. `normalize` walks it; it holds no rules of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from traces.semconv.reads import Reads
from traces.spans import Kind

TextField = Literal[
    "operation",
    "agent_name",
    "agent_id",
    "tool_name",
    "tool_call_id",
    "provider",
    "model",
    "request_model",
    "response_model",
    "response_id",
    "session_id",
    "user_id",
    "environment",
    "release",
    "service_name",
    "trace_name",
    "prompt_name",
    "prompt_version",
    "git_repo",
    "git_ref",
    "git_source_file",
    "git_source_function",
]
"""Text that one attribute holds, of the span or, where it says nothing, of its resource."""

Field = Literal[
    TextField,
    # text with rules of its own
    "error_type",
    "error_message",
    "input",
    "output",
    # lists of text, arrays or JSON
    "finish_reasons",
    "tags",
    "trace_tags",
    # one text, separated by commas
    "comma_tags",
    # objects, kvlists or JSON; all that are present are merged
    "metadata",
    "trace_metadata",
    # numbers
    "git_source_line",
    "reported_cost_usd",
    "first_token_seconds",
    "first_token_ms",
    "first_token_at",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "total_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    # a provider's whole usage object
    "usage",
]


Path = tuple[str, ...]
"""Keys into nested objects, outermost first."""


@dataclass(frozen=True, slots=True)
class FlatMessages:
    """Messages as one attribute a leaf, `<prefix><n>.<leaf>`, for the input or the output.

    Not `are_messages`: documents, or texts to embed, sent in the same way.
    """

    prefix: str
    side: Literal["input", "output"]
    are_messages: bool = True


@dataclass(frozen=True, slots=True)
class LogTables:
    """What log records say beside the attributes that spans have too.

    `scopes`: names of the scopes of its emitters' records, beside those of the spans.
    `names`: beginnings of event names that only its emitters use.
    `kinds`: what an event is about, by its name without such a beginning.
    `fields`: as `own_fields`, of records only.
    `bodies`: beginnings of bodies, and the field that the rest of the body is.
    """

    scopes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    fields: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    bodies: Mapping[str, Literal["input", "output"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Convention:
    """`fields`: for each field the attributes that may hold it, best first.

    `kinds`: attributes that say what a span is, best first, with their values in lower case.
    `implies`: attributes whose mere presence says it, when nothing else does.
    `marks`: prefixes of the attributes that only this convention writes.
    `metadata_prefixes`: attributes that are metadata entries, named by what follows the prefix.
    `evaluation_prefixes`: attributes that only evaluation runs write.
    `cache_inside_input`: the input count includes cached tokens; else they are counted beside it.
    `cache_beside_providers`: beginnings of providers of which that is not so here, unless one of
    `cache_inside_marks` is there.
    `scopes`: names of the instrumentation scopes of its emitters.
    `span_names`: beginnings of span names that only its emitters use.
    `span_kinds`: what such a span is by its name, when no attribute says it.
    `own_fields`: attributes with names too common to mean anything on the spans of others.
    `json_fields`: attributes holding JSON, and the fields to be found there, each with its path,
    best first; parsed only while such a field is missing. An empty path takes the whole value.
    `own_json_fields`: as `json_fields`, of its emitters' spans only.
    `kind_fields`: attributes that mean these fields on spans of a kind, where nothing else does.
    `trace_metadata_prefixes`: as `metadata_prefixes`, for the trace.
    `metadata_names`: attributes that are metadata entries of another name.
    `reads`: what only a reader wants.
    `logs`: what its log records say.
    """

    name: str
    fields: Mapping[Field, tuple[str, ...]]
    marks: tuple[str, ...]
    kinds: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)
    implies: Mapping[str, Kind] = field(default_factory=dict)
    flat_messages: tuple[FlatMessages, ...] = ()
    metadata_prefixes: tuple[str, ...] = ()
    evaluation_prefixes: tuple[str, ...] = ()
    resource_fields: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    cache_inside_input: bool = True
    cache_beside_providers: tuple[str, ...] = ()
    cache_inside_marks: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    span_names: tuple[str, ...] = ()
    span_kinds: Mapping[str, Kind] = field(default_factory=dict)
    own_fields: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    json_fields: Mapping[str, tuple[tuple[Field, Path], ...]] = field(default_factory=dict)
    own_json_fields: Mapping[str, tuple[tuple[Field, Path], ...]] = field(default_factory=dict)
    kind_fields: Mapping[Kind, Mapping[Field, tuple[str, ...]]] = field(default_factory=dict)
    trace_metadata_prefixes: tuple[str, ...] = ()
    metadata_names: Mapping[str, str] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    logs: LogTables = field(default_factory=LogTables)
