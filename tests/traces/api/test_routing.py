"""Under the web process's application, posted traces go to the receiver and the rest to Django."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from traceroot_site.asgi import application

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db(transaction=True)]
PATH = "/api/v1/public/traces"


def request(method: str, headers: dict[str, str], body: bytes = b"") -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": PATH,
            "raw_path": PATH.encode(), "query_string": b"", "scheme": "http",
            "client": ("127.0.0.1", 1), "server": ("localhost", 8000),
            "headers": [
                (name.encode(), value.encode())
                for name, value in {"host": "localhost", **headers}.items()
            ],
        }  # fmt: skip
        communicator: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        await communicator.send_input({"type": "http.request", "body": body})
        start: dict[str, Any] = await communicator.receive_output(timeout=10)
        answer = await communicator.receive_output(timeout=10)
        await communicator.wait()
        return {**start, "body": answer["body"]}

    return asyncio.run(run())


def test_a_post_without_a_key_is_the_receivers_401() -> None:
    answer = request("POST", {"content-type": "application/json"}, b"{}")
    assert answer["status"] == 401
    assert b"API key" in answer["body"]


def test_a_post_with_a_key_is_taken(api_key: str) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {api_key}"}
    answer = request("POST", headers, b'{"resourceSpans":[]}')
    assert answer["status"] == 200


def test_a_get_is_the_list(api_key: str) -> None:
    answer = request("GET", {"authorization": f"Bearer {api_key}"})
    assert answer["status"] == 200
    assert b'"data":[]' in answer["body"]
