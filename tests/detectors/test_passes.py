"""What a check passes without reading the trace it would have passed after reading it, always."""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as some

from detectors.checks.error_results import find_error
from detectors.checks.registry import CHECKS
from detectors.evidence import verify
from tests.detectors.traces import exception, recorded_runs, span, store_trace
from traces import call_facts, settle
from traces.call_facts import CallFacts
from traces.spans import Span
from traces.store import client, writer
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader
from traces.store.system import SystemReader

pytestmark = pytest.mark.usefixtures("store")

# Every form that is taken for an error, and what surrounds them in the wild.
ERRORS = (
    "Error: no such order",
    "error [E42] broken",
    "Tool error: x",
    "validation error (7): bad",
    "Error code 12",
    "error 500",
    "failure while reading",
    "Exception occurred",
    "An unexpected error has occurred",
    "an  internal exception occurred",
    "Tool call failed: x",
    "tool execution timed out",
    "failed to fetch",
    "fatal: not a git repository",
    "bash: gti: command not found",
    "The request timed out",
    "connection has timed out",
    "Traceback (most recent call last):\n  File x\nKeyError: 'JPY'",
    "HTTP 404 Not Found",
    "https error 503",
    "404 client error",
    "<tool_use_error>no</tool_use_error>",
    "<error>x</error>",
    "requests.exceptions.ReadTimeout: slow",
    "ToolException('x')",
    "KeyboardInterrupt: stop",
    "exit code: 1",
    "Exit status 2",
    "returncode=3",
    "return code 4",
    "process exited with code 5",
    "it printed\nTraceback (most recent call last):\n  File y\nValueError: z",
    '{"is_error": true}',
    '{"isError": true, "content": "x"}',
    '{"error": "x"}',
    '{"errors": [1]}',
    '{"exception": {"message": "x"}}',
    '{"success": false, "message": "x"}',
    '{"ok":false,"reason":"x"}',
    '{"isSuccess" : false, "detail": "x"}',
    '{"status_code": 404}',
    '{"httpStatus": "503"}',
    '{"code": 400, "message": "x"}',
    '{"code": "٤٠٤", "http_status": "٤٠٤"}',
    '{"status": "failed"}',
    '{"status": "FAILURE", "reason": "x"}',
    '{"type": "error", "message": "x"}',
    '{"result": "Error: x"}',
    '{"content": [{"type": "text", "text": "exit code: 1"}]}',
    '[{"text": "{\\"status_code\\": 500}"}]',
    '"Error: quoted"',
    '{"output": "{\\"success\\":\\n false, \\"message\\": \\"x\\"}"}',
    '{"\\u0065rror": "x"}',
    '{"response": {"error": null, "is_error": true}}',
    '{"error": null, "errors": ["x"]}',
)
LEADS = ("", "  \n", "\u00a0", '["', "('", "\x1c", "\u2003 ")
WORDS = some.text(
    some.sampled_from(" \n\t\u00a0\"'{}[]()<>:=,.\\/-_aeiırſKıİ045é") | some.characters(),
    max_size=6,
)


