"""Rules that drop spans of a request, and what becomes of the children."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.traces import arrived, made
from traces.admission import infrastructure, preview, rules
from traces.admission.rules import Match, Rule
from traces.ingest import health, ledger
from traces.ingest.breaker import Breaker
from traces.ingest.receipts import Receipt
from traces.ingest.storing import Storing
from traces.spans import Span
from traces.store import client
from traces.store.engine.process import EngineProcess

PROJECT = uuid.UUID(int=5)
TRACE = bytes(range(16))
HTTP = {"http.request.method": "GET"}


def span(number: int = 1, parent: int = 0, **fields: Any) -> Span:
    return made.span(PROJECT, TRACE, number, parent, **fields)


@pytest.mark.parametrize(
    ("rule", "fields", "expected"),
    [
        (Rule("name", "GET *"), {"name": "GET /health"}, True),
        (Rule("name", "GET *"), {"name": "get /health"}, False),
        (Rule("name", "GET"), {"name": "GET /health"}, False),
        (Rule("name", "p?ng [1]"), {"name": "ping [1]"}, True),
        (Rule("name", "p?ng [1]"), {"name": "ping 1"}, False),
        (Rule("name", "*\nb"), {"name": "a\nb"}, True),
        (Rule("scope", "*.httpx"), {"scope_json": '{"name":"otel.httpx","version":"1"}'}, True),
        (Rule("scope", "*.httpx"), {"scope_json": "{}"}, False),
        (Rule("kind", "retriever"), {"kind": "retriever"}, True),
        (Rule("kind", "retriever"), {"kind": "tool"}, False),
        (Rule("attribute", "acme", "peer"), {"attributes": {"peer": "acme"}}, True),
        (Rule("attribute", "7", "n"), {"attributes": {"n": 7}}, True),
        (Rule("attribute", "true", "n"), {"attributes": {"n": True}}, True),
        (Rule("attribute", "acme", "peer"), {"attributes": {"peer": "acme inc"}}, False),
        (Rule("attribute", "acme", "peer"), {}, False),
        (Rule("infrastructure"), {"attributes": HTTP}, True),
        (Rule("infrastructure"), {"attributes": HTTP, "output": "content"}, False),
        (Rule("infrastructure"), {"attributes": HTTP, "kind": "tool"}, False),
        (Rule("infrastructure"), {"attributes": {"http.status_code": 200}}, False),
    ],
)
def test_what_matches(rule: Rule, fields: dict[str, Any], expected: bool) -> None:
    assert rule.matches(span(**fields)) is expected


def test_a_failed_span_is_kept_unless_the_rule_says_so() -> None:
    failed = span(name="GET /", status="error")
    assert not Rule("name", "GET *").matches(failed)
    assert Rule("name", "GET *", drops_failed=True).matches(failed)


def test_a_pattern_of_many_stars_is_answered_at_once() -> None:
    began = time.process_time()
    assert not Rule("name", "*a" * 100 + "b").matches(span(name="a" * 1_000_000))
    assert time.process_time() - began < 1.0


def test_children_move_up_to_whoever_stays() -> None:
    sent = [
        span(1, name="run"),
        span(2, 1, name="GET /a"),
        span(3, 2, name="GET /b"),
        span(4, 3, name="answer"),
        span(5, 1, name="other"),
    ]
    kept = rules.apply(sent, [Rule("name", "GET *")])
    assert [s.name for s in kept.spans] == ["run", "answer", "other"]
    assert [s.parent_span_id for s in kept.spans] == [b"", made.span_id(1), made.span_id(1)]
    assert kept.dropped_by == {"name GET *": 2}


def test_the_child_of_a_dropped_root_is_a_root() -> None:
    kept = rules.apply([span(1, name="POST /chat"), span(2, 1)], [Rule("name", "POST *")])
    [child] = kept.spans
    assert (child.parent_span_id, child.is_local_root) == (b"", True)


def test_a_ring_of_parents_ends() -> None:
    sent = [span(1, 2, name="GET"), span(2, 1, name="GET"), span(3, 1)]
    kept = rules.apply(sent, [Rule("name", "GET")])
    assert [s.span_id for s in kept.spans] == [made.span_id(3)]


def test_the_first_rule_that_matches_counts_and_no_rule_costs_nothing() -> None:
    sent = [span(n, attributes=HTTP, name="GET") for n in (1, 2)]
    both = rules.apply(sent, [Rule("infrastructure"), Rule("name", "GET")])
    assert both.dropped_by == {"infrastructure without content": 2}
    assert rules.apply(sent, []).spans is sent


def test_infrastructure_is_what_the_store_calls_so() -> None:
    folder = Path(settings.BASE_DIR) / "traces" / "store" / "migrations"
    text = "".join(file.read_text() for file in sorted(folder.glob("*.sql")))
    [listed] = re.findall(r"is_infrastructure Bool.*?hasAny\(.*?\[(.*?)\]", text, re.DOTALL)
    assert set(re.findall(r"'([^']+)'", listed)) == infrastructure.ATTRIBUTES


RULES = [
    Rule("name", "GET *"),
    Rule("name", "p?ng (1) [x].*"),
    Rule("scope", "*.httpx"),
    Rule("kind", "tool"),
    Rule("attribute", "7", "n"),
    Rule("attribute", "question", "q"),
    Rule("infrastructure"),
    Rule("infrastructure", drops_failed=True),
]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_preview_counts_what_the_rule_would_drop(rule: Rule) -> None:
    project = uuid.uuid4()
    fields: list[dict[str, Any]] = [
        {"name": "GET /a", "attributes": HTTP},
        {"name": "GET\n/b", "attributes": HTTP, "status": "error"},
        {"name": "ping (1) [x].y"},
        {"kind": "tool", "attributes": HTTP},
        {"attributes": {"n": 7, "db.system": 4}},
        {"attributes": {"q": "question"}, "input": "question", "sources": {"input": "q"}},
        {"scope_json": '{"name":"otel.httpx"}', "attributes": {"db.system": ""}},
    ]
    trace = made.trace_id()
    spans = [made.span(project, trace, n + 1, **given) for n, given in enumerate(fields)]
    made.stored(*spans)
    expected = rules.apply(spans, [rule]).dropped
    found = preview.of(project, rule, now=time.time())
    assert expected
    assert (found.spans, found.dropped) == (len(spans), expected)


@pytest.mark.usefixtures("store")
def test_the_store_agrees_span_by_span_what_infrastructure_is() -> None:
    project, trace = uuid.uuid4(), made.trace_id()
    spans = [
        made.span(project, trace, number, attributes={name: value}, **more)
        for number, (name, value, more) in enumerate(
            [
                *((name, "x", {}) for name in sorted(infrastructure.ATTRIBUTES)),
                ("http.method", 5, {}),
                ("http.method", "", {}),
                ("http.method", "GET", {"input": "x"}),
                ("http.method", "GET", {"kind": "llm"}),
                ("peer.service", "x", {}),
            ],
            start=1,
        )
    ]
    made.stored(*spans)
    rows = client.query(
        "SELECT span_id, is_infrastructure AS i FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project)},
    )
    stored = {row["span_id"]: bool(row["i"]) for row in rows}
    assert stored == {s.span_id: infrastructure.is_infrastructure(s) for s in spans}


@pytest.mark.django_db(transaction=True, databases=["default", "spool"])
def test_dropped_spans_are_counted_by_rule_and_the_books_balance(
    store: EngineProcess, project: Any
) -> None:
    from traces.admission import changes
    from traces.models import DropRule

    changes.add(project, DropRule(match=DropRule.Match.NAME, pattern="span 2"), None)
    sent = arrived.arrival(project.id)
    assert sent.batch.rows == 1
    storing = Storing(Breaker())
    storing.store([sent])
    storing.acknowledge([sent])
    receipt: Receipt = sent.receipt
    assert (receipt.accepted, receipt.dropped) == (1, 1)
    window = {"since_ns": 0, "until_ns": 2**63}
    balance = ledger.balance(project.id, **window)
    assert (balance.accepted, balance.distinct, balance.dropped) == (1, 1, 1)
    assert balance.is_good
    assert health.dropped_by(project.id, **window) == {"name span 2": 1}


def test_every_way_of_matching_has_a_preview() -> None:
    asked: set[Match] = {rule.match for rule in RULES}
    assert asked == set(rules.MATCHES)
