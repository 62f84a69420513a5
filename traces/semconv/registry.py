"""All conventions, in order of trust, compiled so that a span's attributes are looked at once each.

Where two conventions name the same field, the one further up wins; within one, the attribute named
first. A new convention is one module and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from traces.semconv.autogen import AUTOGEN
from traces.semconv.claude_code import CLAUDE_CODE
from traces.semconv.codex import CODEX
from traces.semconv.convention import Convention, Field, Path
from traces.semconv.copilot import COPILOT
from traces.semconv.crewai import CREWAI
from traces.semconv.gemini_cli import GEMINI_CLI
from traces.semconv.gen_ai import GEN_AI
from traces.semconv.genkit import GENKIT
from traces.semconv.google_adk import GOOGLE_ADK
from traces.semconv.laminar import LAMINAR
from traces.semconv.langfuse import LANGFUSE
from traces.semconv.langsmith import LANGSMITH
from traces.semconv.langwatch import LANGWATCH
from traces.semconv.livekit import LIVEKIT
from traces.semconv.logfire import LOGFIRE
from traces.semconv.mastra import MASTRA
from traces.semconv.mlflow import MLFLOW
from traces.semconv.openinference import OPENINFERENCE
from traces.semconv.openlit import OPENLIT
from traces.semconv.openllmetry import OPENLLMETRY
from traces.semconv.opentelemetry import OPENTELEMETRY
from traces.semconv.pydantic_ai import PYDANTIC_AI
from traces.semconv.semantic_kernel import SEMANTIC_KERNEL
from traces.semconv.spring_ai import SPRING_AI
from traces.semconv.strands import STRANDS
from traces.semconv.traceroot_sdk import TRACEROOT_SDK
from traces.semconv.vercel_ai_sdk import VERCEL_AI_SDK
from traces.spans import Kind

CONVENTIONS: tuple[Convention, ...] = (
    TRACEROOT_SDK,
    LANGFUSE,
    LANGWATCH,
    LANGSMITH,
    MLFLOW,
    OPENINFERENCE,
    VERCEL_AI_SDK,
    GENKIT,
    LIVEKIT,
    CLAUDE_CODE,
    CODEX,
    GEMINI_CLI,
    COPILOT,
    STRANDS,
    SEMANTIC_KERNEL,
    AUTOGEN,
    CREWAI,
    SPRING_AI,
    OPENLIT,
    PYDANTIC_AI,
    MASTRA,
    GOOGLE_ADK,
    LAMINAR,
    GEN_AI,
    LOGFIRE,
    OPENLLMETRY,
    OPENTELEMETRY,
)

MERGED: frozenset[Field] = frozenset({"metadata", "trace_metadata"})
"""Fields of which every attribute counts, not only the best."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one attribute name means: fields it may fill, each with its rank (lower is better)."""

    fields: tuple[tuple[Field, int], ...]
    kinds: tuple[tuple[int, Mapping[str, Kind]], ...]
    implied: tuple[int, Kind] | None
    convention: int
    """Index of the convention that the attribute is a mark of; len(CONVENTIONS) for none."""
    means_more: bool
    """Whether the beginning of the name says something besides."""
    json_fields: tuple[tuple[Field, int, Path], ...]
    """What its JSON holds: fields, each with its rank and path."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the attributes of a span are read, by who wrote it."""

    number: int
    """Its place among the dialects."""
    entries: Mapping[str, Entry]
    convention: int
    kinds: Mapping[str, Kind]
    """What a span is by its name."""
    cache_beside_input: frozenset[str]
    """Input counts of its own that do not include the cached tokens."""


