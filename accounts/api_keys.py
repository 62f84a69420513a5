"""Keys of programs: made, verified on every request, revoked.

A key is `tr-` and a random UUID, the form that published clients know. Only its SHA-256 is stored:
the key has 122 random bits, so a slow hash would add nothing but time on the hot path.

Verified keys are remembered in this process for `CACHE_SECONDS`; a revocation is therefore in
effect everywhere within that time and a cache hit costs no query. Expiry is exact.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts import names
from accounts.key_cache import KeyCache
from accounts.key_uses import KeyUses
from accounts.models import DEFAULT_SCOPES, ApiKey, Project, User

CACHE_SECONDS = 4.0  # with the time of the request itself, a revocation is in effect within 5 s
PREFIX = "tr-"
SCOPES: dict[str, str] = {
    "ingest": "Send spans",
    "read": "Read traces and findings",
    "delete": "Delete traces",
}

_SHAPE = re.compile(r"tr-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


class KeysUnavailable(Exception):
    """The database cannot say whether a key is good. Callers answer 503, never 401."""


class UnknownScope(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A good key and what it opens. `hint` is its last four characters."""

    key_id: uuid.UUID
    key_name: str
    hint: str
    project_id: uuid.UUID
    project_name: str
    organization_id: uuid.UUID
    organization_name: str
    scopes: frozenset[str]
    retention_days: int
    expires_at: datetime | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes


_cache: KeyCache[VerifiedKey] = KeyCache(CACHE_SECONDS)
_uses = KeyUses()


def create(
    project: Project,
    name: str,
    created_by: User | None,
    *,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its raw text, which exists nowhere else. Raises InvalidName, UnknownScope."""
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise UnknownScope(f"A key needs scopes out of {', '.join(SCOPES)}, not {unknown}.")
    raw = f"{PREFIX}{uuid.uuid4()}"  # uuid4 reads the system's secure random source
    key = ApiKey.objects.create(
        project=project,
        name=names.clean(name),
        hashed=_hash(raw),
        prefix=PREFIX,
        hint=raw[-4:],
        scopes=wanted,
        created_by=created_by,
        expires_at=expires_at,
    )
    return key, raw


def revoke(key: ApiKey, *, now: datetime | None = None) -> None:
    """Ends the key: here at once, in other processes within `CACHE_SECONDS`. Harmless twice."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now or timezone.now())
    key.refresh_from_db(fields=["revoked_at"])
    _cache.drop(key.hashed)


def verify(raw: str) -> VerifiedKey | None:
    """The key if it is good now, else None. Raises KeysUnavailable."""
    hashed = _hash_if_well_formed(raw)
    if hashed is None:
        return None
    found, key = _cache.get(hashed)
    if not found:
        with _cache.filling(hashed) as fill:
            key = _load(hashed)
            fill(key)
    return _admit(key)


async def averify(raw: str) -> VerifiedKey | None:
    """As `verify`; a cache hit is answered without leaving the event loop."""
    hashed = _hash_if_well_formed(raw)
    if hashed is None:
        return None
    found, key = _cache.get(hashed)
    if found:
        return _admit(key)
    verified: VerifiedKey | None = await database_sync_to_async(verify)(raw)
    return verified


def forget_verified() -> None:
    """Empties the cache of this process: every key is looked up again."""
    _cache.clear()


def _admit(key: VerifiedKey | None) -> VerifiedKey | None:
    if key is None:
        return None
    now = timezone.now()
    if key.expires_at is not None and key.expires_at <= now:
        return None
    _uses.note(key.key_id, now)
    return key


def _load(hashed: str) -> VerifiedKey | None:
    try:
        key = (
            ApiKey.objects.select_related("project__organization")
            .filter(hashed=hashed, revoked_at=None)
            .first()
        )
    except (DatabaseError, InterfaceError) as error:
        raise KeysUnavailable("The database did not answer whether the API key is good.") from error
    if key is None:
        return None
    return VerifiedKey(
        key_id=key.id,
        key_name=key.name,
        hint=key.hint,
        project_id=key.project_id,
        project_name=key.project.name,
        organization_id=key.project.organization_id,
        organization_name=key.project.organization.name,
        scopes=frozenset(key.scopes),
        retention_days=key.project.retention_days,
        expires_at=key.expires_at,
    )


def _hash_if_well_formed(raw: str) -> str | None:
    return _hash(raw) if _SHAPE.match(raw) else None


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
