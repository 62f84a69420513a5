"""Who sees and does what on the pages of detection."""

from __future__ import annotations

import uuid

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from detectors import alerts, defaults
from detectors.models import AlertRoute, Detector, DetectorRun, Evidence, Finding
from tests.cast import SignIn
from tests.detectors.conftest import Detect
from tests.detectors.test_runs import publish
from tests.detectors.traces import span
from traces.store import client as store_client
from traces.store.engine.process import EngineProcess


@pytest.fixture
def finding(project: Project) -> Finding:
    defaults.ensure(project)
    detector = Detector.objects.get(project=project, template="tool_failure")
    found = Finding.objects.create(
        project=project,
        detector=detector,
        trace_id="ab" * 16,
        generation=1,
        span_id="0000000000000002",
        summary="refund failed and was not recovered",
        confidence=0.95,
        severity="high",
        category="tool_failure",
        fingerprint="f" * 32,
    )
    Evidence.objects.create(
        project=project,
        finding=found,
        number=1,
        kind="quote",
        claim="refund raised an exception.",
        span_id="0000000000000002",
        span_name="refund",
        span_kind="tool",
        field="event",
        text="<b>fare_not_refundable</b>",
        is_verified=True,
    )
    return found


def url(name: str, project: Project, **kwargs: object) -> str:
    return reverse(f"detectors:{name}", kwargs={"project_id": project.pk, **kwargs})


def pages(project: Project, finding: Finding) -> list[str]:
    return [
        url("list", project),
        url("detail", project, detector_id=finding.detector_id),
        url("findings", project),
        url("finding", project, finding_id=finding.pk),
        url("trace_findings", project, trace_id=finding.trace_id),
        url("alert_routes", project),
    ]


def test_a_viewer_may_read_every_page(
    project: Project, finding: Finding, vera: User, sign_in: SignIn
) -> None:
    browser = sign_in(vera)
    for page in pages(project, finding):
        assert browser.get(page).status_code == 200, page


def test_an_outsider_gets_404_for_every_page(
    project: Project, finding: Finding, mallory: User, other_project: Project, sign_in: SignIn
) -> None:
    browser = sign_in(mallory)
    for page in pages(project, finding):
        assert browser.get(page).status_code == 404, page
    theirs = url("finding", other_project, finding_id=finding.pk)
    assert browser.get(theirs).status_code == 404, "not through a project of one's own either"
    detector = url("detail", other_project, detector_id=finding.detector_id)
    assert browser.get(detector).status_code == 404
    trace = url("trace_findings", other_project, trace_id=finding.trace_id)
    assert "refund" not in browser.get(trace).content.decode()
    assert browser.post(url("dismiss", other_project, finding_id=finding.pk)).status_code == 404


def test_the_list_of_detectors_says_why_one_is_off(
    project: Project, vera: User, sign_in: SignIn
) -> None:
    text = sign_in(vera).get(url("list", project)).content.decode()
    assert "Tool failure" in text
    assert "Repeated call" in text
    assert "No judge model is configured" in text


def test_a_finding_shows_its_evidence_escaped_and_linked(
    project: Project, finding: Finding, vera: User, sign_in: SignIn
) -> None:
    text = sign_in(vera).get(url("finding", project, finding_id=finding.pk)).content.decode()
    assert "&lt;b&gt;fare_not_refundable&lt;/b&gt;" in text
    assert "<b>fare" not in text
    assert f"/traces/{finding.trace_id}/?span=0000000000000002" in text
    assert "style=" not in text
    assert "Confirm" not in text, "a viewer cannot decide"


