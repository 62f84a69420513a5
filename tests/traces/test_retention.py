"""How long traces are kept: the default, rules, the daily run, and the store's own backstop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import api_keys
from accounts.models import Project, User
from tests.traces import arrived, made
from traces import settle
from traces.deletion import erasing, tombstones, work
from traces.models import Deletion, RetentionPolicy, RetentionRule
from traces.models.retention import FOR_EVER
from traces.retention import expiry, policies, sweeps
from traces.retention.policies import BadRule
from traces.store import client, marks, writer

pytestmark = [
    pytest.mark.usefixtures("store"),
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    yield
    tombstones.forget()


def stored(project: Project, **fields: object) -> bytes:
    trace_id = made.stored(made.span(project.id, made.trace_id(), 1, **fields))
    settle.settle_quiet()
    return trace_id


def expired(project: Project, days: float) -> set[bytes]:
    """What has expired so many days from now."""
    found = expiry.expired(project.pk, timezone.now() + days * DAY)
    return {bytes.fromhex(one) for one in found}


def rule(days: int, **what: object) -> RetentionRule:
    return RetentionRule(days=days, **what)


def test_without_a_policy_nothing_expires(project: Project) -> None:
    stored(project)
    assert expired(project, 10_000) == set()


def test_the_default_counts_from_the_arrival_of_old_spans_too(
    project: Project, other_project: Project, ada: User
) -> None:
    ancient = time.time_ns() - 100 * 86_400 * 10**9
    old = stored(project, start_ns=ancient, end_ns=ancient + 1)
    stored(other_project)
    policies.set_default(project, 7, ada)
    assert expired(project, 6.9) == set()
    assert expired(project, 7.1) == {old}
    assert expired(other_project, 7.1) == set()


@pytest.mark.parametrize(
    ("pattern", "environment", "matches"),
    [
        ("prod*", "production", True),
        ("prod*", "preprod", False),
        ("prod?", "prod1", True),
        ("prod?", "prod", False),
        ("a_b", "a_b", True),
        ("a_b", "axb", False),
        ("100%", "100%", True),
        ("100%", "100 of", False),
        ("a\\b", "a\\b", True),
        ("*", "", True),
    ],
)
def test_environments_are_named_with_wildcards_and_nothing_else_is_one(
    project: Project, ada: User, pattern: str, environment: str, matches: bool
) -> None:
    trace_id = stored(project, environment=environment)
    policies.add_rule(project, rule(7, environment=pattern), ada)
    assert expired(project, 8) == ({trace_id} if matches else set())


def test_of_rules_that_match_the_longest_counts_and_all_of_one_must(
    project: Project, ada: User
) -> None:
    plain = stored(project)
    failed = stored(project, status="error")
    tagged = stored(project, status="error", trace_tags=("keep",))
    found = stored(project)
    marks.mark(project.id, found, name="finding", source_id="s", label="d")
    policies.set_default(project, 7, ada)
    policies.add_rule(project, rule(30, is_error=True), ada)
    policies.add_rule(project, rule(FOR_EVER, is_error=True, tag="keep"), ada)
    policies.add_rule(project, rule(90, has_finding=True), ada)
    assert expired(project, 8) == {plain}
    assert expired(project, 31) == {plain, failed}
    assert expired(project, 91) == {plain, failed, found}
    assert tagged not in expired(project, 10_000)


def test_a_shorter_rule_wins_over_a_longer_default(project: Project, ada: User) -> None:
    short = stored(project, environment="ci")
    policies.set_default(project, 365, ada)
    policies.add_rule(project, rule(7, environment="ci"), ada)
    assert expired(project, 8) == {short}


def test_new_spans_carry_the_longest_class_that_a_rule_could_give(
    project: Project, ada: User
) -> None:
    _, secret = api_keys.create(project, "ci", ada)

    def kept() -> int:
        api_keys.forget_verified()
        key = api_keys.verify(secret)
        assert key is not None
        return key.retention_days

    assert kept() == FOR_EVER
    policies.set_default(project, 7, ada)
    assert kept() == 7
    policies.add_rule(project, thirty := rule(30, tag="a"), ada)
    assert kept() == 30
    policies.add_rule(project, ever := rule(FOR_EVER, tag="b"), ada)
    assert kept() == FOR_EVER
    policies.delete_rule(ever, ada)
    policies.delete_rule(thirty, ada)
    assert kept() == 7


def test_a_rule_says_something_and_there_are_not_many(project: Project, ada: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        policies.add_rule(project, rule(7), ada)
    for number in range(policies.MOST_RULES):
        policies.add_rule(project, rule(7, tag=f"t{number}"), ada)
    with pytest.raises(BadRule, match="at most 20"):
        policies.add_rule(project, rule(7, tag="one more"), ada)


def test_there_is_one_rule_for_the_same_traces(project: Project, ada: User) -> None:
    policies.add_rule(project, rule(7, tag="vip"), ada)
    with pytest.raises(BadRule, match="already: tag vip, kept 7 days"):
        policies.add_rule(project, rule(30, tag="vip"), ada)
    policies.add_rule(project, rule(30, tag="vip", is_error=True), ada)


def test_once_a_day_what_has_expired_is_deleted_with_a_receipt(
    project: Project, other_project: Project, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "replaced_parts", lambda until: 0)  # of `test_planted`
    gone = stored(project)
    policies.set_default(project, 7, ada)
    policies.set_default(other_project, 7, ada)
    assert sweeps.ask_due(timezone.now()) == 0
    assert sweeps.ask_due(timezone.now() + DAY / 2) == 0
    then = timezone.now() + 8 * DAY
    assert sweeps.ask_due(then) == 1
    assert sweeps.ask_due(then + timedelta(minutes=1)) == 0
    end = time.monotonic() + 60
    while Deletion.objects.exclude(state="done").exists() and time.monotonic() < end:
        Deletion.objects.update(due_at=then)
        work.run_due("w", max_seconds=20, clock=lambda: then)
    [done] = Deletion.objects.all()
    assert (done.state, done.kind, done.erased) == ("done", "expired", 1)
    assert done.asked_by_name == sweeps.BY_RULES
    assert rows(project) == 0
    # No tombstone: what belongs to it and comes late is welcome.
    assert not done.traces.exists()
    writer.insert([arrived.arrival(project.id, made.span(project.id, gone, 2)).batch])
    assert rows(project) == 1


def test_what_is_under_way_is_not_asked_for_again(project: Project, ada: User) -> None:
    stored(project)
    policies.set_default(project, 7, ada)
    asker = {"by": ada, "by_name": ada.email, "now": timezone.now() + 8 * DAY}
    first = sweeps.ask(project, **asker)  # type: ignore[arg-type]
    assert first is not None
    assert sweeps.ask(project, **asker) == first  # type: ignore[arg-type]
    assert RetentionPolicy.objects.get().last_swept_at is not None


def test_the_store_itself_ends_a_class_and_never_what_is_kept_for_ever(project: Project) -> None:
    """The backstop for rows that belong to no settled trace."""
    long_ago = datetime.now(UTC) - timedelta(days=15)
    ns = int(long_ago.timestamp()) * 10**9
    for days in (7, 30, 0):
        span = made.span(project.id, made.trace_id(), 1, start_ns=ns, end_ns=ns + 1)
        sent = arrived.arrival(project.id, span, retention_days=days)
        sent.batch.columns[sent.batch.names.index("received_ns")] = [ns]
        bucket = sent.batch.names.index("bucket_time")
        sent.batch.columns[bucket] = [int(long_ago.timestamp())]
        writer.insert([sent.batch])
    client.command("ALTER TABLE spans MATERIALIZE TTL SETTINGS mutations_sync = 1")
    end = time.monotonic() + 30
    while (left := classes(project)) != [0, 30] and time.monotonic() < end:
        time.sleep(0.2)
    assert left == [0, 30]


def classes(project: Project) -> list[int]:
    sql = "SELECT DISTINCT retention_days AS d FROM spans WHERE project_id = {p:UUID} ORDER BY d"
    return [row["d"] for row in client.query(sql, {"p": str(project.id)})]


def rows(project: Project) -> int:
    sql = "SELECT count() AS n FROM spans WHERE project_id = {p:UUID}"
    return int(client.query(sql, {"p": str(project.id)})[0]["n"])
