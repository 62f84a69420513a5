"""The production shape: separate processes on PostgreSQL, Redis and an engine of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pytest

from tests.product import otlp, pages, separate
from tests.product.separate import OWNER, PASSWORD, Separate
from tests.product.waiting import until

pytestmark = [pytest.mark.topology, pytest.mark.xdist_group("topology")]
# Longer than the read timeout that Redis clients have by default: an idle socket must outlive it.
IDLE_SECONDS = 7


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Separate]:
    with separate.installation(tmp_path_factory.mktemp("topology")) as found:
        yield found


def test_health_names_all_three_stores(installation: Separate) -> None:
    for url in (installation.url, installation.otlp_url):
        checks = httpx.get(f"{url}/readyz").json()["checks"]
        assert {name: check["status"] for name, check in checks.items()} == {
            "database": "ok",
            "trace_store": "ok",
            "redis": "ok",
        }


def test_a_failed_tool_becomes_a_finding_that_pages_and_sockets_show(
    installation: Separate,
) -> None:
    trace_id = otlp.new_trace_id()
    project = f"/projects/{installation.project_id}"
    with pages.sign_in(installation.url, OWNER, PASSWORD) as browser:
        cookie = browser.cookies["traceroot_session"]
        body = otlp.failing_run(trace_id, "the refund service refused order 7")
        notices = asyncio.run(_notices_after(installation, cookie, body, trace_id))
        # From the store's cursor, and from the worker through Redis.
        assert {"type": "trace", "trace_id": trace_id} in notices
        assert {"type": "findings", "trace_id": trace_id} in notices
        # Each verdict announces itself, a pass of the other check too: wait for the one that fails.
        finding_id = until(lambda: _finding_id(installation, trace_id), "a finding", seconds=60)
        finding = f"{project}/findings/{finding_id}/"
        assert finding in browser.get(f"{project}/findings/").text
        assert "refused order 7" in browser.get(finding).text
        assert trace_id in browser.get(f"{project}/traces/").text
    listed = installation.api("traces").json()["data"]
    assert [item["error_count"] for item in listed if item["trace_id"] == trace_id] == [1]


def test_a_stranger_gets_no_socket(installation: Separate) -> None:
    notices = asyncio.run(_notices_after(installation, "", otlp.request(), "", seconds=5))
    assert notices == []


def test_nul_characters_reach_postgresql_as_no_error(installation: Separate) -> None:
    trace_id = otlp.new_trace_id()
    body = otlp.failing_run(trace_id, "no refund \0 for \0 order 8 \ud800")
    answer = otlp.post(installation.otlp_url, installation.api_key, body)
    assert answer.status_code == 200
    finding_id = until(
        lambda: _finding_id(installation, trace_id), "a finding with such evidence", seconds=60
    )
    evidence = installation.rows(
        f"SELECT text FROM detectors_evidence WHERE finding_id = '{finding_id}'"
    )
    assert any("order 8" in text for (text,) in evidence)
    spans = installation.api(f"traces/{trace_id}?fields=full").json()["spans"]
    assert any("order 8" in (span["status_message"] or "") for span in spans)


def test_nothing_crashed_in_any_process(installation: Separate) -> None:
    for log in installation.logs.iterdir():
        assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


async def _notices_after(
    installation: Separate,
    cookie: str,
    body: dict[str, Any],
    trace_id: str,
    *,
    seconds: float = 60,
) -> list[dict[str, Any]]:
    """Notices of the project's socket from sending `body` until the finding is announced."""
    notices: list[dict[str, Any]] = []
    cookies = {"traceroot_session": cookie} if cookie else {}
    address = f"{installation.url}/ws/projects/{installation.project_id}/"
    async with (
        aiohttp.ClientSession(cookies=cookies) as session,
        session.ws_connect(address, origin=installation.url) as socket,
    ):
        if trace_id:
            await asyncio.sleep(IDLE_SECONDS)
            answer = await asyncio.to_thread(
                otlp.post, installation.otlp_url, installation.api_key, body
            )
            assert answer.status_code == 200
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = await socket.receive(timeout=seconds)
            if message.type != aiohttp.WSMsgType.TEXT:
                break
            notices.append(json.loads(message.data))
            await socket.send_json({"type": "credit"})
            if notices[-1] == {"type": "findings", "trace_id": trace_id}:
                break
    return notices


def _finding_id(installation: Separate, trace_id: str) -> str:
    rows = installation.rows(
        f"SELECT id FROM detectors_finding WHERE trace_id = '{trace_id}' ORDER BY created_at"
    )
    return str(rows[0][0]) if rows else ""
