"""Holds every quote against the trace: what is not there is no evidence.

A quote counts when its text stands in the named field of the named span, white space aside; else in
another field of that span, else in another span (it is then re-anchored there); else it is dropped.
What a model says it saw is never taken on trust.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectors.verdicts import FIELDS, Claim, Proof, Verdict
from traces.spans import Span

MIN_QUOTE_CHARS = 3
_SPACE = re.compile(r"\s+")


class TraceText:
    """The searchable text of a trace's spans by field, made when first asked for."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = {span.span_id: span for span in spans}
        self._texts: dict[tuple[bytes, str], str] = {}

    def find(self, proof: Proof) -> Proof | None:
        """The quote where it really stands, marked verified; None when it stands nowhere."""
        forms = _forms(proof.text)
        if not forms:
            return None
        for span_id in self._likely_spans(proof.span_id):
            for field in _likely_fields(proof.field):
                text = self._text(span_id, field)
                if text and any(form in text for form in forms):
                    return replace(proof, span_id=span_id, field=field, is_verified=True)
        return None

    def _likely_spans(self, first: bytes) -> Iterable[bytes]:
        if first in self._spans:
            yield first
        for span_id in self._spans:
            if span_id != first:
                yield span_id

    def _text(self, span_id: bytes, field: str) -> str:
        key = (span_id, field)
        if key not in self._texts:
            self._texts[key] = _normal(_field_text(self._spans[span_id], field))
        return self._texts[key]


def verify(verdict: Verdict, spans: Sequence[Span]) -> Verdict:
    """The verdict with only what holds. A warn or fail left without evidence becomes abstain."""
    trace = TraceText(spans)
    claims = tuple(kept for claim in verdict.claims if (kept := _verify_claim(claim, trace)))
    if verdict.outcome not in ("warn", "fail"):
        return replace(verdict, claims=claims)
    if claims:
        return replace(verdict, claims=claims)
    return replace(
        verdict,
        outcome="abstain",
        claims=(),
        summary=f"No evidence of this was found in the trace: {verdict.summary}"[:500],
    )


def _verify_claim(claim: Claim, trace: TraceText) -> Claim | None:
    """Without a proof that holds there is no claim. Aggregates come from our own checks only."""
    proofs = []
    for proof in claim.proofs:
        if proof.kind != "quote":
            proofs.append(proof)
            continue
        found = trace.find(proof)
        if found is not None:
            proofs.append(found)
    return Claim(claim.text, tuple(proofs)) if proofs else None


def _likely_fields(first: str) -> Iterable[str]:
    if first in FIELDS:
        yield first
    for field in FIELDS:
        if field != first:
            yield field


def _forms(quote: str) -> tuple[str, ...]:
    """The quote, and as it would stand inside JSON, once and twice escaped, or taken out of it."""
    quote = quote.strip()
    if len(quote) < MIN_QUOTE_CHARS:
        return ()
    forms = [quote]
    inner = quote
    for _ in range(2):
        inner = json.dumps(inner, ensure_ascii=False)[1:-1]
        forms.append(inner)
    forms.append(json.dumps(quote)[1:-1])
    return tuple(dict.fromkeys(_normal(form) for form in forms))


def _normal(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def _field_text(span: Span, field: str) -> str:
    if field == "input":
        return span.input
    if field == "output":
        return span.output
    if field == "error":
        return "\n".join(
            part for part in (span.error_type, span.error_message, span.status_message) if part
        )
    if field == "event":
        return "\n".join(
            "\n".join([event.name, *(_plain(value) for value in event.attributes.values())])
            for event in span.events
        )
    return "\n".join(f"{key} {_plain(value)}" for key, value in span.attributes.items())


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)
