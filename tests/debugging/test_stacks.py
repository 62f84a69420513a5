"""Stacks of programs that really failed, of Python and Node.js, and text that is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from debugging import stacks
from debugging.stacks import StackTrace


def fail(tmp_path: Path, source: str) -> tuple[StackTrace, ...]:
    """Runs Python source that fails, and parses what it prints."""
    path = tmp_path / "program.py"
    path.write_text(source)
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode
    return stacks.parse(done.stderr)


def test_frames_are_innermost_last_with_code(tmp_path: Path) -> None:
    (one,) = fail(
        tmp_path, "def inner(x):\n    return 1 / x\n\ndef outer():\n    inner(0)\n\nouter()\n"
    )
    assert (one.type, one.message) == ("ZeroDivisionError", "division by zero")
    assert [(f.function, f.line, f.code) for f in one.frames] == [
        ("<module>", 7, "outer()"),
        ("outer", 5, "inner(0)"),
        ("inner", 2, "return 1 / x"),
    ]
    assert all(f.path == str(tmp_path / "program.py") and f.in_app_hint for f in one.frames)


def test_chained_exceptions_come_in_the_order_they_were_raised(tmp_path: Path) -> None:
    source = (
        "try:\n    try:\n        {}['k']\n    except KeyError as e:\n"
        "        raise TypeError('second') from e\nexcept TypeError:\n    undefined\n"
    )
    found = fail(tmp_path, source)
    assert [(one.type, one.link) for one in found] == [
        ("KeyError", "cause"),
        ("TypeError", "context"),
        ("NameError", None),
    ]


def test_messages_of_many_lines_are_kept(tmp_path: Path) -> None:
    (one,) = fail(tmp_path, "raise ValueError('first\\n  File not a frame\\n\\nthird')\n")
    assert one.message == "first\n  File not a frame\n\nthird"


def test_exceptions_of_modules_and_without_message(tmp_path: Path) -> None:
    (one,) = fail(tmp_path, "import json\njson.loads('{')\n")
    assert one.type == "json.decoder.JSONDecodeError"
    assert next(f.in_app_hint for f in one.frames)
    assert not one.frames[-1].in_app_hint
    (bare,) = fail(tmp_path, "class Odd(Exception): pass\nraise Odd\n")
    assert (bare.type, bare.message) == ("Odd", "")


def test_syntax_errors_end_at_the_bad_file(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ny = = 2\n")
    (one,) = fail(tmp_path, "import broken\n")
    assert one.type == "SyntaxError"
    last = one.frames[-1]
    assert (last.path, last.line, last.function) == (str(tmp_path / "broken.py"), 2, None)
    assert last.code == "y = = 2"


def test_exception_groups_give_their_members_first(tmp_path: Path) -> None:
    source = (
        "def f(x):\n    raise ValueError(f'bad {x}')\nfound = []\nfor n in range(2):\n"
        "    try:\n        f(n)\n    except ValueError as e:\n        found.append(e)\n"
        "raise ExceptionGroup('many', [*found, ExceptionGroup('inner', found[:1])])\n"
    )
    found = fail(tmp_path, source)
    assert [one.type for one in found] == ["ValueError"] * 3 + ["ExceptionGroup"]
    assert found[0].message == "bad 0"
    assert found[0].link == "group"
    assert found[0].frames[-1].function == "f"


def test_recursion_is_cut_and_strings_are_not_in_app(tmp_path: Path) -> None:
    (deep,) = fail(tmp_path, "def f():\n    f()\nf()\n")
    assert deep.type == "RecursionError"
    assert len(deep.frames) < 10
    (string,) = fail(tmp_path, "exec('def g():\\n  boom\\ng()')\n")
    assert string.frames[-1].path == "<string>"
    assert not string.frames[-1].in_app_hint


def test_stacks_cut_at_the_front_or_without_error_are_read() -> None:
    (one,) = stacks.parse('line 3, in a\n    b()\n  File "/app/x.py", line 9, in b\n    c\n')
    assert (one.type, one.frames[0].line) == ("", 9)


def test_windows_line_ends_and_paths() -> None:
    text = (
        'Traceback (most recent call last):\r\n  File "C:\\app\\x.py", line 2, in go\r\n'
        "    y()\r\nOSError: no\r\n"
    )
    (one,) = stacks.parse(text)
    assert one.frames[0].path == "C:\\app\\x.py"
    assert one.message == "no"


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_node_errors_with_cause(tmp_path: Path) -> None:
    path = tmp_path / "app.mjs"
    path.write_text(
        "function inner(x) {\n  return x.missing.deep;\n}\n"
        "class Agent {\n  async run() {\n    await null;\n    try {\n      inner({});\n"
        "    } catch (e) {\n      throw new Error('run failed', { cause: e });\n    }\n  }\n}\n"
        "await new Agent().run();\n"
    )
    done = subprocess.run(
        ["node", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    cause, last = stacks.parse(done.stderr)
    assert (cause.type, cause.link) == ("TypeError", "cause")
    assert (cause.frames[-1].function, cause.frames[-1].line) == ("inner", 2)
    assert (last.type, last.message) == ("Error", "run failed")
    assert (last.frames[-1].function, last.frames[-1].line) == ("Agent.run", 10)
    assert last.frames[-1].path == str(path)


@pytest.mark.parametrize(
    ("line", "path", "number", "function", "in_app"),
    [
        ("at fn (file:///srv/app/a.js:3:9)", "/srv/app/a.js", 3, "fn", True),
        ("at /srv/app/a.js:3:9", "/srv/app/a.js", 3, None, True),
        ("at async Agent.run (/srv/a.ts:8:1)", "/srv/a.ts", 8, "Agent.run", True),
        ("at new Tool (C:\\app\\t.js:4:2)", "C:\\app\\t.js", 4, "Tool", True),
        ("at Object.go [as run] (/a/b.js:1:2)", "/a/b.js", 1, "Object.go", True),
        ("at f (webpack://shop/./src/x.ts?ab12:5:6)", "src/x.ts", 5, "f", True),
        ("at f (webpack-internal:///(rsc)/./src/y.tsx:5:6)", "src/y.tsx", 5, "f", True),
        ("at eval (eval at load (/a/b.js:7:3), <anonymous>:1:1)", "/a/b.js", 7, "eval", True),
        ("at node:internal/main/run:23:47", "node:internal/main/run", 23, None, False),
        ("at x (/a/node_modules/lib/i.js:2:2)", "/a/node_modules/lib/i.js", 2, "x", False),
    ],
)
def test_node_frames_of_every_shape(
    line: str, path: str, number: int, function: str | None, in_app: bool
) -> None:
    (one,) = stacks.parse(f"TypeError: bad\n    {line}\n")
    (frame,) = one.frames
    assert (frame.path, frame.line, frame.function, frame.in_app_hint) == (
        path,
        number,
        function,
        in_app,
    )
    assert one.type == "TypeError"


@pytest.mark.parametrize(
    "text",
    ["", "hello", "at noon (we met):", "\0\xff", "Error: at the gate", 'File "', "    at \n" * 9],
)
def test_text_that_is_no_stack_gives_nothing(text: str) -> None:
    assert stacks.parse(text) == ()


@pytest.mark.parametrize(
    "piece",
    [
        '  File "a.py", line 1, in f\n',
        "    at (" * 50 + "\n",
        "at a (a:1:",
        " | + " * 20 + "\n",
        "    at f (" + "a" * 900 + ":1:1\n",
        "(eval at " * 30 + "\n",
        "[" * 300 + "\n",
        "a" * 999 + ": ",
    ],
)
def test_hostile_text_is_read_in_bounded_time(piece: str) -> None:
    started = time.perf_counter()
    found = stacks.parse("    at f (/x.js:1:1)\n" + piece * (400_000 // len(piece)))
    assert time.perf_counter() - started < 3
    assert all(len(one.frames) <= stacks.FRAME_LIMIT for one in found)
