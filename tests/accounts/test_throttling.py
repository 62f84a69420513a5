"""Guessing passwords gets slow, and is told so."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-9"


@pytest.fixture(autouse=True)
def _no_limit_is_remembered() -> None:
    cache.clear()


def sign_in(email: str, password: str) -> Any:
    return Client().post("/accounts/login/", {"login": email, "password": password})


def test_after_five_wrong_passwords_the_answer_is_429_with_a_time_to_wait(ada: User) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    for _ in range(5):
        assert sign_in(ada.email, "a guess").status_code == 200
    answer = sign_in(ada.email, PASSWORD)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "300"
    page = answer.content.decode()
    assert "Too many attempts" in page
    assert answer["X-Request-Id"] in page


def test_an_address_without_an_account_is_slowed_alike(db: None) -> None:
    answers = [sign_in("nobody@acme.example", "a guess").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_one_s_own_password_for_a_dangerous_page_is_slowed_too(ada: User) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    browser = Client()
    browser.force_login(ada)
    page = "/accounts/reauthenticate/"
    answers = [browser.post(page, {"password": "a guess"}).status_code for _ in range(6)]
    assert answers[-1] == 429


def test_a_limit_on_requests_answers_the_designed_page_as_well(db: None) -> None:
    form = {"email": "nobody@acme.example"}
    answers = [Client().post("/accounts/password/reset/", form) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert answers[-1]["Retry-After"] == "60"
    assert "Too many attempts" in answers[-1].content.decode()


def test_the_administration_has_no_second_door_without_a_limit(ada: User) -> None:
    answer = Client().post("/admin/login/", {"username": ada.email, "password": "a guess"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")
