"""Who is told about a new finding, and the outbox that tells them once.

A delivery is written in the finding's transaction. The sender claims it by state before it speaks
to the mail server: what was refused is tried again with growing pauses, what may have been
delivered never is. A storm of findings becomes summaries: nobody gets hundreds of mails.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from django.db.models import Count, F, Min

from accounts.models import Membership, Project
from accounts.permissions import Role
from detectors import alert_mails
from detectors.models import AlertDelivery, AlertRoute, Finding
from integrations import email
from integrations.email import Email, EmailRefused, EmailUnavailable

log = logging.getLogger(__name__)

State = AlertDelivery.State
Clock = Callable[[], dt.datetime]
MAX_ATTEMPTS = 8
_LEASE = dt.timedelta(minutes=2)
_FIRST_PAUSE_SECONDS = 15
_LONGEST_PAUSE_SECONDS = 3600
SINGLE_MAILS = 5
"""To one recipient of one project within WINDOW; further findings wait and come as one mail."""
WINDOW = dt.timedelta(minutes=10)
_IN_ONE_SUMMARY = 2_000


def ensure_routes(project: Project) -> None:
    """The owner's address is told by default. Made once; an admin may turn it off."""
    if AlertRoute.objects.for_project(project).filter(is_default=True).exists():
        return
    owner = (
        Membership.objects.filter(
            organization=project.organization_id, role=Role.OWNER, user__is_active=True
        )
        .select_related("user")
        .order_by("created_at", "id")
        .first()
    )
    if owner is not None:
        AlertRoute.objects.update_or_create(
            project=project, email=owner.user.email.lower(), defaults={"is_default": True}
        )


def enqueue(finding: Finding, now: dt.datetime) -> None:
    """One delivery for each enabled route, in the caller's transaction; again adds nothing."""
    enqueue_all([finding], now)


def enqueue_all(findings: Sequence[Finding], now: dt.datetime) -> None:
    """As `enqueue`, of findings that were opened together."""
    deliveries: list[AlertDelivery] = []
    projects = {finding.project_id for finding in findings}
    for project in Project.objects.filter(pk__in=projects):
        ensure_routes(project)
        routes = list(AlertRoute.objects.for_project(project).enabled())
        deliveries += [
            AlertDelivery(
                project_id=project.pk,
                finding=finding,
                channel="email",
                recipient=route.email,
                next_attempt_at=now,
                created_at=now,
            )
            for finding in findings
            if finding.project_id == project.pk
            for route in routes
        ]
    AlertDelivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=500)


class _Address(NamedTuple):
    """Whom deliveries are for, how many wait, and since when the first does."""

    project_id: uuid.UUID
    recipient: str
    waiting: int
    since: dt.datetime


def send_due(clock: Clock, *, limit: int = 50, seconds: float = 60.0) -> int:
    """Send what is due in at most `limit` mails, for at most `seconds`; returns how many
    deliveries are through."""
    now = clock()
    end = now + dt.timedelta(seconds=seconds)
    _give_up_on_lost(now)
    through = 0
    for address in _addresses(now, limit):
        if limit <= 0 or clock() >= end:
            break
        alone = _alone(address, now)
        if address.waiting > alone and now - address.since >= WINDOW:
            through += _send_summary(address, clock)
            limit -= 1
            continue
        for delivery_id in _due(address, now)[: min(alone, limit)]:
            if clock() >= end:
                break
            through += _send(delivery_id, clock)
            limit -= 1
    return through


def _addresses(now: dt.datetime, limit: int) -> list[_Address]:
    waiting = (
        AlertDelivery.objects.due(now)
        .values_list("project_id", "recipient")
        .annotate(waiting=Count("pk"), since=Min("created_at"))
        .order_by("since")
    )
    return [_Address(*row) for row in waiting[:limit]]


def _alone(address: _Address, now: dt.datetime) -> int:
    """How many of the waiting may still have a mail of their own: all of a few."""
    lately = (
        AlertDelivery.objects.filter(
            project_id=address.project_id,
            recipient=address.recipient,
            created_at__gt=now - WINDOW,
        )
        .exclude(state__in=(State.WAITING, State.FAILED))
        .count()
    )
    return max(0, SINGLE_MAILS - lately)


def _due(address: _Address, now: dt.datetime) -> list[uuid.UUID]:
    return list(
        AlertDelivery.objects.due(now)
        .filter(project_id=address.project_id, recipient=address.recipient)
        .order_by("next_attempt_at", "id")
        .values_list("pk", flat=True)[:_IN_ONE_SUMMARY]
    )


