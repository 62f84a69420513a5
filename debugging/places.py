"""The data path of a failure: line ranges whose changes may explain it, with weights.

From the sightings outwards: the failing statement, what feeds it, the calls that led to it, the
functions that made its values and the values of modules and classes it reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from debugging import dataflow, definitions, git_objects
from debugging.definitions import Definition
from debugging.sightings import Sighting
from debugging.snapshot import Snapshot

SIGHTING_LIMIT = 6
PRODUCER_LIMIT = 10
SECOND_PRODUCER_LIMIT = 6
FUNCTION_LINES = 300
ATTRIBUTE_LIMIT = 6
ATTRIBUTE_MATCHES = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Lines `first` to `last`. `phrase` ends the sentence "this commit changed …"; `whole` marks
    a function, where a commit may have removed lines that no blame shows."""

    path: str
    first: int
    last: int
    weight: float
    phrase: str
    span_ids: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class DataPath:
    """Places, strongest first, and the names that the failing statements use."""

    places: tuple[Place, ...]
    words: frozenset[str]


def follow(snapshot: Snapshot, sightings: tuple[Sighting, ...]) -> DataPath:
    """The places around the strongest sightings."""
    found: list[Place] = []
    words: set[str] = set()
    on_stack = _on_stack(snapshot, sightings)
    strongest = sorted(_distinct(sightings), key=lambda one: one.weight, reverse=True)
    readable = [one for one in strongest if snapshot.lines(one.path) is not None]
    flows = [(one, _flow(snapshot, one)) for one in readable[:SIGHTING_LIMIT]]
    definitions.locate(snapshot, [n for _, flow in flows for n in (*flow.calls, *flow.attributes)])
    for sighting, flow in flows:
        found += _around(snapshot, sighting)
        words |= flow.words
        found += _feeding(snapshot, sighting, flow, on_stack)
    return DataPath(tuple(sorted(found, key=lambda one: -one.weight)), frozenset(words))


def _distinct(sightings: tuple[Sighting, ...]) -> list[Sighting]:
    best: dict[tuple[str, int], Sighting] = {}
    for one in sightings:
        known = best.get((one.path, one.line))
        if known is None or one.weight > known.weight:
            best[one.path, one.line] = one
    return list(best.values())


def _around(snapshot: Snapshot, one: Sighting) -> list[Place]:
    innermost = one.depth in (0, None)
    found = []
    if one.exact:
        phrase = "the failing line" if one.depth == 0 else f"line {one.line} of {one.path}"
        if one.depth:
            phrase += ", a call that led to the failure"
        weight = one.weight if innermost else min(0.95, one.weight * 1.2)
        found.append(Place(one.path, one.line, one.line, weight, phrase, one.span_ids))
    function = snapshot.enclosing(one.path, one.line)
    if function is not None:
        phrase = f"`{function.name}`, " + (
            "the function that failed" if innermost else "which led to the failing call"
        )
        last = min(function.last_line, function.first_line + FUNCTION_LINES)
        weight = one.weight * (0.6 if innermost else 0.55)
        found.append(Place(one.path, function.first_line, last, weight, phrase, one.span_ids, True))
    return found


def _flow(snapshot: Snapshot, one: Sighting) -> dataflow.Flow:
    tree = snapshot.tree(one.path)
    if tree is None or not one.exact:
        return dataflow.EMPTY
    return dataflow.trace_back(tree, one.line)


def _on_stack(snapshot: Snapshot, sightings: tuple[Sighting, ...]) -> frozenset[tuple[str, int]]:
    """Functions that had not returned when the error came up, so they made no value."""
    found = set()
    for one in sightings:
        function = snapshot.enclosing(one.path, one.line) if one.depth is not None else None
        if function is not None:
            found.add((one.path, function.first_line))
    return frozenset(found)


