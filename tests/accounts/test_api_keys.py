"""Keys: hashed at rest, cheap on the hot path, revoked and expired in time."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import api_keys
from accounts.key_cache import KeyCache
from accounts.key_uses import KeyUses
from accounts.models import ApiKey, Project, User


def test_a_key_has_the_form_that_published_clients_know(project: Project, ada: User) -> None:
    key, raw = api_keys.create(project, "Agents", ada)
    assert re.fullmatch(
        r"tr-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", raw
    )
    assert (key.prefix, key.hint) == ("tr-", raw[-4:])
    assert key.masked == f"tr-…{raw[-4:]}"


def test_only_the_hash_is_stored(project: Project, ada: User) -> None:
    key, raw = api_keys.create(project, "Agents", ada)
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert row["hashed"] == hashlib.sha256(raw.encode()).hexdigest()
    assert not [name for name, value in row.items() if raw in str(value) or raw[3:] in str(value)]


def test_a_good_key_says_what_it_opens(project: Project, api_key: str) -> None:
    verified = api_keys.verify(api_key)
    assert verified is not None
    assert (verified.project_id, verified.project_name) == (project.id, "Support")
    assert (verified.organization_id, verified.organization_name) == (
        project.organization_id,
        "Acme",
    )
    assert (verified.key_name, verified.hint) == ("Production agents", api_key[-4:])
    assert verified.scopes == {"ingest", "read"}
    assert verified.retention_days == 0


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "tr-",
        "tr-00000000-0000-4000-8000-000000000000",
        "Bearer tr-00000000-0000-4000-8000-000000000000",
        "tr-00000000-0000-4000-8000-000000000000\n",
        "tr-\x00",
        "tr-\udcff",
        "x" * 100_000,
    ],
)
def test_what_is_not_a_key_opens_nothing(api_key: str, raw: str) -> None:
    assert api_keys.verify(raw) is None


def test_a_cache_hit_asks_the_database_nothing(api_key: str) -> None:
    first = api_keys.verify(api_key)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert api_keys.verify(api_key) == first
        assert asyncio.run(api_keys.averify(api_key)) == first
    assert len(queries) == 0


def test_an_unknown_key_is_remembered_too(db: None) -> None:
    raw = "tr-11111111-1111-4111-8111-111111111111"
    assert api_keys.verify(raw) is None
    with CaptureQueriesContext(connection) as queries:
        assert api_keys.verify(raw) is None
    assert len(queries) == 0


def test_a_revoked_key_is_refused_at_once_where_it_was_revoked(project: Project, ada: User) -> None:
    key, raw = api_keys.create(project, "Agents", ada)
    assert api_keys.verify(raw) is not None
    api_keys.revoke(key)
    assert api_keys.verify(raw) is None
    assert key.revoked_at is not None


def test_a_key_revoked_by_another_process_is_refused_within_five_seconds(
    project: Project, ada: User
) -> None:
    key, raw = api_keys.create(project, "Agents", ada)
    assert api_keys.verify(raw) is not None
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())  # no cache is told
    revoked = time.monotonic()
    while api_keys.verify(raw) is not None:
        assert time.monotonic() - revoked < 5
        time.sleep(0.1)


def test_revoking_twice_keeps_the_first_time(project: Project, ada: User) -> None:
    key, _ = api_keys.create(project, "Agents", ada)
    first = timezone.now() - timedelta(hours=1)
    api_keys.revoke(key, now=first)
    api_keys.revoke(key)
    assert key.revoked_at == first


def test_a_key_ends_when_it_expires_even_in_the_cache(project: Project, ada: User) -> None:
    ends = timezone.now() + timedelta(seconds=0.4)
    _, raw = api_keys.create(project, "Agents", ada, expires_at=ends)
    assert api_keys.verify(raw) is not None
    time.sleep(0.45)
    assert api_keys.verify(raw) is None


def test_a_key_needs_known_scopes(project: Project, ada: User) -> None:
    with pytest.raises(api_keys.UnknownScope):
        api_keys.create(project, "Agents", ada, scopes=["root"])
    with pytest.raises(api_keys.UnknownScope):
        api_keys.create(project, "Agents", ada, scopes=[])
    _, raw = api_keys.create(project, "Agents", ada, scopes=["ingest"])
    verified = api_keys.verify(raw)
    assert verified is not None
    assert verified.may("ingest")
    assert not verified.may("read")


def test_a_key_dies_with_its_project(project: Project, api_key: str) -> None:
    project.delete()
    api_keys.forget_verified()
    assert api_keys.verify(api_key) is None


@pytest.mark.django_db(transaction=True)
def test_use_is_written_behind_the_request_and_at_most_once_a_minute(
    project: Project, ada: User
) -> None:
    key, _ = api_keys.create(project, "Agents", ada)
    now = [100.0]
    uses = KeyUses(clock=lambda: now[0])
    first = timezone.now()
    uses.note(key.pk, first)
    uses.join(10)
    key.refresh_from_db()
    assert key.last_used_at == first
    now[0] += 59
    uses.note(key.pk, first + timedelta(seconds=59))
    uses.join(10)
    key.refresh_from_db()
    assert key.last_used_at == first
    now[0] += 1
    uses.note(key.pk, first + timedelta(seconds=60))
    uses.join(10)
    key.refresh_from_db()
    assert key.last_used_at == first + timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_verifying_notes_the_use(project: Project, ada: User) -> None:
    key, raw = api_keys.create(project, "Agents", ada)
    assert api_keys.verify(raw) is not None
    deadline = time.monotonic() + 10
    while key.last_used_at is None and time.monotonic() < deadline:
        time.sleep(0.05)
        key.refresh_from_db()
    assert key.last_used_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_miss_is_looked_up_from_an_event_loop(api_key: str) -> None:
    verified = asyncio.run(api_keys.averify(api_key))
    assert verified is not None
    assert verified.key_name == "Production agents"


def test_the_cache_forgets_the_oldest_when_it_is_full() -> None:
    cache: KeyCache[str] = KeyCache(60, max_entries=2)
    for name in ("a", "b", "c"):
        with cache.filling(name) as fill:
            fill(name)
    assert cache.get("a") == (False, None)
    assert cache.get("c") == (True, "c")


def test_the_cache_counts_from_before_the_question() -> None:
    now = [0.0]
    cache: KeyCache[str] = KeyCache(4, clock=lambda: now[0])
    with cache.filling("a") as fill:
        now[0] = 3  # the database was slow
        fill("good")
    now[0] = 3.9
    assert cache.get("a") == (True, "good")
    now[0] = 4
    assert cache.get("a") == (False, None)


def test_an_answer_that_was_on_its_way_while_the_key_was_revoked_is_not_kept() -> None:
    cache: KeyCache[str] = KeyCache(4)
    with cache.filling("a") as fill:
        cache.drop("a")
        fill("good")
    assert cache.get("a") == (False, None)
