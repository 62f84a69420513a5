"""Deletions by program: the scope they need, each way to ask, and every way to ask wrongly."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts import api_keys
from accounts.models import Project, User
from tests.traces import made
from traces import settle
from traces.deletion.fingerprints import fingerprint
from traces.models import Deletion

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
PATH = "/api/v1/public/deletions"


@pytest.fixture
def deleting_key(project: Project, ada: User) -> str:
    return api_keys.create(project, "Cleaner", ada, scopes=["read", "delete"])[1]


def call(key: str, path: str = PATH, body: object = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    if body is None:
        answer = Client().get(path, headers=headers)
    else:
        sent = body if isinstance(body, str) else json.dumps(body)
        answer = Client().post(path, sent, content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"trace_ids": ["ab" * 16]}, "traces"),
        ({"session_id": "s-1"}, "session"),
        ({"user_id": "u-1"}, "user"),
        ({"query": {"search_query": "refund", "end_before": "2026-01-01"}}, "query"),
    ],
)
def test_each_way_is_accepted_and_can_be_looked_at(
    deleting_key: str, project: Project, body: dict[str, Any], kind: str
) -> None:
    status, made_one = call(deleting_key, body=body)
    assert (status, made_one["kind"], made_one["state"]) == (202, kind, "waiting")
    assert made_one["asked_by"].startswith("API key Cleaner (…")
    assert call(deleting_key, f"{PATH}/{made_one['id']}") == (200, made_one)
    assert call(deleting_key)[1] == {"data": [made_one]}
    found = Deletion.objects.get()
    assert found.project_id == project.id
    if kind == "session":
        assert made_one["fingerprint"] == fingerprint({"session_id": "s-1"})


def test_a_key_without_the_scope_reads_and_does_not_delete(api_key: str) -> None:
    assert call(api_key)[0] == 200
    assert call(api_key, body={"session_id": "s"})[0] == 403
    assert not Deletion.objects.exists()


def test_new_keys_may_not_delete_unless_that_is_asked_for(api_key: str) -> None:
    key = api_keys.verify(api_key)
    assert key is not None
    assert "delete" not in key.scopes


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        [],
        {},
        {"session_id": "a", "user_id": "b"},
        {"everything": True},
        {"session_id": ""},
        {"session_id": 7},
        {"user_id": "a\0b"},
        {"trace_ids": []},
        {"trace_ids": "ab"},
        {"trace_ids": ["ab"]},
        {"trace_ids": ["zz" * 16]},
        {"trace_ids": ["ab" * 16, None]},
        {"query": "all"},
        {"query": {"limit": "5"}},
        {"query": {"end_before": "yesterday"}},
        {"query": {"name": 1}},
    ],
)
def test_what_cannot_be_deleted_is_refused_with_a_reason(deleting_key: str, body: object) -> None:
    status, said = call(deleting_key, body=body)
    assert status == 400
    assert said
    assert not Deletion.objects.exists()


def test_deletions_of_another_project_are_not_found(
    deleting_key: str, other_project: Project, mallory: User
) -> None:
    other = api_keys.create(other_project, "x", mallory, scopes=["read", "delete"])[1]
    _, theirs = call(other, body={"user_id": "u"})
    assert call(deleting_key, f"{PATH}/{theirs['id']}")[0] == 404
    assert call(deleting_key, f"{PATH}/{uuid.uuid4()}")[0] == 404
    assert call(deleting_key)[1] == {"data": []}


def test_a_trace_of_another_project_is_never_touched(
    deleting_key: str, project: Project, other_project: Project
) -> None:
    """The id names nothing in the key's own project."""
    theirs = made.stored(made.span(other_project.id, made.trace_id(), 1))
    settle.settle_quiet()
    assert call(deleting_key, body={"trace_ids": [theirs.hex()]})[0] == 202
    assert Deletion.objects.get().project_id == project.id
