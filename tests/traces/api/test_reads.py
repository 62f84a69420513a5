"""The published shapes of whoami, list, get and export, and every way to ask for them wrongly."""

from __future__ import annotations

import json
import math
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings

from accounts import api_keys
from accounts.models import Project, User
from tests import golden
from tests.traces import made
from tests.traces.otlp import requests as otlp_requests
from traces import settle
from traces.api import views
from traces.otlp import decoder
from traces.semconv import normalize
from traces.spans import Usage
from traces.store import marks
from traces.store.engine.process import EngineProcess

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
BASE = "/api/v1/public"
START = 1_767_323_045_123_456_789  # 2026-01-02T03:04:05.123456789Z


def get(path: str, key: str, **query: Any) -> tuple[int, Any]:
    answer = Client().get(f"{BASE}{path}", query, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


@pytest.fixture
def trace_id(project: Project) -> bytes:
    """An agent that calls a model, settled."""
    trace_id = made.trace_id()
    root = made.span(
        project.id, trace_id, 1, kind="agent", name="support.turn", start_ns=START,
        end_ns=START + 1_500_000_000, session_id="s-1", user_id="u-1", input='{"question": "Why?"}',
        output="Because.", metadata={"plan": "pro"}, git_repo="acme/agents", git_ref="abc123",
        git_source_file="agent.py", git_source_line=7, git_source_function="answer",
        attributes={"number": 7, "blob": b"\x01", "nan": math.nan},
    )  # fmt: skip
    call = made.span(
        project.id, trace_id, 2, 1, kind="llm", name="chat", model="gpt-4o", status="error",
        start_ns=START + 1, end_ns=0, status_message="refused", input="[]", output="{}",
        usage=Usage(10, 5, 3, 2, 7, 4, {"audio": 1.5, "bad": math.inf}),
        computed_cost_usd=Decimal("0.000123"), price_version="1",
    )  # fmt: skip
    made.stored(root, call)
    settle.settle_quiet()
    return trace_id


def settled_shape(value: Any, trace_id: bytes, project: Project) -> Any:
    text = json.dumps(value)
    for actual, shown in ((trace_id.hex(), "TRACE"), (str(project.id), "PROJECT")):
        text = text.replace(actual, shown)
    return json.loads(text)


def test_whoami(project: Project, api_key: str) -> None:
    status, body = get("/whoami", api_key)
    assert status == 200
    assert body["project_id"] == str(project.id)
    assert body["workspace_name"] == "Acme"
    assert body["key_hint"] == api_key[-4:]
    assert set(body) == {
        "project_id", "project_name", "workspace_id", "workspace_name", "key_name", "key_hint",
        "host", "ui_base_url",
    }  # fmt: skip


def test_list_get_and_export_have_the_published_shapes(
    trace_id: bytes, project: Project, api_key: str
) -> None:
    _, listed = get("/traces", api_key)
    _, plain = get(f"/traces/{trace_id.hex()}", api_key)
    _, full = get(f"/traces/{trace_id.hex()}", api_key, fields="full")
    _, export = get(f"/traces/{trace_id.hex()}/export", api_key)
    shapes = {"list": listed, "get": plain, "get full": full, "export": export}
    golden.check_json("public-api-reads.json", settled_shape(shapes, trace_id, project))


def test_times_are_naive_utc_and_can_be_sent_back(trace_id: bytes, api_key: str) -> None:
    _, body = get("/traces", api_key)
    start = body["data"][0]["trace_start_time"]
    assert start == "2026-01-02T03:04:05.123456"
    for query, found in (
        ({"start_after": start}, 1),
        ({"start_after": f"{start}Z"}, 1),
        ({"start_after": "2026-01-02T05:04:05.123456+02:00"}, 1),
        ({"start_after": "2026-01-02T03:04:05.123457"}, 0),
        ({"end_before": start}, 0),
        ({"end_before": "2026-01-02T03:04:05.123457"}, 1),
        ({"end_before": "2026-01-03"}, 1),
    ):
        _, body = get("/traces", api_key, **query)
        assert len(body["data"]) == body["meta"]["total"] == found, query


def test_the_link_of_a_trace_opens_it(
    trace_id: bytes, project: Project, api_key: str, ada: User
) -> None:
    _, body = get("/traces", api_key)
    url = urlsplit(body["data"][0]["trace_url"])
    assert url.path == f"/projects/{project.id}/traces"
    assert parse_qs(url.query) == {"traceId": [trace_id.hex()]}
    browser = Client()
    browser.force_login(ada)
    answer = browser.get(f"{url.path}?{url.query}", follow=True)
    assert answer.status_code == 200
    assert b"support.turn" in answer.content


@pytest.mark.parametrize(
    ("fields", "io", "metadata"),
    [
        ("core", False, False),
        ("skeleton", False, False),
        ("", False, False),
        ("core,io", True, False),
        ("core, metadata", False, True),
        ("full", True, True),
    ],
)
def test_groups_that_were_not_asked_for_are_null(
    fields: str, io: bool, metadata: bool, trace_id: bytes, api_key: str
) -> None:
    status, body = get(f"/traces/{trace_id.hex()}", api_key, fields=fields)
    assert status == 200
    for part in (body, body["spans"][0]):
        assert (part["input"] is not None) is io
        assert (part["output"] is not None) is io
        assert (part["metadata"] is not None) is metadata
    assert body["spans"][1]["total_tokens"] == 27


def test_a_run_whose_root_failed_does_not_look_answered(project: Project, api_key: str) -> None:
    """Also not by what a child said; the error is the root span's."""
    trace_id = made.trace_id()
    root = made.span(
        project.id, trace_id, 1, name="refund", start_ns=START, end_ns=START + 2, status="error",
        error_type="KeyError", error_message="'JPY'", input="Refund it",
    )  # fmt: skip
    child = made.span(
        project.id, trace_id, 2, 1, kind="tool", start_ns=START + 1, end_ns=START + 2, output="ok"
    )
    made.stored(root, child)
    for settle_first in (False, True):
        if settle_first:
            settle.settle_quiet()
        _, listed = get("/traces", api_key)
        assert (listed["data"][0]["status"], listed["data"][0]["output"]) == ("error", None)
        _, one = get(f"/traces/{trace_id.hex()}", api_key, fields="full")
        assert (one["input"], one["output"]) == ("Refund it", None)
        assert [span["output"] for span in one["spans"]] == [None, "ok"]
        assert one["spans"][0]["status_message"] == "'JPY'"


def test_metadata_comes_back_as_it_was_sent(project: Project, api_key: str) -> None:
    """Numbers as numbers; what was sent as the text of a number stays text."""
    sent = {"m": 1, "text": "1", "share": 0.5, "on": True, "list": [1, "a"], "in": {"deep": 2}}
    request = otlp_requests.json_request(
        otlp_requests.json_span(
            attributes=[
                otlp_requests.attribute(name, {"stringValue": json.dumps(sent)})
                for name in ("traceroot.span.metadata", "traceroot.trace.metadata")
            ]
            + [otlp_requests.attribute("traceroot.metadata.turn", {"intValue": "7"})]
        )
    )
    (raw,) = decoder.decode(request, "json").spans
    span = normalize.span(raw, project_id=project.id, received_ns=START)
    made.stored(span)
    settle.settle_quiet()
    _, body = get(f"/traces/{span.trace_id.hex()}", api_key, fields="full")
    of_span = json.loads(body["spans"][0]["metadata"])
    assert {name: of_span[name] for name in (*sent, "turn")} == {**sent, "turn": 7}
    assert isinstance(of_span["on"], bool)
    assert json.loads(body["metadata"]) == {**sent, "turn": 7}


def test_filters(trace_id: bytes, api_key: str) -> None:
    fitting: list[dict[str, Any]] = [
        {"field": "model_name", "op": "eq", "value": "gpt-4o"},
        {"field": "name", "op": "contains", "value": "SUPPORT"},
        {"field": "metadata", "op": "in", "value": ["pro", "free"], "key": "plan"},
        {"field": "cost", "op": "gt", "value": 0.0001},
        {"field": "total_tokens", "op": "eq", "value": 27},
        {"field": "duration_ms", "op": "gte", "value": 1500},
        {"field": "errors", "op": "lt", "value": 2},
    ]
    _, body = get("/traces", api_key, filters=json.dumps(fitting))
    assert [row["trace_id"] for row in body["data"]] == [trace_id.hex()]
    for one in fitting:
        missing = {**one, "value": "none" if isinstance(one["value"], str) else 10**9}
        if one["op"] in {"eq", "contains", "gt", "gte"}:
            _, body = get("/traces", api_key, filters=json.dumps([missing]))
            assert body["data"] == [], missing
    for query in ({"name": "port.t"}, {"user_id": "u-1"}, {"search_query": "because"}):
        assert len(get("/traces", api_key, **query)[1]["data"]) == 1
    for query in ({"name": "nope"}, {"user_id": "u"}, {"search_query": "\0"}):
        assert not get("/traces", api_key, **query)[1]["data"]


def condition(**changes: Any) -> str:
    return json.dumps([{"field": "name", "op": "eq", "value": "x", **changes}])


WRONG: list[dict[str, str]] = [
    {"limit": "0"},
    {"limit": "201"},
    {"limit": "ten"},
    {"limit": "-1"},
    {"start_after": "yesterday"},
    {"start_after": "2026-13-01T00:00:00"},
    {"end_before": "9999-12-31T23:59:59-12:00"},
    {"include_evaluations": "maybe"},
    {"cursor": "nonsense"},
    {"filters": "{"},
    {"filters": "{}"},
    {"filters": "[1]"},
    {"filters": "[" * 5000},
    {"filters": json.dumps([{"field": "name"}])},
    {"filters": condition(field="password")},
    {"filters": condition(field=["name"])},
    {"filters": condition(op={})},
    {"filters": condition(op="gt")},
    {"filters": condition(value="x" * 1025)},
    {"filters": condition(value=[])},
    {"filters": condition(value=7)},
    {"filters": condition(value="\ud800")},
    {"filters": condition(field="metadata")},
    {"filters": condition(field="metadata", key="x" * 257)},
    {"filters": condition(field="metadata", key="\ud800")},
    {"filters": condition(field="attribute")},
    {"filters": condition(field="attribute", key="a", op="gt")},
    {"filters": condition(field="attribute", key="a", op="contains", value=1)},
    {"filters": condition(field="attribute", key="a", value=True)},
    {"filters": condition(field="attribute", key="a", op="gt", value=math.inf)},
    {"filters": condition(field="tool", op="gte", value=1)},
    {"filters": condition(op="not_eq")},
    {"filters": condition(field="cost", op="gt", value=-1)},
    {"filters": condition(field="cost", op="gt", value="1")},
    {"filters": condition(field="cost", op="gt", value=True)},
    {"filters": condition(field="cost", op="gt", value=math.nan)},
    {"filters": '[{"field":"cost","op":"gt","value":1' + "0" * 400 + "}]"},
    {"filters": json.dumps([json.loads(condition())[0]] * 21)},
]


@pytest.mark.parametrize("query", WRONG, ids=lambda query: str(query)[:60])
def test_a_wrong_parameter_is_one_sentence_with_400(query: dict[str, str], api_key: str) -> None:
    status, body = get("/traces", api_key, **query)
    assert status == 400
    assert list(body) == ["detail"]
    assert isinstance(body["detail"], str)


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("page", ""),
        ("fields", ""),
        ("limt", "limit"),
        ("start_afer", "start_after"),
        ("x" * 99, ""),
    ],
)
def test_a_parameter_the_list_does_not_know_is_400_and_the_known_ones_are_named(
    name: str, guess: str, api_key: str
) -> None:
    status, body = get("/traces", api_key, **{"limit": "1", name: "1"})
    assert (status, list(body)) == (400, ["detail"])
    assert name[:40] in body["detail"]
    assert "limit, cursor, start_after" in body["detail"]
    assert f"Did you mean {guess}?" in body["detail"] if guess else "mean" not in body["detail"]
    assert len(body["detail"]) < 400


