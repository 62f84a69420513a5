"""/livez: this process answers. /readyz: each thing it depends on, and whether that works."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

from traces.store import client


class DiskAlmostFull(OSError):
    """What arrives may soon be refused."""


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    report = check()
    return JsonResponse(report, status=200 if report["status"] == "ok" else 503)


def check() -> dict[str, Any]:
    """{status, checks: {name: {status, milliseconds, error?}}}, without addresses or secrets."""
    checks: dict[str, Callable[[], None]] = {"database": _database, "trace_store": _trace_store}
    if settings.REDIS_URL:
        checks["redis"] = _redis
    if not settings.CLICKHOUSE_URL:
        checks["disk"] = _disk
    results = {name: _timed(run) for name, run in checks.items()}
    is_ok = all(result["status"] == "ok" for result in results.values())
    return {"status": "ok" if is_ok else "unavailable", "checks": results}


def _timed(run: Callable[[], None]) -> dict[str, Any]:
    began = time.perf_counter()
    result: dict[str, Any] = {"status": "ok"}
    try:
        run()
    except Exception as error:  # a health check reports whatever a dependency's driver raises
        result = {"status": "unavailable", "error": type(error).__name__}
    result["milliseconds"] = round((time.perf_counter() - began) * 1000, 1)
    return result


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _trace_store() -> None:
    client.query("SELECT name FROM schema_migrations LIMIT 1", seconds=3)


def _disk() -> None:
    """Of the embedded stores; that of a server is the server's matter."""
    if shutil.disk_usage(settings.DATA_DIR).free < settings.SPOOL_MIN_FREE_BYTES // 4:
        raise DiskAlmostFull


def _redis() -> None:
    cache.set("readyz", 1, timeout=5)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The same two answers as raw ASGI, for the receiver process; 404 for everything else."""
    if scope["type"] != "http":
        return
    status, body = 404, {"detail": "This is an OTLP receiver: POST /v1/traces."}
    if scope["path"] == "/livez":
        status, body = 200, {"status": "ok"}
    elif scope["path"] == "/readyz":
        report = await sync_to_async(check)()
        status, body = (200 if report["status"] == "ok" else 503), report
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
