"""One pass over a span's attributes: which attribute gives which field, what kind it says, whose
convention it speaks. Values stay where they are; `normalize` reads those that won.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from traces.semconv import reading, registry
from traces.semconv.convention import Field
from traces.semconv.registry import COMMON, DIALECTS, MERGED, NO_CONVENTION, PREFIXES, Dialect
from traces.spans import Attributes, AttributeValue, Kind

_LAST = 1_000_000
_LONGEST_REMEMBERED_NAME = 200
_MOST_REMEMBERED_NAMES = 64


@dataclass(slots=True)
class Lifted:
    names: dict[Field, str] = field(default_factory=dict)
    """Field to the attribute that gives it."""
    merged: list[tuple[int, Field, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    """Metadata entry to the attribute that holds it."""
    trace_metadata: dict[str, str] = field(default_factory=dict)
    flat: dict[str, str] = field(default_factory=dict)
    """"input" or "output" to the prefix under which flat messages lie."""
    kind: Kind | None = None
    kind_source: str = ""
    implied_kind: Kind | None = None
    implied_source: str = ""
    convention: int = NO_CONVENTION
    is_evaluation: bool = False
    cache_beside_input: bool = False
    """Whether the speaker counts cached tokens beside the input."""
    held: Attributes = field(default_factory=dict)
    """What was found inside of JSON: `<attribute>#<path>` to value; `names` refers to it."""


@dataclass(frozen=True, slots=True)
class Prefixed:
    """What an attribute means by how its name begins."""

    convention: int
    flat: tuple[Literal["input", "output"], str] | None
    metadata_key: str
    trace_metadata_key: str
    is_evaluation: bool


def lift(attributes: Attributes, dialect: Dialect = COMMON) -> Lifted:
    """An emitter sends the same names again and again: what they mean together is remembered."""
    empty = [name for name, value in attributes.items() if value is None or value == ""]
    if empty or len(attributes) > _MOST_REMEMBERED_NAMES:
        plan = _plan(attributes, dialect, empty)
    else:
        plan = _remembered(tuple(attributes), dialect.number)
    lifted = Lifted(
        names=dict(plan.names),
        merged=plan.merged,
        metadata=plan.metadata,
        trace_metadata=plan.trace_metadata,
        flat=plan.flat,
        implied_kind=plan.implied_kind,
        implied_source=plan.implied_source,
        convention=plan.convention,
        is_evaluation=plan.is_evaluation,
    )
    for _, name, kinds in plan.kinds:
        value = attributes[name]
        kind = kinds.get(value.lower()) if isinstance(value, str) else None
        if kind is not None:
            lifted.kind, lifted.kind_source = kind, name
            break
    if plan.holders:
        _lift_held(attributes, plan.holders, dialect, lifted)
    if dialect.cache_beside_input:
        lifted.cache_beside_input = lifted.names.get("input_tokens") in dialect.cache_beside_input
    return lifted


@dataclass(slots=True)
class Plan:
    """What the names of a span's attributes mean together. Shared between spans: not to change."""

    names: dict[Field, str] = field(default_factory=dict)
    merged: list[tuple[int, Field, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    trace_metadata: dict[str, str] = field(default_factory=dict)
    flat: dict[str, str] = field(default_factory=dict)
    kinds: list[tuple[int, str, Mapping[str, Kind]]] = field(default_factory=list)
    """Attributes that may say the kind, best first."""
    implied_kind: Kind | None = None
    implied_source: str = ""
    holders: list[str] = field(default_factory=list)
    """Attributes that hold JSON which may be wanted."""
    convention: int = NO_CONVENTION
    is_evaluation: bool = False


@lru_cache(maxsize=2048)
def _remembered(names: tuple[str, ...], dialect: int) -> Plan:
    return _plan(names, DIALECTS[dialect], ())


def _plan(names: Iterable[str], dialect: Dialect, empty: Collection[str]) -> Plan:
    plan = Plan()
    ranks: dict[Field, int] = {}
    implied_rank = _LAST
    for name in names:
        entry = dialect.entries.get(name)
        if entry is None:
            if name.startswith(PREFIXES):
                _plan_prefixed(name, plan)
            continue
        plan.convention = min(plan.convention, entry.convention)
        if entry.means_more:
            _plan_prefixed(name, plan)
        if name in empty:
            continue
        if entry.json_fields:
            plan.holders.append(name)
        for field_name, rank in entry.fields:
            if field_name in MERGED:
                plan.merged.append((rank, field_name, name))
            elif rank < ranks.get(field_name, _LAST):
                ranks[field_name] = rank
                plan.names[field_name] = name
        if entry.implied is not None and entry.implied[0] < implied_rank:
            implied_rank, plan.implied_kind = entry.implied
            plan.implied_source = name
        plan.kinds.extend((rank, name, kinds) for rank, kinds in entry.kinds)
    plan.kinds.sort(key=itemgetter(0))
    if dialect.convention != NO_CONVENTION:
        plan.convention = dialect.convention
    return plan


def _lift_held(
    attributes: Attributes, holders: list[str], dialect: Dialect, lifted: Lifted
) -> None:
    """Fields that no attribute gives by itself, from inside of those that hold JSON."""
    ranks: dict[Field, int] = {}
    for holder in holders:
        wanted = [
            (field_name, rank, path)
            for field_name, rank, path in dialect.entries[holder].json_fields
            if field_name not in lifted.names or field_name in ranks
        ]
        parsed = reading.parsed_structure(attributes[holder]) if wanted else None
        for field_name, rank, path in wanted:
            value = reading.at(parsed, path) if path else _whole(parsed, attributes[holder])
            if value is not None and value != "" and rank < ranks.get(field_name, _LAST):
                source = f"{holder}#{'.'.join(path)}" if path else f"{holder}#"
                ranks[field_name] = rank
                lifted.held[source] = value
                lifted.names[field_name] = source


def _whole(parsed: Any, sent: AttributeValue) -> AttributeValue:
    """A JSON text's content; what is none stands for itself."""
    return sent if parsed is None else parsed


def _plan_prefixed(name: str, plan: Plan) -> None:
    read = _prefixed if len(name) <= _LONGEST_REMEMBERED_NAME else _prefixed.__wrapped__
    meaning = read(name)
    plan.convention = min(plan.convention, meaning.convention)
    if meaning.flat is not None:
        side, prefix = meaning.flat
        plan.flat.setdefault(side, prefix)
    if meaning.metadata_key:
        plan.metadata.setdefault(meaning.metadata_key, name)
    if meaning.trace_metadata_key:
        plan.trace_metadata.setdefault(meaning.trace_metadata_key, name)
    if meaning.is_evaluation:
        plan.is_evaluation = True


@lru_cache(maxsize=4096)
def _prefixed(name: str) -> Prefixed:
    flat = next((flat for flat in registry.FLAT_MESSAGES if name.startswith(flat.prefix)), None)
    metadata = next((p for p in registry.METADATA_PREFIXES if name.startswith(p)), "")
    of_trace = next((p for p in registry.TRACE_METADATA_PREFIXES if name.startswith(p)), "")
    return Prefixed(
        registry.convention_of(name),
        (flat.side, flat.prefix) if flat is not None else None,
        registry.METADATA_NAMES.get(name) or (name[len(metadata) :] if metadata else ""),
        name[len(of_trace) :] if of_trace else "",
        name.startswith(registry.EVALUATION_PREFIXES),
    )
