"""The door of every page, on the project settings."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts.access import project_view
from accounts.models import Organization, Project, User
from tests.cast import SignIn


def test_nobody_is_sent_to_sign_in_and_back(sign_in: SignIn, project: Project) -> None:
    answer = sign_in(None).get(f"/projects/{project.id}/settings/?x=1")
    assert answer.status_code == 302
    assert answer["Location"] == (f"/accounts/login/?next=/projects/{project.id}/settings/%3Fx%3D1")


def test_a_fragment_sends_the_whole_page_to_sign_in(sign_in: SignIn, project: Project) -> None:
    answer = sign_in(None).get(
        f"/projects/{project.id}/settings/",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": f"http://testserver/projects/{project.id}/traces/?page=2",
        },
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == (
        f"/accounts/login/?next=/projects/{project.id}/traces/%3Fpage%3D2"
    )


def test_a_fragment_of_a_foreign_page_does_not_lead_back_there(
    sign_in: SignIn, project: Project
) -> None:
    answer = sign_in(None).get(
        f"/projects/{project.id}/settings/",
        headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"},
    )
    assert answer["HX-Redirect"] == "/accounts/login/?next=/"


def test_outsider_gets_the_same_404_as_for_a_project_that_does_not_exist(
    sign_in: SignIn, project: Project, mallory: User
) -> None:
    browser = sign_in(mallory)
    theirs = browser.get(f"/projects/{project.id}/settings/")
    nothing = browser.get(f"/projects/{uuid.uuid4()}/settings/")
    assert theirs.status_code == nothing.status_code == 404


def test_a_superuser_is_an_outsider_like_any_other(sign_in: SignIn, project: Project) -> None:
    operator = User.objects.create_superuser("root@traceroot.local")
    assert sign_in(operator).get(f"/projects/{project.id}/settings/").status_code == 404


def test_a_deactivated_member_is_nobody(sign_in: SignIn, project: Project, ben: User) -> None:
    browser = sign_in(ben)
    assert browser.get(f"/projects/{project.id}/settings/").status_code == 200
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert browser.get(f"/projects/{project.id}/settings/").status_code == 302


def test_a_removed_member_is_an_outsider_at_once(
    sign_in: SignIn, project: Project, ben: User
) -> None:
    browser = sign_in(ben)
    assert browser.get(f"/projects/{project.id}/settings/").status_code == 200
    ben.memberships.all().delete()
    assert browser.get(f"/projects/{project.id}/settings/").status_code == 404


def test_a_role_that_does_not_suffice_gets_403(
    sign_in: SignIn, project: Project, vera: User
) -> None:
    assert sign_in(vera).get(f"/projects/{project.id}/settings/keys/").status_code == 403


def test_a_view_is_stamped_and_a_misspelt_permission_is_refused_when_it_is_written() -> None:
    @project_view("traces.read")
    def view(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
        return HttpResponse()

    assert view.required_permission == "traces.read"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no permission"):
        project_view("traces.raed")  # type: ignore[arg-type]


async def enter(project: Project, user: User) -> HttpResponse:
    @project_view("traces.read")
    async def view(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
        return HttpResponse(request.project.name)  # type: ignore[attr-defined]

    request = RequestFactory().get("/")
    request.user = user
    request.session = {}  # type: ignore[assignment]
    answer: HttpResponse = await view(request, project_id=project.id)
    return answer


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_view_has_the_same_door(
    project: Project, vera: User, mallory: User
) -> None:
    assert asyncio.run(enter(project, vera)).content == b"Support"
    with pytest.raises(Http404):
        asyncio.run(enter(project, mallory))


def test_an_organisation_page_has_a_door_too(
    sign_in: SignIn, acme: Organization, vera: User, mallory: User
) -> None:
    page = f"/organizations/{acme.id}/"
    assert sign_in(None).get(page).status_code == 302
    assert sign_in(mallory).get(page).status_code == 404
    assert sign_in(vera).get(page).status_code == 200
    assert sign_in(vera).post(f"{page}projects/", {"name": "Mine"}).status_code == 403
