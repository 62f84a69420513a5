"""The page of rules and limits: who may change them, what it says, and what follows."""

from __future__ import annotations

import html
import logging
import re
import time
import uuid
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import api_keys, users
from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import arrived, made
from traces.admission import book, stored
from traces.admission.rates import OverLimit, Rates
from traces.ingest.breaker import Breaker
from traces.ingest.refusals import Refusals
from traces.ingest.storing import Storing
from traces.models import DropRule, IngestLimit

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture(autouse=True)
def _no_rules_are_remembered() -> Iterator[None]:
    book.forget()
    yield
    book.forget()


def url(project: Project, name: str = "ingest_rules", **arguments: object) -> str:
    return reverse(f"traces:{name}", kwargs={"project_id": project.id, **arguments})


def text(answer: object) -> str:
    stripped = re.sub(r"<[^>]+>", " ", answer.content.decode())  # type: ignore[attr-defined]
    return " ".join(html.unescape(stripped).split())


def add(browser: Client, project: Project, **fields: str) -> int:
    sent = {"match": "name", "pattern": "span 2", "key": "", **fields}
    return browser.post(url(project, "add_rule"), sent).status_code


def test_a_rule_drops_from_the_moment_it_is_made_until_it_is_disabled(
    project: Project, aaron: User, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    browser = sign_in(aaron)
    with caplog.at_level(logging.INFO, logger="traces.admission.changes"):
        assert add(browser, project) == 302
    assert f"by={aaron.pk}" in caplog.text
    rule = DropRule.objects.for_project(project).get()
    sent = arrived.arrival(project.id)
    assert (sent.receipt.accepted, sent.receipt.dropped) == (1, 1)
    storing = Storing(Breaker())
    storing.store([sent])
    storing.acknowledge([sent])
    assert "Span name span 2 Failed spans are kept 1 in force" in text(browser.get(url(project)))
    health = browser.get(reverse("traces:ingest_health", kwargs={"project_id": project.id}))
    assert "Dropped by rule Rule Spans name span 2 1" in text(health)
    browser.post(url(project, "enable_rule", rule_id=rule.id), {"enabled": "false"})
    assert arrived.arrival(project.id).receipt.dropped == 0
    browser.post(url(project, "enable_rule", rule_id=rule.id), {"enabled": "true"})
    assert arrived.arrival(project.id).receipt.dropped == 1
    browser.post(url(project, "delete_rule", rule_id=rule.id))
    assert arrived.arrival(project.id).receipt.dropped == 0
    assert not DropRule.objects.exists()


def test_a_preview_says_how_much_it_would_have_dropped(
    project: Project, vera: User, sign_in: SignIn
) -> None:
    trace = made.trace_id()
    made.stored(*(made.span(project.id, trace, n) for n in range(1, 5)))
    asked = {"match": "name", "pattern": "span 1", "key": ""}
    said = text(sign_in(vera).get(url(project), asked))
    assert "Of the 4 spans stored in the last 24 hours" in said
    assert "would have dropped 1 (25.0 %)" in said


def test_a_member_and_a_viewer_see_rules_and_change_none(
    project: Project, ben: User, vera: User, sign_in: SignIn
) -> None:
    rule = DropRule.objects.create(project=project, pattern="GET *")
    for user in (ben, vera):
        browser = sign_in(user)
        shown = browser.get(url(project))
        assert shown.status_code == 200
        assert "GET *" in text(shown)
        assert "New rule" not in text(shown)
        assert add(browser, project) == 403
        for name in ("enable_rule", "delete_rule"):
            assert browser.post(url(project, name, rule_id=rule.id)).status_code == 403
        assert browser.post(url(project, "set_ingest_limit")).status_code == 403
    assert DropRule.objects.get().is_enabled


def test_a_rule_of_another_project_is_not_found(
    project: Project, other_project: Project, mallory: User, sign_in: SignIn
) -> None:
    rule = DropRule.objects.create(project=project, pattern="GET *")
    browser = sign_in(mallory)
    for name in ("enable_rule", "delete_rule"):
        assert browser.post(url(other_project, name, rule_id=rule.id)).status_code == 404
    assert browser.get(url(project)).status_code == 404
    assert DropRule.objects.get().is_enabled


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pattern": ""}, "Say what it should match"),
        ({"pattern": "*"}, "would drop every span"),
        ({"pattern": "a\u200bb"}, "characters that can be seen"),
        ({"match": "kind", "pattern": "LLM"}, "kind is one of llm"),
        ({"match": "attribute", "pattern": "x"}, "Name the attribute"),
        ({"match": "weather"}, "weather is not one of the available choices"),
        ({"pattern": "known"}, "has this rule already"),
    ],
)
def test_what_is_no_rule_is_said(
    project: Project, ada: User, sign_in: SignIn, fields: dict[str, str], said: str
) -> None:
    DropRule.objects.create(project=project, pattern="known")
    sent = {"match": "name", "pattern": "x", "key": "", **fields}
    answer = sign_in(ada).post(url(project, "add_rule"), sent)
    assert answer.status_code == 422
    assert said in text(answer)
    assert DropRule.objects.count() == 1


