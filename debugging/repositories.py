"""The repositories of a project: add, give an access token, fetch, remove.

Where a repository may lie is decided in `origins`; this adds what only the product knows: the roots
of this installation, and that its own data directory is no source. Which repository a trace ran
from is in `matching`.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Project
from debugging import access_tokens, git, mirror_limits, mirror_updates, origins, wake
from debugging.access_tokens import InvalidAccessToken
from debugging.matching import canonical
from debugging.mirror_limits import nobody_stops
from debugging.mirrors import Mirror
from debugging.models import Repository
from debugging.models.repository import LOCATION_MAX_CHARACTERS, NAME_MAX_CHARACTERS
from debugging.origins import LocalSource, Source, SourceRefused, SourceRules

log = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]
MAX_REPOSITORIES = 50
_LOOK_SECONDS = 1.0
_FETCH_LEASE = dt.timedelta(seconds=mirror_limits.FETCH_TIMEOUT_SECONDS + 60)
_NAME = re.compile(r"\A[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*\Z")


class RepositoryError(ValueError):
    """The repository cannot be added; the message says why, for the person who tried."""


class InvalidRepositoryName(RepositoryError):
    """Not a name that a trace could give."""


class RepositoryNameTaken(RepositoryError):
    """The project has one of that name."""


class LocationRefused(RepositoryError):
    """The address or path may not be read."""


class TokenRefused(RepositoryError):
    """The access token cannot be one, or has no use here."""


class TooManyRepositories(RepositoryError):
    """The project has as many as it may."""


class RepositoryRemoved(Exception):
    """The repository was removed while it was fetched."""


def add(project: Project, *, name: str, location: str, token: str = "") -> Repository:
    """Checks the address, keeps it and asks for a first fetch. Raises RepositoryError."""
    location = location.strip()
    if len(location) > LOCATION_MAX_CHARACTERS:
        raise LocationRefused(f"The address has more than {LOCATION_MAX_CHARACTERS} characters.")
    _accept(location)
    repository = Repository(project=project, name=_clean_name(name or _name_of(location)))
    repository.location, repository.fetch_requested_at = location, timezone.now()
    _put_token(repository, token)
    existing = Repository.objects.for_project(project)
    if existing.count() >= MAX_REPOSITORIES:
        raise TooManyRepositories(
            f"The project has {MAX_REPOSITORIES} repositories, which is the most. Remove one first."
        )
    taken = f"The project has a repository named {repository.name} already."
    if any(canonical(one.name) == canonical(repository.name) for one in existing):
        raise RepositoryNameTaken(taken)
    try:
        with transaction.atomic():
            repository.save(force_insert=True)
            wake.worker()
    except IntegrityError as error:
        raise RepositoryNameTaken(taken) from error
    return repository


def set_token(repository: Repository, token: str, now: dt.datetime) -> None:
    """Replaces the access token (empty: takes it away) and asks for a fetch with it. Raises
    RepositoryError."""
    _put_token(repository, token)
    with transaction.atomic():
        _note(repository, sealed_token=repository.sealed_token, token_hint=repository.token_hint)
        request_fetch(repository, now)


def request_fetch(repository: Repository, now: dt.datetime) -> None:
    """Asks a worker to bring the mirror up to date."""
    with transaction.atomic():
        Repository.objects.filter(pk=repository.pk).update(fetch_requested_at=now)
        wake.worker()


def remove(repository: Repository) -> None:
    """The row and what was fetched of it; reports that quote it stay."""
    directory = mirror_directory(repository)
    with transaction.atomic():
        repository.delete()
        transaction.on_commit(lambda: shutil.rmtree(directory, ignore_errors=True))


def rules() -> SourceRules:
    """What this installation allows. On loopback, with nothing configured, the operator's home."""
    roots = list(settings.REPOSITORY_ROOTS)
    if not roots and settings.TRACEROOT_IS_LOOPBACK:
        roots = [Path.home()]
    return SourceRules(
        allowed_roots=(*roots, settings.DATA_DIR / "demo"),
        allow_private_addresses=settings.REPOSITORY_ALLOW_PRIVATE_ADDRESSES,
        ca_file=settings.REPOSITORY_CA_FILE,
    )


def check(location: str, *, token: str | None = None) -> Source:
    """The source behind an address or path; raises SourceRefused.

    The data directory holds the mirrors of every project, so that nothing in it but the demo may be
    named, whatever the roots are.
    """
    source = origins.check_source(location, rules(), token=token)
    if isinstance(source, LocalSource):
        path, data = Path(source.location), settings.DATA_DIR.resolve()
        if path.is_relative_to(data) and not path.is_relative_to(data / "demo"):
            raise SourceRefused(f"{location} is part of this installation's own data.")
    return source


def fetch(
    repository: Repository,
    clock: Clock = timezone.now,
    *,
    wanted: str = "",
    stop_watch: Callable[[], None] = nobody_stops,
) -> Mirror:
    """Brings the mirror up to date (not when it has the commit `wanted`) and notes the outcome.
    Raises git.GitError, and what `stop_watch` raises to stop it."""
    try:
        mirror = mirror_updates.fetch(
            check(repository.location, token=access_tokens.of(repository)),
            mirror_directory(repository),
            wanted=wanted or None,
            stop_watch=stop_watch,
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
    waiting = Repository.objects.fetchable(clock()).order_by("fetch_requested_at", "id")
    for repository_id in list(waiting.values_list("pk", flat=True)[:10]):
        repository = _claim(repository_id, clock())
        if repository is None:
            continue
        tried += 1
        try:
            fetch(repository, clock, stop_watch=_removal_watch(repository))
        except RepositoryRemoved:
            shutil.rmtree(mirror_directory(repository), ignore_errors=True)
        except git.GitError as error:
            log.info("repository.fetch_refused repository=%s reason=%s", repository.pk, error)
        except Exception as error:
            log.exception("repository.fetch_failed repository=%s", repository.pk)
            _note(repository, last_error=f"The fetch failed unexpectedly ({type(error).__name__}).")
        # Asked for once more in the meantime, it is fetched once more.
        done = Repository.objects.filter(fetch_requested_at=repository.fetch_requested_at)
        done.filter(pk=repository.pk).update(fetch_requested_at=None)
        _note(repository, fetch_lease_expires_at=None)
    return tried


def mirror_directory(repository: Repository) -> Path:
    """Where the mirror of a repository lies: below its project, never shared with another."""
    root: Path = settings.DATA_DIR / "repositories"
    return root / str(repository.project_id) / str(repository.pk)


def _claim(repository_id: UUID, now: dt.datetime) -> Repository | None:
    mine = Repository.objects.filter(pk=repository_id)
    if not mine.fetchable(now).update(fetch_lease_expires_at=now + _FETCH_LEASE):
        return None
    return mine.first()


def _accept(location: str) -> None:
    try:
        check(location)
    except git.GitError as error:
        raise LocationRefused(str(error)) from error


def _put_token(repository: Repository, token: str) -> None:
    if token and not repository.is_remote:
        raise TokenRefused("A repository that is read from a path needs no access token.")
    try:
        access_tokens.put(repository, token)
    except InvalidAccessToken as error:
        raise TokenRefused(str(error)) from error


def _removal_watch(repository: Repository) -> Callable[[], None]:
    next_look = 0.0

    def look() -> None:
        nonlocal next_look
        if time.monotonic() < next_look:
            return
        next_look = time.monotonic() + _LOOK_SECONDS
        if not Repository.objects.filter(pk=repository.pk).exists():
            raise RepositoryRemoved

    return look


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
