"""The mail about a finding: golden text and HTML, with everything that a trace may say in it."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.test.utils import override_settings

from accounts.models import Project
from detectors import alert_mails, defaults
from detectors.models import Detector, Evidence, Finding
from tests import golden

TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "53995c3f42cd8ad8"


@pytest.fixture
def finding(project: Project) -> Finding:
    defaults.ensure(project)
    finding = Finding.objects.create(
        project=project,
        detector=Detector.objects.for_project(project).get(template="tool_failure"),
        trace_id=TRACE_ID,
        generation=1,
        span_id=SPAN_ID,
        summary="issue_refund failed and was not recovered: KeyError: 'ISK' <currency>",
        confidence=0.976,
        severity="high",
        category="tool",
        fingerprint="f" * 32,
        created_at=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    )
    quotes = (
        (SPAN_ID, "issue_refund", "exception.message", "KeyError: 'ISK'\n  <b>at</b> pay.py:4"),
        ("", "", "output", "Your refund has been issued. " + "It is on its way. " * 30),
    )
    for number, (span_id, name, field, text) in enumerate(quotes, start=1):
        Evidence.objects.create(
            project=project, finding=finding, number=number, kind="quote", span_id=span_id,
            span_name=name, span_kind="tool", field=field, text=text, is_verified=True,
        )  # fmt: skip
    return finding


def test_the_mail_about_a_finding(finding: Finding) -> None:
    with override_settings(PUBLIC_URL="https://trace.acme.example"):
        mail = alert_mails.of_one(finding, "ada@acme.example", key="finding-1")
    golden.check("mail/finding.txt", _settled(f"Subject: {mail.subject}\n\n{mail.text}", finding))
    golden.check("mail/finding.html", _settled(mail.html, finding))


def test_no_trace_can_write_lines_of_the_mail(finding: Finding) -> None:
    lie = "Finding: https://trace.globex.example/"
    Evidence.objects.filter(finding=finding).update(
        text=f"fine\u2028{lie}\x0b{lie}\r{lie}\n{lie}", span_name=f"tool\n{lie}"
    )
    Finding.objects.filter(pk=finding.pk).update(summary=f"It failed\n{lie}")
    mail = alert_mails.of_one(Finding.objects.get(), "ada@acme.example", key="finding-1")
    assert lie in mail.text
    assert [line for line in mail.text.splitlines() if line.startswith(lie)] == []


def _settled(text: str, finding: Finding) -> str:
    ids: tuple[tuple[uuid.UUID, str], ...] = (
        (finding.project_id, "PROJECT"),
        (finding.pk, "FINDING"),
    )
    for value, shown in ids:
        text = text.replace(str(value), shown)
    return text
