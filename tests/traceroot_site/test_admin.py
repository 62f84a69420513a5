"""The administration: named for the product, and without forms for what programs write."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from accounts.models import User

BY_PEOPLE = {
    "accounts.User",
    "detectors.AlertRoute",
    "detectors.Detector",
    "traces.CostRule",
    "traces.DropRule",
    "traces.IngestLimit",
    "traces.PriceOverride",
}
OURS = ("accounts", "integrations", "traces", "detectors", "debugging")
OUR_MODELS = [model for model in admin.site._registry if model._meta.app_label in OURS]


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("root@traceroot.local", "a-long-password-1")


@pytest.fixture
def browser(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model._meta.label)
def test_only_what_people_make_can_be_added_by_hand(
    model: type, browser: Client, operator: User
) -> None:
    label = model._meta.label  # type: ignore[attr-defined]
    request = RequestFactory().get("/")
    request.user = operator
    may_add = admin.site._registry[model].has_add_permission(request)
    assert may_add == (label in BY_PEOPLE)
    list_page = f"/admin/{label.lower().replace('.', '/')}/"
    assert browser.get(list_page).status_code == 200
    assert browser.get(f"{list_page}add/").status_code == (200 if may_add else 403)


@pytest.mark.parametrize(
    "label", ["debugging.DebuggingSession", "debugging.Repository", "detectors.DetectorRun"]
)
def test_what_happened_cannot_be_changed_by_hand(label: str, operator: User) -> None:
    [model] = [model for model in OUR_MODELS if model._meta.label == label]
    request = RequestFactory().get("/")
    request.user = operator
    assert admin.site._registry[model].has_change_permission(request) is False
    assert admin.site._registry[model].has_view_permission(request) is True


def test_it_bears_the_name_of_the_product(browser: Client) -> None:
    page = browser.get("/admin/").content.decode()
    assert "TraceRoot administration" in page
    assert "Administration of this server | TraceRoot" in page
    assert "Django" not in page.replace("django-admin", "")
