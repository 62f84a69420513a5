"""Which code made the values that a line of Python works with.

A small backward slice inside one function: the statement at a line, the local lines that assign
what it reads, and the names of functions, attributes and module values behind them. It does not
follow values through containers or between threads; its answers rank places, they prove nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ROUNDS = 4
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# Methods of builtin types: a search for their definitions would find strangers.
_EVERYDAY = frozenset(
    re.findall(
        r"\w+",
        """
        append extend get items keys values join split strip format replace lower upper startswith
        endswith pop update add copy sort index count read write close encode decode setdefault
        insert remove group match search len str int float list dict set tuple print range sum min
        max sorted isinstance enumerate zip map filter round repr super getattr setattr hasattr
        any all open type abs bool iter next reversed
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Flow:
    """What feeds a line. `calls` and `values` are bare names, nearest first; `lines` are local."""

    lines: tuple[int, ...]
    calls: tuple[str, ...]
    attributes: tuple[str, ...]
    values: tuple[str, ...]
    words: frozenset[str]


EMPTY = Flow((), (), (), (), frozenset())


def trace_back(tree: ast.Module, line: int) -> Flow:
    """The flow into the statement at `line`."""
    scope, statement = _locate(tree, line)
    if statement is None:
        return EMPTY
    roots: list[ast.AST] = list(_own_expressions(statement))
    if isinstance(statement, ast.Raise | ast.Assert):
        roots += _guards(scope, statement)
    wanted = _names(roots)
    lines = list(range(statement.lineno, _head_end(statement) + 1))
    feeding: list[ast.AST] = list(roots)
    for _ in range(ROUNDS):
        grown = False
        for target, value, number in _assignments(scope):
            if number not in lines and target & wanted and number < statement.lineno:
                lines.append(number)
                feeding.append(value)
                wanted |= _names([value])
                grown = True
        if not grown:
            break
    local = {name for target, _, _ in _assignments(scope) for name in target}
    calls = tuple(dict.fromkeys(_calls(feeding)))
    attributes = tuple(dict.fromkeys(_self_attributes(feeding)))
    values = tuple(sorted(wanted - local - set(calls) - _EVERYDAY))
    words = frozenset(_names(roots) | set(_calls(roots)) | set(attributes))
    return Flow(tuple(lines), calls, attributes, values, words)


def calls_inside(tree: ast.Module, first: int, last: int) -> tuple[str, ...]:
    """Names of the functions that the lines `first` to `last` call."""
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and first <= n.lineno <= last]
    return tuple(dict.fromkeys(_calls(nodes)))


def assigned_at(
    tree: ast.Module, names: Iterable[str], attributes: Iterable[str]
) -> tuple[int, ...]:
    """Lines where module values in `names` or `self` attributes in `attributes` are assigned."""
    wanted, wanted_attributes = set(names), set(attributes)
    found: list[int] = []
    for statement in tree.body:
        if _assigns(statement, wanted):
            last = min(statement.end_lineno or 0, statement.lineno + 60)
            found += range(statement.lineno, last + 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if node.attr in wanted_attributes:
                found.append(node.lineno)
        elif isinstance(node, ast.ClassDef):
            found += [one.lineno for one in node.body if _assigns(one, wanted_attributes)]
    return tuple(dict.fromkeys(found))


def imported_names(tree: ast.Module) -> dict[str, tuple[str, str | None]]:
    """Local name → (dotted module, name in it or None for the module itself)."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module or "", alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (alias.name, None)
    return found


def _locate(tree: ast.Module, line: int) -> tuple[ast.AST, ast.stmt | None]:
    """The innermost function (or module) and the innermost statement at `line`."""
    scope: ast.AST = tree
    statement: ast.stmt | None = None
    node: ast.AST | None = tree
    while node is not None:
        inner: ast.AST | None = None
        for child in ast.iter_child_nodes(node):
            first = getattr(child, "lineno", None)
            last = getattr(child, "end_lineno", None)
            if first is None or last is None:
                # match cases and handlers have no line of their own in every version
                if any(
                    getattr(c, "lineno", 0) <= line <= (getattr(c, "end_lineno", 0) or 0)
                    for c in ast.iter_child_nodes(child)
                ):
                    inner = child
            elif first <= line <= last:
                inner = child
        if isinstance(inner, ast.stmt):
            statement = inner
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = inner
        node = inner
    return scope, statement


def _own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement without the block under it."""
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST):
                yield one


def _head_end(statement: ast.stmt) -> int:
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(statement.lineno, int(body[0].lineno) - 1)
    return min(statement.end_lineno or statement.lineno, statement.lineno + 40)


def _guards(scope: ast.AST, statement: ast.stmt) -> list[ast.AST]:
    """A raise is about what the conditions around it test."""
    return [
        node.test
        for node in ast.walk(scope)
        if isinstance(node, ast.If | ast.While)
        and node.lineno <= statement.lineno <= (node.end_lineno or 0)
    ]


def _assignments(scope: ast.AST) -> Iterator[tuple[set[str], ast.AST, int]]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            yield _targets(node), node.value, node.lineno
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield _stored(node.target), node.iter, node.lineno
        elif isinstance(node, ast.comprehension):
            yield _stored(node.target), node.iter, node.target.lineno
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield (
                _stored(node.optional_vars),
                node.context_expr,
                node.context_expr.lineno,
            )
        elif isinstance(node, ast.NamedExpr):
            yield {node.target.id}, node.value, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # `rows.append(make())` puts a value into `rows`
            owner = node.func.value
            if isinstance(owner, ast.Name) and node.args:
                yield {owner.id}, node, node.lineno


def _assigns(node: ast.stmt, names: set[str]) -> bool:
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return False
    return bool(_targets(node) & names)


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return set().union(*(_stored(target) for target in targets))


def _stored(target: ast.AST) -> set[str]:
    """Names that an assignment changes; `a[0] = x` and `a.b = x` change `a`."""
    found = {
        n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    base: ast.AST = target
    while isinstance(base, ast.Subscript | ast.Attribute):
        base = base.value
    if isinstance(base, ast.Name) and base.id not in ("self", "cls"):
        found.add(base.id)
    return found


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)} - {
        "self",
        "cls",
    }


def _calls(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Call):
                name = one.func.id if isinstance(one.func, ast.Name) else None
                name = one.func.attr if isinstance(one.func, ast.Attribute) else name
                if name and name not in _EVERYDAY:
                    yield name


def _self_attributes(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        for one in ast.walk(node):
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                yield one.attr
