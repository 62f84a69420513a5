"""The production shape: separate processes on PostgreSQL, Redis and an engine of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psycopg
import pytest

from tests.product import otlp, pages, processes, servers
from tests.product.running import MANAGE, ROOT, environment, manage
from tests.product.waiting import until
from traces.store.engine.process import EngineProcess

pytestmark = [pytest.mark.topology, pytest.mark.xdist_group("topology")]
# Longer than the read timeout that Redis clients have by default: an idle socket must outlive it.
IDLE_SECONDS = 7
OWNER, PASSWORD = "ada@acme.example", "a-long-passphrase-of-ada"


@dataclass(frozen=True)
class Installation:
    url: str
    otlp_url: str
    database_url: str
    project_id: str
    api_key: str
    logs: Path

    def api(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.get(f"{self.url}/api/v1/public/{path}", headers=headers, timeout=30)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql.encode()).fetchall()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("topology")
    with ExitStack() as stack:
        database_url = stack.enter_context(servers.postgresql())
        redis_url = stack.enter_context(servers.redis())
        engine = EngineProcess(directory / "engine", token=secrets.token_hex(16))
        engine.start()
        stack.callback(engine.stop)
        web_port, otlp_port = servers.free_port(), servers.free_port()
        settings = {
            **environment(directory / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CLICKHOUSE_URL": f"http://default:{engine.token}@127.0.0.1:{engine.port}/default",
            "TRACEROOT_SECRET_KEY": secrets.token_urlsafe(48),
            "TRACEROOT_PORT": str(web_port),
            "TRACEROOT_OTLP_PORT": str(otlp_port),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        for command in (
            ["migrate", "--verbosity", "0"],
            ["migrate_clickhouse"],
            ["seed_schedule"],
            ["createsuperuser", "--noinput", "--email", OWNER],
        ):
            done = manage(*command, env=settings)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        made = json.loads(
            manage(
                *("create_project", "--organization", "Acme", "--project", "Support"),
                *("--owner-email", OWNER),
                env=settings,
            ).stdout
        )
        logs = directory / "logs"
        logs.mkdir()
        celery = [sys.executable, "-m", "celery", "-A", "traceroot_site"]
        for name, command in {
            "web": [sys.executable, str(MANAGE), "web", "--no-worker"],
            "receiver": [sys.executable, str(MANAGE), "receiver"],
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"],
            "beat": [*celery, "beat", "--loglevel", "INFO"],
        }.items():
            _spawn(stack, command, settings, logs / f"{name}.log")
        found = Installation(
            url=f"http://localhost:{web_port}",
            otlp_url=f"http://localhost:{otlp_port}",
            database_url=database_url,
            project_id=made["project_id"],
            api_key=made["api_key"],
            logs=logs,
        )
        for url in (found.url, found.otlp_url):
            until(lambda url=url: _is_ready(url), f"{url} ready", seconds=60)  # type: ignore[misc]
        yield found


def test_health_names_all_three_stores(installation: Installation) -> None:
    for url in (installation.url, installation.otlp_url):
        checks = httpx.get(f"{url}/readyz").json()["checks"]
        assert {name: check["status"] for name, check in checks.items()} == {
            "database": "ok",
            "trace_store": "ok",
            "redis": "ok",
        }


def test_a_failed_tool_becomes_a_finding_that_pages_and_sockets_show(
    installation: Installation,
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


def test_a_stranger_gets_no_socket(installation: Installation) -> None:
    notices = asyncio.run(_notices_after(installation, "", otlp.request(), "", seconds=5))
    assert notices == []


def test_nul_characters_reach_postgresql_as_no_error(installation: Installation) -> None:
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


def test_nothing_crashed_in_any_process(installation: Installation) -> None:
    for log in installation.logs.iterdir():
        assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


def _spawn(stack: ExitStack, command: list[str], settings: Mapping[str, str], log: Path) -> None:
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            env=dict(settings),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            processes.kill_all(process.pid)
            process.wait(10)

    stack.callback(stop)


async def _notices_after(
    installation: Installation,
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


def _finding_id(installation: Installation, trace_id: str) -> str:
    rows = installation.rows(
        f"SELECT id FROM detectors_finding WHERE trace_id = '{trace_id}' ORDER BY created_at"
    )
    return str(rows[0][0]) if rows else ""


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
