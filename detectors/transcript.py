"""A trace as text for a judge: numbered steps within a budget, fenced as untrusted data.

Whatever is left out is said (values cut in the middle, history repeated from an earlier step, steps
reduced to one line, machinery without content), so that a judge never takes our cut for the agent's
silence.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traces.admission.infrastructure import is_infrastructure
from traces.spans import Span

BUDGET_CHARS = 60_000
_VALUE_CHARS = (6_000, 3_000, 1_500, 700, 350)
_LINE_CHARS = 160


@dataclass(frozen=True, slots=True)
class Transcript:
    """`span_ids[n - 1]` is the span of step n. `notes` say what was cut."""

    text: str
    span_ids: tuple[bytes, ...]
    notes: tuple[str, ...]
    fence: str

    def span_of(self, step: int) -> bytes | None:
        return self.span_ids[step - 1] if 1 <= step <= len(self.span_ids) else None


@dataclass(frozen=True, slots=True)
class _Step:
    """A span's texts before cutting; `note` says which history was left out of its input."""

    number: int
    head: str
    input: str
    output: str
    error: str
    note: str


def write(spans: Sequence[Span], *, budget_chars: int = BUDGET_CHARS) -> Transcript:
    """Steps in order of start. The fence is random, so no text of the trace can close it."""
    fence = f"TRACE-{secrets.token_hex(8)}"
    told, parents = _without_machinery(spans)
    body, notes = _fit(_steps(told, parents), budget_chars)
    if hidden := len(spans) - len(told):
        which = "1 span" if hidden == 1 else f"{hidden:,} spans"
        notes = (f"{which} of HTTP, databases, RPC or queues, without content or error.", *notes)
    lines = [f"<<<{fence}", *body, f"{fence}>>>"]
    if notes:
        lines.append("Left out of the data above: " + " ".join(notes))
    return Transcript("\n".join(lines), tuple(span.span_id for span in told), notes, fence)


def _without_machinery(spans: Sequence[Span]) -> tuple[list[Span], dict[bytes, bytes]]:
    """The spans that tell something, and of each the next one above it that does."""
    hidden = {
        span.span_id: span.parent_span_id
        for span in spans
        if is_infrastructure(span) and not _error(span)
    }
    told = [span for span in spans if span.span_id not in hidden]
    if not told:
        return list(spans), {span.span_id: span.parent_span_id for span in spans}
    parents = {}
    for span in told:
        above, seen = span.parent_span_id, set[bytes]()
        while above in hidden and above not in seen:
            seen.add(above)
            above = hidden[above]
        parents[span.span_id] = above
    return told, parents


def _steps(spans: Sequence[Span], parents: Mapping[bytes, bytes]) -> list[_Step]:
    numbers = {span.span_id: number for number, span in enumerate(spans, 1)}
    histories: dict[bytes, tuple[int, list[str]]] = {}
    steps = []
    for number, span in enumerate(spans, 1):
        shown, note = span.input, ""
        if span.kind == "llm":
            shown, note = _new_messages(span, number, histories)
        parent = numbers.get(parents[span.span_id])
        steps.append(
            _Step(
                number=number,
                head=_head(span, number, parent),
                input=shown,
                output=span.output,
                error=_error(span),
                note=note,
            )
        )
    return steps


def _head(span: Span, number: int, parent: int | None) -> str:
    name = span.tool_name or span.agent_name or span.name
    parts = [f"[{number}] {span.kind} {name!r}"]
    if span.model:
        parts.append(f"model {span.model}")
    parts.append(f"status {span.status}" if span.end_ns else "still running")
    if span.duration_ns:
        parts.append(f"{span.duration_ns / 1e9:.1f} s")
    if parent is not None:
        parts.append(f"inside step {parent}")
    return ", ".join(parts)


def _error(span: Span) -> str:
    texts = [span.error_type, span.error_message]
    for event in span.events:
        if event.name == "exception":
            texts.extend(
                str(event.attributes.get(f"exception.{key}") or "")
                for key in ("type", "message", "stacktrace")
            )
    if span.status == "error":
        texts.append(span.status_message)
    kept: list[str] = []
    for text in texts:
        if text and not any(text in earlier for earlier in kept):
            kept.append(text)
    return "\n".join(kept)


