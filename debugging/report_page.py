"""A session's outcome as the page shows it: numbered evidence, source with blame, diffs.

Reads the stored JSON only, so a report looks the same after its trace and repository are gone. All
text in it came from strangers; the only markup is what `source` makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from debugging import source
from debugging.report import BlamedBy

NEAR_LINES = 1
_HUNK_HEAD = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Proof:
    """A span that a reason rests on, with the number it has on the page."""

    number: int
    kind: str
    label: str
    quote: str
    url: str
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    text: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of source. `blame` is set on the first line of a run by the same commit."""

    number: int
    html: SafeString
    blame: BlamedBy | None
    is_culprit: bool
    is_failing: bool
    is_near: bool


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    line: int
    function: str
    score: float
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a patch; `mark` is + or - or empty, `old` and `new` are its line numbers."""

    old: int | None
    new: int | None
    mark: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class Change:
    sha: str
    author: str
    date: datetime
    subject: str
    score: float
    reasons: tuple[Reason, ...]
    path: str
    hunk_head: str
    diff: tuple[DiffLine, ...]
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    summary: str
    commit: str
    drift: str
    abstained: str
    repository: str
    repository_note: str
    proofs: tuple[Proof, ...]
    places: tuple[Place, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    frames: tuple[Mapping[str, Any], ...]


def build(outcome: Mapping[str, Any], project_id: UUID, trace_id: str) -> ReportPage:
    """`outcome` is what `outcomes.from_text` read."""
    report = outcome["report"]
    proofs = _number(outcome, project_id, trace_id)
    suspects = [one["sha"] for one in report["culprits"][:1]]
    return ReportPage(
        summary=report["summary"].removesuffix(report["drift"] or "").strip(),
        commit=report["commit"] or "",
        drift=report["drift"] or "",
        abstained=report["abstained"] or "",
        repository=outcome["repository"]["name"],
        repository_note=outcome["repository"]["note"],
        proofs=tuple(proofs.values()),
        places=tuple(_place(one, proofs, suspects) for one in report["locations"]),
        changes=tuple(_change(one, proofs) for one in report["culprits"]),
        notes=tuple(report["notes"]),
        frames=tuple(outcome["frames"]),
    )


def _number(outcome: Mapping[str, Any], project_id: UUID, trace_id: str) -> dict[str, Proof]:
    """Evidence in the order in which the page mentions it, then the failed spans that no reason
    names."""
    report, spans = outcome["report"], outcome["spans"]
    mentioned = [
        span_id
        for one in (*report["locations"], *report["culprits"])
        for reason in one["reasons"]
        for span_id in reason["span_ids"]
    ]
    trace = reverse("traces:trace", kwargs={"project_id": project_id, "trace_id": trace_id})
    known = [span_id for span_id in dict.fromkeys([*mentioned, *spans]) if span_id in spans]
    return {
        span_id: Proof(
            number,
            spans[span_id]["kind"],
            spans[span_id]["name"],
            spans[span_id]["error"],
            f"{trace}?span={span_id}",
        )
        for number, span_id in enumerate(known, 1)
    }


def _reasons(found: Iterable[Mapping[str, Any]], proofs: Mapping[str, Proof]) -> tuple[Reason, ...]:
    return tuple(
        Reason(one["text"], tuple(proofs[i] for i in one["span_ids"] if i in proofs))
        for one in found
    )


def _place(one: Mapping[str, Any], proofs: Mapping[str, Proof], suspects: Sequence[str]) -> Place:
    return Place(
        one["path"],
        one["line"],
        one["function"] or "",
        one["score"],
        _reasons(one["reasons"], proofs),
        _lines(one["path"], one["line"], one["excerpt"], suspects),
    )


def _lines(
    path: str, failing: int, excerpt: Sequence[Mapping[str, Any]], suspects: Sequence[str]
) -> tuple[Line, ...]:
    if excerpt and not excerpt[-1]["text"] and excerpt[-1]["blame"] is None:
        excerpt = excerpt[:-1]  # what follows the last line break of a file is no line
    if not excerpt:
        return ()
    before = excerpt[0]["number"] - 1
    blame = {
        row["number"] - before: _blamed(row["blame"]) for row in excerpt if row["blame"] is not None
    }
    view = source.show("\n".join([*(row["text"] for row in excerpt), ""]), path, blame=blame)
    return tuple(
        Line(
            row.number + before,
            _markup(row.html),
            row.blame if row.first_of_blame else None,
            row.blame is not None and row.blame.sha in suspects,
            row.number + before == failing,
            0 < abs(row.number + before - failing) <= NEAR_LINES,
        )
        for row in view.lines
    )


def _change(one: Mapping[str, Any], proofs: Mapping[str, Proof]) -> Change:
    head, diff = _diff(one["hunk"] or "", one["path"] or "")
    return Change(
        one["sha"],
        one["author"],
        datetime.fromisoformat(one["date"]),
        one["subject"],
        one["score"],
        _reasons(one["reasons"], proofs),
        one["path"] or "",
        head,
        diff,
        sum(row.mark == "+" for row in diff),
        sum(row.mark == "-" for row in diff),
    )


def _diff(hunk: str, path: str) -> tuple[str, tuple[DiffLine, ...]]:
    rows = hunk.split("\n")
    head = _HUNK_HEAD.match(rows[0])
    if head is None:
        return "", ()
    body = [row for row in rows[1:] if row and row[0] in " +-"]
    view = source.show("\n".join([*(row[1:] for row in body), ""]), path)
    old, new = int(head.group(1)), int(head.group(2))
    found = []
    for row, shown in zip(body, view.lines, strict=False):
        mark = row[0].strip()
        found.append(
            DiffLine(
                None if mark == "+" else old,
                None if mark == "-" else new,
                mark,
                _markup(shown.html),
            )
        )
        old, new = old + (mark != "+"), new + (mark != "-")
    return rows[0], tuple(found)


def _blamed(by: Mapping[str, Any]) -> BlamedBy:
    return BlamedBy(by["sha"], by["author"], datetime.fromisoformat(by["date"]), by["subject"])


def _markup(text: str) -> SafeString:
    """Text of `source.show` only: it has escaped everything that is not its own."""
    return mark_safe(text)
