"""Adding people who have no account: who gets a link, what it opens, and what it never opens."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts import newcomers, users
from accounts.models import Membership, Organization, Project, User
from accounts.organizations import AlreadyMember, NotEntitled
from accounts.permissions import Role
from tests.cast import SignIn

pytestmark = pytest.mark.django_db
GRACE = "grace@initech.example"
PASSWORD = "correct-horse-battery-9"
LINK = re.compile(r"http://testserver/accounts/password/reset/key/[0-9a-f]{32}-[\w-]+/")


@pytest.fixture(autouse=True)
def _no_limit_is_remembered() -> None:
    cache.clear()


def members_of(project: Project) -> str:
    return f"/projects/{project.id}/settings/members/"


def add(browser: Client, project: Project, email: str, role: str = Role.VIEWER) -> Any:
    return browser.post(f"{members_of(project)}add/", {"email": email, "role": role})


def shown_link(browser: Client, project: Project) -> str:
    found = LINK.findall(browser.get(members_of(project)).content.decode())
    assert found
    assert len(set(found)) == 1
    return str(found[0])


def choose_password(browser: Client, url: str, password: str = PASSWORD) -> Any:
    """Follows the link as a browser does; the answer to the form."""
    page = browser.get(urlsplit(url)._replace(scheme="", netloc="").geturl())["Location"]
    answer = browser.get(page)
    assert answer.status_code == 200
    form = {"password1": password, "password2": password}
    hidden = re.search(r'name="next" value="([^"]+)"', answer.content.decode())
    if hidden:
        form["next"] = html.unescape(hidden[1])
    return browser.post(urlsplit(page).path, form)


def confirm(address: EmailAddress) -> None:
    """What the owner of the mailbox does with the link in the mail."""
    Client().post(f"/accounts/confirm-email/{EmailConfirmationHMAC.create(address).key}/")


def can_sign_in(email: str, password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": email, "password": password})
    return bool(answer.status_code == 302)


def test_somebody_without_an_account_gets_one_and_signs_in_by_the_link(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    browser = sign_in(ada)
    assert add(browser, project, "Grace@Initech.example").status_code == 302
    grace = User.objects.get(email=GRACE)
    assert not grace.has_usable_password()
    assert Membership.objects.get(user=grace).role == Role.VIEWER
    url = shown_link(browser, project)
    hers = Client()
    assert choose_password(hers, url).status_code == 302
    assert can_sign_in(GRACE, PASSWORD)
    signed_in = Client()
    signed_in.post("/accounts/login/", {"login": GRACE, "password": PASSWORD})
    assert signed_in.get(members_of(project)).status_code == 200


def test_the_link_is_shown_once_to_her_who_added_and_in_no_address(
    sign_in: SignIn, project: Project, ada: User, aaron: User
) -> None:
    browser, other = sign_in(ada), sign_in(aaron)
    answer = add(browser, project, GRACE)
    assert answer["Location"] == members_of(project)
    cookie = answer.cookies["traceroot_first_link"]
    assert cookie["path"] == members_of(project)
    assert cookie["httponly"]
    other.cookies["traceroot_first_link"] = cookie.value
    assert not LINK.search(other.get(members_of(project)).content.decode())
    assert shown_link(browser, project)
    again = browser.get(members_of(project))
    assert not LINK.search(again.content.decode())
    assert "no-store" in again["Cache-Control"]


def test_the_link_works_once(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    add(browser, project, GRACE)
    url = shown_link(browser, project)
    choose_password(Client(), url)
    late = Client().get(urlsplit(url).path, follow=True)
    assert "This link no longer works" in late.content.decode()


def test_the_link_expires(sign_in: SignIn, project: Project, ada: User, settings: Settings) -> None:
    browser = sign_in(ada)
    add(browser, project, GRACE)
    url = shown_link(browser, project)
    settings.PASSWORD_RESET_TIMEOUT = -1
    late = Client().get(urlsplit(url).path, follow=True)
    assert "This link no longer works" in late.content.decode()


def test_an_account_that_exists_gives_no_link_to_anybody(
    sign_in: SignIn, other_project: Project, mallory: User, ada: User
) -> None:
    browser = sign_in(mallory)
    assert add(browser, other_project, ada.email, Role.VIEWER).status_code == 302
    assert Membership.objects.filter(user=ada, organization=other_project.organization).exists()
    assert not LINK.search(browser.get(members_of(other_project)).content.decode())
    assert mail.outbox == []


def test_a_newcomer_of_one_organisation_gives_no_link_to_another(
    sign_in: SignIn, project: Project, ada: User, other_project: Project, mallory: User
) -> None:
    add(sign_in(ada), project, GRACE)
    mail.outbox.clear()
    browser = sign_in(mallory)
    answer = add(browser, other_project, GRACE)
    assert answer.status_code == 422
    assert "nobody has confirmed yet" in answer.content.decode()
    assert "traceroot_first_link" not in answer.cookies
    assert mail.outbox == []
    globex = other_project.organization
    assert not Membership.objects.filter(user__email=GRACE, organization=globex).exists()


def test_who_took_an_address_by_a_link_in_hand_gets_into_no_other_organisation(
    sign_in: SignIn, project: Project, ada: User, other_project: Project, mallory: User
) -> None:
    hers = sign_in(mallory)
    add(hers, other_project, GRACE)
    choose_password(Client(), shown_link(hers, other_project), "mallory-knows-this-1")
    assert can_sign_in(GRACE, "mallory-knows-this-1")
    assert add(sign_in(ada), project, GRACE).status_code == 422
    assert not Membership.objects.filter(user__email=GRACE, organization=project.organization)


def test_the_mailed_link_leads_on_to_the_confirmation_of_the_address(
    sign_in: SignIn, project: Project, ada: User, other_project: Project, mallory: User
) -> None:
    add(sign_in(ada), project, GRACE)
    [message] = mail.outbox
    assert message.to == [GRACE]
    assert message.subject == "You are a member of Acme on TraceRoot"
    url = re.findall(r"http://testserver\S+", str(message.body))[0]
    hers = Client()
    answer = choose_password(hers, url)
    assert answer["Location"].startswith("/accounts/confirm-email/")
    grace = User.objects.get(email=GRACE)
    assert not users.has_confirmed(grace)
    hers.post(answer["Location"])
    assert users.has_confirmed(grace)
    assert add(sign_in(mallory), other_project, GRACE).status_code == 302


def test_the_shown_link_confirms_nothing(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    add(browser, project, GRACE)
    answer = choose_password(Client(), shown_link(browser, project))
    assert "confirm-email" not in answer["Location"]
    assert not users.has_confirmed(User.objects.get(email=GRACE))


def test_a_further_address_from_before_the_confirmation_is_no_way_back_in(
    sign_in: SignIn, other_project: Project, mallory: User
) -> None:
    hers = sign_in(mallory)
    add(hers, other_project, GRACE)
    grace = User.objects.get(email=GRACE)
    EmailAddress.objects.create(user=grace, email="mallory+2@globex.example", verified=True)
    confirm(EmailAddress.objects.get(email=GRACE))
    assert users.has_confirmed(grace)
    assert list(EmailAddress.objects.filter(user=grace).values_list("email", flat=True)) == [GRACE]


def test_a_further_address_of_a_confirmed_account_stays(ada: User) -> None:
    further = EmailAddress.objects.create(user=ada, email="ada@lovelace.example", verified=False)
    confirm(further)
    kept = EmailAddress.objects.filter(user=ada, verified=True)
    assert set(kept.values_list("email", flat=True)) == {ada.email, "ada@lovelace.example"}


def test_a_confirmed_further_address_finds_its_account(
    sign_in: SignIn, project: Project, ada: User, mallory: User
) -> None:
    EmailAddress.objects.create(user=mallory, email="fox@globex.example", verified=True)
    browser = sign_in(ada)
    assert add(browser, project, "fox@globex.example").status_code == 302
    assert Membership.objects.filter(user=mallory, organization=project.organization).exists()
    assert not LINK.search(browser.get(members_of(project)).content.decode())
    assert not User.objects.filter(email="fox@globex.example").exists()


def test_what_the_page_says_depends_on_whether_mail_is_sent(
    sign_in: SignIn, project: Project, ada: User, settings: Settings
) -> None:
    browser = sign_in(ada)
    add(browser, project, GRACE)
    assert "This server sends no mail" in browser.get(members_of(project)).content.decode()
    settings.EMAIL_HOST = "mail.acme.example"
    add(browser, project, "heidi@initech.example")
    page = browser.get(members_of(project)).content.decode()
    assert "is on its way to them" in page
    assert "heidi@initech.example" in page


def test_a_mail_server_that_is_away_costs_the_mail_only(
    sign_in: SignIn, project: Project, ada: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    browser = sign_in(ada)
    assert add(browser, project, GRACE).status_code == 302
    page = browser.get(members_of(project)).content.decode()
    assert "did not take the mail" in page
    assert LINK.search(page)


def test_a_name_of_an_organisation_cannot_write_the_mail_s_headers(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    Organization.objects.filter(pk=project.organization_id).update(name="A\r\nBcc: x@evil.example")
    add(sign_in(ada), project, GRACE)
    [message] = mail.outbox
    assert message.message()["Bcc"] is None
    assert message.recipients() == [GRACE]


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("not an address", "Enter a valid email address"),
        (f"{'x' * 60}@{'y' * 63}.{'z' * 63}.{'w' * 63}.example", "too long"),
    ],
)
def test_an_address_that_cannot_be_one_makes_nothing(
    email: str, says: str, sign_in: SignIn, project: Project, ada: User
) -> None:
    before = User.objects.count()
    answer = add(sign_in(ada), project, email)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert User.objects.count() == before


def test_adding_the_same_person_again_says_so_and_gives_no_second_link(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    browser = sign_in(ada)
    add(browser, project, GRACE)
    shown_link(browser, project)
    answer = add(browser, project, GRACE)
    assert answer.status_code == 422
    assert "is a member of Acme already" in answer.content.decode()
    assert not LINK.search(browser.get(members_of(project)).content.decode())


def test_a_role_that_one_may_not_give_makes_no_account(
    project: Project, aaron: User, acme: Organization
) -> None:
    mine = Membership.objects.get(user=aaron)
    with pytest.raises(NotEntitled):
        newcomers.add_by_address(acme, GRACE, Role.OWNER, by=mine)
    assert not User.objects.filter(email=GRACE).exists()


def test_an_address_taken_in_between_is_no_newcomer(ada: User) -> None:
    with pytest.raises(users.AddressTaken):
        users.enrol(ada.email)


def test_a_member_is_not_added_twice(acme: Organization, ada: User) -> None:
    with pytest.raises(AlreadyMember):
        newcomers.add_by_address(acme, ada.email, Role.VIEWER, by=None)


def test_only_so_many_are_added_in_an_hour(sign_in: SignIn, project: Project, ada: User) -> None:
    browser = sign_in(ada)
    for number in range(60):
        assert add(browser, project, f"p{number}@initech.example").status_code == 302
    answer = add(browser, project, GRACE)
    assert answer.status_code == 429
    assert "many members within an hour" in answer.content.decode()
    assert not User.objects.filter(email=GRACE).exists()


def test_who_has_not_signed_in_yet_is_marked_in_the_list(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    browser = sign_in(ada)
    assert "not signed in yet" not in browser.get(members_of(project)).content.decode()
    add(browser, project, GRACE)
    assert "not signed in yet" in browser.get(members_of(project)).content.decode()
