"""Loops of equal calls, and what only looks like one."""

from __future__ import annotations

from detectors.checks.repeated_call import RepeatedCall, canonical
from detectors.evidence import verify
from detectors.verdicts import Verdict
from tests.detectors.traces import span
from traces.spans import Span


def judge(*spans: Span, times: object = 3) -> Verdict:
    return verify(RepeatedCall().examine(spans, {"times": times}), spans)


def test_three_equal_calls_with_equal_answers_are_counted_and_quoted() -> None:
    spans = [
        span(1, name="search", input='{"q": "a", "n": 1}', output="no results"),
        span(2, name="search", input='{"n": 1, "q": "a"}', output="no results"),
        span(3, name="search", input='{ "q":"a", "n":1 }', output="no results"),
    ]
    verdict = judge(*spans)
    assert verdict.outcome == "fail"
    proofs = [proof for _, proof in verdict.proofs()]
    assert proofs[0].kind == "aggregate"
    assert proofs[0].text == "search: 3 equal calls"
    assert all(proof.is_verified for proof in proofs)
    assert len(proofs) == 4


def test_two_equal_calls_are_allowed() -> None:
    assert (
        judge(*[span(n, name="s", input='{"q": 1}', output="x") for n in (1, 2)]).outcome == "pass"
    )


def test_polling_whose_answer_changes_is_not_a_loop() -> None:
    states = ["queued", "running", "running", "done"]
    spans = [
        span(n, name="job", input='{"id": 1}', output=state) for n, state in enumerate(states, 1)
    ]
    assert judge(*spans).outcome == "pass"


def test_other_arguments_are_other_calls() -> None:
    spans = [span(n, name="s", input=f'{{"page": {n}}}', output="x") for n in range(1, 6)]
    assert judge(*spans).outcome == "pass"


def test_calls_without_recorded_arguments_are_not_held_equal() -> None:
    assert judge(*[span(n, name="s", output="x") for n in range(1, 6)]).outcome == "pass"


def test_one_call_recorded_by_two_instrumentations_counts_once() -> None:
    spans = []
    for number in (1, 3):
        spans.append(span(number, name="s", input="{}", output="x"))
        spans.append(span(number + 1, name="s", input="{}", output="x", parent=number))
    assert judge(*spans).outcome == "pass"


def test_the_number_of_times_is_configurable_and_nonsense_is_ignored() -> None:
    spans = [span(n, name="s", input="{}", output="x") for n in (1, 2)]
    assert judge(*spans, times=2).outcome == "fail"
    assert judge(*spans, times="many").outcome == "pass"


def test_arguments_that_are_not_json_are_compared_without_white_space() -> None:
    assert canonical("a  b\nc") == "a b c"
    assert canonical('{"b":1,"a":[2]}') == '{"a":[2],"b":1}'