def stored(outputs: list[str]) -> list[bool]:
    """What the store noted of tools that returned these."""
    project_id = uuid.uuid4()
    spans = [
        replace(span(number, name="t", output=output), project_id=project_id, trace_id=TRACE_ID)
        for number, output in enumerate(outputs, 1)
    ]
    writer.store(spans, [0] * len(spans))
    found = client.query(
        "SELECT span_id, may_have_failed FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    noted = {row["span_id"]: row["may_have_failed"] for row in found}
    return [bool(noted[one.span_id]) for one in spans]


TRACE_ID = bytes(range(1, 17))


def test_every_form_of_an_error_is_noted() -> None:
    outputs = [lead + error for lead, error in itertools.product(LEADS, ERRORS)]
    recognised = [output for output in outputs if find_error(output) is not None]
    assert {error for error in ERRORS if find_error(error) is not None} == set(ERRORS)
    assert all(stored(recognised))


def test_ordinary_answers_are_not() -> None:
    answers = [
        "No results found.",
        '{"orders": [], "error": null}',
        '{"is_error": false, "text": "sent"}',
        '{"status": "shipped", "code": "A12"}',
        "The customer returned the parcel and asked for an exchange.",
        "https://example.com/a page",
        "",
    ]
    assert not any(find_error(answer) for answer in answers)
    assert not any(stored(answers))


@budget(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(some.lists(some.tuples(WORDS, some.sampled_from(ERRORS), WORDS), min_size=100, max_size=200))
def test_no_error_is_overlooked_whatever_stands_around_it(
    parts: list[tuple[str, str, str]],
) -> None:
    outputs = [clean("".join(part)) for part in parts]
    recognised = [output for output in outputs if find_error(output) is not None]
    noted = stored(recognised)
    assert not [one for one, is_noted in zip(recognised, noted, strict=True) if not is_noted]


def clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def facts(project_id: uuid.UUID, trace_ids: list[bytes]) -> dict[bytes, CallFacts]:
    reader = SystemReader()
    keys = reader.unsettled_keys(lookback_seconds=3600, quiet_seconds=0, limit=100_000)
    wanted = [one for one in keys if one.project_id == project_id and one.trace_id in trace_ids]
    quiet = reader.unsettled(wanted, settle._patience())
    return {one.trace_id: call_facts.of(one) for one in reader.spans_of(quiet)}


def told(*results: str) -> str:
    """Messages of a framework without tool spans."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    for number, result in enumerate(results):
        call = {"id": f"c{number}", "function": {"name": "look", "arguments": '{"a": 1}'}}
        messages += [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": result},
        ]
    return json.dumps(messages)


def same(times: int, answer: str = "same") -> list[Span]:
    return [span(n, name="look", input='{"a": 1}', output=answer) for n in range(1, times + 1)]


FAILING = {
    "status": [span(1, name="t", status="error")],
    "exception": [span(1, name="t", status="unset", events=[exception("KeyError", "x")])],
    "retriever": [span(1, "retriever", output="Error: down")],
    "result": [span(1, name="t", output='{"error": "x"}')],
    "told": [span(1, "llm", input=told("Error: down"))],
    "told in output": [span(1, "agent", output=told("Error: down"))],
    "repeated": same(3),
    "repeated with other space": [
        span(1, name="look", input='{"a": 1}', output="the  same\nanswer"),
        span(2, name="look", input='{ "a":1 }', output="the same answer "),
        span(3, name="look", input='{"a": 1}', output="\tthe same answer"),
    ],
    "repeated, told": [span(1, "llm", input=told("a", "a", "a"))],
    "repeated, long": same(3, "word " * 5_000),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_is_never_passed_at_once(name: str) -> None:
    project_id = uuid.uuid4()
    trace_id = store_trace(project_id, FAILING[name])
    found = facts(project_id, [trace_id])[trace_id]
    failing = [check for check in CHECKS if check.examine(FAILING[name], {}).outcome == "fail"]
    assert failing
    assert [check.slug for check in failing if check.passes(found, {})] == []


def test_a_sound_trace_is_passed_at_once_by_every_check() -> None:
    project_id = uuid.uuid4()
    sound = [span(1, "agent"), *[replace(one, parent_span_id=b"\0" * 7 + b"\1") for one in same(2)]]
    sound[1] = replace(sound[1], span_id=b"\0" * 7 + b"\7")
    trace_id = store_trace(project_id, sound)
    found = facts(project_id, [trace_id])[trace_id]
    assert all(check.passes(found, {}) for check in CHECKS)
    assert all(check.passes(found, {}) == check.examine(sound, {}).summary for check in CHECKS[1:])


def test_calls_that_are_equal_count_by_the_detectors_own_number() -> None:
    repeated = next(check for check in CHECKS if check.slug == "repeated_call")
    two = CallFacts(failed=0, equal=2, has_told=False)
    assert repeated.passes(two, {})
    assert not repeated.passes(two, {"times": 2})


@pytest.mark.parametrize("recording", ["airline-support", "research-crew"])
def test_recorded_runs_with_findings_are_read_and_give_the_same(
    shared: Path, recording: str
) -> None:
    project_id = uuid.uuid4()
    runs = {store_trace(project_id, spans): spans for spans in recorded_runs(shared, recording)}
    known = facts(project_id, list(runs))
    ready = SpanReader(project_id).call_spans(list(runs))
    read = 0
    for trace_id, spans in runs.items():
        for check in CHECKS:
            whole = verify(check.examine(spans, {}), spans)
            if check.passes(known[trace_id], {}):
                assert whole.outcome == "pass"
                continue
            read += 1
            some_of_it = ready[trace_id]
            verdict = verify(check.examine(some_of_it, {}), some_of_it)
            assert (verdict.outcome, verdict.summary, verdict.fingerprint_parts) == (
                whole.outcome,
                whole.summary,
                whole.fingerprint_parts,
            )
            assert [proof for _, proof in verdict.proofs()] == [
                proof for _, proof in whole.proofs()
            ]
    assert read < len(runs) * len(CHECKS)


def test_rows_that_settled_before_the_facts_were_kept_are_read(store: EngineProcess) -> None:
    project_id, trace_id = uuid.uuid4(), uuid.uuid4().bytes
    before = SystemReader().clock()
    client.insert(
        "traces",
        [[str(project_id)], [trace_id], [0], [1]],
        ["project_id", "trace_id", "bucket_hour", "generation"],
        ["UUID", "FixedString(16)", "DateTime('UTC')", "UInt32"],
    )
    [row] = [one for one in SystemReader().settled_since(before) if one.trace_id == trace_id]
    assert not any(check.passes(row.calls, {}) for check in CHECKS)
