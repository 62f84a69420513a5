"""Quotes are held against the trace: found, re-anchored or refused."""

from __future__ import annotations

import json

from detectors.evidence import verify
from detectors.verdicts import Claim, Outcome, Proof, Verdict
from tests.detectors.traces import exception, span

SPANS = [
    span(1, "llm", input="Please refund   order 12", output="I have refunded €412.60 to your card"),
    span(2, name="refund", output=json.dumps({"note": 'state "refused"\nby the gateway'})),
    span(
        3,
        name="mail",
        status="error",
        status_message="550 mailbox full",
        attributes={"smtp.code": "550-5.2"},
    ),
    span(4, name="pay", status="error", events=[exception("CardError", "insufficient funds")]),
]


def fail_with(*proofs: Proof, outcome: Outcome = "fail") -> Verdict:
    return Verdict(outcome, "It failed.", claims=(Claim("It failed.", proofs),))


def quote(number: int, field: str, text: str) -> Proof:
    return Proof("quote", number.to_bytes(8, "big"), field, text)


def only(verdict: Verdict) -> Proof:
    [(_, proof)] = verdict.proofs()
    return proof


def test_a_quote_in_its_field_is_verified_whatever_its_white_space() -> None:
    proof = only(verify(fail_with(quote(1, "input", "refund order\n12")), SPANS))
    assert proof.is_verified


def test_a_quote_in_another_field_or_span_is_anchored_where_it_stands() -> None:
    proof = only(verify(fail_with(quote(2, "output", "refunded €412.60")), SPANS))
    assert (proof.span_id[-1], proof.field) == (1, "output")


def test_a_quote_from_within_json_is_found_in_its_escaped_form() -> None:
    assert only(verify(fail_with(quote(2, "output", 'state "refused"\nby the gateway')), SPANS))


def test_errors_events_and_attributes_are_searched_too() -> None:
    fields = [
        only(verify(fail_with(quote(3, "output", text)), SPANS)).field
        for text in ("550 mailbox full", "550-5.2", "insufficient funds")
    ]
    assert fields == ["error", "attribute", "event"]


def test_a_fail_whose_quotes_are_nowhere_becomes_abstain() -> None:
    verdict = verify(fail_with(quote(1, "output", "the refund was refused")), SPANS)
    assert verdict.outcome == "abstain"
    assert verdict.claims == ()
    assert "It failed." in verdict.summary


def test_an_empty_or_tiny_quote_proves_nothing() -> None:
    assert verify(fail_with(quote(1, "output", " a ")), SPANS).outcome == "abstain"


def test_only_the_claims_that_hold_are_kept() -> None:
    claims = (
        Claim("true", (quote(1, "output", "€412.60"),)),
        Claim("invented", (quote(1, "output", "€999.00"),)),
    )
    verdict = verify(Verdict("fail", "x", claims=claims), SPANS)
    assert [claim.text for claim in verdict.claims] == ["true"]
