"""Builds the git repository of the demo agents: the same commits for the same moment.

The repository is ordinary: a work tree on `main`, tags for releases. `checkout` gives a second work
tree at a tag, so that agents of an older release run from the older source.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sdk.demo.commits import COMMITS, Author, Commit

AGENTS_DIR = Path(__file__).resolve().parent / "agents"
GIT_TIMEOUT_SECONDS = 60
Files = Mapping[str, str]


class HistoryError(Exception):
    """Git is missing or refused; the message says what it said."""


def build(directory: Path, moment: datetime) -> dict[str, str]:
    """Builds the repository at `directory`, as it stands at `moment`, unless it is there already.

    Returns the ids of its commits by tag, and under "main" the newest. It appears whole or not at
    all.
    """
    if not (directory / ".git").is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix="history-", dir=directory.parent))
        try:
            _write(partial, moment)
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return _refs(directory)


def checkout(repository: Path, ref: str, directory: Path) -> Path:
    """A work tree of `repository` at `ref` under `directory`."""
    if not (directory / "puffin").is_dir():
        _git(repository, "worktree", "prune")
        _git(repository, "worktree", "add", "--force", "--quiet", "--detach", str(directory), ref)
    return directory


def states() -> list[Files]:
    """The files after each commit, oldest first, computed back from the newest."""
    newest = _source()
    found: list[Files] = [newest]
    for commit in reversed(COMMITS[1:]):
        found.append(_undo(commit, found[-1]))
    if set(found[-1]) != set(COMMITS[0].adds):
        raise HistoryError("The commits do not account for every file of the demo agents.")
    return found[::-1]


def _source() -> Files:
    paths = [*AGENTS_DIR.rglob("*.py"), *AGENTS_DIR.glob("*.md")]
    return {path.relative_to(AGENTS_DIR).as_posix(): path.read_text("utf-8") for path in paths}


def _undo(commit: Commit, files: Files) -> Files:
    before = {path: text for path, text in files.items() if path not in commit.adds}
    for edit in commit.edits:
        text = before.get(edit.path, "")
        if text.count(edit.after) != 1:
            subject = commit.message.partition("\n")[0]
            raise HistoryError(f"{subject!r} does not fit {edit.path}: {edit.after!r}")
        before[edit.path] = text.replace(edit.after, edit.before)
    return before


def _write(directory: Path, moment: datetime) -> None:
    _git(directory, "init", "--quiet", "--initial-branch=main", "--template=")
    previous: Files = {}
    for commit, files in zip(COMMITS, states(), strict=True):
        for path, text in files.items():
            if previous.get(path) != text:
                target = directory / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, "utf-8")
        _git(directory, "add", "--all")
        when = f"{int((moment - commit.age).timestamp())} +0000"
        _git(directory, "commit", "--quiet", "-m", commit.message, who=commit.author, when=when)
        if commit.tag:
            _git(directory, "tag", commit.tag)
        previous = files


def _refs(directory: Path) -> dict[str, str]:
    listed = _git(
        directory,
        "for-each-ref",
        "--format=%(refname:short) %(objectname)",
        "refs/heads/main",
        "refs/tags",
    )
    pairs = (line.partition(" ") for line in listed.splitlines())
    return {name: commit for name, _, commit in pairs}


def _git(directory: Path, *arguments: str, who: Author | None = None, when: str = "") -> str:
    command = ["git", "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=_environment(who, when),
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_SECONDS,
        )
    except FileNotFoundError as error:
        raise HistoryError(
            "The program git was not found. Install git (on Debian: apt install git)."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise HistoryError(f"git {arguments[0]} took over {GIT_TIMEOUT_SECONDS} s.") from error
    if done.returncode:
        raise HistoryError(f"git {arguments[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _environment(who: Author | None, when: str) -> dict[str, str]:
    """Nothing of the person who runs the demo reaches the history: no name, no zone, no hooks."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    if who is not None:
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = who.name
            environment[f"GIT_{role}_EMAIL"] = who.email
            environment[f"GIT_{role}_DATE"] = when
    return environment
