"""Pages of deletions and retention: who may, what they say, and what follows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from accounts import users
from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import made
from traces import settle
from traces.deletion import tombstones, work
from traces.models import Deletion, RetentionPolicy, RetentionRule
from traces.store import client

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    yield
    tombstones.forget()


def url(project: Project, name: str, **arguments: object) -> str:
    return reverse(f"traces:{name}", kwargs={"project_id": project.id, **arguments})


def text(answer: object) -> str:
    stripped = re.sub(r"<[^>]+>", " ", answer.content.decode())  # type: ignore[attr-defined]
    return " ".join(html.unescape(stripped).split())


def stored(project: Project, **fields: object) -> bytes:
    trace_id = made.stored(made.span(project.id, made.trace_id(), 1, **fields))
    settle.settle_quiet()
    return trace_id


def rows(project: Project) -> int:
    sql = "SELECT count() AS n FROM spans WHERE project_id = {p:UUID}"
    return int(client.query(sql, {"p": str(project.id)})[0]["n"])


def work_once() -> None:
    for _ in range(3):  # find, delete, look again: the files may take longer
        Deletion.objects.filter(state="waiting").update(due_at="2026-01-01T00:00:00Z")
        work.run_due("w", max_seconds=5)


def test_a_trace_is_deleted_from_its_page_and_is_in_no_list_any_more(
    project: Project, aaron: User, sign_in: SignIn
) -> None:
    browser = sign_in(aaron)
    trace_id = stored(project, name="support.turn")
    page = browser.get(url(project, "trace", trace_id=trace_id))
    assert "Delete this trace?" in text(page)
    answer = browser.post(url(project, "delete_trace", trace_id=trace_id))
    assert answer["Location"] == url(project, "deletions")
    assert "1 trace" in (said := text(browser.get(answer["Location"])))
    assert "Waiting" in said
    work_once()
    assert rows(project) == 0
    assert browser.get(url(project, "trace", trace_id=trace_id)).status_code == 404
    assert "support.turn" not in text(browser.get(url(project, "list")))
    said = text(browser.get(url(project, "deletions")))
    assert aaron.email in said


def test_a_session_is_deleted_after_the_page_has_said_what_goes(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    browser = sign_in(ada)
    for _ in range(3):
        stored(project, session_id="<b>s 1</b>")
    stored(project, session_id="other")
    asked = {"way": "session", "value": "<b>s 1</b>"}
    said = text(page := browser.post(url(project, "ask_deletion"), asked))
    assert "3 traces name it, and go as a whole" in said
    assert b"<b>s 1</b>" not in page.content
    assert not Deletion.objects.exists()
    done = browser.post(url(project, "ask_deletion"), {**asked, "confirmed": "yes"})
    assert done["Location"] == url(project, "deletions")
    work_once()
    assert rows(project) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"way": "session", "value": ""}, "This field is required"),
        ({"way": "planet", "value": "x"}, "planet is not one of the available choices"),
        ({"way": "user", "value": "x" * 1025}, "at most 1024 characters"),
        ({"way": "user", "value": "a\0b"}, "Null characters are not allowed"),
    ],
)
def test_what_names_nothing_is_said(
    project: Project, ada: User, sign_in: SignIn, asked: dict[str, str], said: str
) -> None:
    answer = sign_in(ada).post(url(project, "ask_deletion"), {**asked, "confirmed": "yes"})
    assert answer.status_code == 422
    assert said in text(answer)
    assert not Deletion.objects.exists()


def test_a_name_that_nobody_has_deletes_no_trace(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    asked = {"way": "user", "value": "nobody"}
    assert "No trace names it" in text(sign_in(ada).post(url(project, "ask_deletion"), asked))


def test_members_and_viewers_see_deletions_and_delete_nothing(
    project: Project, ben: User, vera: User, sign_in: SignIn
) -> None:
    trace_id = stored(project)
    for person in (ben, vera):
        browser = sign_in(person)
        assert "Nothing was deleted" in text(browser.get(url(project, "deletions")))
        assert "Delete by session" not in text(browser.get(url(project, "deletions")))
        page = browser.get(url(project, "trace", trace_id=trace_id))
        assert b"delete-trace" not in page.content
        for refused in (
            browser.post(url(project, "delete_trace", trace_id=trace_id)),
            browser.post(url(project, "ask_deletion"), {"way": "user", "value": "x"}),
            browser.get(url(project, "delete_project")),
            browser.post(url(project, "apply_retention")),
            browser.post(url(project, "set_retention"), {"days": "7"}),
        ):
            assert refused.status_code == 403
    assert not Deletion.objects.exists()


def test_a_trace_of_another_project_is_not_found(
    project: Project, other_project: Project, mallory: User, sign_in: SignIn
) -> None:
    trace_id = stored(project)
    answer = sign_in(mallory).post(url(other_project, "delete_trace", trace_id=trace_id))
    assert answer.status_code == 404
    assert not Deletion.objects.exists()


def test_a_project_is_deleted_by_its_name_and_leaves_a_receipt_with_the_organisation(
    project: Project, ada: User, aaron: User, sign_in: SignIn
) -> None:
    stored(project)
    page = url(project, "delete_project")
    assert sign_in(aaron).get(page).status_code == 403  # an owner's matter
    browser = sign_in(ada)
    assert "This is not the name" in text(browser.post(page, {"name": "support"}))
    answer = browser.post(page, {"name": "Support"})
    receipts = reverse(
        "organization_traces:deletions", kwargs={"organization_id": project.organization_id}
    )
    assert answer["Location"] == receipts
    work_once()
    assert rows(project) == 0
    assert not Project.objects.filter(pk=project.pk).exists()
    said = text(browser.get(receipts))
    assert "The project" in said
    assert "Support" in said
    assert browser.get(url(project, "deletions")).status_code == 404


def test_a_deletion_that_failed_can_be_tried_again(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    browser = sign_in(ada)
    browser.post(url(project, "ask_deletion"), {"way": "user", "value": "u", "confirmed": "yes"})
    Deletion.objects.update(state="failed", error="It stopped.")
    assert "Try again" in text(browser.get(url(project, "deletions")))
    deletion = Deletion.objects.get()
    browser.post(url(project, "retry_deletion", deletion_id=deletion.pk))
    deletion.refresh_from_db()
    assert deletion.state == "waiting"


def set_default(browser: Client, project: Project, days: str) -> int:
    return browser.post(url(project, "set_retention"), {"days": days}).status_code


def test_retention_is_set_by_admins_and_seen_by_all(
    project: Project, aaron: User, vera: User, sign_in: SignIn
) -> None:
    browser = sign_in(aaron)
    assert "for ever" in text(sign_in(vera).get(url(project, "retention")))
    assert set_default(browser, project, "8") == 422
    assert set_default(browser, project, "30") == 302
    assert RetentionPolicy.objects.get().days == 30
    assert "Traces are kept 30 days" in text(sign_in(vera).get(url(project, "retention")))
    settings = reverse("accounts:project_settings", kwargs={"project_id": project.id})
    assert "at most 30 days" in text(sign_in(vera).get(settings))


def test_rules_are_added_and_deleted(project: Project, ada: User, sign_in: SignIn) -> None:
    browser = sign_in(ada)
    add = url(project, "add_retention_rule")
    assert "Say which traces it is for" in text(browser.post(add, {"days": "7"}))
    assert (
        browser.post(add, {"days": "7", "environment": "ci*", "is_error": "on"}).status_code == 302
    )
    rule = RetentionRule.objects.get()
    assert "environment ci*, that failed" in text(browser.get(url(project, "retention")))
    browser.post(url(project, "delete_retention_rule", retention_rule_id=rule.pk))
    assert not RetentionRule.objects.exists()


def test_deleting_what_has_expired_says_when_there_is_nothing(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    stored(project)
    answer = sign_in(ada).post(url(project, "apply_retention"), follow=True)
    assert "Nothing has expired" in text(answer)


def test_an_operator_sees_how_far_they_are_and_not_whom_they_name(
    project: Project, ada: User, sign_in: SignIn
) -> None:
    sign_in(ada).post(
        url(project, "ask_deletion"), {"way": "user", "value": "ulla@x.example", "confirmed": "yes"}
    )
    Deletion.objects.update(state="failed", error="It stopped.")
    deletion = Deletion.objects.get()
    operator = users.create("operator@host.example")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    console = sign_in(operator)
    listed = console.get(reverse("admin:traces_deletion_changelist"))
    shown = console.get(reverse("admin:traces_deletion_change", args=[deletion.pk]))
    for page in (listed, shown):
        assert page.status_code == 200
        assert b"ulla" not in page.content
    chosen = {"action": "try_again", "_selected_action": [str(deletion.pk)]}
    assert "1 go on" in text(
        console.post(reverse("admin:traces_deletion_changelist"), chosen, follow=True)
    )
    deletion.refresh_from_db()
    assert deletion.state == "waiting"
