"""Reads what a judge answered, strictly: the schema it is given and the parser that trusts nothing.

A step number becomes a span id here; a quote that names no step keeps an empty id and has to be
found by `evidence`. What does not fit the schema raises BadVerdict with a sentence for the repair
attempt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from detectors.transcript import Transcript
from detectors.verdicts import FIELDS, QUOTE_CHARS, SUMMARY_CHARS, Claim, Outcome, Proof, Verdict

TOOL_NAME = "report_verdict"
MAX_CLAIMS = 10
MAX_QUOTES = 8
_OUTCOMES = ("pass", "warn", "fail", "abstain")
_FENCED = re.compile(r"```(?:json)?\s*(\{.*?\})\s*```", re.DOTALL)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["outcome", "confidence", "summary", "claims"],
    "properties": {
        "outcome": {"type": "string", "enum": list(_OUTCOMES)},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "summary": {
            "type": "string",
            "description": "One sentence: what went wrong, or that nothing did.",
        },
        "claims": {
            "type": "array",
            "description": "Each thing that is wrong, with its proof. Empty for pass and abstain.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["claim", "quotes"],
                "properties": {
                    "claim": {"type": "string"},
                    "quotes": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["step", "field", "text"],
                            "properties": {
                                "step": {
                                    "type": "integer",
                                    "description": "Number of the step, as in [12].",
                                },
                                "field": {"type": "string", "enum": ["input", "output", "error"]},
                                "text": {
                                    "type": "string",
                                    "description": "Copied character by character; at most 300.",
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": TOOL_NAME,
        "description": "Report the verdict on the trace. Call it exactly once.",
        "parameters": SCHEMA,
    },
}


class BadVerdict(ValueError):
    """The answer is no verdict; the text says what is wrong with it."""


def parse(arguments: str, transcript: Transcript) -> Verdict:
    """The verdict of a tool call's arguments or of JSON in a text answer. Raises BadVerdict."""
    value = _object(arguments)
    outcome = value.get("outcome")
    if outcome not in _OUTCOMES:
        raise BadVerdict(f"`outcome` must be one of {', '.join(_OUTCOMES)}, not {_shown(outcome)}.")
    summary = value.get("summary")
    if not isinstance(summary, str) or not summary.strip():
        raise BadVerdict("`summary` must be one sentence of text.")
    raw_claims = value.get("claims", [])
    if not isinstance(raw_claims, list):
        raise BadVerdict("`claims` must be a list.")
    claims = tuple(_claim(raw, transcript) for raw in raw_claims[:MAX_CLAIMS])
    if outcome in ("warn", "fail") and not claims:
        raise BadVerdict(f"An outcome of {outcome} needs at least one claim with quotes.")
    return Verdict(
        outcome=cast(Outcome, outcome),
        summary=_clean(summary)[:SUMMARY_CHARS],
        confidence=_confidence(value.get("confidence")),
        claims=claims,
    )


def _object(text: str) -> Mapping[str, Any]:
    fenced = _FENCED.search(text)
    start, end = text.find("{"), text.rfind("}")
    for candidate in (
        text,
        fenced[1] if fenced else "",
        text[start : end + 1] if start >= 0 else "",
    ):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    raise BadVerdict("The answer is not a JSON object.")


def _confidence(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadVerdict(f"`confidence` must be a number from 0 to 1, not {_shown(value)}.")
    return float(value)


def _claim(raw: object, transcript: Transcript) -> Claim:
    if not isinstance(raw, dict):
        raise BadVerdict("Each of `claims` must be an object with `claim` and `quotes`.")
    text, quotes = raw.get("claim"), raw.get("quotes")
    if not isinstance(text, str) or not text.strip():
        raise BadVerdict("Each claim needs its text in `claim`.")
    if not isinstance(quotes, list):
        raise BadVerdict("`quotes` of a claim must be a list.")
    return Claim(
        _clean(text)[:SUMMARY_CHARS],
        tuple(_quote(quote, transcript) for quote in quotes[:MAX_QUOTES]),
    )


def _quote(raw: object, transcript: Transcript) -> Proof:
    if not isinstance(raw, dict):
        raise BadVerdict("Each of `quotes` must be an object with `step`, `field` and `text`.")
    text, field, step = raw.get("text"), raw.get("field"), raw.get("step")
    if not isinstance(text, str):
        raise BadVerdict("`text` of a quote must be text.")
    if not isinstance(step, int) or isinstance(step, bool):
        raise BadVerdict(f"`step` of a quote must be the number of a step, not {_shown(step)}.")
    span_id = transcript.span_of(step) or b""
    named = field if isinstance(field, str) and field in FIELDS else "output"
    return Proof("quote", span_id, named, _clean(text)[:QUOTE_CHARS])


def _clean(text: str) -> str:
    """PostgreSQL refuses U+0000 in text."""
    return text.replace("\0", "").strip()


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:80]
