"""One readable line of whatever an emitter wrote."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import previews

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "First question"},
    {"role": "assistant", "content": "First answer"},
    {"role": "user", "content": [{"type": "text", "text": "Second\nquestion"}]},
]


@pytest.mark.parametrize(
    ("text", "role", "shown"),
    [
        ("  plain \n text ", "user", "plain text"),
        (json.dumps(CHAT), "user", "Second question"),
        (json.dumps(CHAT), "assistant", "First answer"),
        (json.dumps({"messages": CHAT}), "user", "Second question"),
        (json.dumps({"choices": [{"message": CHAT[2]}]}), "assistant", "First answer"),
        (json.dumps({"question": "Why?"}), "user", "Why?"),
        (json.dumps({"anything": {"text": "inner"}}), "user", "inner"),
        (json.dumps("quoted"), "user", "quoted"),
        ('{"cut": "off', "user", '{"cut": "off'),
        (json.dumps({"result": 42}), "user", '{"result": 42}'),
        ("[" * 5000, "user", "[" * 279 + "…"),
        ('"\\ud800"', "user", '"\\ud800"'),
        ("", "user", ""),
        (json.dumps([{"role": "tool", "content": "only a tool"}]), "user", "only a tool"),
    ],
)
def test_previews(text: str, role: str, shown: str) -> None:
    assert previews.of(text, role=role) == shown


@given(st.text(max_size=400) | st.recursive(st.text(), st.lists).map(json.dumps))
def test_every_text_has_a_preview_that_can_be_stored(text: str) -> None:
    shown = previews.of(text, role="user")
    assert len(shown) <= 280
    shown.encode()


@pytest.mark.parametrize(
    ("error_type", "message", "shown"),
    [
        ("KeyError", "'JPY'", "KeyError: 'JPY'"),
        ("KeyError", "KeyError: 'JPY'", "KeyError: 'JPY'"),
        ("TimeoutError", " ", "TimeoutError"),
        ("", "refused\n  by the bank", "refused by the bank"),
        ("", "", ""),
        ("E", "x" * 400, "E: " + "x" * 276 + "…"),
    ],
)
def test_previews_of_errors(error_type: str, message: str, shown: str) -> None:
    assert previews.of_error(error_type, message) == shown
