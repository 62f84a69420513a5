"""Instructions of a judge as a page shows them."""

from __future__ import annotations

import pytest

from detectors.judge_templates import TOOL_AND_LOGIC_FAILURE
from detectors.pages import instructions


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", []),
        ("One line.", [(False, "One line.")]),
        ("a " * 40 + "\nb", [(False, "a " * 40 + "b")]),
        ("Short\nlines\n\nstay", [(False, "Short"), (False, "lines"), (False, "stay")]),
        ("Look:\n- one\n  more\n* two", [(False, "Look:"), (True, "one more"), (True, "two")]),
        ("- an item\nNot a part of it.", [(True, "an item"), (False, "Not a part of it.")]),
    ],
)
def test_sentences_are_whole_and_lists_are_lists(text: str, shown: list[tuple[bool, str]]) -> None:
    assert instructions.paragraphs(text) == shown


def test_the_judge_that_comes_with_the_product_reads_as_a_list_between_two_sentences() -> None:
    shown = instructions.paragraphs(TOOL_AND_LOGIC_FAILURE.looks_for)
    assert [is_item for is_item, _ in shown] == [False, True, True, True, True, True, False]
    assert shown[-1][1].endswith("made good or reported honestly, style.")
