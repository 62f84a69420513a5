"""Builds real git histories, and runs real failing programs, for the tests of debugging."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from debugging.mirrors import Mirror
from debugging.rule_pass import ExceptionFact, SpanFacts, TraceFacts

FIRST_COMMIT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class History:
    """A repository with a working tree; each commit is a day after the one before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.shas: list[str] = []
        directory.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, **variables: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@acme.example",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@acme.example",
            **variables,
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.directory,
            env=environment,
            check=True,
            capture_output=True,
            timeout=120,
        )
        return done.stdout.decode("utf-8", "replace").strip()

    def commit(self, subject: str, files: dict[str, str | bytes], *, author: str = "Ada") -> str:
        """Writes `files` and commits them; returns the id."""
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        when = f"{int(self.next_date().timestamp())} +0000"
        self.git("add", "-A")
        self.git(
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            subject,
            GIT_AUTHOR_DATE=when,
            GIT_COMMITTER_DATE=when,
            GIT_AUTHOR_NAME=author,
        )
        self.shas.append(self.git("rev-parse", "HEAD"))
        return self.shas[-1]

    def replace(self, subject: str, path: str, old: str, new: str, *, author: str = "Ada") -> str:
        """Commits one replacement in one file."""
        text = (self.directory / path).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        return self.commit(subject, {path: text.replace(old, new)}, author=author)

    def next_date(self) -> datetime:
        return FIRST_COMMIT + timedelta(days=len(self.shas))

    def mirror(self) -> Mirror:
        """The repository itself read as a mirror, for tests that fetch nothing."""
        return Mirror(self.directory / ".git", str(self.directory))

    def run(self, *arguments: str) -> str:
        """Runs Python in the tree and returns its traceback; it must fail."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0, done.stdout
        return done.stderr


def trace_of(history: History, *spans: SpanFacts, ref: str | None = None) -> TraceFacts:
    """A trace that ran the newest commit (or `ref`) a day after it was made."""
    return TraceFacts(
        trace_id="a" * 32,
        started_at=history.next_date(),
        git_repo="acme/agent",
        git_ref=ref or history.shas[-1],
        release=None,
        spans=spans,
    )


def failing_span(traceback: str, **values: object) -> SpanFacts:
    """A span with the exception of a traceback, as the SDK records it: twice."""
    last = traceback.strip().split("\n")[-1]
    kind, _, message = last.partition(": ")
    fact = ExceptionFact(kind, message, traceback)
    known: dict[str, object] = {
        "span_id": "b" * 16,
        "name": "step",
        "status": "ERROR",
        "status_message": last,
    }
    return SpanFacts(exceptions=(fact, fact), **{**known, **values})  # type: ignore[arg-type]
