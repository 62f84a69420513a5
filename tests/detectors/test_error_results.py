"""What counts as an error result, and what must never."""

from __future__ import annotations

import json

import pytest

from detectors.checks.error_results import find_error

ERRORS = [
    ("Error: not enough seats on flight HAT290", ""),
    ("error: permission denied", ""),
    ("Error executing tool get_order: timeout", ""),
    ("ToolException: the service is down", "ToolException"),
    ("Error: ToolException('no such city')", "ToolException"),
    ("requests.exceptions.ReadTimeout: read timed out", ""),
    ("ValueError: invalid literal for int()", "ValueError"),
    ("Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'id'", "KeyError"),
    ("exitcode: 1 (execution failed)\nCode output: boom", ""),
    ("HTTP 503 Service Unavailable", ""),
    ("500 Server Error: Internal Server Error for url: http://x", ""),
    ('{"error": "order not found"}', ""),
    ('{"error": {"type": "not_found", "message": "no order 12"}}', "not_found"),
    ('{"is_error": true, "content": "quota exceeded"}', ""),
    ('{"isError": true, "content": [{"type": "text", "text": "boom"}]}', ""),
    ('{"status_code": 502, "body": "Bad gateway"}', ""),
    ('{"status": 404, "message": "Not found"}', ""),
    ('{"status": "error", "message": "card declined"}', ""),
    ('{"success": false, "reason": "insufficient funds"}', ""),
    ('{"errors": [{"message": "Field x is unknown"}], "data": null}', ""),
    ('[{"type": "text", "text": "Error: file not found"}]', ""),
    ('"Error: the file does not exist"', ""),
    ('{"output": "Error: could not connect"}', ""),
    ("<tool_use_error>File has not been read yet</tool_use_error>", ""),
    ("Request timed out after 30 s", ""),
]
ANSWERS = [
    "",
    "No results found.",
    "[]",
    "{}",
    "The error rate last week was 2 %.",
    "How to fix 'TypeError: x is not a function' in JavaScript",
    "Terror: a history of the French Revolution",
    "Errors and exceptions in Python are documented at docs.python.org.",
    "exitcode: 0 (execution succeeded)\nCode output: Error: none",
    '{"error": null, "result": 3}',
    '{"error": "", "items": []}',
    '{"errors": [], "data": {"id": 1}}',
    '{"error": false, "value": 1}',
    '{"code": 450, "name": "Widget"}',
    '{"status": 404, "title": "Locomotive 404"}',
    '{"status": "failed", "job": 12, "started": "10:02", "message": "3 tests failed", "log": "x"}',
    '{"success": true, "error": "0 warnings"}',
    '{"ok": true}',
    '{"items": [{"error": "the word in a list of many"}, {"error": "again"}]}',
    '[{"text": "Error: one of many documents"}, {"text": "fine"}]',
    '{"results": [{"title": "Error: Reservation handling", "url": "http://x"}]}',
    "0 errors, 3 warnings",
    "Failed experiments in physics, a review",
]


@pytest.mark.parametrize(("text", "error_type"), ERRORS)
def test_an_error_is_recognised_by_its_form(text: str, error_type: str) -> None:
    found = find_error(text)
    assert found is not None
    assert found.quote
    assert found.quote in text, "the quote must stand verbatim in what the tool returned"
    if error_type:
        assert found.error_type == error_type


@pytest.mark.parametrize("text", ANSWERS)
def test_an_ordinary_answer_is_no_error(text: str) -> None:
    assert find_error(text) is None


def test_a_program_that_dies_after_output_is_named_by_its_exception() -> None:
    output = "step 1 done\n" * 300 + "Traceback (most recent call last):\n  x\nOSError: disk full"
    found = find_error(output)
    assert found is not None
    assert (found.error_type, found.message) == ("OSError", "disk full")
    assert "disk full" in found.quote


def test_hostile_nesting_does_not_raise() -> None:
    assert find_error("[" * 200_000) is None
    assert (
        find_error(json.dumps({"result": {"result": {"result": {"result": {"error": "x"}}}}}))
        is None
    )
