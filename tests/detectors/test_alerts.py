"""Alerts over a real SMTP server: once, to whom it concerns, in spite of trouble."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import socket
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Project, User
from detectors import alerts, defaults
from detectors.models import AlertDelivery, AlertRoute, Detector, Finding
from tests.detectors.conftest import Detect

START = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)


class Mailbox:
    """An SMTP server's handler: keeps what comes; refuses while `answer` is set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer:
            return self.answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_USE_TLS=False,
        PUBLIC_URL="https://trace.acme.example",
    ):
        yield box
    controller.stop()


def at(moment: dt.datetime) -> alerts.Clock:
    return lambda: moment


def test_the_owner_is_told_once_with_proof_and_links(
    detect: Detect, project: Project, mailbox: Mailbox
) -> None:
    trace_id = detect()
    assert alerts.send_due(timezone.now) == 1
    assert alerts.send_due(timezone.now) == 0
    [mail] = mailbox.mails
    assert mail["To"] == "ada@acme.example"
    assert mail["Subject"] == (
        "[Support] Tool failure: refund failed and was not recovered: "
        "GatewayError: fare_not_refundable"
    )
    finding = Finding.objects.get()
    trace_url = f"https://trace.acme.example/projects/{project.pk}/traces/{trace_id}/?span="
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert trace_url in text
        assert f"/findings/{finding.pk}/" in text
        assert "fare_not_refundable" in text
    delivery = AlertDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("sent", 1)
    assert delivery.sent_at is not None


def test_text_of_a_trace_is_escaped_in_html_and_cannot_add_headers(
    detect: Detect, project: Project, mailbox: Mailbox
) -> None:
    detect()
    Finding.objects.update(summary="<script>x</script>\nBcc: mallory@globex.example")
    alerts.send_due(timezone.now)
    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    html = mail.get_body(("html",))
    assert html is not None
    assert "&lt;script&gt;" in html.get_content()
    assert "<script>" not in html.get_content()


def test_a_busy_mail_server_is_tried_again_later_and_later(
    detect: Detect, project: Project, mailbox: Mailbox
) -> None:
    detect()
    AlertDelivery.objects.update(next_attempt_at=START)
    mailbox.answer = "451 busy, try later"
    assert alerts.send_due(at(START)) == 0
    delivery = AlertDelivery.objects.get()
    assert delivery.state == "waiting"
    assert "451" in delivery.error
    assert delivery.next_attempt_at == START + dt.timedelta(seconds=15)
    alerts.send_due(at(START + dt.timedelta(seconds=14)))
    assert AlertDelivery.objects.get().attempts == 1, "not before its time"
    alerts.send_due(at(START + dt.timedelta(seconds=15)))
    assert AlertDelivery.objects.get().next_attempt_at == START + dt.timedelta(seconds=45)
    mailbox.answer = ""
    assert alerts.send_due(at(START + dt.timedelta(seconds=45))) == 1
    assert len(mailbox.mails) == 1


def test_a_refusal_is_final_and_visible(detect: Detect, project: Project, mailbox: Mailbox) -> None:
    detect()
    mailbox.answer = "554 no such user"
    alerts.send_due(timezone.now)
    delivery = AlertDelivery.objects.get()
    assert delivery.state == "failed"
    assert "no such user" in delivery.error


def test_it_gives_up_in_the_end(detect: Detect, project: Project) -> None:
    detect()
    AlertDelivery.objects.update(attempts=alerts.MAX_ATTEMPTS - 1)
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=9,
    ):
        alerts.send_due(timezone.now)
    delivery = AlertDelivery.objects.get()
    assert delivery.state == "failed"
    assert "Given up after 8 attempts" in delivery.error


def test_what_may_have_been_sent_is_not_sent_again(
    detect: Detect, project: Project, mailbox: Mailbox
) -> None:
    detect()
    AlertDelivery.objects.update(state="sending", lease_expires_at=START)
    assert alerts.send_due(timezone.now) == 0
    delivery = AlertDelivery.objects.get()
    assert delivery.state == "uncertain"
    assert mailbox.mails == []


@pytest.fixture
def mail_directory(tmp_path: Path) -> Iterator[Path]:
    """A server without a mail server, as settings make it."""
    with override_settings(
        EMAIL_BACKEND="traceroot_site.mail.EmailBackend",
        EMAIL_HOST="",
        EMAIL_FILE_PATH=tmp_path / "mail",
    ):
        yield tmp_path / "mail"


def test_without_a_mail_server_it_is_written_and_never_called_sent(
    detect: Detect, project: Project, mail_directory: Path, ada: User, client: Client
) -> None:
    detect()
    assert alerts.send_due(timezone.now) == 1
    [file] = mail_directory.iterdir()
    written = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert written["To"] == ada.email
    delivery = AlertDelivery.objects.get()
    assert (delivery.state, delivery.sent_at) == ("written", None)
    assert alerts.send_due(timezone.now) == 0, "once"
    client.force_login(ada)
    for name, kwargs in (("alert_routes", {}), ("finding", {"finding_id": delivery.finding_id})):
        url = reverse(f"detectors:{name}", kwargs={"project_id": project.pk, **kwargs})
        page = client.get(url).content.decode()
        assert "ritten to a file" in page, name
        assert f"No mail server is configured, so it reached nobody. The mail is in {file}" in page
        assert 'data-verdict="ok"' not in page.partition("Newest deliveries")[2], name