NO_CONVENTION = len(CONVENTIONS)
_MARKS = tuple(
    (mark, index) for index, convention in enumerate(CONVENTIONS) for mark in convention.marks
)
MARK_PREFIXES = tuple(mark for mark, _ in _MARKS)
FLAT_MESSAGES = tuple(flat for convention in CONVENTIONS for flat in convention.flat_messages)
METADATA_PREFIXES = tuple(
    prefix for convention in CONVENTIONS for prefix in convention.metadata_prefixes
)
TRACE_METADATA_PREFIXES = tuple(
    prefix for convention in CONVENTIONS for prefix in convention.trace_metadata_prefixes
)
METADATA_NAMES: Mapping[str, str] = {
    name: key for convention in CONVENTIONS for name, key in convention.metadata_names.items()
}
EVALUATION_PREFIXES = tuple(
    prefix for convention in CONVENTIONS for prefix in convention.evaluation_prefixes
)
PREFIXES = tuple(
    dict.fromkeys(
        [
            *MARK_PREFIXES,
            *(flat.prefix for flat in FLAT_MESSAGES),
            *METADATA_PREFIXES,
            *TRACE_METADATA_PREFIXES,
            *METADATA_NAMES,
            *EVALUATION_PREFIXES,
        ]
    )
)


def convention_of(attribute: str) -> int:
    """The most trusted convention that the attribute is a mark of, or NO_CONVENTION.

    Of several marks the longest decides: `gen_ai.prompt.0.role` is OpenLLMetry's, not `gen_ai.`'s.
    """
    best, longest = NO_CONVENTION, 0
    for mark, index in _MARKS:
        if len(mark) > longest and attribute.startswith(mark):
            best, longest = index, len(mark)
    return best


def _compile() -> dict[str, Entry]:
    names = dict.fromkeys(name for convention in CONVENTIONS for name in _attributes_of(convention))
    return {name: _entry(name) for name in names}


def _attributes_of(convention: Convention) -> Iterable[str]:
    for candidates in convention.fields.values():
        yield from candidates
    yield from convention.kinds
    yield from convention.implies
    yield from convention.json_fields


def _entry(name: str, speaker: Convention | None = None) -> Entry:
    """What `name` means; on a span of `speaker` its own attributes count as well."""
    fields: dict[Field, int] = {}
    kinds: list[tuple[int, Mapping[str, Kind]]] = []
    implied: tuple[int, Kind] | None = None
    json_fields: list[tuple[Field, int, Path]] = []
    for index, convention in enumerate(CONVENTIONS):
        for field, candidates in convention.fields.items():
            if name in candidates:
                fields.setdefault(field, index * 100 + candidates.index(name))
        if convention is speaker:
            for field, candidates in convention.own_fields.items():
                if name in candidates:
                    fields.setdefault(field, index * 100 + 50 + candidates.index(name))
        held = convention.json_fields.get(name, ())
        if convention is speaker:
            held = (*held, *convention.own_json_fields.get(name, ()))
        for place, (field, path) in enumerate(held):
            json_fields.append((field, index * 100 + 50 + place, path))
        if name in convention.kinds:
            kinds.append((index * 100 + list(convention.kinds).index(name), convention.kinds[name]))
        if implied is None and name in convention.implies:
            rank = index * 100 + list(convention.implies).index(name)
            implied = (rank, convention.implies[name])
    means_more = name in METADATA_NAMES or name.startswith(
        (
            *METADATA_PREFIXES,
            *TRACE_METADATA_PREFIXES,
            *EVALUATION_PREFIXES,
            *(flat.prefix for flat in FLAT_MESSAGES),
        )
    )
    return Entry(
        tuple(fields.items()),
        tuple(kinds),
        implied,
        convention_of(name),
        means_more,
        tuple(json_fields),
    )


ENTRIES: Mapping[str, Entry] = _compile()


def _dialect(index: int, convention: Convention) -> Dialect:
    own = dict.fromkeys(
        (
            *(name for names in convention.own_fields.values() for name in names),
            *convention.own_json_fields,
        )
    )
    entries = {**ENTRIES, **{name: _entry(name, convention) for name in own}} if own else ENTRIES
    beside = () if convention.cache_inside_input else convention.own_fields.get("input_tokens", ())
    return Dialect(index, entries, index, convention.span_kinds, frozenset(beside))


COMMON = Dialect(NO_CONVENTION, ENTRIES, NO_CONVENTION, {}, frozenset())
_DIALECTS = tuple(_dialect(index, convention) for index, convention in enumerate(CONVENTIONS))
SPAN_DIALECTS = (*_DIALECTS, COMMON)
"""By index of the convention; the last is the common one."""


