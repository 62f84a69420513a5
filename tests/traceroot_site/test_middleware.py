"""What every answer carries: a request id, and whether anything may keep it."""

from __future__ import annotations

import asyncio

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import Client, RequestFactory
from django.utils.cache import patch_vary_headers

from accounts.models import Organization, Project, User
from tests.cast import SignIn
from traceroot_site.middleware import (
    MethodPageMiddleware,
    NoStoreMiddleware,
    RequestIdMiddleware,
)

NEVER_KEPT = "private, no-store"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("page", ["traces/", "findings/", "detectors/", "settings/"])
def test_no_cache_keeps_a_page_of_a_project(
    page: str, sign_in: SignIn, project: Project, ada: User
) -> None:
    answer = sign_in(ada).get(f"/projects/{project.id}/{page}")
    assert answer["Cache-Control"] == NEVER_KEPT


def test_no_cache_keeps_a_refusal_or_a_page_of_an_organisation(
    sign_in: SignIn, project: Project, acme: Organization, vera: User, mallory: User
) -> None:
    pages = [
        sign_in(vera).get(f"/projects/{project.id}/settings/keys/"),
        sign_in(mallory).get(f"/projects/{project.id}/settings/"),
        sign_in(vera).get(f"/organizations/{acme.id}/"),
        sign_in(vera).get("/organizations/"),
        sign_in(vera).get("/"),
        sign_in(None).get("/"),
    ]
    assert [page["Cache-Control"] for page in pages] == [NEVER_KEPT] * len(pages)


def test_pages_of_the_account_and_the_administration_are_not_kept_either(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    ada.is_staff = ada.is_superuser = True
    ada.save()
    own = f"/projects/{project.id}/settings/members/"
    for page in (own, "/accounts/email/", "/accounts/login/", "/admin/", "/admin/accounts/user/"):
        assert "no-store" in sign_in(ada).get(page)["Cache-Control"], page


@pytest.mark.usefixtures("store")
def test_no_cache_keeps_an_answer_to_a_key(api_key: str) -> None:
    bearer = {"Authorization": f"Bearer {api_key}"}
    for path in ("whoami", "traces"):
        answer = Client().get(f"/api/v1/public/{path}", headers=bearer, follow=True)
        assert answer.status_code == 200, path
        assert answer["Cache-Control"] == NEVER_KEPT
    refused = Client().get("/api/v1/public/whoami", headers={"Authorization": "Bearer tr-wrong"})
    assert refused["Cache-Control"] == NEVER_KEPT


def test_health_and_static_files_are_nobody_s(sign_in: SignIn, ada: User) -> None:
    browser = sign_in(ada)
    assert "Cache-Control" not in browser.get("/livez")
    icon = browser.get("/favicon.ico", follow=True)
    assert icon.status_code == 200
    assert icon["Content-Type"] == "image/svg+xml"
    assert "no-store" not in icon["Cache-Control"]


def test_a_view_cannot_open_a_cache_for_what_is_personal() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        answer = HttpResponse(headers={"Cache-Control": "public, max-age=600"})
        patch_vary_headers(answer, ["Cookie"])
        return answer

    answer = NoStoreMiddleware(view)(RequestFactory().get("/"))
    assert isinstance(answer, HttpResponse)
    assert answer["Cache-Control"] == NEVER_KEPT


def test_both_work_around_an_async_view() -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        answer = HttpResponse()
        patch_vary_headers(answer, ["Cookie"])
        return answer

    async def run() -> HttpResponse:
        pending = RequestIdMiddleware(NoStoreMiddleware(view))(RequestFactory().get("/"))  # type: ignore[arg-type]
        answer = await pending  # type: ignore[misc]
        assert isinstance(answer, HttpResponse)
        return answer

    answer = asyncio.run(run())
    assert answer["Cache-Control"] == NEVER_KEPT
    assert len(answer["X-Request-Id"]) == 16


@pytest.mark.parametrize(
    ("given", "is_kept"), [("abcdef-123456", True), ("short", False), ("a b\nc" * 4, False)]
)
def test_an_id_from_the_proxy_is_kept_when_it_is_harmless(given: str, is_kept: bool) -> None:
    answer = Client().get("/livez", headers={"X-Request-Id": given.replace("\n", "")})
    assert (answer["X-Request-Id"] == given) is is_kept


@pytest.mark.usefixtures("store")
def test_an_address_of_a_form_that_is_opened_is_a_designed_page(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    browser = sign_in(ada)
    for form in ("settings/rename/", "prices/add/", "ingest/rules/add/", "deletions/ask/"):
        answer = browser.get(f"/projects/{project.id}/{form}")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert "This address takes a form" in answer.content.decode()
        assert answer["X-Request-Id"] in answer.content.decode()
    api = browser.put("/api/v1/public/openapi.json")
    assert api.status_code == 405
    assert "json" in api["Content-Type"]


def test_a_refused_method_of_an_async_view_has_its_page_too(project: Project, ada: User) -> None:
    async def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])

    request = RequestFactory().get("/somewhere")
    request.user = ada  # type: ignore[attr-defined]
    answer = asyncio.run(MethodPageMiddleware(bare)(request))  # type: ignore[arg-type]
    assert b"This address takes a form" in answer.content  # type: ignore[attr-defined]
