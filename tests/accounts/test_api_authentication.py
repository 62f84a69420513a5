"""The Bearer key of the public API."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts import api_keys
from accounts.api_authentication import ApiKeyAuthentication, HasScope
from accounts.api_keys import VerifiedKey
from accounts.models import Project, User


class Whose(APIView):
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasScope,)

    def get(self, request: Request) -> Response:
        assert isinstance(request.auth, VerifiedKey)
        return Response({"project": request.auth.project_name})


def call(header: str | None) -> tuple[int, dict[str, str], str]:
    headers = {} if header is None else {"Authorization": header}
    answer = Whose.as_view()(APIRequestFactory().get("/", headers=headers)).render()
    return answer.status_code, json.loads(answer.content), answer.get("WWW-Authenticate", "")


def test_a_good_key_opens_its_project(api_key: str) -> None:
    assert call(f"Bearer {api_key}") == (200, {"project": "Support"}, "")
    assert call(f"bearer {api_key}")[0] == 200


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "tr-no-scheme"]
)
def test_anything_else_is_401_with_a_reason_and_a_challenge(db: None, header: str | None) -> None:
    status, body, challenge = call(header)
    assert status == 401
    assert list(body) == ["detail"]
    assert challenge == 'Bearer realm="TraceRoot"'


def test_a_key_without_the_scope_is_403(project: Project, ada: User) -> None:
    _, raw = api_keys.create(project, "Agents", ada, scopes=["ingest"])
    status, body, _ = call(f"Bearer {raw}")
    assert status == 403
    assert "scope" in body["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_503_and_not_401(api_key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_apikey RENAME TO away")
    try:
        answer = Whose.as_view()(
            APIRequestFactory().get("/", headers={"Authorization": f"Bearer {api_key}"})
        ).render()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO accounts_apikey")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