@pytest.mark.parametrize("path", ["/whoami", "/traces/{}", "/traces/{}/export"])
def test_other_reads_refuse_unknown_parameters_too(
    path: str, trace_id: bytes, api_key: str
) -> None:
    status, body = get(path.format(trace_id.hex()), api_key, limit="1")
    assert status == 400
    assert "'limit'" in body["detail"]
    assert get(path.format(trace_id.hex()), api_key)[0] == 200


def test_every_parameter_of_the_published_clients_is_known(trace_id: bytes, api_key: str) -> None:
    """What the contract of the existing API names, all at once."""
    status, body = get(
        "/traces", api_key, limit="50", start_after="2026-01-01T00:00:00",
        end_before="2026-02-01T00:00:00", include_evaluations="true", name="support",
        user_id="u-1", search_query="because", filters=condition(op="contains", value="turn"),
    )  # fmt: skip
    assert status == 200
    assert [row["trace_id"] for row in body["data"]] == [trace_id.hex()]


def test_parameters_that_are_taken_are_those_that_are_described() -> None:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    for path, view in {
        "traces": views.TraceList,
        "traces/{trace_id}": views.TraceDetail,
        "traces/{trace_id}/export": views.TraceExport,
        "whoami": views.WhoAmI,
    }.items():
        described = schema["paths"][f"{BASE}/{path}"]["get"].get("parameters", [])
        names = {one["name"] for one in described if one["in"] == "query"}
        assert names == set(view.known_parameters), path