def test_a_test_mail_without_a_mail_server_says_where_it_is(
    project: Project, mail_directory: Path, ada: User, client: Client
) -> None:
    alerts.ensure_routes(project)
    client.force_login(ada)
    url = reverse(
        "detectors:test_alert_route",
        kwargs={"project_id": project.pk, "route_id": AlertRoute.objects.get().pk},
    )
    page = client.post(url, follow=True).content.decode()
    [file] = mail_directory.iterdir()
    assert f"written to a file, since no mail server is configured: {file}" in page


def test_a_mail_that_cannot_be_written_is_tried_again_and_says_where(
    detect: Detect, project: Project, mail_directory: Path
) -> None:
    mail_directory.write_text("a file in the way")
    detect()
    assert alerts.send_due(timezone.now) == 0
    delivery = AlertDelivery.objects.get()
    assert delivery.state == "waiting"
    assert delivery.error.startswith(f"The directory for mails, {mail_directory}, cannot be used")


def opened(project: Project, count: int, now: dt.datetime) -> list[Finding]:
    defaults.ensure(project)
    detector = Detector.objects.for_project(project).get(template="tool_failure")
    findings = [
        Finding(
            project=project,
            detector=detector,
            trace_id=uuid.uuid4().hex,
            generation=1,
            fingerprint=uuid.uuid4().hex,
            summary=f"refund {number} failed",
            severity="high",
            category="tool",
            confidence=0.9,
            created_at=now,
        )
        for number in range(count)
    ]
    Finding.objects.bulk_create(findings)
    alerts.enqueue_all(findings, now)
    return findings


def test_a_storm_of_findings_becomes_a_mail_every_ten_minutes(
    project: Project, mailbox: Mailbox
) -> None:
    first = opened(project, 3, START)
    assert alerts.send_due(at(START)) == 3
    stormy = START + dt.timedelta(minutes=1)
    opened(project, 60, stormy)
    assert alerts.send_due(at(stormy)) == 2, "five within ten minutes"
    assert alerts.send_due(at(stormy + dt.timedelta(minutes=8))) == 0, "the others wait"
    after = stormy + dt.timedelta(minutes=10)
    opened(project, 1, after)
    assert alerts.send_due(at(after)) == 59
    assert alerts.send_due(at(after)) == 0
    assert len(mailbox.mails) == 6
    *single, summary = mailbox.mails
    assert {mail["Subject"] for mail in single[:3]} == {
        f"[Support] Tool failure: {finding.summary}" for finding in first
    }
    assert summary["Subject"] == "[Support] 59 more findings: Tool failure 59"
    for kind in ("plain", "html"):
        body = summary.get_body((kind,))
        assert body is not None
        assert body.get_content().count("/findings/") == 21, "twenty and the page of all"
        assert "and 39 more" in body.get_content()
    assert AlertDelivery.objects.filter(state="sent").count() == 64
    calm = after + dt.timedelta(minutes=11)
    opened(project, 1, calm)
    assert alerts.send_due(at(calm)) == 1
    assert mailbox.mails[-1]["Subject"] == "[Support] Tool failure: refund 0 failed"


def test_a_storm_in_one_project_holds_no_mail_of_another_up(
    project: Project, other_project: Project, mailbox: Mailbox
) -> None:
    opened(project, 30, START)
    opened(other_project, 1, START + dt.timedelta(seconds=1))
    assert alerts.send_due(at(START + dt.timedelta(seconds=2))) == 6
    assert [mail["To"] for mail in mailbox.mails].count("mallory@globex.example") == 1


def test_a_summary_that_is_not_taken_is_tried_again_as_a_whole(
    project: Project, mailbox: Mailbox
) -> None:
    opened(project, 8, START)
    alerts.send_due(at(START))
    assert len(mailbox.mails) == 5
    later = START + dt.timedelta(minutes=10)
    mailbox.answer = "451 busy, try later"
    assert alerts.send_due(at(later)) == 0
    waiting = AlertDelivery.objects.filter(state="waiting")
    assert {delivery.attempts for delivery in waiting} == {1}
    mailbox.answer = ""
    assert alerts.send_due(at(later + dt.timedelta(seconds=15))) == 3


def test_only_routes_that_are_on_are_told(detect: Detect, project: Project, ada: User) -> None:
    alerts.ensure_routes(project)
    AlertRoute.objects.filter(email=ada.email).update(is_enabled=False)
    AlertRoute.objects.create(project=project, email="oncall@acme.example")
    detect()
    assert [delivery.recipient for delivery in AlertDelivery.objects.all()] == [
        "oncall@acme.example"
    ]


def test_another_projects_routes_hear_nothing(
    detect: Detect, project: Project, other_project: Project
) -> None:
    alerts.ensure_routes(other_project)
    detect()
    assert [d.recipient for d in AlertDelivery.objects.all()] == ["ada@acme.example"]


def test_the_default_route_is_made_once(project: Project) -> None:
    for _ in range(2):
        alerts.ensure_routes(project)
    [route] = AlertRoute.objects.for_project(project)
    assert (route.email, route.is_default) == ("ada@acme.example", True)
