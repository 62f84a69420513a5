"""Finds functions in source text: which one encloses a line, and where one is defined.

Python is parsed; JavaScript and TypeScript are scanned by braces; anything else, and Python that
does not parse, falls back to indentation. The text is hostile, so parsing is bounded.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

PARSE_LIMIT_CHARS = 600_000
NESTING_LIMIT = 120
LINE_LIMIT_CHARS = 20_000
_PYTHON = (".py", ".pyi", ".pyw")
_BRACES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_HEAD = re.compile(r"^(\s*)(?:async\s+)?(?:def|class)\s+(\w+)")
_JS_NAME = r"([A-Za-z_$][\w$]*)"
_JS_HEADS = (
    re.compile(rf"\bfunction\s*\*?\s*{_JS_NAME}\s*(?:<[^>(]*>)?\("),
    re.compile(
        rf"(?:\b(?:const|let|var)\s+|^\s*(?:export\s+)?){_JS_NAME}\s*(?::[^=]+)?=\s*(?:async\s*)?"
        r"(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>)"
    ),
    re.compile(
        rf"^\s*(?:(?:public|private|protected|static|async|get|set|override)\s+|\*)*{_JS_NAME}"
        r"\s*(?:<[^>(]*>)?\([^;]*\)\s*(?::[^{;]+)?\{\s*$"
    ),
    re.compile(rf"^\s*{_JS_NAME}\s*:\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*=>)"),
)
_JS_KEYWORDS = frozenset({"if", "for", "while", "switch", "catch", "return", "with", "function"})
_STRINGS = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method; lines are 1-based and inclusive, decorators belong to it."""

    name: str
    first_line: int
    last_line: int

    @property
    def short_name(self) -> str:
        """The name without class or outer function."""
        return self.name.rpartition(".")[2]

    def holds(self, line: int) -> bool:
        return self.first_line <= line <= self.last_line


def enclosing(lines: tuple[str, ...], path: str, line: int) -> Function | None:
    """The innermost function around `line`, or None at module level."""
    return innermost(find_all(lines, path, parse_python(lines, path)), line)


def innermost(found: tuple[Function, ...], line: int) -> Function | None:
    """The shortest of `found` that holds `line`."""
    around = [one for one in found if one.holds(line)]
    return min(around, key=lambda one: one.last_line - one.first_line, default=None)


def find_all(lines: tuple[str, ...], path: str, tree: ast.Module | None) -> tuple[Function, ...]:
    """All functions of a file in the order of their first lines; `tree` is `parse_python`'s."""
    if path.endswith(_BRACES):
        return tuple(_by_braces(lines))
    if tree is not None:
        found = _walk(tree, ())
    elif path.endswith(_PYTHON):
        found = _by_indentation(lines)
    else:
        found = iter(())
    return tuple(sorted(found, key=lambda one: one.first_line))


def parse_python(lines: tuple[str, ...], path: str) -> ast.Module | None:
    """The syntax tree, or None when the text is not Python or too odd to parse safely."""
    if not path.endswith(_PYTHON) or not _is_tame(lines):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_tame(lines: tuple[str, ...]) -> bool:
    """Deep nesting is what brings a parser down; strings may raise the count, which is harmless."""
    depth = deepest = size = 0
    for line in lines:
        size += len(line)
        if size > PARSE_LIMIT_CHARS or len(line) > LINE_LIMIT_CHARS:
            return False
        opened = line.count("(") + line.count("[") + line.count("{")
        depth = max(0, depth + opened - line.count(")") - line.count("]") - line.count("}"))
        deepest = max(deepest, depth, opened)
    return deepest <= NESTING_LIMIT


def _walk(tree: ast.AST, outer: tuple[str, ...]) -> Iterator[Function]:
    stack: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, outer)]
    while stack:
        node, names = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = (*names, node.name)
            if not isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                yield Function(".".join(names), first, node.end_lineno or node.lineno)
        stack.extend((child, names) for child in ast.iter_child_nodes(node))


def _by_indentation(lines: tuple[str, ...]) -> Iterator[Function]:
    open_: list[tuple[int, str, int, bool]] = []
    last = 0
    for number, text in enumerate((*lines, "end"), 1):
        bare = text.strip()
        if not bare or bare.startswith("#"):
            continue
        indent = len(text) - len(text.lstrip())
        closes = bare[0] not in ")]}"
        while open_ and indent <= open_[-1][0] and closes:
            _, name, first, is_function = open_.pop()
            if is_function:
                yield Function(".".join([*(one[1] for one in open_), name]), first, last)
        head = _HEAD.match(text[:500])
        if head and len(open_) < NESTING_LIMIT:
            open_.append((indent, head.group(2), number, not bare.startswith("class")))
        last = number


def _by_braces(lines: tuple[str, ...]) -> Iterator[Function]:
    text = "\n".join(line[:LINE_LIMIT_CHARS] for line in lines)[:PARSE_LIMIT_CHARS]
    blanked = _STRINGS.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text).split("\n")
    for number, line in enumerate(blanked, 1):
        if "(" not in line and "=>" not in line and "function" not in line:
            continue
        name = _javascript_name(line[:500])
        if name:
            yield Function(name, number, _closing_line(blanked, number))


def _javascript_name(line: str) -> str | None:
    for pattern in _JS_HEADS:
        found = pattern.search(line)
        if found and found.group(1) not in _JS_KEYWORDS:
            return found.group(1)
    return None


def _closing_line(lines: list[str], first: int) -> int:
    depth, opened = 0, False
    for number in range(first, min(len(lines), first + 2000) + 1):
        for character in lines[number - 1]:
            if character == "{":
                depth, opened = depth + 1, True
            elif character == "}":
                depth -= 1
        if opened and depth <= 0:
            return number
        if not opened and lines[number - 1].rstrip().endswith(";"):
            return number
    return first
