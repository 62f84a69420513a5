"""The description of the API: generated without a warning, changed only on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tests import golden

pytestmark = pytest.mark.django_db


def test_it_is_generated_without_warnings_and_as_reviewed() -> None:
    GENERATOR_STATS.reset()
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    golden.check_json("openapi.json", json.loads(json.dumps(schema)))


def test_it_is_served_as_json_to_anybody() -> None:
    answer = Client().get("/api/v1/public/openapi.json")
    assert answer.status_code == 200
    assert "json" in answer["Content-Type"]
    schema = json.loads(answer.content)
    assert schema["info"] == {"title": "TraceRoot Public API", "version": "0.1.0"}
    ids = {
        operation["operationId"] for path in schema["paths"].values() for operation in path.values()
    }
    assert {"whoami", "list_traces", "get_trace", "export_trace"} <= ids


def test_the_command_agrees(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "a.yaml"))
