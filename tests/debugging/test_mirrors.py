"""A mirror names the commit that ran, and says why when it is another than was asked for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from debugging import mirrors
from tests.debugging.histories import FIRST_COMMIT, History


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "roots" / "repo")
    for number in range(4):
        made.commit(f"Commit {number}", {"a.py": f"x = {number}\n"})
    return made


def test_resolving_names_what_was_used_and_why(history: History, tmp_path: Path) -> None:
    history.git("tag", "v1.2.0", history.shas[1])
    mirror = history.mirror()
    assert mirror.resolve(history.shas[2]).drift is None
    assert mirror.resolve(history.shas[2][:10]).commit == history.shas[2]
    assert mirror.resolve("v1.2.0").commit == history.shas[1]
    at = FIRST_COMMIT + timedelta(days=2, hours=3)
    missing = mirror.resolve("f" * 40, at=at)
    assert missing.commit == history.shas[2]
    assert missing.drift
    assert "last commit of main before the trace" in missing.drift
    branch = mirror.resolve("main", at=at)
    assert branch.commit == history.shas[2]
    assert branch.drift
    assert "moved on" in branch.drift
    assert mirror.resolve("main").commit == history.shas[-1]
    release = mirror.resolve(None, at=at, release="agent@1.2.0")
    assert release.commit == history.shas[1]
    assert release.drift
    assert "v1.2.0" in release.drift
    early = mirror.resolve("--upload-pack=id", at=FIRST_COMMIT - timedelta(days=9))
    assert early.commit == history.shas[-1]
    assert early.drift
    assert "newest commit" in early.drift


def test_an_empty_repository_is_said(tmp_path: Path) -> None:
    empty = History(tmp_path / "roots" / "empty")
    mirror = empty.mirror()
    with pytest.raises(mirrors.EmptyRepository, match="no commits"):
        mirror.resolve(None)
