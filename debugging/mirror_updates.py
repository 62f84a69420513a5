"""Brings the mirror of a source up to date: one bare repository per address, shared by nobody.

Nothing is checked out. Whether a source may be read at all is decided in `origins`; what an update
may take is in `mirror_limits`; reading the mirror starts in `mirrors`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from debugging import git, mirror_locks
from debugging.mirror_limits import (
    FETCH_TIMEOUT_SECONDS,
    SIZE_LIMIT_BYTES,
    Limits,
    nobody_stops,
)
from debugging.mirror_locks import LOCK_TIMEOUT_SECONDS
from debugging.mirrors import Mirror
from debugging.origins import RemoteSource, Source

MANY_PACKS = 20
# Old histories hold these; refusing them would refuse well-known repositories.
_TOLERATED_FLAWS = ("zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate", "badEmail")
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_REFUSED = re.compile(
    r"Authentication failed|could not read (Username|Password)|error: 40[134]|"
    r"repository '.*' not found"
)


class AccessRefused(git.GitError):
    """The server does not show the repository: it is private or not there, or the token fails."""


def fetch(
    source: Source,
    directory: Path,
    *,
    wanted: str | None = None,
    size_limit_bytes: int = SIZE_LIMIT_BYTES,
    timeout_seconds: float = FETCH_TIMEOUT_SECONDS,
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
    stop_watch: Callable[[], None] = nobody_stops,
) -> Mirror:
    """Creates or updates the mirror of `source` under `directory` and returns it.

    With `wanted`, a full commit id, a mirror that already has it is returned without a fetch.
    The first fetch appears whole or not at all; a failed update leaves the mirror as it was.
    `stop_watch` is called a few times a second; what it raises stops git and rises.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(source.location.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    mirror = Mirror(directory / f"{name}.git", source.location)
    limits = Limits(size_limit_bytes, timeout_seconds, stop_watch)
    sha = wanted.lower() if wanted and git.FULL_SHA.match(wanted.lower()) else None
    if mirror.holds(sha):
        return mirror
    lock = directory / f"{name}.lock"
    with mirror_locks.held(lock, source.location, lock_timeout_seconds, stop_watch):
        if mirror.holds(sha):
            return mirror
        for leftover in directory.glob(f"{name}.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        update = _Update(source, mirror, _network(source), limits)
        if mirror.directory.is_dir():
            update.renew(sha)
        else:
            update.create(sha)
    return mirror


def _network(source: Source) -> git.Network:
    network = source.network()
    settings = [("fetch.fsckObjects", "true"), ("fetch.unpackLimit", "1")]
    settings += [(f"fetch.fsck.{flaw}", "ignore") for flaw in _TOLERATED_FLAWS]
    return replace(network, settings=(*network.settings, *settings))


@dataclass(frozen=True, slots=True)
class _Update:
    """One update, by whoever holds the mirror's lock."""

    source: Source
    mirror: Mirror
    network: git.Network
    limits: Limits

    def create(self, sha: str | None) -> None:
        final = self.mirror.directory
        partial = Path(tempfile.mkdtemp(prefix=f"{final.stem}.partial-", dir=final.parent))
        try:
            git.run(["init", "--bare", "--quiet", "--template="], directory=partial)
            new = replace(self, mirror=replace(self.mirror, directory=partial))
            new._bring(sha)
            new._check_size()
            new._index()
            partial.rename(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def renew(self, sha: str | None) -> None:
        _remove_leftovers(self.mirror.directory)
        with _new_packs_dropped_on_failure(self.mirror.directory):
            # Brings the objects and moves no ref: a refusal costs nothing then.
            self._fetch_refs(["--dry-run"], _EVERYTHING)
            self._check_size()
        self._bring(sha)
        self._index()

    def _bring(self, sha: str | None) -> None:
        head = self._remote_head()
        self._fetch_refs(["--prune", "--atomic"], _EVERYTHING)
        if head:
            git.run(["symbolic-ref", "HEAD", head], directory=self.mirror.directory)
        if sha and not self.mirror.holds(sha):
            self._fetch_commit(sha)

    def _remote_head(self) -> str | None:
        arguments = ["ls-remote", "--symref", "--end-of-options", self.source.location, "HEAD"]
        out = self._talk(arguments)
        found = re.search(rb"^ref: (refs/heads/\S+)\tHEAD$", out, re.MULTILINE)
        return git.check_ref(found.group(1).decode("utf-8", "replace")) if found else None

    def _fetch_commit(self, sha: str) -> None:
        """Asks for a commit that no branch or tag reaches; a server may refuse, which is no error:
        `Mirror.resolve` then says that the commit is missing."""
        with _new_packs_dropped_on_failure(self.mirror.directory):
            try:
                self._fetch_refs(["--dry-run"], [sha])
            except git.CommandFailed as error:
                if re.search(r"not our ref|unadvertised|remote error|couldn't find", error.stderr):
                    return
                raise
            self._check_size()
        git.run(["update-ref", f"refs/traceroot/{sha}", sha], directory=self.mirror.directory)

    def _fetch_refs(self, options: list[str], refs: tuple[str, ...] | list[str]) -> None:
        fixed = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]
        self._talk(["fetch", *fixed, *options, "--end-of-options", self.source.location, *refs])

    def _talk(self, arguments: list[str]) -> bytes:
        try:
            return git.run(
                arguments,
                directory=self.mirror.directory,
                network=self.network,
                timeout_seconds=self.limits.left_seconds(),
                watch=self.limits.watch(self.mirror.directory, self.mirror.location),
            )
        except git.CommandFailed as error:
            if isinstance(self.source, RemoteSource) and _REFUSED.search(error.stderr):
                raise AccessRefused(_access_sentence(self.source)) from error
            raise

    def _check_size(self) -> None:
        """A quick fetch may end between two looks of the watch."""
        self.limits.check_size(self.mirror.directory, self.mirror.location)

    def _index(self) -> None:
        """Path filters make `log -- file` fast on long histories; too many packs make all slow."""
        if len(_packs(self.mirror.directory)) > MANY_PACKS:
            self._work(["repack", "-a", "-d", "-q", "--no-write-bitmap-index"])
        self._work(["commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"])

    def _work(self, arguments: list[str]) -> None:
        git.run(
            arguments,
            directory=self.mirror.directory,
            timeout_seconds=self.limits.left_seconds(),
            watch=self.limits.stop_watch,
        )


@contextmanager
def _new_packs_dropped_on_failure(directory: Path) -> Iterator[None]:
    """While no ref names what they hold, new packs can go as if they had never come."""
    before = _packs(directory)
    try:
        yield
    except BaseException:
        for file in (directory / "objects" / "pack").iterdir():
            if file.stem not in before:
                file.unlink(missing_ok=True)
        raise


def _packs(directory: Path) -> frozenset[str]:
    """Names of the packs without their ends: a pack has an index and more beside it."""
    return frozenset(file.stem for file in (directory / "objects" / "pack").glob("*.pack"))


def _remove_leftovers(directory: Path) -> None:
    """A killed git leaves locks that would stop every later one, and halves of packs."""
    for lock in directory.rglob("*.lock"):
        lock.unlink(missing_ok=True)
    for half in (directory / "objects" / "pack").glob("tmp_*"):
        half.unlink(missing_ok=True)


def _access_sentence(source: RemoteSource) -> str:
    if source.token is None:
        return (
            f"The server shows no repository at {source.location}: it is private or not there. "
            "Check the address; for a private repository set an access token that may read it."
        )
    return (
        f"The server refused the access token for {source.location}: it may have expired, or may "
        "not read this repository. Set another token."
    )
