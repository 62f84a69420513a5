"""Settings, members, keys and organisations in the browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import api_keys
from accounts.models import ApiKey, Membership, Organization, Project, User
from accounts.permissions import Role
from tests.cast import SignIn

RAW = re.compile(r"tr-[0-9a-f]{8}-[0-9a-f-]{27}")


def settings_of(project: Project, page: str = "") -> str:
    return f"/projects/{project.id}/settings/{page}"


def create_key(browser: Client, project: Project, **form: object) -> str:
    """The raw key as the page shows it."""
    answer = browser.post(
        settings_of(project, "keys/create/"),
        {"name": "Staging", "scopes": ["ingest", "read"], "expires_in_days": "0", **form},
    )
    assert answer.status_code == 302
    shown = RAW.findall(browser.get(answer["Location"]).content.decode())
    assert shown
    return str(shown[0])


def test_a_new_key_is_shown_once_and_works(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    raw = create_key(browser, project)
    assert api_keys.verify(raw) is not None
    again = browser.get(settings_of(project, "keys/"))
    assert raw not in again.content.decode()
    assert f"tr-…{raw[-4:]}" in again.content.decode()
    assert "no-store" in again["Cache-Control"]


def test_a_new_key_travels_in_a_cookie_of_that_page_alone(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    answer = sign_in(ada).post(
        settings_of(project, "keys/create/"),
        {"name": "Staging", "scopes": ["ingest"], "expires_in_days": "0"},
    )
    cookie = answer.cookies["traceroot_new_key"]
    assert cookie["path"] == settings_of(project, "keys/")
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert not RAW.search(answer["Location"])


def test_a_forged_cookie_shows_nothing(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    browser.cookies["traceroot_new_key"] = "tr-<script>alert(1)</script>"
    answer = browser.get(settings_of(project, "keys/"))
    assert answer.status_code == 200
    assert "alert(1)" not in answer.content.decode()


def test_a_key_gets_the_chosen_scopes_and_end(sign_in: SignIn, project: Project, ada: User) -> None:
    raw = create_key(sign_in(ada), project, scopes=["ingest"], expires_in_days="30")
    key = ApiKey.objects.get(hint=raw[-4:])
    assert key.scopes == ["ingest"]
    assert key.created_by == ada
    assert key.expires_at is not None
    assert 29 <= (key.expires_at - timezone.now()).days <= 30


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"name": "", "scopes": ["read"]}, "This field is required"),
        ({"name": "x" * 101, "scopes": ["read"]}, "101 characters"),
        ({"name": "a\u202eb", "scopes": ["read"]}, "invisible characters"),
        ({"name": "a\x00b", "scopes": ["read"]}, "Null characters"),
        ({"name": "Staging"}, "Choose at least one thing"),
        ({"name": "Staging", "scopes": ["root"]}, "root is not one of the available choices"),
        ({"name": "Staging", "scopes": ["read"], "expires_in_days": "1e9"}, "not one of"),
    ],
)
def test_a_key_form_with_an_error_says_so_and_makes_nothing(
    sign_in: SignIn, project: Project, ada: User, form: dict[str, object], says: str
) -> None:
    answer = sign_in(ada).post(settings_of(project, "keys/create/"), form)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_name_is_text_and_not_markup(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    create_key(browser, project, name="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in browser.get(settings_of(project, "keys/")).content.decode()


def test_revoking_needs_a_post_and_ends_the_key(
    sign_in: SignIn, project: Project, ada: User, api_key: str
) -> None:
    key, browser = ApiKey.objects.get(), sign_in(ada)
    page = settings_of(project, f"keys/{key.id}/revoke/")
    assert browser.get(page).status_code == 405
    assert api_keys.verify(api_key) is not None
    assert browser.post(page).status_code == 302
    assert api_keys.verify(api_key) is None
    assert "revoked" in browser.get(settings_of(project, "keys/")).content.decode()


def test_a_key_of_another_project_cannot_be_revoked_from_here(
    sign_in: SignIn, project: Project, ada: User, other_api_key: str
) -> None:
    key = ApiKey.objects.get()
    answer = sign_in(ada).post(settings_of(project, f"keys/{key.id}/revoke/"))
    assert answer.status_code == 404
    assert api_keys.verify(other_api_key) is not None


def test_the_page_of_keys_has_one_main_act(sign_in: SignIn, project: Project, ada: User) -> None:
    page = sign_in(ada).get(settings_of(project, "keys/")).content.decode()
    assert re.findall(r'class="button is-primary"[^>]*>([^<]+)<', page) == ["Create key"]


def test_all_projects_in_the_sidebar_leads_to_all_of_them(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    page = sign_in(ada).get(settings_of(project)).content.decode()
    link = re.search(r'<a [^>]*href="([^"]*)">(?:(?!</a>).)*All projects</a>', page, re.DOTALL)
    assert link is not None
    assert link[1] == reverse("accounts:organizations")


def test_every_form_asks_for_the_token(project: Project, ada: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    for page in ("rename/", "keys/create/", "members/add/"):
        assert browser.post(settings_of(project, page), {"name": "x"}).status_code == 403


def test_a_project_is_renamed(sign_in: SignIn, project: Project, ada: User) -> None:
    answer = sign_in(ada).post(
        settings_of(project, "rename/"), {"name": "  Help   desk "}, follow=True
    )
    project.refresh_from_db()
    assert project.name == "Help desk"
    assert "The project is named Help desk now." in answer.content.decode()


def test_a_taken_name_is_refused_and_the_old_one_stays(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    Project.objects.create(organization=project.organization, name="Billing")
    answer = sign_in(ada).post(settings_of(project, "rename/"), {"name": "Billing"})
    assert answer.status_code == 422
    assert "has a project named “Billing” already" in answer.content.decode()
    project.refresh_from_db()
    assert project.name == "Support"


def test_another_organisation_may_use_the_name(
    sign_in: SignIn, project: Project, other_project: Project, mallory: User
) -> None:
    sign_in(mallory).post(settings_of(other_project, "rename/"), {"name": "Support"})
    other_project.refresh_from_db()
    assert other_project.name == project.name


def test_a_viewer_sees_the_settings_but_no_form(
    sign_in: SignIn, project: Project, vera: User
) -> None:
    page = sign_in(vera).get(settings_of(project)).content.decode()
    assert "Support" in page
    assert "/settings/rename/" not in page
    assert "/settings/keys/" not in page


def test_a_member_is_added_changed_and_removed(
    sign_in: SignIn, project: Project, ada: User, mallory: User
) -> None:
    browser = sign_in(ada)
    form = {"email": "MALLORY@globex.example", "role": Role.VIEWER}
    assert browser.post(settings_of(project, "members/add/"), form).status_code == 302
    membership = Membership.objects.get(user=mallory, organization=project.organization)
    page = settings_of(project, f"members/{membership.id}/")
    browser.post(f"{page}role/", {"role": Role.ADMIN})
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN
    browser.post(f"{page}remove/")
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_the_last_owner_cannot_remove_herself_in_the_browser(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    membership = Membership.objects.get(user=ada)
    answer = sign_in(ada).post(
        settings_of(project, f"members/{membership.id}/remove/"), follow=True
    )
    assert "is the last owner of Acme" in answer.content.decode()
    assert Membership.objects.filter(pk=membership.pk).exists()


def test_an_admin_is_offered_no_owner_to_change_and_cannot_make_one(
    sign_in: SignIn, project: Project, ada: User, aaron: User, ben: User
) -> None:
    browser = sign_in(aaron)
    page = browser.get(settings_of(project, "members/")).content.decode()
    assert "Role of ben@acme.example" in page
    assert "Role of ada@acme.example" not in page
    assert re.findall(r'<select name="role" id="id_role_\w+">', page)
    assert 'value="owner"' not in page
    bens = Membership.objects.get(user=ben)
    browser.post(settings_of(project, f"members/{bens.id}/role/"), {"role": Role.OWNER})
    bens.refresh_from_db()
    assert bens.role == Role.MEMBER


def test_a_membership_of_another_organisation_cannot_be_changed_from_here(
    sign_in: SignIn, project: Project, ada: User, globex: Organization, mallory: User
) -> None:
    theirs = Membership.objects.get(user=mallory)
    page = settings_of(project, f"members/{theirs.id}/")
    browser = sign_in(ada)
    assert browser.post(f"{page}role/", {"role": Role.VIEWER}).status_code == 404
    assert browser.post(f"{page}remove/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.role == Role.OWNER


def test_home_leads_to_the_project_that_was_open_last(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    billing = Project.objects.create(organization=project.organization, name="Billing")
    browser = sign_in(ada)
    assert browser.get("/")["Location"] == reverse("traces:list", args=[billing.id])
    browser.get(settings_of(project))
    assert browser.get("/")["Location"] == reverse("traces:list", args=[project.id])


def test_home_does_not_lead_where_one_may_no_longer_go(
    sign_in: SignIn, project: Project, ben: User
) -> None:
    browser = sign_in(ben)
    browser.get(settings_of(project))
    ben.memberships.all().delete()
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "You do not belong to an organisation yet" in answer.content.decode()


def test_home_asks_a_stranger_to_sign_in(sign_in: SignIn, db: None) -> None:
    assert sign_in(None).get("/")["Location"] == "/accounts/login/?next=/"


def test_the_list_shows_ones_own_projects_only(
    sign_in: SignIn, project: Project, other_project: Project, ada: User
) -> None:
    page = sign_in(ada).get("/organizations/").content.decode()
    assert "Support" in page
    assert "Sales" not in page
    assert "Globex" not in page


def test_headings_of_the_projects_are_dropped_on_a_phone_with_their_columns(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    page = sign_in(ada).get(reverse("accounts:home") + "organizations/").content.decode()
    head, row = (
        ["cell-drop" in cell for cell in re.findall(f"<{name}\\b[^>]*>", page)]
        for name in ("th", "td")
    )
    assert head == row
    assert True in head


def test_an_admin_creates_a_project(sign_in: SignIn, acme: Organization, aaron: User) -> None:
    browser = sign_in(aaron)
    answer = browser.post(f"/organizations/{acme.id}/projects/", {"name": "Billing"})
    created = Project.objects.get(name="Billing")
    assert created.organization == acme
    assert answer["Location"] == f"/projects/{created.id}/getting-started/"
    again = browser.post(f"/organizations/{acme.id}/projects/", {"name": "Billing"})
    assert again.status_code == 422
    assert "already" in again.content.decode()


def test_the_administration_shows_no_hash(sign_in: SignIn, api_key: str) -> None:
    key = ApiKey.objects.get()
    browser = sign_in(User.objects.create_superuser("root@traceroot.local", "a-long-password-1"))
    page = browser.get(f"/admin/accounts/apikey/{key.id}/change/").content.decode()
    assert key.masked in page
    assert key.hashed not in page
    for model in ("user", "organization", "project", "apikey"):
        assert browser.get(f"/admin/accounts/{model}/").status_code == 200