def _feeding(
    snapshot: Snapshot,
    one: Sighting,
    flow: dataflow.Flow,
    on_stack: frozenset[tuple[str, int]],
) -> list[Place]:
    found = []
    for line in flow.lines:
        if line != one.line:
            phrase = f"line {line} of {one.path}, which feeds the failing line"
            found.append(Place(one.path, line, line, one.weight * 0.8, phrase, one.span_ids))
    names = [*flow.calls, *flow.attributes]
    producers = [
        made
        for made in definitions.find(snapshot, names, near=one.path)
        if (made.path, made.function.first_line) not in on_stack
    ][:PRODUCER_LIMIT]
    for made in producers:
        weight = one.weight * 0.75
        phrase = f"`{made.function.name}`, whose result feeds the failing line"
        found.append(_whole(made, weight, phrase, one.span_ids))
    found += _second(snapshot, one, producers, on_stack)
    found += _values(snapshot, one, flow)
    return found


def _second(
    snapshot: Snapshot,
    one: Sighting,
    producers: list[Definition],
    on_stack: frozenset[tuple[str, int]],
) -> list[Place]:
    """One step further back: what the producers themselves call."""
    if one.weight < 0.4:
        return []
    found: list[Place] = []
    known = {*on_stack, *((made.path, made.function.first_line) for made in producers)}
    called = [(made, _called(snapshot, made)) for made in producers[:SECOND_PRODUCER_LIMIT]]
    definitions.locate(snapshot, [name for _, names in called for name in names])
    for made, names in called:
        for inner in definitions.find(snapshot, names, near=made.path)[:SECOND_PRODUCER_LIMIT]:
            key = (inner.path, inner.function.first_line)
            if key not in known:
                known.add(key)
                phrase = f"`{inner.function.name}`, which `{made.function.short_name}` calls"
                found.append(_whole(inner, one.weight * 0.5, phrase, one.span_ids))
    return found


def _called(snapshot: Snapshot, made: Definition) -> tuple[str, ...]:
    tree = snapshot.tree(made.path)
    if tree is None:
        return ()
    names = dataflow.calls_inside(tree, made.function.first_line, made.function.last_line)
    return names[:SECOND_PRODUCER_LIMIT]


def _values(snapshot: Snapshot, one: Sighting, flow: dataflow.Flow) -> list[Place]:
    """Module values and attributes that the statement reads, here and in imported modules."""
    found = []
    tree = snapshot.tree(one.path)
    if tree is None:
        return []
    targets = [(one.path, tree, set(flow.values))]
    for name, (module, inner) in snapshot.imports(one.path).items():
        if name in flow.values and inner and module:
            _, paths = snapshot.index.matches(f"{module.replace('.', '/')}.py")
            other = snapshot.tree(paths[0]) if paths else None
            if other is not None:
                targets.append((paths[0], other, {inner}))
    for path, other, names in targets:
        attributes = flow.attributes if path == one.path else ()
        for line in dataflow.assigned_at(other, names, attributes)[:80]:
            phrase = f"line {line} of {path}, a value that the failing line reads"
            found.append(Place(path, line, line, one.weight * 0.65, phrase, one.span_ids))
    for match in _assignments_elsewhere(snapshot, one, flow):
        phrase = f"line {match.line} of {match.path}, which sets an attribute that it reads"
        found.append(
            Place(match.path, match.line, match.line, one.weight * 0.65, phrase, one.span_ids)
        )
    return found


def _assignments_elsewhere(
    snapshot: Snapshot, one: Sighting, flow: dataflow.Flow
) -> list[git_objects.Match]:
    """Objects are filled in other files; an attribute set in many places says nothing."""
    names = [name for name in flow.attributes if len(name) > 2][:ATTRIBUTE_LIMIT]
    if not names or one.weight < 0.4:
        return []
    pattern = rf"\.({'|'.join(names)})[[:space:]]*(:[^=]+)?=[^=]"
    matches = git_objects.grep(snapshot.directory, snapshot.commit, pattern, fixed=False, limit=60)
    kept = []
    for name in names:
        mine = [m for m in matches if f".{name}" in m.text and m.path != one.path]
        mine = [m for m in mine if not definitions.is_test(m.path)]
        kept += mine if len(mine) <= ATTRIBUTE_MATCHES else []
    return kept


def _whole(made: Definition, weight: float, phrase: str, span_ids: tuple[str, ...]) -> Place:
    last = min(made.function.last_line, made.function.first_line + FUNCTION_LINES)
    weight = weight if made.certain else weight * 0.7
    return Place(made.path, made.function.first_line, last, weight, phrase, span_ids, True)
