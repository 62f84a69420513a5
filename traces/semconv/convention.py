"""What a semantic convention is: data. `normalize` walks it; it holds no rules of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from traces.spans import Kind

Field = Literal[
    # text, one attribute each
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
    "error_type",
    "error_message",
    "input",
    "output",
    # lists of text, arrays or JSON
    "finish_reasons",
    "tags",
    "trace_tags",
    # objects, kvlists or JSON; all that are present are merged
    "metadata",
    "trace_metadata",
    # numbers
    "git_source_line",
    "reported_cost_usd",
    "first_token_seconds",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    # a provider's whole usage object
    "usage",
]


@dataclass(frozen=True, slots=True)
class FlatMessages:
    """Messages as one attribute a leaf, `<prefix><n>.<leaf>`, for the input or the output."""

    prefix: str
    side: Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Convention:
    """`fields`: for each field the attributes that may hold it, best first.

    `kinds`: attributes that say what a span is, best first, with their values in lower case.
    `implies`: attributes whose mere presence says it, when nothing else does.
    `marks`: prefixes of the attributes that only this convention writes.
    `metadata_prefixes`: attributes that are metadata entries, named by what follows the prefix.
    `evaluation_prefixes`: attributes that only evaluation runs write.
    `cache_inside_input`: the input count includes cached tokens; else they are counted beside it.
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
