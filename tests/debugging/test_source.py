"""The source view is safe HTML with classes, lines that match, blame and marks."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from debugging import source
from debugging.report import BlamedBy

ADA = BlamedBy("a" * 40, "Ada", datetime(2026, 3, 1, tzinfo=UTC), "First")
BEN = BlamedBy("b" * 40, "Ben", datetime(2026, 3, 2, tzinfo=UTC), "Second")
TEXT = 'def f(x):\n    """Two\n    lines."""\n    return x < 1 and "<b>"\n'


def test_lines_are_highlighted_with_classes_only() -> None:
    view = source.show(TEXT, "pkg/a.py")
    assert view.language == "Python"
    assert view.total_lines == 4
    assert [line.number for line in view.lines] == [1, 2, 3, 4]
    assert 'class="hl-k"' in view.lines[0].html
    whole = "".join(line.html for line in view.lines)
    assert "style=" not in whole
    assert "<b>" not in whole
    assert "&lt;" in whole


def test_tokens_of_many_lines_close_on_each_line() -> None:
    for line in source.show(TEXT, "a.py").lines:
        assert line.html.count("<span") == line.html.count("</span>")


def test_excerpt_carries_blame_and_marks() -> None:
    view = source.show(
        TEXT,
        "a.py",
        first=2,
        last=4,
        marks={4: ["failing", 'bad class"']},
        blame={2: ADA, 3: ADA, 4: BEN},
    )
    assert [(one.number, one.first_of_blame) for one in view.lines] == [
        (2, True),
        (3, False),
        (4, True),
    ]
    assert view.lines[2].marks == ("failing",)
    assert view.lines[2].blame == BEN


@pytest.mark.parametrize(
    "path", ["a.html", "a.js", "a.unknown", "a.md", "a.ts", "Makefile", "a.php"]
)
def test_nothing_of_the_text_becomes_a_tag(path: str) -> None:
    text = "<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n\"'&\n```\n<b>\n"
    whole = "".join(line.html for line in source.show(text, path).lines)
    bare = whole.replace("</span>", "")
    assert "<script" not in bare
    assert "<img" not in bare
    assert "<b>" not in bare
    assert all(part.startswith('span class="hl-') for part in bare.split("<")[1:])


def test_text_that_reorders_itself_is_shown() -> None:
    view = source.show("x = 'a\u202eb'  # \u2066\n", "a.py")
    assert "\u202e" not in view.lines[0].html
    assert "U+202E" in view.lines[0].html


@pytest.mark.parametrize(
    "text", ["a\r\nb\rc\r\n", "a\x0cb\nc\x0b\n", "\ufeffx\n\n\n", "", "\n", "a\u2028b\nc"]
)
def test_line_numbers_match_those_of_git(text: str) -> None:
    expected = text.count("\n") + (not text.endswith("\n"))
    assert source.show(text, "a.py").total_lines == max(1, expected)


def test_huge_and_hostile_text_is_shown_plainly_and_soon() -> None:
    started = time.perf_counter()
    long = source.show("<" + "(" * 5_000_000, "a.py")
    many = source.show("x = '<'\n" * 200_000, "a.py", first=10, last=12)
    assert time.perf_counter() - started < 5
    assert len(long.lines[0].html) < 20_000
    assert "…" in long.lines[0].html
    assert [one.html for one in many.lines] == ["x = &#x27;&lt;&#x27;"] * 3


def test_stylesheet_has_the_classes() -> None:
    assert ".source .hl-k" in source.stylesheet()
