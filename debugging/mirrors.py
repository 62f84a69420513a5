"""A bare repository on disk with what its source had, and which of its commits a trace ran.

How it gets there is in `mirror_updates`; what lies in a commit is read through `git_objects` and
`history`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from debugging import git

_HEX = re.compile(r"\A[0-9a-f]{7,64}\Z")


class EmptyRepository(git.GitError):
    """The repository has no commit."""


@dataclass(frozen=True, slots=True)
class ResolvedRef:
    """The commit that is read for a trace. `drift` says in a sentence why it is not the
    requested one; None when it is."""

    requested: str | None
    commit: str
    drift: str | None


@dataclass(frozen=True, slots=True)
class Mirror:
    """A bare repository on disk that holds what its source had when it was fetched last."""

    directory: Path
    location: str

    def resolve(
        self, ref: str | None, *, at: datetime | None = None, release: str | None = None
    ) -> ResolvedRef:
        """Finds the commit that ran: `ref`, else the tag of `release`, else by time `at`."""
        named = self._named(ref, at) if ref else None
        if named is not None:
            return named
        why = _missing_sentence(ref)
        for name in _tag_names(release):
            commit = self._commit_or_none(f"refs/tags/{name}")
            if commit:
                return ResolvedRef(ref, commit, f"{why} Used {commit[:12]}, the tag {name}.")
        return self._by_time(ref, at, why)

    def default_branch(self) -> str:
        """The name of the branch that HEAD of the source points to."""
        arguments = ["symbolic-ref", "--short", "HEAD"]
        return git.run(arguments, directory=self.directory).decode("utf-8", "replace").strip()

    def holds(self, sha: str | None) -> bool:
        """Whether the commit with this full id is here already."""
        return bool(sha and self.directory.is_dir() and self._commit_or_none(sha))

    def _named(self, ref: str, at: datetime | None) -> ResolvedRef | None:
        if git.FULL_SHA.match(ref.lower()):
            commit = self._commit_or_none(ref.lower())
            return ResolvedRef(ref, commit, None) if commit else None
        name = re.sub(r"\A(refs/(heads|tags|remotes/origin)/|origin/)", "", ref)
        tagged = self._commit_or_none(f"refs/tags/{name}")
        if tagged:
            return ResolvedRef(ref, tagged, None)
        head = self._commit_or_none(f"refs/heads/{name}")
        if head:
            return self._branch(ref, name, head, at)
        commit = self._commit_or_none(ref.lower()) if _HEX.match(ref.lower()) else None
        return ResolvedRef(ref, commit, None) if commit else None

    def _branch(self, ref: str, name: str, head: str, at: datetime | None) -> ResolvedRef:
        commit = self._last_before(head, at) if at else head
        if commit in (None, head):
            return ResolvedRef(ref, head, None)
        assert commit is not None
        return ResolvedRef(
            ref,
            commit,
            f"The trace names the branch {name}, which has moved on since. "
            f"Used {commit[:12]}, its last commit before the trace.",
        )

    def _by_time(self, ref: str | None, at: datetime | None, why: str) -> ResolvedRef:
        head = self._commit_or_none("HEAD")
        if head is None:
            raise EmptyRepository(f"{self.location} has no commits on its default branch.")
        branch = self.default_branch()
        before = self._last_before(head, at) if at else None
        if before is None:
            how = f"the newest commit of {branch}"
        else:
            how = f"the last commit of {branch} before the trace"
        commit = before or head
        return ResolvedRef(ref, commit, f"{why} Used {commit[:12]}, {how}.")

    def _last_before(self, head: str, at: datetime) -> str | None:
        until = int((at + timedelta(seconds=1)).astimezone(UTC).timestamp())
        if until <= 0:
            return None
        arguments = ["rev-list", "-1", "--first-parent", f"--until={until}", "--end-of-options"]
        out = git.run([*arguments, head, "--"], directory=self.directory)
        return out.decode("ascii", "replace").strip() or None

    def _commit_or_none(self, name: str) -> str | None:
        try:
            return git.resolve(self.directory, name)
        except (git.UnknownRevision, git.UnsafeName):
            return None


def _missing_sentence(ref: str | None) -> str:
    if not ref:
        return "The trace does not say which commit ran."
    shown = ref if len(ref) <= 60 else f"{ref[:57]}..."
    return f"The repository has no commit, branch or tag {shown!r} (was it pushed?)."


def _tag_names(release: str | None) -> tuple[str, ...]:
    if not release:
        return ()
    bare = release.rpartition("@")[2]
    names = (release, bare, f"v{bare}", bare.removeprefix("v"))
    return tuple(dict.fromkeys(name for name in names if name))
