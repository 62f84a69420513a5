"""Finds where names that a trace or a line of code mentions are defined in a snapshot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from debugging import git_objects
from debugging.functions import Function
from debugging.snapshot import Snapshot

NAME_LIMIT = 24
MATCH_LIMIT = 2000
AMBIGUOUS = 3
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]{1,99}")
_TEST_PATH = re.compile(
    r"(^|/)(tests?|spec|__tests__|examples?)/|(^|/)(test_|conftest)|[._](test|spec)\."
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function with its file. `name` is the name that was looked for; `certain` is False when
    only the name speaks for it (another class may define the same method)."""

    name: str
    path: str
    function: Function
    certain: bool = True


def find(
    snapshot: Snapshot, names: Iterable[str], near: str | None = None
) -> tuple[Definition, ...]:
    """Definitions of functions, methods and classes, of the file `near` and what it imports
    first. A name with many definitions elsewhere is left out: any choice would be a guess."""
    wanted = [n for n in dict.fromkeys(names) if _IDENTIFIER.fullmatch(n)][:NAME_LIMIT]
    found = [one for name in wanted for one in _in_file(snapshot, near or "", name)]
    local = {(one.path, one.function) for one in found}
    if wanted:
        others = _elsewhere(snapshot, wanted, near)
        found += [one for one in others if (one.path, one.function) not in local]
    return tuple(found)


def is_test(path: str) -> bool:
    return bool(_TEST_PATH.search(path))


def _in_file(snapshot: Snapshot, path: str, name: str) -> list[Definition]:
    return [
        Definition(name, path, one)
        for one in snapshot.functions(path)
        if one.short_name == name or one.name.endswith(f"{name}.__init__")
    ]


def locate(snapshot: Snapshot, names: Iterable[str]) -> None:
    """Searches the snapshot for the definitions of `names` in one go and remembers the files, so
    that `find` searches for none of them again."""
    known = snapshot.definition_paths
    new = [n for n in dict.fromkeys(names) if n not in known and _IDENTIFIER.fullmatch(n)]
    if not new:
        return
    known.update((name, []) for name in new)
    either = "|".join(re.escape(name) for name in new)
    pattern = (
        rf"(def|class|function)[[:space:]*]+({either})[[:space:]]*[(:<{{]"
        rf"|(const|let|var)[[:space:]]+({either})[[:space:]]*[=:]"
        rf"|^[[:space:]]*(async[[:space:]]+)?({either})[[:space:]]*\([^;]*\{{[[:space:]]*$"
    )
    wanted = frozenset(new)
    for match in git_objects.grep(
        snapshot.directory, snapshot.commit, pattern, fixed=False, limit=MATCH_LIMIT
    ):
        for name in wanted.intersection(re.findall(r"[\w$]+", match.text)):
            if match.path not in known[name]:
                known[name].append(match.path)


def _elsewhere(snapshot: Snapshot, names: list[str], near: str | None) -> list[Definition]:
    locate(snapshot, names)
    imports = _import_paths(snapshot, near)
    found: list[Definition] = []
    for name in names:
        paths = snapshot.definition_paths[name]
        chosen = _preferred(paths, imports.get(name), near)
        certain = name in imports or len(paths) == 1
        for path in chosen:
            for one in _in_file(snapshot, path, name):
                found.append(Definition(name, path, one.function, certain))
    return found


def _preferred(paths: list[str], imported: str | None, near: str | None) -> list[str]:
    if near is None or not is_test(near):
        paths = [path for path in paths if not is_test(path)]
    if imported:
        ends = (f"{imported}.py", f"{imported}/__init__.py")
        exact = [p for p in paths if any(p == end or p.endswith(f"/{end}") for end in ends)]
        if exact:
            return exact[:1]
    if near:
        suffix = near.rpartition(".")[2]
        paths = [path for path in paths if path.rpartition(".")[2][:2] == suffix[:2]] or paths
    return paths if len(paths) <= AMBIGUOUS else []


def _import_paths(snapshot: Snapshot, near: str | None) -> dict[str, str]:
    names = snapshot.imports(near) if near else {}
    return {name: module.replace(".", "/") for name, (module, _) in names.items() if module}