def test_without_a_key_the_answer_says_which_header_it_wants() -> None:
    for path in ("/whoami", "/traces", f"/traces/{'0' * 32}"):
        answer = Client().get(f"{BASE}{path}")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert "Authorization: Bearer tr-" in answer.json()["detail"]


def test_errors_and_findings_are_searched_word_by_word(
    trace_id: bytes, project: Project, api_key: str
) -> None:
    marks.mark(project.id, trace_id, name="finding", source_id="1", label="Lost tool")
    for text, count in {"refused": 1, "tool refused because": 1, '"tool refused"': 0}.items():
        _, body = get("/traces", api_key, search_query=text, start_after="2026-01-01T00:00:00")
        assert len(body["data"]) == body["meta"]["total"] == count, text


def test_an_unknown_group_of_fields_is_400(trace_id: bytes, api_key: str) -> None:
    for path in ("", "/export"):
        status, body = get(f"/traces/{trace_id.hex()}{path}", api_key, fields="core,secrets")
        assert (status, list(body)) == (400, ["detail"])


@pytest.mark.parametrize("path", ["0" * 32, "f" * 31, "zz", "f" * 33, "%00", "f" * 32 + "/nothing"])
def test_what_is_not_there_is_404(path: str, api_key: str) -> None:
    status, body = get(f"/traces/{path}", api_key)
    assert (status, list(body)) == (404, ["detail"])


