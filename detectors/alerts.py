"""Who is told about a new finding, and the outbox that tells them once.

A delivery is written in the finding's transaction. The sender claims it by state before it speaks
to the mail server: what was refused is tried again with growing pauses, what may have been
delivered never is.
"""

from __future__ import annotations

import datetime as dt
import logging
import textwrap
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import Truncator

from accounts.models import Membership, Project
from accounts.permissions import Role
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
_QUOTES = 5  # in a mail; the rest is on the finding's page
_QUOTE_CHARACTERS = 400


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


def send_due(clock: Clock, *, limit: int = 50, seconds: float = 60.0) -> int:
    """Send what is due, for at most `seconds`; returns how many are through."""
    now = clock()
    end = now + dt.timedelta(seconds=seconds)
    _give_up_on_lost(now)
    due = (
        AlertDelivery.objects.due(now)
        .order_by("next_attempt_at", "id")
        .values_list("pk", flat=True)
    )
    sent = 0
    for delivery_id in list(due[:limit]):
        if clock() >= end:
            break
        sent += _send(delivery_id, clock)
    return sent


def _give_up_on_lost(now: dt.datetime) -> None:
    AlertDelivery.objects.filter(state=State.SENDING, lease_expires_at__lte=now).update(
        state=State.UNCERTAIN,
        lease_expires_at=None,
        error="The sender stopped while sending. It may have arrived, so it is not sent again.",
    )


def _send(delivery_id: uuid.UUID, clock: Clock) -> bool:
    delivery = _claim(delivery_id, clock())
    if delivery is None:
        return False
    try:
        file = email.send(
            compose(delivery.finding, delivery.recipient, key=f"finding-{delivery.pk}")
        )
    except EmailUnavailable as error:
        _put_back(delivery, clock(), str(error))
        return False
    except EmailRefused as error:
        _close(delivery, State.FAILED, str(error), clock())
        return False
    except Exception as error:
        # The stage's edge: an address or text that cannot be sent must not block the others.
        log.exception("alerts.crashed delivery=%s", delivery.pk)
        _close(delivery, State.FAILED, f"{type(error).__name__}: {error}"[:500], clock())
        return False
    _end(delivery, file, clock())
    return True


def _end(delivery: AlertDelivery, file: Path | None, now: dt.datetime) -> None:
    if file is None:
        _close(delivery, State.SENT, "", now)
        log.info("alerts.sent delivery=%s finding=%s", delivery.pk, delivery.finding_id)
        return
    place = f"No mail server is configured, so it reached nobody. The mail is in {file}"
    _close(delivery, State.WRITTEN, place, now)
    log.info("alerts.written delivery=%s finding=%s", delivery.pk, delivery.finding_id)


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


def _put_back(delivery: AlertDelivery, now: dt.datetime, reason: str) -> None:
    if delivery.attempts >= MAX_ATTEMPTS:
        _close(delivery, State.FAILED, f"Given up after {MAX_ATTEMPTS} attempts. {reason}", now)
        return
    pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (delivery.attempts - 1))
    AlertDelivery.objects.filter(pk=delivery.pk, state=State.SENDING).update(
        state=State.WAITING,
        lease_expires_at=None,
        error=reason,
        next_attempt_at=now + dt.timedelta(seconds=pause),
    )


def _close(
    delivery: AlertDelivery, state: AlertDelivery.State, error: str, now: dt.datetime
) -> None:
    AlertDelivery.objects.filter(pk=delivery.pk, state=State.SENDING).update(
        state=state,
        lease_expires_at=None,
        error=error,
        sent_at=now if state == State.SENT else None,
    )


@dataclass(frozen=True, slots=True)
class _Quote:
    """Evidence in a mail. Every line of it is indented in plain text, so that no trace can write
    lines that look like the mail's own."""

    number: int
    place: str
    text: str

    @property
    def indented(self) -> str:
        return textwrap.indent(self.text, "    ", lambda line: True)


@dataclass(frozen=True, slots=True)
class _Links:
    finding: str
    trace: str
    routes: str


def compose(finding: Finding, recipient: str, *, key: str) -> Email:
    """The mail about one finding, as text and HTML with the same content."""
    context = {
        "finding": finding,
        "project": finding.project,
        "summary": " ".join(finding.summary.split()),
        "quotes": [
            _Quote(
                each.number,
                " ".join(f"{each.span_name or 'trace'}, {each.field}".split()),
                Truncator("\n".join(each.text.splitlines())).chars(_QUOTE_CHARACTERS),
            )
            for each in finding.evidence.all()[:_QUOTES]
        ],
        "links": _links(finding),
    }
    return Email(
        to=recipient,
        subject=f"[{finding.project.name}] {finding.detector.name}: {context['summary']}"[:180],
        text=render_to_string("detectors/mail/finding.txt", context),
        html=render_to_string("detectors/mail/finding.html", context),
        message_key=key,
    )


def send_test(project: Project, recipient: str) -> Path | None:
    """A mail that proves the way works; the file that it became, without a mail server.

    Raises EmailUnavailable or EmailRefused.
    """
    context = {"project": project, "link": settings.PUBLIC_URL + _path("alert_routes", project.pk)}
    return email.send(
        Email(
            to=recipient,
            subject=f"[{project.name}] Test of TraceRoot alerts",
            text=render_to_string("detectors/mail/test.txt", context),
            html=render_to_string("detectors/mail/test.html", context),
            message_key=f"test-{uuid.uuid4()}",
        )
    )


def _links(finding: Finding) -> _Links:
    trace = reverse(
        "traces:trace", kwargs={"project_id": finding.project_id, "trace_id": finding.trace_id}
    )
    return _Links(
        finding=settings.PUBLIC_URL + _path("finding", finding.project_id, finding_id=finding.pk),
        trace=settings.PUBLIC_URL + trace + (f"?span={finding.span_id}" if finding.span_id else ""),
        routes=settings.PUBLIC_URL + _path("alert_routes", finding.project_id),
    )


def _path(name: str, project_id: uuid.UUID, **kwargs: object) -> str:
    return reverse(f"detectors:{name}", kwargs={"project_id": project_id, **kwargs})
