"""Text within attributes on which readers stumbled: it costs a field, never the request."""

from __future__ import annotations

import json

import pytest

from traces.semconv import reading


@pytest.mark.parametrize("levels", [300, 600, 950])
def test_json_nested_deeper_than_we_can_write_is_cut(levels: int) -> None:
    for text in ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels):
        value = reading.parsed_json(text)
        assert value is not None
        written = reading.as_json(value)
        assert written == text or "…" in written


@pytest.mark.parametrize("text", ["{'a': {[]}}", "{'a': 1, []: 2}", "['" + "(" * 300, "{'\0'}"])
def test_a_literal_that_python_refuses_is_no_structure(text: str) -> None:
    assert reading.parsed_structure(text) is None


def test_a_literal_is_read_as_json_would_say_it() -> None:
    read = reading.parsed_structure("{'a': (1, None), 2: 'x', 'b': b'y', 'c': '\\ud83d', 'd': 3j}")
    assert read == {"a": [1, None], "2": "x", "b": "eQ==", "c": "\ufffd", "d": "3j"}
    assert json.loads(reading.as_json(read)) == read
