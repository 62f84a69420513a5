"""The repositories of a project: add, fetch, remove, and which one a trace ran from.

Where a repository may lie is decided in `origins`; this adds what only the product knows: the roots
of this installation, and that its own data directory is no source.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Project
from debugging import git, mirrors, wake
from debugging.mirrors import LocalSource, Mirror, Source, SourceRefused, SourceRules
from debugging.models import Repository
from debugging.models.repository import LOCATION_MAX_CHARACTERS, NAME_MAX_CHARACTERS

log = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]
MAX_REPOSITORIES = 50
_FETCH_LEASE = dt.timedelta(seconds=mirrors.FETCH_TIMEOUT_SECONDS + 60)
_NAME = re.compile(r"\A[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*\Z")


class RepositoryError(ValueError):
    """The repository cannot be added; the message says why, for the person who tried."""


class InvalidRepositoryName(RepositoryError):
    """Not a name that a trace could give."""


class RepositoryNameTaken(RepositoryError):
    """The project has one of that name."""


class LocationRefused(RepositoryError):
    """The address or path may not be read."""


class TooManyRepositories(RepositoryError):
    """The project has as many as it may."""


@dataclass(frozen=True, slots=True)
class Match:
    """The repository of a trace; `note` says how it was chosen, or why there is none."""

    repository: Repository | None
    note: str


def add(project: Project, *, name: str, location: str) -> Repository:
    """Checks the address, keeps it and asks for a first fetch. Raises RepositoryError."""
    location = location.strip()
    cleaned = _clean_name(name or _name_of(location))
    if len(location) > LOCATION_MAX_CHARACTERS:
        raise LocationRefused(f"The address has more than {LOCATION_MAX_CHARACTERS} characters.")
    try:
        check(location)
    except git.GitError as error:
        raise LocationRefused(str(error)) from error
    existing = Repository.objects.for_project(project)
    if existing.count() >= MAX_REPOSITORIES:
        raise TooManyRepositories(
            f"The project has {MAX_REPOSITORIES} repositories, which is the most. Remove one first."
        )
    if any(canonical(one.name) == canonical(cleaned) for one in existing):
        raise RepositoryNameTaken(f"The project has a repository named {cleaned} already.")
    try:
        with transaction.atomic():
            repository = Repository.objects.create(
                project=project,
                name=cleaned,
                location=location,
                fetch_requested_at=timezone.now(),
            )
            wake.worker()
    except IntegrityError as error:
        raise RepositoryNameTaken(
            f"The project has a repository named {cleaned} already."
        ) from error
    return repository


def request_fetch(repository: Repository, now: dt.datetime) -> None:
    """A worker fetches it within seconds and notes the outcome on the row."""
    with transaction.atomic():
        Repository.objects.filter(pk=repository.pk).update(fetch_requested_at=now)
        wake.worker()


def remove(repository: Repository) -> None:
    """The row and what was fetched of it; reports that quote it stay."""
    directory = mirror_directory(repository)
    with transaction.atomic():
        repository.delete()
        transaction.on_commit(lambda: shutil.rmtree(directory, ignore_errors=True))


def match(project: Project | UUID, git_repo: str | None) -> Match:
    """The repository that a trace names: by name, else by the name without host, case and .git,
    else the project's only one."""
    known = list(Repository.objects.for_project(project).by_name())
    if not known:
        which = f"Add the repository {git_repo}" if git_repo else "Add the agent's repository"
        return Match(None, f"This project has no repository. {which} in the settings.")
    for one in known:
        if git_repo and one.name == git_repo:
            return Match(one, "The trace names it.")
    for one in known:
        if git_repo and canonical(one.name) == canonical(git_repo):
            return Match(one, f"The trace calls it {git_repo}.")
    if len(known) == 1:
        said = f"The trace names {git_repo}" if git_repo else "The trace names no repository"
        return Match(known[0], f"{said}; {known[0].name} is the only one of this project.")
    if git_repo:
        return Match(
            None,
            f"The trace ran from {git_repo}, which is not among this project's repositories. "
            f"Add the repository {git_repo} in the settings.",
        )
    return Match(
        None,
        f"The trace does not name its repository (traceroot.git.repo), and this project has "
        f"{len(known)}. Let the agent report it, or keep only one.",
    )


