"""What was acknowledged is there, whatever is killed; what was not is refused whole."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.product import otlp, processes, running
from tests.product.running import Product
from tests.product.senders import SPANS_PER_REQUEST, Senders, span_ids
from tests.product.waiting import until

pytestmark = pytest.mark.xdist_group("product")


def test_no_acknowledged_span_is_lost_or_doubled_when_everything_is_killed(
    directory: Path,
) -> None:
    first = running.start(directory)
    # Two threads each for the receiver and for the web process.
    senders = Senders([first.otlp_url, first.url], first.api_key)
    try:
        senders.start(threads=4)
        until(lambda: len(senders.acknowledged) >= 40, "some acknowledged requests", seconds=60)
        processes.kill_all(first.process.pid)
    finally:
        first.destroy()
        senders.stop()
    assert senders.unexpected == []
    assert senders.unanswered, "the kill hit nothing"
    acknowledged = dict(senders.acknowledged)

    second = running.start(directory)
    try:
        stored = stored_span_ids(second)
        assert {trace_id: stored.get(trace_id) for trace_id in acknowledged} == acknowledged
        # A request without an answer is stored whole or not at all.
        for trace_id, body in senders.unanswered.items():
            assert stored.get(trace_id, set()) in (set(), span_ids(body))

        senders.send_unanswered(second.otlp_url)  # as exporters do
        listed = until(
            lambda: _listed_when_settled(second, first.api_key, senders.acknowledged),
            "all of them settled",
            seconds=60,
        )
        assert set(listed.values()) == {SPANS_PER_REQUEST}
        for trace_id in sorted(senders.acknowledged)[::10]:
            trace = second.api(f"traces/{trace_id}", api_key=first.api_key).json()
            ids = [span["span_id"] for span in trace["spans"]]
            assert len(ids) == len(set(ids))
            assert set(ids) == senders.acknowledged[trace_id]
    finally:
        second.destroy()


def test_without_the_engine_ingest_goes_on_and_everything_arrives_after(
    product: Product,
) -> None:
    trace_ids = [otlp.new_trace_id(), otlp.new_trace_id()]
    bodies = [otlp.failing_run(trace_id, "the warehouse is closed") for trace_id in trace_ids]
    supervisor = product.process.pid
    os.kill(supervisor, signal.SIGSTOP)  # so that it does not start the engine again
    try:
        os.kill(product.pid("engine"), signal.SIGKILL)
        for url, body in zip((product.otlp_url, product.url), bodies, strict=True):
            began = time.monotonic()
            assert otlp.post(url, product.api_key, body).status_code == 200
            assert time.monotonic() - began < 10
            health = httpx.get(f"{url}/readyz", timeout=30)
            assert health.status_code == 503
            assert health.json()["checks"]["trace_store"]["status"] == "unavailable"
            assert httpx.get(f"{url}/livez").status_code == 200
    finally:
        os.kill(supervisor, signal.SIGCONT)
    for trace_id, body in zip(trace_ids, bodies, strict=True):
        answer = until(
            lambda trace_id=trace_id: _found(product, trace_id),  # type: ignore[misc]
            "the spooled trace",
            seconds=60,
        )
        assert {span["span_id"] for span in answer["spans"]} == span_ids(body)


def test_what_was_acknowledged_adds_up_whichever_process_is_killed(directory: Path) -> None:
    product = running.start(directory)
    senders = Senders([product.otlp_url, product.url], product.api_key)
    try:
        senders.start(threads=4)
        for role in ("engine", "receiver", "web", "engine", "web"):
            _until_more(senders)
            pid = until(lambda role=role: product.pid(role), f"the {role}", seconds=30)  # type: ignore[misc]
            os.kill(pid, signal.SIGKILL)
        _until_more(senders)
        senders.stop()
        assert senders.unexpected == []
        _everything_is_stored_and_adds_up(product, senders)
    finally:
        senders.stop()
        product.destroy()


def test_an_outage_under_load_loses_nothing(directory: Path) -> None:
    """The engine is frozen, then gone, for some seconds; the long form is `make soak`."""
    product = running.start(directory, more_environment={"CLICKHOUSE_INSERT_SECONDS": "2"})
    senders = Senders([product.otlp_url], product.api_key)
    try:
        senders.start(threads=4)
        until(lambda: len(senders.acknowledged) > 10, "load", seconds=60)
        os.kill(product.process.pid, signal.SIGSTOP)
        engine = product.pid("engine")
        os.kill(engine, signal.SIGSTOP)
        time.sleep(4)
        os.kill(engine, signal.SIGKILL)
        seen = len(senders.acknowledged)
        time.sleep(4)
        assert len(senders.acknowledged) > seen + 10, "the spool took too little"
        os.kill(product.process.pid, signal.SIGCONT)
        time.sleep(2)
        senders.stop()
        assert senders.unexpected == []
        assert not senders.unanswered, "the spool had room for all"
        _everything_is_stored_and_adds_up(product, senders)
    finally:
        senders.stop()
        product.destroy()


def _until_more(senders: Senders) -> None:
    wanted = len(senders.acknowledged) + 15
    until(lambda: len(senders.acknowledged) >= wanted, "more acknowledged requests", seconds=60)


def _everything_is_stored_and_adds_up(product: Product, senders: Senders) -> None:
    acknowledged = dict(senders.acknowledged)
    until(
        lambda: _all_stored(product, acknowledged), "everything that was acknowledged", seconds=90
    )
    _reconcile(product)


def _found(product: Product, trace_id: str) -> dict[str, Any]:
    answer = product.api(f"traces/{trace_id}")
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found


def _all_stored(product: Product, acknowledged: dict[str, set[str]]) -> bool:
    try:
        stored = stored_span_ids(product)
    except (OSError, httpx.HTTPError):  # it is starting again
        return False
    return all(ids <= stored.get(trace_id, set()) for trace_id, ids in acknowledged.items())


def _reconcile(product: Product) -> None:
    until_now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
    done = until(lambda: _adds_up(product, until_now), "a balance with an empty spool", seconds=60)
    assert "It adds up" in done


def _adds_up(product: Product, until_now: str) -> str:
    done = product.manage("reconcile", "--until", until_now)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout if re.search(r"in the spool +0\n", done.stdout) else ""


def stored_span_ids(product: Product) -> dict[str, set[str]]:
    """By trace, from the engine itself: what a page would show is another question."""
    engine: dict[str, str] = json.loads((product.data_dir / "run" / "engine.json").read_text())
    sql = (
        "SELECT lower(hex(trace_id)) AS trace, groupUniqArray(lower(hex(span_id))) AS spans "
        "FROM spans GROUP BY trace FORMAT JSONEachRow"
    )
    answer = httpx.post(
        engine["url"], content=sql, auth=("default", engine["token"]), timeout=30
    ).raise_for_status()
    rows = [json.loads(line) for line in answer.text.splitlines()]
    return {row["trace"]: set(row["spans"]) for row in rows}


def _listed_when_settled(product: Product, api_key: str, wanted: dict[str, Any]) -> dict[str, int]:
    """Span counts by trace id of the whole list, empty while some are not what they will be."""
    listed: dict[str, int] = {}
    cursor = ""
    while True:
        page = product.api("traces", api_key=api_key, limit="200", cursor=cursor).json()
        for item in page["data"]:
            assert item["trace_id"] not in listed, "listed twice"
            listed[item["trace_id"]] = item["span_count"]
        cursor = page["meta"]["next_cursor"]
        if not cursor:
            break
    complete = set(listed) == set(wanted) and set(listed.values()) == {SPANS_PER_REQUEST}
    return listed if complete else {}
