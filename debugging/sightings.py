"""Where the code of a failure stands: from stacks, code attributes, names and texts of its spans.

Each sighting is a line (or function) of the snapshot with a weight and the spans that point to
it. Which change is to blame is decided in `culprits`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from debugging import definitions, frames, git_objects, stacks, trace_facts
from debugging.frames import MappedFrame
from debugging.snapshot import Snapshot
from debugging.stacks import Frame, StackTrace
from debugging.trace_facts import Failure, SpanFacts, TraceFacts

FRAMES_PER_STACK = 10
STACKS_PER_FAILURE = 6
_PER_FRAME = 0.72
_LINK_WEIGHTS = {"cause": 1.0, "context": 0.95, "group": 1.0, None: 0.9}
_FAILURE_WEIGHTS = (1.0, 0.6, 0.4)
_FRAGMENT = re.compile(r"[^\d\"'`{}<>\[\]\n]{10,90}")


@dataclass(frozen=True, slots=True)
class Sighting:
    """`depth` is 0 for the innermost frame of a stack, None when it is not from a stack;
    `exact` is False when only the function is known and `line` is its first."""

    path: str
    line: int
    weight: float
    reason: str
    span_ids: tuple[str, ...]
    depth: int | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Sightings:
    """All sightings with notes on what could not be followed and the words of the errors."""

    found: tuple[Sighting, ...]
    notes: tuple[str, ...]
    headline: str
    error_text: str


def collect(trace: TraceFacts, failures: tuple[Failure, ...], snapshot: Snapshot) -> Sightings:
    """Sightings of all failures; what needs guessing is looked for only where no stack helps."""
    found: list[Sighting] = []
    notes: list[str] = []
    by_id = {span.span_id: span for span in trace.spans}
    for number, failure in enumerate(failures):
        share = _FAILURE_WEIGHTS[min(number, len(_FAILURE_WEIGHTS) - 1)]
        mine = list(_from_stacks(failure, snapshot, notes))
        mine += _from_attributes(failure, by_id, snapshot)
        if not any(one.depth == 0 for one in mine):
            mine += _from_names(failure.span, snapshot)
            mine += _from_error_text(failure, snapshot)
        if not mine:
            mine += _from_prompt(failure.span, snapshot)
        found += [_scaled(one, share) for one in mine]
    first = failures[0]
    return Sightings(tuple(found), tuple(dict.fromkeys(notes)), _headline(first), _text(first))


def parsed_stacks(failure: Failure) -> tuple[StackTrace, ...]:
    """The stacks of a failure without those that another one contains."""
    texts = [one.stacktrace for one in failure.exceptions if one.stacktrace]
    texts += [text for text in (failure.error_text, failure.span.output) if text and "\n" in text]
    found: list[StackTrace] = []
    for text in texts:
        for stack in stacks.parse(text):
            if not any(_contains(known, stack) for known in found):
                found.append(stack)
    return tuple(found[:STACKS_PER_FAILURE])


def _contains(longer: StackTrace, shorter: StackTrace) -> bool:
    size = len(shorter.frames)
    return longer.type == shorter.type and longer.frames[-size:] == shorter.frames


def _from_stacks(failure: Failure, snapshot: Snapshot, notes: list[str]) -> Iterator[Sighting]:
    for stack in parsed_stacks(failure):
        share = _LINK_WEIGHTS[stack.link]
        if stack.type.endswith("ExceptionGroup"):
            share = 0.5
        mapped, left_out = _map_all(stack, snapshot)
        missing = [one.frame.path for one in left_out if one.reason != "vendored"]
        if missing:
            names = ", ".join(dict.fromkeys(missing[-3:]))
            notes.append(f"{len(missing)} stack frames have no file in the repository ({names}).")
        for depth, one in enumerate(reversed(mapped[-FRAMES_PER_STACK:])):
            if one.note:
                notes.append(f"{one.path}: {one.note}")
            weight = share * _PER_FRAME**depth * (0.5 + one.certainty / 2)
            yield Sighting(
                one.path,
                max(1, one.line),
                weight,
                _frame_reason(stack, one, depth, left_out),
                failure.span_ids,
                depth,
                one.line > 0,
            )


def _map_all(
    stack: StackTrace, snapshot: Snapshot
) -> tuple[list[MappedFrame], list[frames.LeftOutFrame]]:
    mapped: list[MappedFrame] = []
    left_out: list[frames.LeftOutFrame] = []
    for frame in stack.frames:
        one = frames.map_frame(frame, snapshot.index, snapshot.lines)
        if isinstance(one, MappedFrame):
            mapped.append(one)
        else:
            left_out.append(one)
    return mapped, left_out


def _frame_reason(
    stack: StackTrace, one: MappedFrame, depth: int, left_out: list[frames.LeftOutFrame]
) -> str:
    kind = stack.type or "The error"
    if depth:
        return f"{one.frame.function or 'module code'} was on the stack of {kind} here"
    if stack.frames and one.frame == stack.frames[-1]:
        return f"{kind} was raised here"
    if any(left.frame == stack.frames[-1] and left.reason == "vendored" for left in left_out):
        return f"{kind} was raised in a library that is called here"
    return f"{kind}: innermost frame that is in the repository"


def _from_attributes(
    failure: Failure, by_id: dict[str, SpanFacts], snapshot: Snapshot
) -> Iterator[Sighting]:
    around = (failure.span, *trace_facts.ancestors(failure.span, by_id)[:3])
    for distance, span in enumerate(around):
        share = 0.75**distance
        place = _code_frame(span)
        if place is not None:
            mapped = frames.map_frame(place, snapshot.index, snapshot.lines)
            if isinstance(mapped, MappedFrame):
                yield Sighting(
                    mapped.path,
                    max(1, mapped.line),
                    (0.9 if place.line else 0.7) * share * mapped.certainty,
                    f"span {span.name!r} says that its code is here",
                    (span.span_id,),
                    exact=mapped.line > 0 and place.line > 0,
                )
        stack_text = span.attributes.get("code.stacktrace")
        if isinstance(stack_text, str) and distance == 0:
            for stack in stacks.parse(stack_text):
                mapped_frames, _ = _map_all(stack, snapshot)
                for depth, one in enumerate(reversed(mapped_frames[-FRAMES_PER_STACK:])):
                    reason = f"span {span.name!r} was started on this stack"
                    weight = 0.55 * _PER_FRAME**depth * one.certainty
                    yield Sighting(one.path, max(1, one.line), weight, reason, (span.span_id,))
        if span.git_source_file:
            # The SDK records the line that calls the observed function, not the function itself.
            called = Frame(span.git_source_file, span.git_source_line or 0, None)
            mapped = frames.map_frame(called, snapshot.index, snapshot.lines)
            if isinstance(mapped, MappedFrame):
                yield Sighting(
                    mapped.path,
                    max(1, mapped.line),
                    0.45 * share * mapped.certainty,
                    f"span {span.name!r} was called from here",
                    (span.span_id,),
                    exact=mapped.line > 0,
                )


def _code_frame(span: SpanFacts) -> Frame | None:
    values = span.attributes
    path = values.get("code.file.path", values.get("code.filepath"))
    line = values.get("code.line.number", values.get("code.lineno", 0))
    name = values.get("code.function.name", values.get("code.function"))
    if not isinstance(path, str) or not path:
        return None
    number = int(line) if str(line).isdecimal() and len(str(line)) < 10 else 0
    return Frame(path, number, str(name) if name else None)


def _from_names(span: SpanFacts, snapshot: Snapshot) -> Iterator[Sighting]:
    """The tool's or span's name is mostly the name of its function."""
    code = str(span.attributes.get("code.function.name", span.attributes.get("code.function", "")))
    asked = [code.rpartition(".")[2], span.tool_name or "", _bare(span.name)]
    names = [name for name in dict.fromkeys(asked) if name]
    located = definitions.find(snapshot, names)
    for one in located[:4]:
        yield Sighting(
            one.path,
            one.function.first_line,
            0.75 if one.name == names[0] else 0.65,
            f"`{one.name}`, the function of span {span.name!r}, is defined here",
            (span.span_id,),
            exact=False,
        )
    if located:
        return
    for name in [n for n in (span.tool_name, span.name, span.agent_name) if n and len(n) > 3]:
        quoted = [q for mark in "\"'" for q in _grep(snapshot, f"{mark}{name}{mark}")]
        for match in quoted[:3] if len(quoted) <= 8 else []:
            reason = f"the name {name!r} of the span stands here"
            yield Sighting(match.path, match.line, 0.55, reason, (span.span_id,))


def _bare(name: str) -> str:
    """`execute_tool search_flights`, `Agent.run` and `search_flights (tool)` name functions."""
    words = re.findall(r"[A-Za-z_$][\w$]*", re.sub(r"\(.*\)", "", name))
    return words[-1] if words else ""


def _from_error_text(failure: Failure, snapshot: Snapshot) -> Iterator[Sighting]:
    """The fixed parts of a message lead to the line that writes it."""
    text = failure.error_text or next((one.message for one in failure.exceptions), "")
    for fragment in _fragments(text.split("\n")[0])[:3]:
        matches = _grep(snapshot, fragment)
        if 0 < len(matches) <= 4:
            for match in matches:
                reason = f"the text {fragment!r} of the error is written here"
                yield Sighting(match.path, match.line, 0.8, reason, (failure.span.span_id,))
            return


def _from_prompt(span: SpanFacts, snapshot: Snapshot) -> Iterator[Sighting]:
    """The instructions a model was given, found in the source."""
    for fragment in _fragments(_prompt_text(span.input or ""))[:6]:
        matches = _grep(snapshot, fragment)
        if 0 < len(matches) <= 3:
            for match in matches:
                reason = f"the prompt text {fragment[:60]!r} stands here"
                yield Sighting(match.path, match.line, 0.4, reason, (span.span_id,))
            return


def _prompt_text(text: str) -> str:
    """The strings of a JSON input (system message first, as it comes), else the text itself."""
    try:
        value = json.loads(text[:200_000])
    except (ValueError, RecursionError):
        return text[:20_000]
    found: list[str] = []
    stack = [value]
    while stack and len(found) < 50:
        one = stack.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            stack.extend(reversed(list(one.values())))
        elif isinstance(one, list):
            stack.extend(reversed(one))
    return "\n".join(found)[:20_000]


def _fragments(text: str) -> list[str]:
    """Fixed parts of a text, longest first; numbers and quoted values vary, so they part it."""
    parts = [found.group().strip(" :,.;()-") for found in _FRAGMENT.finditer(text)]
    return sorted((part for part in parts if len(part) >= 10), key=len, reverse=True)


def _grep(snapshot: Snapshot, text: str) -> tuple[git_objects.Match, ...]:
    found = git_objects.grep(snapshot.directory, snapshot.commit, text, limit=40)
    return tuple(one for one in found if not definitions.is_test(one.path))


def _scaled(one: Sighting, share: float) -> Sighting:
    weight = min(1.0, one.weight * share)
    return Sighting(one.path, one.line, weight, one.reason, one.span_ids, one.depth, one.exact)


def _text(failure: Failure) -> str:
    texts = [f"{one.type}: {one.message}" for one in failure.exceptions]
    return "\n".join([*texts, failure.error_text or ""])[:20_000]


def _headline(failure: Failure) -> str:
    for one in failure.exceptions:
        first = one.message.strip().split("\n")[0][:160]
        return f"{one.type}: {first}" if first else one.type
    said = (failure.error_text or "").strip().split("\n")[-1][:160]
    return said or f"span {failure.span.name!r} failed"