def test_a_trace_of_another_project_is_404(trace_id: bytes, other_api_key: str) -> None:
    for path in ("", "/export"):
        status, _ = get(f"/traces/{trace_id.hex()}{path}", other_api_key)
        assert status == 404
    assert get("/traces", other_api_key)[1]["data"] == []


def test_a_key_that_may_only_send_is_403(project: Project, ada: User, trace_id: bytes) -> None:
    _, key = api_keys.create(project, "Sender", ada, scopes=["ingest"])
    for path in ("/whoami", "/traces", f"/traces/{trace_id.hex()}"):
        status, body = get(path, key)
        assert (status, list(body)) == (403, ["detail"])
        assert "read" in body["detail"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_are_405(method: str, api_key: str) -> None:
    call = getattr(Client(), method)
    answer = call(f"{BASE}/traces", headers={"Authorization": f"Bearer {api_key}"})
    assert answer.status_code == 405
    assert list(answer.json()) == ["detail"]


def test_with_the_store_down_reads_are_503_with_retry_after(
    store: EngineProcess, trace_id: bytes, api_key: str
) -> None:
    store.stop()
    try:
        for path in ("/traces", f"/traces/{trace_id.hex()}", f"/traces/{trace_id.hex()}/export"):
            answer = Client().get(f"{BASE}{path}", headers={"Authorization": f"Bearer {api_key}"})
            assert answer.status_code == 503
            assert list(answer.json()) == ["detail"]
            assert int(answer["Retry-After"]) > 0
        assert get("/whoami", api_key)[0] == 200  # needs no store
    finally:
        store.start()


def test_pages_by_cursor_show_each_trace_once(project: Project, api_key: str) -> None:
    instant = START
    spans = [made.span(project.id, made.trace_id(), start_ns=instant) for _ in range(5)]
    made.stored(*spans)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        _, body = get("/traces", api_key, limit=2, cursor=cursor)
        seen += [row["trace_id"] for row in body["data"]]
        assert body["meta"]["total"] == 5
        cursor = body["meta"]["next_cursor"]
    assert sorted(seen) == sorted(span.trace_id.hex() for span in spans)


def test_a_trace_with_more_spans_than_are_sent_says_so(
    project: Project, api_key: str, settings: Settings
) -> None:
    settings.API_MAX_SPANS_PER_TRACE = 2
    trace_id = made.trace_id()
    made.stored(*(made.span(project.id, trace_id, n + 1) for n in range(3)))
    _, body = get(f"/traces/{trace_id.hex()}", api_key)
    assert (len(body["spans"]), body["span_count"]) == (2, 3)


def test_odd_clocks_have_times(project: Project, api_key: str) -> None:
    trace_id = made.trace_id()
    made.stored(made.span(project.id, trace_id, start_ns=2**64 - 1, end_ns=1))
    status, body = get(f"/traces/{trace_id.hex()}", api_key)
    assert status == 200
    assert body["spans"][0]["span_start_time"].startswith("2554-07-21")
    assert uuid.UUID(body["project_id"]) == project.id
