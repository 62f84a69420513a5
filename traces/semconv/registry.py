"""All conventions, in order of trust, compiled so that a span's attributes are looked at once each.

Where two conventions name the same field, the one further up wins; within one, the attribute named
first. A new convention is one module and one line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from traces.semconv.convention import Convention, Field
from traces.semconv.gen_ai import GEN_AI
from traces.semconv.openinference import OPENINFERENCE
from traces.semconv.openllmetry import OPENLLMETRY
from traces.semconv.opentelemetry import OPENTELEMETRY
from traces.semconv.traceroot_sdk import TRACEROOT_SDK
from traces.spans import Kind

CONVENTIONS: tuple[Convention, ...] = (
    TRACEROOT_SDK,
    OPENINFERENCE,
    GEN_AI,
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


NO_CONVENTION = len(CONVENTIONS)
_MARKS = tuple(
    (mark, index) for index, convention in enumerate(CONVENTIONS) for mark in convention.marks
)
MARK_PREFIXES = tuple(mark for mark, _ in _MARKS)
FLAT_MESSAGES = tuple(flat for convention in CONVENTIONS for flat in convention.flat_messages)
METADATA_PREFIXES = tuple(
    prefix for convention in CONVENTIONS for prefix in convention.metadata_prefixes
)
EVALUATION_PREFIXES = tuple(
    prefix for convention in CONVENTIONS for prefix in convention.evaluation_prefixes
)
PREFIXES = tuple(
    dict.fromkeys(
        [
            *MARK_PREFIXES,
            *(flat.prefix for flat in FLAT_MESSAGES),
            *METADATA_PREFIXES,
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


def _entry(name: str) -> Entry:
    fields: dict[Field, int] = {}
    kinds: list[tuple[int, Mapping[str, Kind]]] = []
    implied: tuple[int, Kind] | None = None
    for index, convention in enumerate(CONVENTIONS):
        for field, candidates in convention.fields.items():
            if name in candidates:
                fields.setdefault(field, index * 100 + candidates.index(name))
        if name in convention.kinds:
            kinds.append((index * 100 + list(convention.kinds).index(name), convention.kinds[name]))
        if implied is None and name in convention.implies:
            rank = index * 100 + list(convention.implies).index(name)
            implied = (rank, convention.implies[name])
    means_more = name.startswith(
        (*METADATA_PREFIXES, *EVALUATION_PREFIXES, *(flat.prefix for flat in FLAT_MESSAGES))
    )
    return Entry(tuple(fields.items()), tuple(kinds), implied, convention_of(name), means_more)


ENTRIES: Mapping[str, Entry] = _compile()
CACHE_BESIDE_INPUT: frozenset[str] = frozenset(
    name
    for convention in CONVENTIONS
    if not convention.cache_inside_input
    for name in convention.fields.get("input_tokens", ())
)
"""Input counts that do not include the cached tokens."""
RESOURCE_FIELDS: tuple[tuple[Field, tuple[str, ...]], ...] = tuple(
    (field, names)
    for convention in CONVENTIONS
    for field, names in convention.resource_fields.items()
)