def test_a_member_confirms_and_dismisses(
    detect: Detect, project: Project, ben: User, sign_in: SignIn
) -> None:
    detect()
    finding = Finding.objects.get()
    browser = sign_in(ben)
    answer = browser.post(
        url("confirm", project, finding_id=finding.pk), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert "Confirmed" in answer.content.decode()
    assert "findings-changed" in answer.headers["HX-Trigger"]
    finding.refresh_from_db()
    assert (finding.status, finding.decided_by) == ("confirmed", ben)
    browser.post(url("dismiss", project, finding_id=finding.pk), {"note": "planned work"})
    finding.refresh_from_db()
    assert (finding.status, finding.note) == ("dismissed", "planned work")


def test_a_viewer_cannot_decide(
    project: Project, finding: Finding, vera: User, sign_in: SignIn
) -> None:
    for name in ("confirm", "dismiss"):
        answer = sign_in(vera).post(url(name, project, finding_id=finding.pk))
        assert answer.status_code == 403
    finding.refresh_from_db()
    assert finding.status == "open"


def test_deciding_needs_a_post(
    project: Project, finding: Finding, ben: User, sign_in: SignIn
) -> None:
    assert sign_in(ben).get(url("confirm", project, finding_id=finding.pk)).status_code == 405


def test_findings_are_filtered_by_status_and_detector(
    project: Project, finding: Finding, vera: User, sign_in: SignIn
) -> None:
    browser = sign_in(vera)
    page = url("findings", project)

    def shows(query: str) -> bool:
        return "refund failed" in browser.get(page + query).content.decode()

    assert shows("")
    assert shows(f"?detector={finding.detector_id}")
    assert not shows("?status=dismissed")
    assert shows("?status=all")
    assert not shows(f"?detector={uuid.uuid4()}")
    for nonsense in ("?status=%00", "?detector=x&page=999", "?page=-1", "?detector='--"):
        assert browser.get(page + nonsense).status_code == 200


def test_failed_and_waiting_runs_are_visible(
    project: Project, finding: Finding, vera: User, sign_in: SignIn
) -> None:
    for state, error in (("failed", "Provider answered 529"), ("pending", "")):
        DetectorRun.objects.create(
            project=project,
            detector=finding.detector,
            detector_version=1,
            trace_id=finding.trace_id,
            generation=1 if state == "failed" else 2,
            state=state,
            error=error,
        )
    browser = sign_in(vera)
    page = url("detail", project, detector_id=finding.detector_id)
    everything = browser.get(page).content.decode()
    assert "Provider answered 529" in everything
    assert "Pending" in everything
    assert "Provider answered 529" not in browser.get(page + "?verdict=pending").content.decode()


def test_an_admin_edits_a_detector_and_makes_a_version(
    project: Project, aaron: User, sign_in: SignIn
) -> None:
    defaults.ensure(project)
    detector = Detector.objects.get(project=project, template="repeated_call")
    browser = sign_in(aaron)
    page = url("edit", project, detector_id=detector.pk)
    assert browser.get(page).status_code == 200
    changed = {"is_enabled": "on", "severity": "low", "times": "5"}
    assert browser.post(page, changed).status_code == 302
    detector.refresh_from_db()
    assert (detector.version, detector.severity, detector.config) == (2, "low", {"times": 5})
    assert browser.post(page, changed).status_code == 302
    detector.refresh_from_db()
    assert detector.version == 2, "nothing changed, so there is no new version"
    assert browser.post(page, {**changed, "times": "1"}).status_code == 422


def test_an_admin_edits_the_judges_prompt(project: Project, aaron: User, sign_in: SignIn) -> None:
    defaults.ensure(project)
    detector = Detector.objects.get(project=project, kind="judge")
    page = url("edit", project, detector_id=detector.pk)
    form = {
        "is_enabled": "on",
        "severity": "high",
        "sample_rate": "0.5",
        "prompt": "Look for lies.",
    }
    assert sign_in(aaron).post(page, form).status_code == 302
    detector.refresh_from_db()
    assert (detector.prompt, detector.sample_rate) == ("Look for lies.", 0.5)
    assert sign_in(aaron).post(page, {**form, "sample_rate": "2"}).status_code == 422


def test_a_member_cannot_edit(
    project: Project, finding: Finding, ben: User, sign_in: SignIn
) -> None:
    page = url("edit", project, detector_id=finding.detector_id)
    assert sign_in(ben).get(page).status_code == 403


def test_an_admin_manages_addresses(
    project: Project, aaron: User, ada: User, sign_in: SignIn
) -> None:
    browser = sign_in(aaron)
    page = url("alert_routes", project)
    text = browser.get(page).content.decode()
    assert ada.email in text
    assert "no mail server" in text
    assert browser.post(url("add_alert_route", project), {"email": "nonsense"}).status_code == 422
    browser.post(url("add_alert_route", project), {"email": "OnCall@Acme.example"})
    route = AlertRoute.objects.get(email="oncall@acme.example")
    browser.post(url("turn_alert_route", project, route_id=route.pk), {"state": "off"})
    route.refresh_from_db()
    assert not route.is_enabled
    browser.post(url("test_alert_route", project, route_id=route.pk))
    assert [message.to for message in mail.outbox] == [["oncall@acme.example"]]
    browser.post(url("remove_alert_route", project, route_id=route.pk))
    assert not AlertRoute.objects.filter(pk=route.pk).exists()


def test_the_owners_route_can_be_turned_off_but_not_removed(
    project: Project, aaron: User, sign_in: SignIn
) -> None:
    alerts.ensure_routes(project)
    route = AlertRoute.objects.get()
    sign_in(aaron).post(url("remove_alert_route", project, route_id=route.pk))
    assert AlertRoute.objects.filter(pk=route.pk).exists()


def test_a_member_cannot_change_addresses(project: Project, ben: User, sign_in: SignIn) -> None:
    browser: Client = sign_in(ben)
    assert (
        browser.post(url("add_alert_route", project), {"email": "x@y.example"}).status_code == 403
    )
    assert "Add address" not in browser.get(url("alert_routes", project)).content.decode()


def test_the_admin_shows_everything(
    detect: Detect, project: Project, ada: User, sign_in: SignIn
) -> None:
    detect()
    ada.is_staff = ada.is_superuser = True
    ada.save()
    browser = sign_in(ada)
    for model in (
        "detector",
        "detectorrun",
        "finding",
        "evidence",
        "alertroute",
        "alertdelivery",
        "sweepcursor",
    ):
        page = f"/admin/detectors/{model}/"
        assert browser.get(page).status_code == 200, model
    run = DetectorRun.objects.first()
    assert run is not None
    browser.post(
        "/admin/detectors/detectorrun/", {"action": "retry", "_selected_action": [str(run.pk)]}
    )
    run.refresh_from_db()
    assert run.state == "pending"
    assert (
        browser.get(f"/admin/detectors/finding/{Finding.objects.get().pk}/change/").status_code
        == 200
    )


def test_what_passed_at_once_is_counted_and_said_of_its_trace(
    detect: Detect, project: Project, vera: User, sign_in: SignIn
) -> None:
    sound = [span(1, "agent"), span(2, name="refund", parent=1, output="refunded")]
    trace_id, _ = detect(sound), detect(sound)
    assert not DetectorRun.objects.exists()
    detector = Detector.objects.get(project=project, template="tool_failure")
    client = sign_in(vera)
    shown = client.get(url("list", project))
    rows = {row.detector.template: row for row in shown.context["rows"]}
    assert (rows["tool_failure"].runs, rows["repeated_call"].runs) == (2, 2)
    assert rows["tool_failure"].last_run_at is not None
    page = client.get(url("detail", project, detector_id=detector.pk)).content.decode()
    assert "2 traces of the last 7 days held nothing" in page
    said = client.get(url("trace_findings", project, trace_id=trace_id)).content.decode()
    assert "No tool call failed." in said
    assert detector.name in said


def test_another_project_does_not_see_what_passed(
    detect: Detect, project: Project, other_project: Project, mallory: User, sign_in: SignIn
) -> None:
    trace_id = detect([span(1, "agent")])
    said = sign_in(mallory).get(url("trace_findings", other_project, trace_id=trace_id))
    assert "No tool call failed." not in said.content.decode()


def test_pages_show_what_they_can_while_the_trace_store_is_away(
    detect: Detect, project: Project, vera: User, sign_in: SignIn, engine: EngineProcess
) -> None:
    trace_id = detect()
    engine.stop()
    store_client.forget()
    try:
        client = sign_in(vera)
        rows = client.get(url("list", project)).context["rows"]
        assert {row.detector.template: row.runs for row in rows}["tool_failure"] == 1
        shown = client.get(url("trace_findings", project, trace_id=trace_id))
        assert shown.context["cards"]
    finally:
        engine.start()
        publish(engine)
