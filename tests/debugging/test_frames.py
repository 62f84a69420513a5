"""Frames find their file by the longest suffix, and the quoted line decides between equals."""

from __future__ import annotations

import pytest

from debugging.frames import FileIndex, LeftOutFrame, MappedFrame, map_frame
from debugging.stacks import Frame, is_in_app

FILES = {
    "agent/tools/search.py": ("import os", "def search(q):", "    return run(q)"),
    "agent/search.py": ("def search(q):", "    return find(q)"),
    "services/a/app.py": ("def start():", "    boot_a()"),
    "services/b/app.py": ("def start():", "    boot_b()"),
    "main.py": ("start()",),
    "src/pkg/core.py": ("x = 1", "y = compute(x)"),
    "web/src/x.ts": ("export function go() {", "  return 1;", "}"),
    "node_modules/lib/index.js": ("module.exports = 1",),
}


def place(path: str, line: int = 1, code: str | None = None) -> MappedFrame | LeftOutFrame:
    frame = Frame(path, line, "f", code, is_in_app(path))
    return map_frame(frame, FileIndex(FILES), lambda name: FILES.get(name))


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/srv/production/agent/tools/search.py", "agent/tools/search.py"),
        ("/app/agent/search.py", "agent/search.py"),
        ("C:\\work\\agent\\tools\\search.py", "agent/tools/search.py"),
        ("/app/main.py", "main.py"),
        ("main.py", "main.py"),
        ("./agent/search.py", "agent/search.py"),
        ("/code/a/app.py", "services/a/app.py"),
        ("src/x.ts", "web/src/x.ts"),
    ],
)
def test_longest_suffix_wins(path: str, file: str) -> None:
    found = place(path)
    assert isinstance(found, MappedFrame)
    assert found.path == file


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/python3.11/json/decoder.py",
        "/v/lib/python3.12/site-packages/agent/search.py",
        "/usr/lib/python3/dist-packages/main.py",
        "<frozen importlib._bootstrap>",
        "<string>",
        "/app/node_modules/lib/index.js",
        "node:internal/main",
        "C:\\Python311\\Lib\\asyncio\\main.py",
    ],
)
def test_vendored_frames_are_left_out(path: str) -> None:
    found = place(path)
    assert isinstance(found, LeftOutFrame)
    assert found.reason == "vendored"


def test_the_repository_itself_may_run_as_an_installed_package() -> None:
    path = "/usr/lib/python3.11/site-packages/pkg/core.py"
    found = place(path, 2, "y = compute(x)")
    assert isinstance(found, MappedFrame)
    assert found.path == "src/pkg/core.py"
    assert found.note
    assert "installed package" in found.note
    assert isinstance(place(path, 2, "something else"), LeftOutFrame)


def test_ambiguity_is_decided_by_the_quoted_line() -> None:
    found = place("/srv/app.py", 2, "boot_b()")
    assert isinstance(found, MappedFrame)
    assert found.path == "services/b/app.py"
    assert found.note
    assert "2 files end alike" in found.note
    assert not found.alternatives


def test_ambiguity_that_nothing_decides_is_reported() -> None:
    found = place("/srv/app.py", 1, "def start():")
    assert isinstance(found, MappedFrame)
    assert found.note
    assert "2 files equally well" in found.note
    assert found.alternatives == ("services/b/app.py",)
    certain = place("/srv/services/a/app.py", 1, "def start():")
    assert isinstance(certain, MappedFrame)
    assert certain.certainty > found.certainty


def test_moved_code_is_found_and_said() -> None:
    found = place("/app/agent/tools/search.py", 30, "return run(q)")
    assert isinstance(found, MappedFrame)
    assert (found.line, found.verification) == (3, "moved")
    assert found.note
    assert "line 30" in found.note
    assert "line 3" in found.note


def test_different_code_is_said_and_trusted_less() -> None:
    same = place("/app/agent/search.py", 2, "return find(q)")
    other = place("/app/agent/search.py", 2, "return nothing(q)")
    assert isinstance(same, MappedFrame)
    assert isinstance(other, MappedFrame)
    assert (same.verification, other.verification) == ("exact", "different")
    assert other.certainty < same.certainty
    assert other.note
    assert "reads differently" in other.note


def test_a_line_beyond_the_file_is_said() -> None:
    found = place("/app/main.py", 99)
    assert isinstance(found, MappedFrame)
    assert found.verification == "out of range"
    assert found.note
    assert "only 1 lines" in found.note


def test_only_the_same_file_name_with_other_text_is_no_match() -> None:
    found = place("/other/product/core.py", 2, "z = something_else()")
    assert isinstance(found, LeftOutFrame)
    assert found.reason == "no file"


def test_unknown_files_have_no_place() -> None:
    found = place("/app/unknown.py")
    assert isinstance(found, LeftOutFrame)
    assert found.reason == "no file"