def test_a_limit_holds_at_once_and_its_refusals_are_shown(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    browser = sign_in(ada)
    sent = {"spans_per_second": "5", "bytes_per_day": "2000000"}
    assert browser.post(url(project, "set_ingest_limit"), sent).status_code == 302
    assert "Spans a second 5 Bytes a day" in text(browser.get(url(project)))
    book.take(project.id, 51, 100)
    with pytest.raises(OverLimit, match="5 spans a second") as over:
        book.take(project.id, 1, 100)
    key = api_keys.create(project, "Agents", ada)[0]
    refusals = Refusals()
    for _ in range(2):
        refusals.note(project.id, key.id, 429, str(over.value), 10)
    refusals.flush()
    health = browser.get(reverse("traces:ingest_health", kwargs={"project_id": project.id}))
    said = text(health)
    assert "2 requests refused since" in said
    assert "limit, 5 spans a second" in said
    bad = browser.post(url(project, "set_ingest_limit"), {"bytes_per_day": "-1"})
    assert bad.status_code == 422
    browser.post(url(project, "set_ingest_limit"), {})
    book.take(project.id, 10**6, 10**9)
    book.take(project.id, 10**6, 10**9)


def test_a_project_without_figures_of_its_own_has_the_installations(
    project: Project, other_project: Project, settings: Settings
) -> None:
    settings.INGEST_SPANS_PER_SECOND = 1
    IngestLimit.objects.create(project=other_project, spans_per_second=0)
    book.reload()
    book.take(project.id, 50, 0)
    with pytest.raises(OverLimit):
        book.take(project.id, 1, 0)
    for _ in range(3):
        book.take(other_project.id, 10**6, 0)


def test_bytes_that_other_processes_took_are_read_from_receipts(
    project: Project, other_project: Project
) -> None:
    for target in (project, other_project):
        IngestLimit.objects.create(project=target, bytes_per_day=500)
    storing = Storing(Breaker())
    sent = [arrived.arrival(project.id, body_bytes=400) for _ in range(2)]
    storing.store(sent)
    storing.acknowledge(sent)
    book.reload()
    rates = Rates()
    current = stored.book()
    book.note_used(current, rates)
    with pytest.raises(OverLimit, match="bytes a day"):
        rates.take(project.id, current.limit(project.id), 0, 0, time.time())
    rates.take(other_project.id, current.limit(other_project.id), 0, 0, time.time())


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ingest_rules", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_does_what_the_page_does(project: Project, other_project: Project) -> None:
    of = str(project.id)
    assert "No rules: everything is stored." in run(of)
    said = run(of, "--add", "attribute", "--key", "peer", "--pattern", "acme", "--drops-failed")
    assert "in force  peer = acme (failed ones too)" in said
    rule = DropRule.objects.for_project(project).get()
    assert "disabled" in run(of, "--disable", str(rule.id))
    assert "in force" in run(of, "--enable", str(rule.id))
    assert "5 spans a second" in run(of, "--limit", "5", "default")
    with pytest.raises(CommandError, match="has no rule"):
        run(str(other_project.id), "--delete", str(rule.id))
    with pytest.raises(CommandError, match="would drop every span"):
        run(of, "--add", "name", "--pattern", "*")
    with pytest.raises(CommandError, match="There is no project"):
        run(str(uuid.uuid4()))
    assert "No rules" in run(of, "--delete", str(rule.id))


def test_the_admin_makes_and_disables_rules_and_sets_limits(project: Project) -> None:
    operator = users.create("operator@host.example")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    console = Client()
    console.force_login(operator)
    sent = {"project": str(project.id), "match": "infrastructure", "pattern": "", "key": ""}
    assert console.post(reverse("admin:traces_droprule_add"), sent).status_code == 302
    rule = DropRule.objects.get()
    assert (rule.is_enabled, rule.created_by) == (True, operator)
    change = reverse("admin:traces_droprule_change", args=[rule.id])
    assert console.post(change, {}).status_code == 302  # the box is not ticked
    rule.refresh_from_db()
    assert not rule.is_enabled
    bad = console.post(
        reverse("admin:traces_droprule_add"), sent | {"match": "name", "pattern": "*"}
    )
    assert "would drop every span" in bad.content.decode()
    limit = {"project": str(project.id), "spans_per_second": "5", "bytes_per_day": ""}
    assert console.post(reverse("admin:traces_ingestlimit_add"), limit).status_code == 302
    assert IngestLimit.objects.get().spans_per_second == 5