def _log_dialect(dialect: Dialect) -> Dialect:
    """The same speaker's, for log records: what records alone may say comes first."""
    speaker = CONVENTIONS[dialect.convention] if dialect is not COMMON else GEN_AI
    tables = (speaker.logs,) if speaker is GEN_AI else (speaker.logs, GEN_AI.logs)
    entries = dict(dialect.entries)
    for place, table in enumerate(tables):
        for field, names in table.fields.items():
            for position, name in enumerate(names):
                known = entries.get(name, _UNKNOWN)
                if field not in dict(known.fields):
                    rank = dialect.convention * 100 + 40 * place + position
                    entries[name] = replace(known, fields=(*known.fields, (field, rank)))
    kinds = {
        f"{beginning}{name}": kind
        for beginning in ("", *speaker.logs.names)
        for name, kind in speaker.logs.kinds.items()
    }
    number = dialect.number + len(SPAN_DIALECTS)
    return replace(dialect, number=number, entries=entries, kinds=kinds)


_UNKNOWN = Entry((), (), None, NO_CONVENTION, False, ())
_LOG_DIALECTS = tuple(map(_log_dialect, SPAN_DIALECTS))
DIALECTS: tuple[Dialect, ...] = (*SPAN_DIALECTS, *_LOG_DIALECTS)
"""By number: of spans, then of log records."""
_BY_SCOPE: Mapping[str, Dialect] = {
    scope: _DIALECTS[index]
    for index, convention in reversed(list(enumerate(CONVENTIONS)))
    for scope in convention.scopes
}
_BY_SPAN_NAME = tuple(
    (beginning, _DIALECTS[index])
    for index, convention in enumerate(CONVENTIONS)
    for beginning in convention.span_names
)
_SPAN_NAMES = tuple(beginning for beginning, _ in _BY_SPAN_NAME)


def dialect(scope: str, span_name: str) -> Dialect:
    """The dialect of a span's instrumentation scope, else of its name, else the common one."""
    found = _BY_SCOPE.get(scope)
    if found is None and span_name.startswith(_SPAN_NAMES):
        found = next(d for beginning, d in _BY_SPAN_NAME if span_name.startswith(beginning))
    return found or COMMON


_LOG_SCOPES: Mapping[str, int] = {
    scope: index
    for index, convention in reversed(list(enumerate(CONVENTIONS)))
    for scope in (*convention.scopes, *convention.logs.scopes)
}
_LOG_NAMES = tuple(
    (beginning, index)
    for index, convention in enumerate(CONVENTIONS)
    for beginning in convention.logs.names
)


def log_dialect(scope: str, event_name: str) -> Dialect:
    """The dialect of a log record: by its scope, else by its event's name, else the common one."""
    index = _LOG_SCOPES.get(scope)
    if index is None:
        index = next((i for start, i in _LOG_NAMES if event_name.startswith(start)), NO_CONVENTION)
    return _LOG_DIALECTS[index]


LOG_BODIES = tuple(item for convention in CONVENTIONS for item in convention.logs.bodies.items())
"""Beginnings of bodies, and the field that the rest is."""


CACHE_BESIDE_INPUT: frozenset[str] = frozenset(
    name
    for convention in CONVENTIONS
    if not convention.cache_inside_input
    for name in convention.fields.get("input_tokens", ())
)
"""Input counts that do not include the cached tokens."""
CACHE_BESIDE_PROVIDERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (convention.cache_beside_providers, convention.cache_inside_marks)
    for convention in CONVENTIONS
    if convention.cache_beside_providers
    for name in convention.fields.get("input_tokens", ())
}
"""Input counts of which that holds for some providers (beginnings), and what denies it."""
KIND_FIELDS: tuple[Mapping[Kind, Mapping[Field, tuple[str, ...]]], ...] = (
    *(convention.kind_fields for convention in CONVENTIONS),
    {},
)
"""By index of the convention (the last is none): what attributes mean on spans of a kind."""
RESOURCE_FIELDS: tuple[tuple[Field, tuple[str, ...]], ...] = tuple(
    (field, names)
    for convention in CONVENTIONS
    for field, names in convention.resource_fields.items()
)