def canonical(name: str) -> str:
    """`https://GitHub.com/Acme/agent.git` and `acme/agent` are the same repository."""
    text = re.sub(r"\A[a-z][a-z0-9+.-]*://", "", name.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\A[^@/]+@", "", text)
    parts = [part for part in re.split(r"[/:]", text.casefold()) if part]
    if len(parts) > 2 and ("." in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    return "/".join(parts).removesuffix(".git")


def rules() -> SourceRules:
    """What this installation allows. On loopback, with nothing configured, the operator's home."""
    roots = list(settings.REPOSITORY_ROOTS)
    if not roots and settings.TRACEROOT_IS_LOOPBACK:
        roots = [Path.home()]
    return SourceRules(
        allowed_roots=(*roots, settings.DATA_DIR / "demo"),
        allow_private_addresses=settings.REPOSITORY_ALLOW_PRIVATE_ADDRESSES,
    )


def check(location: str) -> Source:
    """The source behind an address or path; raises SourceRefused.

    The data directory holds the mirrors of every project, so that nothing in it but the demo may be
    named, whatever the roots are.
    """
    source = mirrors.check_source(location, rules())
    if isinstance(source, LocalSource):
        path, data = Path(source.location), settings.DATA_DIR.resolve()
        if path.is_relative_to(data) and not path.is_relative_to(data / "demo"):
            raise SourceRefused(f"{location} is part of this installation's own data.")
    return source


def fetch(repository: Repository, clock: Clock = timezone.now, *, wanted: str = "") -> Mirror:
    """Brings the mirror up to date (not when it has the commit `wanted`) and notes the outcome.
    Raises git.GitError."""
    try:
        mirror = mirrors.fetch_mirror(
            check(repository.location), mirror_directory(repository), wanted=wanted or None
        )
        branch = mirror.default_branch()
    except git.GitError as error:
        _note(repository, last_error=_sentence(error))
        raise
    _note(repository, last_error="", default_branch=branch[:250])
    if not wanted or repository.last_fetched_at is None:  # else the mirror may have had it all
        _note(repository, last_fetched_at=clock())
    return mirror


def fetch_requested(clock: Clock = timezone.now) -> int:
    """Fetches what was asked for, one after the other; returns how many were tried."""
    tried = 0
    for repository in Repository.objects.fetchable(clock()).order_by("fetch_requested_at")[:10]:
        now = clock()
        mine = Repository.objects.filter(pk=repository.pk).fetchable(now)
        if not mine.update(fetch_lease_expires_at=now + _FETCH_LEASE):
            continue
        tried += 1
        try:
            fetch(repository, clock)
        except git.GitError as error:
            log.info("repository.fetch_refused repository=%s reason=%s", repository.pk, error)
        except Exception as error:
            log.exception("repository.fetch_failed repository=%s", repository.pk)
            _note(repository, last_error=f"The fetch failed unexpectedly ({type(error).__name__}).")
        _note(repository, fetch_requested_at=None, fetch_lease_expires_at=None)
    return tried


def mirror_directory(repository: Repository) -> Path:
    """Where the mirror of a repository lies: below its project, never shared with another."""
    root: Path = settings.DATA_DIR / "repositories"
    return root / str(repository.project_id) / str(repository.pk)


def _note(repository: Repository, **values: object) -> None:
    Repository.objects.filter(pk=repository.pk).update(**values)


def _sentence(error: git.GitError) -> str:
    return str(error).replace("\0", "�")[:2000]


def _name_of(location: str) -> str:
    """The last two parts of an address, the last of a path."""
    parts = [part for part in location.removesuffix("/").removesuffix(".git").split("/") if part]
    return "/".join(parts[-2:] if "://" in location else parts[-1:])


def _clean_name(name: str) -> str:
    name = name.strip()
    if len(name) > NAME_MAX_CHARACTERS or not _NAME.match(name):
        raise InvalidRepositoryName(
            "Name the repository as traces do, for instance acme/agent: letters, digits and "
            f"- _ . ~ between slashes, at most {NAME_MAX_CHARACTERS} characters."
        )
    return name
