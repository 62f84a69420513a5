"""Functions are found in Python, in JavaScript and in text that does not parse."""

from __future__ import annotations

import time

import pytest

from debugging import dataflow, functions

PYTHON = """\
class Agent:
    @tool
    async def run(self, q):
        def inner():
            return 1
        return inner()

def last(): return 2
x = 1
"""
SCRIPT = """\
import x from "y";
export async function search(q) {
  if (q) { return "}"; }
  // }
  return `}${q}`;
}
const go = async (a) => {
  return a;
};
class Agent {
  async run(input) {
    for (const i of input) { go(i); }
  }
}
"""


def lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (2, "Agent.run"),
        (3, "Agent.run"),
        (5, "Agent.run.inner"),
        (6, "Agent.run"),
        (8, "last"),
        (9, None),
        (1, None),
    ],
)
def test_python_functions_enclose_their_lines(line: int, name: str | None) -> None:
    for text in (PYTHON, PYTHON + "def broken(:\n"):
        found = functions.enclosing(lines(text), "a.py", line)
        if line == 2 and "broken" in text:
            continue  # without a parser a decorator belongs to nothing
        assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("line", "name"),
    [(2, "search"), (5, "search"), (8, "go"), (11, "run"), (12, "run"), (1, None), (10, None)],
)
def test_javascript_functions_enclose_their_lines(line: int, name: str | None) -> None:
    found = functions.enclosing(lines(SCRIPT), "a.ts", line)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "-" * 300_000 + "1",
        "x" + ".y" * 200_000,
        "if 1:\n" * 3000,
        "def f(\n" * 20_000,
        "[" * 99 + "]" * 99,
        "\0",
        "x = " + "not " * 4000 + "1",
        "lambda: " * 2400 + "1",
    ],
)
def test_hostile_python_neither_crashes_nor_hangs(text: str) -> None:
    started = time.perf_counter()
    functions.enclosing(lines(text), "a.py", 1)
    functions.enclosing(lines(text), "a.js", 1)
    assert time.perf_counter() - started < 4


def test_flow_follows_what_feeds_a_line() -> None:
    text = """\
from rates import RATE, lookup

LIMIT = 3

class Cart:
    def __init__(self):
        self.rows = load()

    def total(self, code):
        other = unrelated()
        rate = lookup(code)
        amount = self.rows * rate
        if amount > LIMIT:
            raise ValueError(amount * RATE)
"""
    tree = functions.parse_python(lines(text), "a.py")
    assert tree is not None
    flow = dataflow.trace_back(tree, 14)
    assert set(flow.lines) == {14, 12, 11}
    assert "lookup" in flow.calls
    assert "unrelated" not in flow.calls
    assert "rows" in flow.attributes
    assert {"LIMIT", "RATE"} <= set(flow.values)
    assert dataflow.assigned_at(tree, {"LIMIT"}, {"rows"}) == (3, 7)
    assert dataflow.imported_names(tree)["RATE"] == ("rates", "RATE")
