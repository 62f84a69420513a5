"""The mails about findings: one finding with its proof, many in a summary, and the test."""

from __future__ import annotations

import textwrap
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import Truncator

from accounts.models import Project
from detectors.models import Finding
from integrations import email
from integrations.email import Email

_QUOTES = 5  # in a mail; the rest is on the finding's page
_QUOTE_CHARACTERS = 400
_LISTED = 20  # of a summary; the rest is on the page of findings


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


def of_one(finding: Finding, recipient: str, *, key: str) -> Email:
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


@dataclass(frozen=True, slots=True)
class _Line:
    """One finding of a summary."""

    detector: str
    summary: str
    link: str


def of_many(findings: Sequence[Finding], recipient: str, *, key: str) -> Email:
    """One mail about findings of one project that came too fast for a mail each."""
    project = findings[0].project
    counted = Counter(finding.detector.name for finding in findings).most_common()
    context = {
        "project": project,
        "count": len(findings),
        "counted": counted,
        "lines": [
            _Line(
                finding.detector.name,
                Truncator(" ".join(finding.summary.split())).chars(_QUOTE_CHARACTERS),
                _links(finding).finding,
            )
            for finding in findings[:_LISTED]
        ],
        "more": max(0, len(findings) - _LISTED),
        "link": settings.PUBLIC_URL + _path("findings", project.pk),
        "routes": settings.PUBLIC_URL + _path("alert_routes", project.pk),
    }
    which = ", ".join(f"{name} {count}" for name, count in counted)
    return Email(
        to=recipient,
        subject=f"[{project.name}] {len(findings)} more findings: {which}"[:180],
        text=render_to_string("detectors/mail/findings.txt", context),
        html=render_to_string("detectors/mail/findings.html", context),
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