def _send_summary(address: _Address, clock: Clock) -> int:
    """One mail for all that wait; none is ever in two."""
    summary = uuid.uuid4()
    now = clock()
    AlertDelivery.objects.filter(pk__in=_due(address, now)).due(now).update(
        state=State.SENDING,
        lease_expires_at=now + _LEASE,
        attempts=F("attempts") + 1,
        summary=summary,
    )
    claimed = list(
        AlertDelivery.objects.filter(summary=summary, state=State.SENDING)
        .select_related("finding__detector", "finding__project")
        .order_by("created_at", "id")
    )
    if not claimed:
        return 0
    findings = [delivery.finding for delivery in claimed]
    key = f"findings-{summary}"
    return _hand_over(
        lambda: alert_mails.of_many(findings, address.recipient, key=key), claimed, clock
    )


def _give_up_on_lost(now: dt.datetime) -> None:
    AlertDelivery.objects.filter(state=State.SENDING, lease_expires_at__lte=now).update(
        state=State.UNCERTAIN,
        lease_expires_at=None,
        error="The sender stopped while sending. It may have arrived, so it is not sent again.",
    )


def _send(delivery_id: uuid.UUID, clock: Clock) -> int:
    delivery = _claim(delivery_id, clock())
    if delivery is None:
        return 0
    key = f"finding-{delivery.pk}"
    return _hand_over(
        lambda: alert_mails.of_one(delivery.finding, delivery.recipient, key=key),
        [delivery],
        clock,
    )


def _hand_over(
    write: Callable[[], Email], deliveries: Sequence[AlertDelivery], clock: Clock
) -> int:
    """How many are through: all or none."""
    try:
        file = email.send(write())
    except EmailUnavailable as error:
        _put_back(deliveries, clock(), str(error))
        return 0
    except EmailRefused as error:
        _close(deliveries, State.FAILED, str(error), clock())
        return 0
    except Exception as error:
        # The stage's edge: an address or text that cannot be sent must not block the others.
        log.exception("alerts.crashed delivery=%s of=%d", deliveries[0].pk, len(deliveries))
        _close(deliveries, State.FAILED, f"{type(error).__name__}: {error}"[:500], clock())
        return 0
    _end(deliveries, file, clock())
    return len(deliveries)


def _end(deliveries: Sequence[AlertDelivery], file: Path | None, now: dt.datetime) -> None:
    first = deliveries[0]
    said = (first.pk, first.finding_id, len(deliveries))
    if file is None:
        _close(deliveries, State.SENT, "", now)
        log.info("alerts.sent delivery=%s finding=%s findings=%d", *said)
        return
    place = f"No mail server is configured, so it reached nobody. The mail is in {file}"
    _close(deliveries, State.WRITTEN, place, now)
    log.info("alerts.written delivery=%s finding=%s findings=%d", *said)


def _claim(delivery_id: uuid.UUID, now: dt.datetime) -> AlertDelivery | None:
    claimed = (
        AlertDelivery.objects.filter(pk=delivery_id)
        .due(now)
        .update(state=State.SENDING, lease_expires_at=now + _LEASE, attempts=F("attempts") + 1)
    )
    if not claimed:
        return None
    return AlertDelivery.objects.select_related("finding__detector", "finding__project").get(
        pk=delivery_id
    )


def _put_back(deliveries: Sequence[AlertDelivery], now: dt.datetime, reason: str) -> None:
    for delivery in deliveries:
        if delivery.attempts >= MAX_ATTEMPTS:
            _close(
                [delivery], State.FAILED, f"Given up after {MAX_ATTEMPTS} attempts. {reason}", now
            )
            continue
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (delivery.attempts - 1))
        AlertDelivery.objects.filter(pk=delivery.pk, state=State.SENDING).update(
            state=State.WAITING,
            lease_expires_at=None,
            error=reason,
            next_attempt_at=now + dt.timedelta(seconds=pause),
        )


def _close(
    deliveries: Sequence[AlertDelivery], state: AlertDelivery.State, error: str, now: dt.datetime
) -> None:
    ids = [delivery.pk for delivery in deliveries]
    AlertDelivery.objects.filter(pk__in=ids, state=State.SENDING).update(
        state=state,
        lease_expires_at=None,
        error=error,
        sent_at=now if state == State.SENT else None,
    )
