"""The generated git history of the demo agents."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sdk.demo import history
from sdk.demo.commits import COMMITS, NEW_RELEASE, OLD_RELEASE, PATCH_CULPRIT, REFUND_CULPRIT

MOMENT = datetime(2026, 3, 9, 14, tzinfo=UTC)
SYNTAX_CHECKED = ".py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "repository"
    history.build(directory, MOMENT)
    return directory


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", f"safe.directory={repository}", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_same_moment_gives_the_same_commit_ids(repository: Path, tmp_path: Path) -> None:
    again = history.build(tmp_path / "repository", MOMENT)
    assert again == history.build(repository, MOMENT)
    assert _git(repository, "log", "--format=%H") == _git(
        tmp_path / "repository", "log", "--format=%H"
    )


def test_another_moment_gives_other_commits(repository: Path, tmp_path: Path) -> None:
    other = history.build(tmp_path / "repository", MOMENT + timedelta(hours=1))
    assert other["main"] != history.build(repository, MOMENT)["main"]


def test_the_configuration_of_whoever_runs_it_does_not_matter(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert history.build(tmp_path / "repository", MOMENT) == history.build(repository, MOMENT)


def test_commits_go_forward_in_time_by_three_authors(repository: Path) -> None:
    rows = [line.split("\t") for line in _git(repository, "log", "--format=%at\t%an").splitlines()]
    times = [int(time) for time, _ in rows]
    assert len(rows) == len(COMMITS) == 15
    assert times == sorted(times, reverse=True)
    assert max(times) < MOMENT.timestamp()
    assert len({author for _, author in rows}) == 3


@pytest.mark.parametrize("number", range(len(COMMITS)))
def test_every_commit_is_a_program_that_compiles(number: int) -> None:
    for path, text in history.states()[number].items():
        if path.endswith(SYNTAX_CHECKED):
            compile(text, path, "exec")


def test_the_newest_state_is_the_source_that_ships(repository: Path) -> None:
    for path, text in history.states()[-1].items():
        assert (repository / path).read_text("utf-8") == text
    assert _git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("path", "line", "subject"),
    [
        ("puffin/support/currencies.py", "    exponent = EXPONENTS[currency]", REFUND_CULPRIT),
        ("puffin/coding/patching.py", "end + CONTEXT_LINES)", PATCH_CULPRIT),
    ],
)
def test_blame_of_the_line_that_raises_names_the_culprit(
    repository: Path, path: str, line: str, subject: str
) -> None:
    text = (repository / path).read_text().splitlines()
    number = next(n for n, one in enumerate(text, 1) if line in one)
    blamed = _git(repository, "blame", "--porcelain", f"-L{number},{number}", path)
    assert f"summary {subject}" in blamed


def test_the_culprits_lie_between_the_two_releases(repository: Path) -> None:
    between = _git(repository, "log", "--format=%s", f"{OLD_RELEASE}..{NEW_RELEASE}").splitlines()
    assert {REFUND_CULPRIT, PATCH_CULPRIT} <= set(between)


def test_a_checkout_stands_at_its_release(repository: Path, tmp_path: Path) -> None:
    old = history.checkout(repository, OLD_RELEASE, tmp_path / "old")
    assert 'RELEASE = "1.3.0"' in (old / "puffin/__init__.py").read_text()
    assert history.checkout(repository, OLD_RELEASE, tmp_path / "old") == old


def test_a_build_that_failed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(history.HistoryError, match="git was not found"):
        history.build(tmp_path / "repository", MOMENT)
    assert list(tmp_path.iterdir()) == []
