"""One pass over a span's attributes: which attribute gives which field, what kind it says, whose
convention it speaks. Values stay where they are; `normalize` reads those that won.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from traces.semconv import registry
from traces.semconv.convention import Field
from traces.semconv.registry import ENTRIES, MERGED, NO_CONVENTION, PREFIXES
from traces.spans import Attributes, Kind

_LAST = 1_000_000
_LONGEST_REMEMBERED_NAME = 200


@dataclass(slots=True)
class Lifted:
    names: dict[Field, str] = field(default_factory=dict)
    """Field to the attribute that gives it."""
    merged: list[tuple[int, Field, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    """Metadata entry to the attribute that holds it."""
    flat: dict[str, str] = field(default_factory=dict)
    """"input" or "output" to the prefix under which flat messages lie."""
    kind: Kind | None = None
    kind_source: str = ""
    implied_kind: Kind | None = None
    implied_source: str = ""
    convention: int = NO_CONVENTION
    is_evaluation: bool = False


@dataclass(frozen=True, slots=True)
class Prefixed:
    """What an attribute means by how its name begins."""

    convention: int
    flat: tuple[Literal["input", "output"], str] | None
    metadata_key: str
    is_evaluation: bool


def lift(attributes: Attributes) -> Lifted:
    lifted = Lifted()
    names, ranks = lifted.names, dict[Field, int]()
    kind_rank = implied_rank = _LAST
    for name, value in attributes.items():
        entry = ENTRIES.get(name)
        if entry is None:
            if name.startswith(PREFIXES):
                _lift_prefixed(name, lifted)
            continue
        if entry.convention < lifted.convention:
            lifted.convention = entry.convention
        if entry.means_more:
            _lift_prefixed(name, lifted)
        if value is None or value == "":
            continue
        for field_name, rank in entry.fields:
            if field_name in MERGED:
                lifted.merged.append((rank, field_name, name))
            elif rank < ranks.get(field_name, _LAST):
                ranks[field_name] = rank
                names[field_name] = name
        if entry.implied is not None and entry.implied[0] < implied_rank:
            implied_rank, lifted.implied_kind = entry.implied
            lifted.implied_source = name
        if entry.kinds and isinstance(value, str):
            for rank, kinds in entry.kinds:
                kind = kinds.get(value.lower())
                if kind is not None and rank < kind_rank:
                    kind_rank, lifted.kind, lifted.kind_source = rank, kind, name
    return lifted


def _lift_prefixed(name: str, lifted: Lifted) -> None:
    read = _prefixed if len(name) <= _LONGEST_REMEMBERED_NAME else _prefixed.__wrapped__
    meaning = read(name)
    lifted.convention = min(lifted.convention, meaning.convention)
    if meaning.flat is not None:
        side, prefix = meaning.flat
        lifted.flat.setdefault(side, prefix)
    if meaning.metadata_key:
        lifted.metadata.setdefault(meaning.metadata_key, name)
    if meaning.is_evaluation:
        lifted.is_evaluation = True


@lru_cache(maxsize=4096)
def _prefixed(name: str) -> Prefixed:
    flat = next((flat for flat in registry.FLAT_MESSAGES if name.startswith(flat.prefix)), None)
    metadata = next((p for p in registry.METADATA_PREFIXES if name.startswith(p)), "")
    return Prefixed(
        registry.convention_of(name),
        (flat.side, flat.prefix) if flat is not None else None,
        name[len(metadata) :] if metadata else "",
        name.startswith(registry.EVALUATION_PREFIXES),
    )
