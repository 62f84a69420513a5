"""The span panel with log records: their messages as the span's, and a section of their own."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import made
from tests.traces.api.test_logs import store_logs
from tests.traces.semconv.test_log_records import record

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def panel(project: Project, sign_in: SignIn, vera: User) -> tuple[Client, str, bytes]:
    trace_id = made.trace_id()
    made.stored(made.span(project.id, trace_id, 1, kind="llm", name="chat"))
    url = f"/projects/{project.id}/traces/{trace_id.hex()}/spans/{made.span_id(1).hex()}/"
    return sign_in(vera), url, trace_id


def shown(panel: tuple[Client, str, bytes], tab: str = "") -> str:
    browser, url, _ = panel
    answer = browser.get(url, {"tab": tab} if tab else {})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_span_without_records_has_no_such_section(panel: tuple[Client, str, bytes]) -> None:
    assert 'data-tab="logs"' not in shown(panel)
    assert 'data-tab="logs"' not in shown(panel, "logs")


def test_messages_come_from_the_records_and_all_are_listed(
    panel: tuple[Client, str, bytes], project: Project
) -> None:
    of = {"trace_id": panel[2], "span_id": made.span_id(1)}
    store_logs(
        project,
        record("gen_ai.user.message", body={"content": f"Weather? {HOSTILE}"}, **of),
        record("retry", {"attempt": 2, "why": HOSTILE}, body=HOSTILE, severity_number=13, **of),
    )
    page = shown(panel)
    assert "Weather?" in page
    assert 'data-tab="logs"' in page
    page = shown(panel, "logs")
    assert "gen_ai.user.message" in page
    assert "warn" in page
    assert "attempt" in page
    assert HOSTILE not in page
