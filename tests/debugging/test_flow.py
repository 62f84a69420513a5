"""From a run that failed to the line and the commit behind it, through the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Project, User
from debugging import repositories, sessions
from debugging.models import DebuggingSession, Step
from detectors import defaults
from detectors.models import Detector, Finding
from tests.cast import SignIn
from tests.debugging.runs import CULPRIT_SUBJECT, refund_agent, store_failed_run, store_quiet_run

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(response: Any) -> str:
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def test_ben_gets_from_a_failed_trace_to_line_and_commit(
    store: object, project: Project, ben: User, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, culprit = refund_agent(tmp_path / "agent")
    repositories.add(project, name="acme/agent", location=str(history.directory))
    trace_id = store_failed_run(project, history.run("main.py"), git_ref=history.shas[-1])
    browser = sign_in(ben)

    started = browser.post(
        reverse("debugging:start", kwargs={"project_id": project.id, "trace_id": trace_id})
    )
    session = DebuggingSession.objects.get()
    page_url = reverse(
        "debugging:session", kwargs={"project_id": project.id, "session_id": session.id}
    )
    assert started.status_code == 302
    assert started.url == page_url
    assert "Waiting for a worker" in text_of(browser.get(page_url))

    assert sessions.run_pending("worker-1", 30) == 1

    session.refresh_from_db()
    assert session.state == "concluded", session.error
    assert session.started_by == ben
    assert session.commit == history.shas[-1]
    page = text_of(browser.get(page_url))
    assert "agent/refunds.py line 6, amount_of" in page
    first_change = page[page.index('class="culprit card"') :]
    assert CULPRIT_SUBJECT in first_change[:1500]
    assert culprit[:7] in first_change[:1500]
    assert "code-line is-failing" in page
    assert 'class="hl-' in page
    trace_url = reverse("traces:trace", kwargs={"project_id": project.id, "trace_id": trace_id})
    assert f"{trace_url}?span=" in page
    listed = text_of(browser.get(reverse("debugging:list", kwargs={"project_id": project.id})))
    assert "refund-run" in listed
    assert "Cause found" in listed
    fragment = text_of(
        browser.get(
            reverse(
                "debugging:trace_sessions", kwargs={"project_id": project.id, "trace_id": trace_id}
            )
        )
    )
    assert page_url in fragment


def test_each_step_is_kept_in_order_with_its_time(
    store: object, project: Project, ben: User, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, _ = refund_agent(tmp_path / "agent")
    repositories.add(project, name="acme/agent", location=str(history.directory))
    trace_id = store_failed_run(project, history.run("main.py"), git_ref=history.shas[-1])
    session = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    steps = list(Step.objects.for_project(project).filter(session=session))
    assert [step.kind for step in steps] == [
        "trace",
        "repository",
        "fetch",
        "commit",
        "map",
        "rank",
    ]
    assert all(step.duration_ms is not None and step.outcome == "done" for step in steps)
    assert steps[0].title == "Read 2 spans of the trace"
    assert "KeyError" in steps[0].detail
    assert steps[4].title == "Mapped amount_of to agent/refunds.py:6"


def test_drift_is_named_when_the_traced_commit_was_never_pushed(
    store: object, project: Project, ben: User, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, _ = refund_agent(tmp_path / "agent")
    repositories.add(project, name="acme/agent", location=str(history.directory))
    trace_id = store_failed_run(project, history.run("main.py"), git_ref="f" * 40)
    session = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    page = text_of(
        sign_in(ben).get(
            reverse(
                "debugging:session", kwargs={"project_id": project.id, "session_id": session.id}
            )
        )
    )
    assert "was it pushed?" in page
    assert "the nearest commit known" in page
    assert "agent/refunds.py line 6" in page


def test_without_a_repository_it_abstains_and_still_shows_the_calls(
    store: object, project: Project, ben: User, sign_in: SignIn, tmp_path: Path
) -> None:
    history, _ = refund_agent(tmp_path / "agent")
    trace_id = store_failed_run(project, history.run("main.py"))
    session = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    session.refresh_from_db()
    assert session.state == "abstained"
    assert "Add the repository acme/agent in the settings." in session.summary
    page = text_of(
        sign_in(ben).get(
            reverse(
                "debugging:session", kwargs={"project_id": project.id, "session_id": session.id}
            )
        )
    )
    assert "agent/refunds.py" in page
    assert "amount_of" in page


def test_a_span_that_only_a_finding_calls_wrong_is_looked_at(
    store: object, project: Project, ben: User, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, _ = refund_agent(tmp_path / "agent")
    repositories.add(project, name="acme/agent", location=str(history.directory))
    trace_id, span_id = store_quiet_run(project, "agent/refunds.py", 10, history.shas[-1])
    before = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    before.refresh_from_db()
    assert before.state == "abstained"

    defaults.ensure(project)
    Finding.objects.create(
        project=project,
        detector=Detector.objects.for_project(project).order_by("name")[0],
        trace_id=trace_id.hex(),
        generation=1,
        span_id=span_id.hex(),
        summary="Claims a refund that was refused",
        confidence=0.9,
        severity="high",
        category="logic",
        fingerprint="f",
    )
    after = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    after.refresh_from_db()
    assert after.state == "concluded", after.summary
    assert "agent/refunds.py" in after.summary
    assert after.is_lead, "a place that nothing but its function points at is no cause yet"
    listed = text_of(sign_in(ben).get(reverse("debugging:list", kwargs={"project_id": project.id})))
    assert "Lead found" in listed
    assert "Cause found" not in listed


def test_source_of_strangers_stays_text_on_the_page(
    store: object, project: Project, ben: User, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, _ = refund_agent(tmp_path / "agent")
    history.replace(
        "<img src=x onerror=alert(1)> `</code><script>alert(2)</script>`",
        "agent/refunds.py",
        'booking["quote"]',
        'booking["</span><script>alert(3)</script>"]',
        author="<b>Eve</b>",
    )
    repositories.add(project, name="acme/agent", location=str(history.directory))
    trace_id = store_failed_run(project, history.run("main.py"), name="<i>run</i>")
    session = sessions.start(project, trace_id, ben)
    sessions.run_pending("worker-1", 30)
    page = text_of(
        sign_in(ben).get(
            reverse(
                "debugging:session", kwargs={"project_id": project.id, "session_id": session.id}
            )
        )
    )
    assert "agent/refunds.py line 6" in page
    for hostile in ("<script>alert", "<img src=x", "<b>Eve", "<i>run"):
        assert hostile not in page
    assert "&lt;script&gt;alert(3)" in page
