"""What a detector says about one trace: outcome, claims and the proof of each claim.

Checks and judges give the same shape, so that everything after them (evidence, findings, alerts,
pages) knows one thing. Nothing here reads a trace or a database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Outcome = Literal["pass", "warn", "fail", "abstain", "skipped", "superseded"]
EvidenceKind = Literal["quote", "absence", "aggregate"]
FIELDS = ("input", "output", "error", "event", "attribute")

SUMMARY_CHARS = 500
QUOTE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence. A quote's `text` stands verbatim in `field` of the span.

    For an aggregate or an absence `text` states what the server itself counted or did not find.
    """

    kind: EvidenceKind
    span_id: bytes
    field: str
    text: str
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a model call cost; `cost_usd` is None when the price of the model is unknown."""

    cost_usd: Decimal | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Spent(
            cost_usd=sum(costs, Decimal(0)) if costs else None,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fingerprint_parts` are what makes two failures the same failure (see `fingerprints`)."""

    outcome: Outcome
    summary: str
    confidence: float = 1.0
    claims: tuple[Claim, ...] = ()
    fingerprint_parts: tuple[str, ...] = ()
    spent: Spent = Spent()

    def proofs(self) -> Iterator[tuple[Claim, Proof]]:
        for claim in self.claims:
            for proof in claim.proofs:
                yield claim, proof

    @property
    def span_id(self) -> bytes:
        """The span that the verdict is about: that of its first proof."""
        return next((proof.span_id for _, proof in self.proofs()), b"")