def _new_messages(
    span: Span, number: int, histories: dict[bytes, tuple[int, list[str]]]
) -> tuple[str, str]:
    """Only the messages that the last model call under the same parent did not already have."""
    try:
        messages = json.loads(span.input) if span.input.lstrip()[:1] == "[" else None
    except (ValueError, RecursionError):
        messages = None
    if not isinstance(messages, list):
        return span.input, ""
    texts = [json.dumps(message, ensure_ascii=False) for message in messages]
    earlier = histories.get(span.parent_span_id)
    histories[span.parent_span_id] = (number, texts)
    if earlier is None:
        return span.input, ""
    step, before = earlier
    same = 0
    for old, new in zip(before, texts, strict=False):
        if old != new:
            break
        same += 1
    if same == 0:
        return span.input, ""
    words = "message is the same as" if same == 1 else "messages are the same as"
    return "\n".join(texts[same:]), f"(the first {same} {words} in step {step})"


def _fit(steps: Sequence[_Step], budget: int) -> tuple[list[str], tuple[str, ...]]:
    """The largest value length that fits the budget; failing all, the middle steps as one line
    each."""
    for limit in _VALUE_CHARS:
        body, cut = _render(steps, limit)
        if sum(len(line) + 1 for line in body) <= budget:
            note = f"{cut} values are cut in the middle to {limit:,} characters, where it says so."
            return body, (note,) if cut else ()
    return _fit_lines(steps, budget, _VALUE_CHARS[-1])


def _fit_lines(
    steps: Sequence[_Step], budget: int, limit: int
) -> tuple[list[str], tuple[str, ...]]:
    whole: dict[int, list[str]] = {}
    spent = sum(min(len(step.head), _LINE_CHARS) + 1 for step in steps)
    for step in _by_weight(steps):
        lines, _ = _render_step(step, limit)
        size = sum(len(line) + 1 for line in lines)
        if spent + size > budget and whole:
            continue
        whole[step.number] = lines
        spent += size
    body: list[str] = []
    skipped: list[int] = []
    used = 0
    for step in steps:
        lines = whole.get(step.number) or [step.head[:_LINE_CHARS]]
        used += sum(len(line) + 1 for line in lines)
        if used > budget and step.number not in whole:
            skipped.append(step.number)
            continue
        body.extend(lines)
    short = len(steps) - len(whole) - len(skipped)
    notes = [
        f"Values are cut to {limit:,} characters. "
        f"{short} of {len(steps)} steps show only their first line."
    ]
    if skipped:
        notes.append(
            f"Steps {skipped[0]} to {skipped[-1]} include {len(skipped)} that are not shown at all."
        )
    return body, tuple(notes)


def _by_weight(steps: Sequence[_Step]) -> list[_Step]:
    """What a judge needs first: failures, then the beginning and the end, then the middle."""
    middle = len(steps) / 2
    return sorted(steps, key=lambda step: (not step.error, -abs(step.number - middle)))


def _render(steps: Sequence[_Step], limit: int) -> tuple[list[str], int]:
    body: list[str] = []
    cut = 0
    for step in steps:
        lines, count = _render_step(step, limit)
        body.extend(lines)
        cut += count
    return body, cut


def _render_step(step: _Step, limit: int) -> tuple[list[str], int]:
    lines = [step.head]
    cut = 0
    for label, value in (("input", step.input), ("output", step.output), ("error", step.error)):
        if label == "input" and step.note:
            lines.append(f"  {step.note}")
        if not value:
            continue
        shown = shorten(value, limit)
        cut += shown is not value
        # Indented, so that no value can pass for the head of a step.
        lines.append(f"  {label}: " + shown.replace("\n", "\n    "))
    return lines, cut


def shorten(text: str, limit: int) -> str:
    """Cut in the middle, saying how much; the end of a value tells as much as its beginning."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return f"{text[:head]} […{len(text) - limit:,} characters cut…] {text[-tail:]}"
