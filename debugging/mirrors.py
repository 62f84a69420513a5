"""Keeps one bare mirror per source repository, and answers which commit a trace ran.

A source is an https address or a path under roots that the operator lists; both are checked here
before git sees them. Nothing is checked out: reading goes through `git` and `history`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from debugging import git
from debugging.origins import (
    LocalSource,
    RemoteSource,
    Source,
    SourceRefused,
    SourceRules,
    check_source,
)

__all__ = [
    "EmptyRepository",
    "LocalSource",
    "Mirror",
    "MirrorBusy",
    "MirrorTooLarge",
    "RemoteSource",
    "ResolvedRef",
    "Source",
    "SourceRefused",
    "SourceRules",
    "check_source",
    "fetch_mirror",
]

SIZE_LIMIT_BYTES = 2 * 1024**3
FETCH_TIMEOUT_SECONDS = 300.0
LOCK_TIMEOUT_SECONDS = 330.0
MANY_PACKS = 20
# Old histories hold these; refusing them would refuse well-known repositories.
_TOLERATED_FLAWS = ("zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate", "badEmail")
_HEX = re.compile(r"\A[0-9a-f]{7,64}\Z")


class MirrorBusy(git.GitError):
    """Another process is fetching the same repository and did not finish in time."""


class MirrorTooLarge(git.GitError):
    """The repository is larger than the limit; nothing of it was kept."""


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


@dataclass(frozen=True, slots=True)
class _Limits:
    size_bytes: int = SIZE_LIMIT_BYTES
    timeout_seconds: float = FETCH_TIMEOUT_SECONDS
    started: float = field(default_factory=time.monotonic)

    def left_seconds(self) -> float:
        return max(1.0, self.timeout_seconds - (time.monotonic() - self.started))


def fetch_mirror(
    source: Source,
    directory: Path,
    *,
    wanted: str | None = None,
    size_limit_bytes: int = SIZE_LIMIT_BYTES,
    timeout_seconds: float = FETCH_TIMEOUT_SECONDS,
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
) -> Mirror:
    """Creates or updates the mirror of `source` under `directory` and returns it.

    With `wanted`, a full commit id, a mirror that already has it is returned without a fetch.
    The first fetch appears whole or not at all; a failed update leaves the mirror as it was.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(source.location.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    mirror = Mirror(directory / f"{name}.git", source.location)
    limits = _Limits(size_limit_bytes, timeout_seconds)
    sha = wanted.lower() if wanted and git.FULL_SHA.match(wanted.lower()) else None
    if _holds(mirror, sha):
        return mirror
    with _locked(directory / f"{name}.lock", lock_timeout_seconds, source.location):
        if _holds(mirror, sha):
            return mirror
        for leftover in directory.glob(f"{name}.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if mirror.directory.is_dir():
            _fetch(source, mirror, sha, limits)
        else:
            _create(source, mirror, sha, limits)
    return mirror


def _holds(mirror: Mirror, sha: str | None) -> bool:
    return bool(sha and mirror.directory.is_dir() and mirror._commit_or_none(sha))


def _create(source: Source, mirror: Mirror, sha: str | None, limits: _Limits) -> None:
    partial = Path(
        tempfile.mkdtemp(prefix=f"{mirror.directory.stem}.partial-", dir=mirror.directory.parent)
    )
    try:
        git.run(["init", "--bare", "--quiet", "--template="], directory=partial)
        _fetch(source, Mirror(partial, mirror.location), sha, limits)
        partial.rename(mirror.directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch(source: Source, mirror: Mirror, sha: str | None, limits: _Limits) -> None:
    with source.network() as network:
        settings = [("fetch.fsckObjects", "true"), ("fetch.unpackLimit", "1")]
        settings += [(f"fetch.fsck.{flaw}", "ignore") for flaw in _TOLERATED_FLAWS]
        network = git.Network(
            protocols=network.protocols,
            token=network.token,
            settings=(*network.settings, *settings),
            config_file=network.config_file,
        )
        head = _remote_head(source, mirror, network, limits)
        refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        _fetch_refs(source, mirror, network, limits, ["--prune", "--atomic"], refs)
        if head:
            arguments = ["symbolic-ref", "HEAD", head]
            git.run(arguments, directory=mirror.directory)
        if sha and not _holds(mirror, sha):
            _fetch_commit(source, mirror, network, limits, sha)
    _check_size(mirror, limits)  # a quick fetch may end between two looks of the watch
    _index(mirror, limits)


def _remote_head(
    source: Source, mirror: Mirror, network: git.Network, limits: _Limits
) -> str | None:
    out = git.run(
        ["ls-remote", "--symref", "--end-of-options", source.location, "HEAD"],
        directory=mirror.directory,
        network=network,
        timeout_seconds=limits.left_seconds(),
    )
    found = re.search(rb"^ref: (refs/heads/\S+)\tHEAD$", out, re.MULTILINE)
    return git.check_ref(found.group(1).decode("utf-8", "replace")) if found else None


def _fetch_refs(
    source: Source,
    mirror: Mirror,
    network: git.Network,
    limits: _Limits,
    options: list[str],
    refs: list[str],
) -> None:
    fixed = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]
    git.run(
        ["fetch", *fixed, *options, "--end-of-options", source.location, *refs],
        directory=mirror.directory,
        network=network,
        timeout_seconds=limits.left_seconds(),
        watch=_size_watch(mirror, limits),
    )


def _fetch_commit(
    source: Source, mirror: Mirror, network: git.Network, limits: _Limits, sha: str
) -> None:
    """Asks for a commit that no branch or tag reaches; a server may refuse, which is no error:
    `Mirror.resolve` then says that the commit is missing."""
    try:
        _fetch_refs(source, mirror, network, limits, [], [f"{sha}:refs/traceroot/{sha}"])
    except git.CommandFailed as error:
        if not re.search(r"not our ref|unadvertised|remote error|couldn't find", error.stderr):
            raise


def _index(mirror: Mirror, limits: _Limits) -> None:
    """Path filters make `log -- file` fast on long histories; too many packs make all slow."""
    if len(list((mirror.directory / "objects" / "pack").glob("*.pack"))) > MANY_PACKS:
        arguments = ["repack", "-a", "-d", "-q", "--no-write-bitmap-index"]
        git.run(arguments, directory=mirror.directory, timeout_seconds=limits.left_seconds())
    arguments = ["commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"]
    git.run(arguments, directory=mirror.directory, timeout_seconds=limits.left_seconds())


def _size_watch(mirror: Mirror, limits: _Limits) -> Callable[[], None]:
    next_look = 0.0

    def look() -> None:
        nonlocal next_look
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + git.TICK_SECONDS
            _check_size(mirror, limits)

    return look


def _check_size(mirror: Mirror, limits: _Limits) -> None:
    if _size_bytes(mirror.directory) > limits.size_bytes:
        raise MirrorTooLarge(
            f"{mirror.location} is larger than {limits.size_bytes} bytes, the limit for "
            "repositories here. Ask the operator to raise it."
        )


def _size_bytes(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # git renames its temporary packs while we look
    return total


@contextmanager
def _locked(path: Path, timeout_seconds: float, location: str) -> Iterator[None]:
    deadline = time.monotonic() + timeout_seconds
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise MirrorBusy(
                        f"{location} is being fetched by another process. Try again later."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


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
