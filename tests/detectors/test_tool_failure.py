"""A failed tool call that nothing made good, and the many that are none."""

from __future__ import annotations

import json

from detectors.checks.tool_failure import ToolFailure
from detectors.evidence import verify
from detectors.verdicts import Verdict
from tests.detectors.traces import exception, span
from traces.spans import Span


def judge(*spans: Span) -> Verdict:
    return verify(ToolFailure().examine(spans, {}), spans)


def test_an_exception_that_ends_a_tool_is_quoted_verbatim() -> None:
    message = "fare_not_refundable: BASIC fares cannot be refunded"
    verdict = judge(
        span(1, "agent"),
        span(
            2, name="refund", status="error", parent=1, events=[exception("GatewayError", message)]
        ),
    )
    assert verdict.outcome == "fail"
    [(_, proof)] = verdict.proofs()
    assert (proof.text, proof.field, proof.is_verified) == (message, "event", True)
    assert verdict.span_id == (2).to_bytes(8, "big")
    assert "refund" in verdict.summary


def test_an_error_result_under_status_ok_is_a_failure() -> None:
    verdict = judge(span(1, name="lookup", output='{"error": "no such booking"}'))
    assert verdict.outcome == "fail"
    [(_, proof)] = verdict.proofs()
    assert (proof.field, proof.text) == ("output", "no such booking")


def test_status_error_without_any_text_is_still_a_failure() -> None:
    assert judge(span(1, name="lookup", status="error")).outcome == "fail"


def test_a_later_success_of_the_same_tool_recovers() -> None:
    verdict = judge(
        span(1, name="search", input='{"q": "a"}', status="error", status_message="timeout"),
        span(2, name="search", input='{"q": "a"}', output="3 hits"),
    )
    assert verdict.outcome == "pass"
    assert "recovered" in verdict.summary


def test_an_earlier_success_does_not_recover() -> None:
    verdict = judge(
        span(1, name="search", output="3 hits"),
        span(2, name="search", status="error", status_message="timeout"),
    )
    assert verdict.outcome == "fail"


def test_success_for_another_customer_does_not_recover() -> None:
    def refund(number: int, order: str, **fields: object) -> Span:
        arguments = json.dumps({"order_id": order})
        return span(number, name="refund", input=arguments, **fields)  # type: ignore[arg-type]

    declined = {"status": "error", "status_message": "card declined"}
    verdict = judge(refund(1, "A1", **declined), refund(2, "B2", output="refunded"))
    assert verdict.outcome == "fail"


def test_a_corrected_id_recovers() -> None:
    verdict = judge(
        span(1, name="order", input='{"order_id": "ORD-1"}', output="Error: order ORD-1 not found"),
        span(2, name="order", input='{"order_id": "1"}', output='{"id": "1", "total": 3}'),
    )
    assert verdict.outcome == "pass"


def test_another_tool_does_not_recover() -> None:
    verdict = judge(
        span(1, name="refund", status="error", status_message="refused"),
        span(2, name="send_email", output="sent"),
    )
    assert verdict.outcome == "fail"


def test_a_failure_inside_a_tool_that_coped_is_no_finding() -> None:
    verdict = judge(
        span(1, name="fetch", output="page"),
        span(2, name="http_get", parent=1, status="error", status_message="503"),
    )
    assert verdict.outcome == "pass"


def test_nested_failures_are_reported_once_at_the_outer_tool() -> None:
    verdict = judge(
        span(1, name="fetch", status="error", status_message="gave up"),
        span(2, name="http_get", parent=1, status="error", status_message="503"),
    )
    assert verdict.outcome == "fail"
    assert [proof.span_id[-1] for _, proof in verdict.proofs()] == [1]


def test_an_exception_event_on_a_tool_that_ended_well_is_no_failure() -> None:
    events = [exception("ReadTimeout", "first try")]
    assert judge(span(1, name="fetch", output="page", events=events)).outcome == "pass"


def test_errors_that_only_messages_report_are_found() -> None:
    history = [
        {"role": "user", "content": "refund me"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "function": {"name": "refund", "arguments": '{"order_id": "A"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Error: gateway refused the refund"},
    ]
    verdict = judge(
        span(1, "llm", input=json.dumps(history)),
        span(2, "llm", input=json.dumps([*history, {"role": "assistant", "content": "Done!"}])),
    )
    assert verdict.outcome == "fail"
    [(_, proof)] = verdict.proofs()
    assert proof.text == "Error: gateway refused the refund"
    assert proof.is_verified
    assert verdict.summary.startswith("refund failed")


def test_errors_in_gen_ai_parts_are_found_and_recovered_ones_are_not() -> None:
    def result(call_id: str, text: str) -> dict[str, object]:
        part = {"type": "tool_call_response", "id": call_id, "response": text}
        return {"role": "tool", "parts": [part]}

    def call(call_id: str) -> dict[str, object]:
        part = {"type": "tool_call", "id": call_id, "name": "book", "arguments": {"n": 1}}
        return {"role": "assistant", "parts": [part]}

    failed = [call("1"), result("1", "Error: sold out")]
    assert judge(span(1, "llm", input=json.dumps(failed))).outcome == "fail"
    again = [*failed, call("2"), result("2", "booked")]
    assert judge(span(1, "llm", input=json.dumps(again))).outcome == "pass"


def test_messages_are_not_read_when_tools_have_their_own_spans() -> None:
    history = json.dumps([{"role": "tool", "tool_call_id": "1", "content": "Error: x"}])
    verdict = judge(span(1, "llm", input=history), span(2, name="book", output="ok"))
    assert verdict.outcome == "pass"


def test_a_trace_without_tools_passes_and_says_why() -> None:
    assert judge(span(1, "llm", output="hello")).summary == "The trace has no tool calls."


def test_a_cycle_of_parents_ends() -> None:
    verdict = judge(span(1, name="a", status="error", parent=2), span(2, "agent", parent=1))
    assert verdict.outcome == "fail"
