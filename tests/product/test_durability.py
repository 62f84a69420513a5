"""What was acknowledged is there, whatever is killed; what was not is refused whole."""

from __future__ import annotations

import json
import os
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


def test_without_the_engine_ingest_asks_to_come_back_and_stores_nothing_of_it(
    product: Product,
) -> None:
    trace_id = otlp.new_trace_id()
    body = otlp.failing_run(trace_id, "the warehouse is closed")
    supervisor = product.process.pid
    os.kill(supervisor, signal.SIGSTOP)  # so that it does not start the engine again
    try:
        os.kill(product.pid("engine"), signal.SIGKILL)
        for url in (product.otlp_url, product.url):
            began = time.monotonic()
            refused = otlp.post(url, product.api_key, body)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) >= 1
            assert refused.json()["message"]
            assert time.monotonic() - began < 10
            health = httpx.get(f"{url}/readyz", timeout=30)
            assert health.status_code == 503
            assert health.json()["checks"]["trace_store"]["status"] == "unavailable"
            assert httpx.get(f"{url}/livez").status_code == 200
    finally:
        os.kill(supervisor, signal.SIGCONT)
    for url in (product.otlp_url, product.url):
        until(
            lambda url=url: httpx.get(f"{url}/readyz", timeout=30).status_code == 200,  # type: ignore[misc]
            "the engine at work again",
            seconds=30,
        )
    assert product.api(f"traces/{trace_id}").status_code == 404
    assert otlp.post(product.otlp_url, product.api_key, body).status_code == 200
    spans = product.api(f"traces/{trace_id}").json()["spans"]
    assert {span["span_id"] for span in spans} == span_ids(body)


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
