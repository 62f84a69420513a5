"""The page of a project's prices: who may change them, what it says, and the way from a span."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import made
from traces import pricing
from traces.models import CostRule, PriceOverride
from traces.spans import Span, Usage
from traces.store.engine.process import EngineProcess

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "spool"])


@pytest.fixture(autouse=True)
def _no_prices_are_remembered() -> Iterator[None]:
    pricing.forget()
    yield
    pricing.forget()


def url(project: Project, name: str = "prices", **arguments: object) -> str:
    return reverse(f"traces:{name}", kwargs={"project_id": project.id, **arguments})


def text(answer: object) -> str:
    stripped = re.sub(r"<[^>]+>", " ", answer.content.decode())  # type: ignore[attr-defined]
    return " ".join(html.unescape(stripped).split())


def add(browser: Client, project: Project, **fields: str) -> int:
    sent = {"pattern": "my-model*", "input": "1.25", "output": "10", **fields}
    return browser.post(url(project, "add_price"), sent).status_code


def test_an_admin_adds_a_price_and_the_next_span_has_it(
    project: Project, aaron: User, sign_in: SignIn
) -> None:
    pricing.load()
    browser = sign_in(aaron)
    assert add(browser, project, cache_read="0.125", per_request="0.01") == 302
    made_ = PriceOverride.objects.for_project(project).get()
    assert (made_.created_by, made_.cache_read) == (aaron, Decimal("0.125"))
    span = made.span(project.id, made.trace_id(), kind="llm", model="my-model-2")
    span.usage = Usage(uncached_input=1_000_000)
    pricing.apply(span)
    assert span.computed_cost_usd == Decimal("1.26")
    shown = text(browser.get(url(project)))
    assert "my-model* cache read $0.125, each request $0.01 $1.25 $10.00 always in force" in shown


def test_a_member_and_a_viewer_see_prices_and_change_none(
    project: Project, ben: User, vera: User, sign_in: SignIn
) -> None:
    override = PriceOverride.objects.create(project=project, pattern="m", input=1, output=2)
    for user in (ben, vera):
        browser = sign_in(user)
        shown = browser.get(url(project))
        assert shown.status_code == 200
        assert "New price" not in text(shown)
        assert add(browser, project) == 403
        for name in ("end_price", "delete_price"):
            answer = browser.post(url(project, name, override_id=override.id))
            assert answer.status_code == 403
        assert browser.post(url(project, "set_cost_rule")).status_code == 403
    assert PriceOverride.objects.count() == 1


def test_a_price_of_another_project_is_not_found(
    project: Project, other_project: Project, mallory: User, sign_in: SignIn
) -> None:
    override = PriceOverride.objects.create(project=project, pattern="m", input=1, output=2)
    browser = sign_in(mallory)
    for name in ("end_price", "delete_price"):
        answer = browser.post(url(other_project, name, override_id=override.id))
        assert answer.status_code == 404
    assert PriceOverride.objects.filter(valid_until=None).count() == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pattern": "  "}, "required"),
        ({"input": "-1"}, "0"),
        ({"output": "NaN"}, "number"),
        ({"output": "1e30"}, "digits"),
        ({"valid_from": "2026-06-02T00:00", "valid_until": "2026-06-01T00:00"}, "before it begins"),
        ({"pattern": "x" * 201}, "200"),
    ],
)
def test_what_is_no_price_is_said_beside_the_form(
    project: Project, ada: User, sign_in: SignIn, fields: dict[str, str], reason: str
) -> None:
    sent = {"pattern": "m", "input": "1", "output": "2", **fields}
    answer = sign_in(ada).post(url(project, "add_price"), sent)
    assert answer.status_code == 422
    assert reason in text(answer)
    assert not PriceOverride.objects.exists()


def test_a_price_is_ended_and_deleted(project: Project, ada: User, sign_in: SignIn) -> None:
    browser = sign_in(ada)
    add(browser, project)
    override = PriceOverride.objects.get()
    browser.post(url(project, "end_price", override_id=override.id))
    assert "ended" in text(browser.get(url(project)))
    browser.post(url(project, "delete_price", override_id=override.id))
    assert not PriceOverride.objects.exists()


def test_which_cost_counts_is_saved(project: Project, ada: User, sign_in: SignIn) -> None:
    sent = {"counts": "computed"}
    assert sign_in(ada).post(url(project, "set_cost_rule"), sent).status_code == 302
    rule = CostRule.objects.for_project(project).get()
    assert rule.counts == "computed"
    answer = sign_in(ada).post(url(project, "set_cost_rule"), {"counts": "both"})
    assert answer.status_code == 422


def panel(browser: Client, span: Span) -> str:
    place = {"trace_id": span.trace_id, "span_id": span.span_id}
    address = reverse("traces:span", kwargs={"project_id": span.project_id, **place})
    answer = browser.get(address, {"tab": "raw"})
    assert answer.status_code == 200
    return answer.content.decode()


def call(project: Project, model: str) -> Span:
    span = made.span(project.id, made.trace_id(), kind="llm", model=model, provider="acme & co")
    span.usage = Usage(uncached_input=1_000, output=10)
    pricing.apply(span)
    made.stored(span)
    return span


def test_a_span_of_an_unknown_model_leads_to_its_price(
    project: Project, ada: User, vera: User, sign_in: SignIn, store: EngineProcess
) -> None:
    span = call(project, "our model+1")
    shown = panel(sign_in(ada), span)
    assert "No price is known for the model our model+1 of acme &amp; co." in re.sub(
        r"<bdi[^>]*>|</bdi>", "", shown
    )
    link = re.search(r'href="([^"]*#new-price)"', shown)
    assert link is not None
    form = sign_in(ada).get(html.unescape(link[1]).partition("#")[0]).content.decode()
    assert 'value="our model+1"' in form
    assert 'value="acme &amp; co"' in form
    assert "#new-price" not in panel(sign_in(vera), span)


def test_a_priced_span_says_how(
    project: Project, vera: User, sign_in: SignIn, store: EngineProcess
) -> None:
    span = call(project, "gpt-4o")
    shown = re.sub(r"<[^>]+>", " ", panel(sign_in(vera), span))
    said = " ".join(html.unescape(shown).split())
    assert "Why this cost Input 1.0 k × $2.50 per M $0.0025 Output 10 × $10.00 per M" in said
    assert f"Priced as gpt-4o Prices {pricing.version()}" in said


def test_a_trace_says_that_its_cost_is_only_the_least(
    project: Project, ada: User, vera: User, sign_in: SignIn, store: EngineProcess
) -> None:
    known = call(project, "gpt-4o")
    unknown = made.span(
        project.id, known.trace_id, 2, kind="llm", model="our-model", usage=Usage(output=1)
    )
    made.stored(unknown)
    address = {"project_id": project.id}
    listed = text(sign_in(vera).get(reverse("traces:list", kwargs=address)))
    assert "≥ $0.0026" in listed
    page = reverse("traces:trace", kwargs={**address, "trace_id": known.trace_id})
    shown = sign_in(ada).get(page)
    assert "Why at least $0.0026" in text(shown)
    assert "no known price, add one" in text(shown)
    assert "1 model call has no known price: the cost is at least $0.0026" in text(shown)
    assert f"{url(project)}?model=our-model" in shown.content.decode()
    assert "add one" not in text(sign_in(vera).get(page))


def test_a_trace_of_unknown_models_alone_is_not_free(
    project: Project, vera: User, sign_in: SignIn, store: EngineProcess
) -> None:
    span = call(project, "our-model")
    page = reverse("traces:trace", kwargs={"project_id": project.id, "trace_id": span.trace_id})
    shown = text(sign_in(vera).get(page))
    assert "Why the cost is unknown" in shown
    assert "$0" not in shown
