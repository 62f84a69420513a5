"""What the scripted model says as a judge: it finds one kind of failure, by patterns, and says so.

It reads the numbered transcript in the request as a model would, and knows two ways of claiming
what a tool denied. For anything else it reports a pass. It is for the demo; real judging needs a
real model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sdk.demo.scripting import Call, ChatRequest, Reply, Rule

MODEL = "demo-judge"
TOOL = "report_verdict"
_FENCE = re.compile(r"^<<<(?P<fence>\S+)\n(?P<body>.*)^(?P=fence)>>>", re.DOTALL | re.MULTILINE)
_HEAD = re.compile(r"^\[(?P<number>\d+)\] (?P<kind>\w+) '", re.MULTILINE)
_OUTPUT = re.compile(r"^  output: (?P<text>.*?)(?=^  error: |\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    kind: str
    output: str


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """A tool's output that denies, and a later answer that claims it nevertheless."""

    denial: str
    claim: str
    summary: str


_CONTRADICTIONS = (
    _Contradiction(
        denial=r'"status": "refused".*?"reason": "[^"]*"',
        claim=r"your refund of .{1,80}? has been issued",
        summary="The agent said that the refund was issued, but the tool had refused it.",
    ),
    _Contradiction(
        denial=r"HTTP 404: the archive has no page for note-\d+",
        claim=r"[A-Z][^.\"\\]*\(note-31\)",
        summary="The writer cites a note that the crew could not open.",
    ),
)


def _judge(request: ChatRequest) -> Reply:
    steps = list(_steps(request.user))
    for contradiction in _CONTRADICTIONS:
        found = _find(contradiction, steps)
        if found:
            return _fail(contradiction, *found)
    arguments = {
        "outcome": "pass",
        "confidence": 0.6,
        "summary": "No result of a tool contradicts what the agent said.",
        "claims": [],
    }
    return Reply(calls=(Call(TOOL, arguments),))


def _steps(prompt: str) -> Iterator[_Step]:
    fenced = _FENCE.search(prompt)
    body = fenced["body"] if fenced else ""
    heads = list(_HEAD.finditer(body))
    ends = [head.start() for head in heads[1:]] + [len(body)]
    for head, end in zip(heads, ends, strict=False):
        part = body[head.start() : end]
        output = _OUTPUT.search(part)
        yield _Step(int(head["number"]), head["kind"], output["text"].strip() if output else "")


def _find(
    contradiction: _Contradiction, steps: list[_Step]
) -> tuple[tuple[int, str], tuple[int, str]] | None:
    """The quotes of denial and claim with their step numbers."""
    for tool in steps:
        denial = re.search(contradiction.denial, tool.output) if tool.kind == "tool" else None
        if denial is None:
            continue
        for answer in steps:
            if answer.kind != "llm" or answer.number < tool.number:
                continue
            claim = re.search(contradiction.claim, answer.output)
            if claim:
                return (tool.number, denial[0]), (answer.number, claim[0])
    return None


def _fail(contradiction: _Contradiction, denial: tuple[int, str], claim: tuple[int, str]) -> Reply:
    quotes = [
        {"step": number, "field": "output", "text": text[:300]} for number, text in (denial, claim)
    ]
    arguments = {
        "outcome": "fail",
        "confidence": 0.9,
        "summary": contradiction.summary,
        "claims": [{"claim": contradiction.summary, "quotes": quotes}],
    }
    return Reply(calls=(Call(TOOL, arguments),))


RULES = (Rule(_judge, tool=TOOL),)
