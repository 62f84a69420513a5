"""Where tokens are shown that nobody reported, they are marked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from tests.traces import made
from traces import settle
from traces.api import shapes
from traces.estimates import work
from traces.models import CostRule
from traces.semconv import normalized
from traces.store.reader import SpanReader

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture
def trace_id(project: Project) -> bytes:
    found = made.stored(
        made.span(
            project.id, made.trace_id(), kind="llm", model="gpt-4o", input="Why?", output="So."
        )
    )
    settle.settle_quiet()
    while work.run(wait_seconds=0):
        pass
    return found


def test_list_header_and_panel_say_about(
    client: Client, project: Project, ada: User, trace_id: bytes
) -> None:
    client.force_login(ada)
    listed = client.get(reverse("traces:list", args=[project.id])).content.decode()
    assert "of them estimated: their calls reported none" in listed
    page = client.get(reverse("traces:trace", args=[project.id, trace_id])).content.decode()
    assert "The tokens are estimated from texts: their calls reported none" in page
    assert (
        page.count('aria-label="about">≈') >= 3
    )  # tokens and cost of the trace, tokens of the span
    assert "counted with o200k_base" in page
    assert ", estimated" in page


def test_the_tree_says_which_costs_are_estimated(
    client: Client, project: Project, ada: User
) -> None:
    trace_id = made.trace_id()
    call = {"kind": "llm", "model": "gpt-4o", "input": "Why?", "output": "So."}
    made.stored(
        made.span(project.id, trace_id, 1, **call),
        made.span(project.id, trace_id, 2, **call, reported_cost_usd=Decimal("0.25")),
    )
    settle.settle_quiet()
    while work.run(wait_seconds=0):
        pass
    client.force_login(ada)
    tree = client.get(reverse("traces:tree", args=[project.id, trace_id])).json()
    silent, billed = tree["rows"]
    assert silent["tokens_estimated"]
    assert silent["cost_estimated"]
    assert "cost_estimated" not in billed
    assert billed["cost"] == 0.25


def test_the_api_says_it_and_normalized_says_what_the_emitter_said(
    project: Project, trace_id: bytes
) -> None:
    [span] = SpanReader(project.id).spans(trace_id)
    item = shapes.span_item(span, {"core", "usage"})
    assert item["usage_estimated_by"] == "o200k_base"
    assert item["total_tokens"] > 0
    said = normalized.of(span)
    assert not [name for name in said if name.endswith("_tokens") or name == "cost_total"]


def test_a_project_switches_it_off_and_on(client: Client, project: Project, ada: User) -> None:
    client.force_login(ada)
    page = reverse("traces:prices", args=[project.id])
    address = reverse("traces:set_cost_rule", args=[project.id])
    assert 'name="estimates_tokens"' in client.get(page).content.decode()
    for sent, is_on in (({}, False), ({"estimates_tokens": "on"}, True)):
        client.post(address, {"counts": "reported", **sent})
        assert CostRule.objects.for_project(project).get().estimates_tokens is is_on
