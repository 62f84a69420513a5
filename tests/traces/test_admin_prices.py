"""Prices in the administration of the server: the same rules as on their page."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse

from accounts import users
from accounts.models import Project
from traces.models import CostRule, PriceOverride

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(project: Project) -> Client:
    """A browser of the operator."""
    operator = users.create("operator@host.example")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    browser = Client()
    browser.force_login(operator)
    return browser


def sent(project: Project, **fields: str) -> dict[str, str]:
    filled = {"project": str(project.id), "pattern": "our-*", "input": "1", "output": "2"}
    times = {f"valid_{end}_{part}": "" for end in ("from", "until") for part in (0, 1)}
    return {**filled, **times, **fields}


def test_a_price_is_added_ended_and_deleted_with_a_line_each(
    console: Client, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="traces.pricing.changes"):
        answer = console.post(reverse("admin:traces_priceoverride_add"), sent(project))
        assert answer.status_code == 302
        override = PriceOverride.objects.get()
        place = reverse("admin:traces_priceoverride_change", args=[override.id])
        end = {"valid_until_0": "2030-01-01", "valid_until_1": "00:00:00", "input": "9"}
        assert console.post(place, end).status_code == 302
        override.refresh_from_db()
        assert override.valid_until is not None
        assert override.input == 1  # what was made stays
        removal = reverse("admin:traces_priceoverride_delete", args=[override.id])
        console.post(removal, {"post": "yes"})
    assert not PriceOverride.objects.exists()
    said = [record.getMessage().partition(" ")[0] for record in caplog.records]
    assert said == [
        "prices.override_added",
        "prices.override_ended",
        "prices.override_deleted",
    ]


def test_what_is_no_price_is_said_on_the_form(console: Client, project: Project) -> None:
    answer = console.post(
        reverse("admin:traces_priceoverride_add"),
        sent(
            project,
            valid_from_0="2026-02-01",
            valid_from_1="00:00:00",
            valid_until_0="2026-01-01",
            valid_until_1="00:00:00",
        ),
    )
    assert answer.status_code == 200
    assert "before it begins" in answer.content.decode()
    assert not PriceOverride.objects.exists()


def test_which_cost_counts_is_set(console: Client, project: Project) -> None:
    address = reverse("admin:traces_costrule_add")
    console.post(address, {"project": str(project.id), "counts": "computed"})
    assert CostRule.objects.for_project(project).get().counts == "computed"
    for name in ("priceoverride", "costrule", "installedpricemap"):
        assert console.get(reverse(f"admin:traces_{name}_changelist")).status_code == 200
