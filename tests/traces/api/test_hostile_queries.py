"""Whatever stands in the query of a public read: an answer, or one sentence with 4xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Project
from tests.fuzz import names
from tests.fuzz.requests import EXAMPLES
from tests.traces import made
from traces import settle
from traces.store.reader import SpanReader, TraceFilter

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
_SLOWLY: Any = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
_TEXT = st.text(max_size=30) | st.sampled_from(
    [
        *(text for text in names.TEXTS if len(text) < 100), "%", "_", "\\", "'", '"', '"a',
        "a" * 3_000, "{x:String}",
        "%(x)s", "';--", "(" * 300, "\ud83d", "has:finding", "-", "*", "?", "\u0130",
    ]
)  # fmt: skip
_NUMBERS = st.sampled_from(
    ["0", "1", "200", "201", "-1", "1.0", "1e2", "٣", "²", " 5", "0x1", "9" * 5_000, "NaN", ""]
)
_TIMES = st.sampled_from(
    [
        "2026-01-31T12:00:00", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00 05:30", "0001-01-01",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2026-02-30T00:00:00",
        "2026-01-31T24:00:00", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", "2026-W05", "1",
        "1700-01-01T00:00:00Z", "2026-01-31T12:00:60", "2026-01-31T12:00:00+99:99",
    ]
)  # fmt: skip
_FLAGS = st.sampled_from(["true", "1", "TRUE", "yes", ""])
_CONDITION_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(
                ["model_name", "environment", "name", "session_id", "user_id", "release",
                 "metadata", "cost", "total_tokens", "duration_ms", "errors", "", "project_id",
                 "service", "status", "agent", "tool", "tag", "kind", "finding", "attribute"]
            ),
            "op": st.sampled_from(
                ["in", "eq", "contains", "ne", "not_in", "not_contains", "gt", "gte", "lt", "lte",
                 "", "like"]
            ),
            "value": _CONDITION_VALUES,
        },
        optional={"key": _TEXT, "more": st.none()},
    ),
    max_size=4,
)  # fmt: skip
_FILTERS = _CONDITIONS.map(json.dumps) | _TEXT | st.just("[" * 5_000) | st.just('[{"a":' * 900)


@pytest.fixture
def cursor(project: Project) -> str:
    """A good one, to be spoiled."""
    for _ in range(2):
        made.stored(made.span(project.id, made.trace_id(), name="support.turn"))
    settle.settle_quiet()
    page = SpanReader(project.id).traces(TraceFilter(), limit=1)
    assert page.next_cursor
    return page.next_cursor


def _answered(path: str, query: dict[str, str], key: str) -> None:
    answer = Client().get(
        f"/api/v1/public{path}", _sendable(query), headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code in {200, 400, 404, 422}, (answer.status_code, query)
    body = answer.json()
    if answer.status_code != 200:
        assert list(body) == ["detail"]
        assert isinstance(body["detail"], str)
        assert len(body["detail"]) < 1_000


def _sendable(query: dict[str, str]) -> dict[str, bytes]:
    """Halves of surrogate pairs go as they would from a careless client, as invalid UTF-8."""
    return {name: text.encode("utf-8", "surrogatepass") for name, text in query.items()}


@settings(max_examples=EXAMPLES // 2, **_SLOWLY)
@given(data=st.data())
def test_a_list_is_answered_or_refused(cursor: str, api_key: str, data: st.DataObject) -> None:
    cut = st.integers(0, len(cursor)).map(lambda at: cursor[:at] + "A" + cursor[at + 1 :])
    query = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "limit": _NUMBERS,
                "cursor": st.just(cursor) | cut | _TEXT,
                "start_after": _TIMES | _TEXT,
                "end_before": _TIMES | _TEXT,
                "include_evaluations": _FLAGS | _TEXT,
                "name": _TEXT,
                "user_id": _TEXT,
                "search_query": _TEXT,
                "filters": _FILTERS,
            },
        )
    )
    _answered("/traces", query, api_key)


@settings(max_examples=EXAMPLES // 4, **_SLOWLY)
@given(
    path=st.sampled_from(["", "/export"]),
    trace_id=st.sampled_from(["0" * 32, "f" * 32, "F" * 32, "a" * 31, "g" * 32, "..", "%00"]),
    query=st.dictionaries(st.sampled_from(["fields", "limit", ""]) | st.text(max_size=5), _TEXT),
)
def test_a_trace_is_answered_or_refused(
    api_key: str, path: str, trace_id: str, query: dict[str, str]
) -> None:
    if trace_id not in {"0" * 32, "f" * 32}:
        answer = Client().get(f"/api/v1/public/traces/{trace_id}{path}")
        assert 400 <= answer.status_code < 500
        return
    _answered(f"/traces/{trace_id}{path}", query, api_key)
