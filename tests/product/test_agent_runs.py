"""All recorded agent runs through the running product: in, settled, listed, judged, told."""

from __future__ import annotations

import gzip
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.product import pages
from tests.product.mailbox import Mailbox
from tests.product.running import Product
from tests.product.waiting import until

pytestmark = pytest.mark.xdist_group("product")
FILES = ("airline-support.otlp.jsonl.gz", "research-crew.otlp.jsonl.gz")
RUNS = 181
CHECKS = 2
OWNER = "grace@agents.example"
_UNFINISHED = "state IN ('pending', 'running')"


@dataclass(frozen=True)
class AgentRuns:
    project_id: str
    api_key: str
    span_counts: dict[str, int]
    """By trace id, as recorded."""
    started: float


@pytest.fixture(scope="module")
def runs(product: Product, shared: Path) -> AgentRuns:
    """Sent with their own times, so that runs of the two files start at the same instants."""
    made = product.create_project("Agents", "Recorded", OWNER)
    files = [shared / "data" / "agent-runs" / name for name in FILES]
    started = time.monotonic()
    done = product.manage(
        *("send_traces", *map(str, files), "--url", product.otlp_url),
        TRACEROOT_API_KEY=made["api_key"],
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"{RUNS} requests" in done.stdout
    assert " 0 rejected" in done.stdout
    counts: dict[str, int] = {}
    for path in files:
        for trace_id, count in _span_counts(path):
            counts[trace_id] = count
    assert len(counts) == RUNS
    return AgentRuns(made["project_id"], made["api_key"], counts, started)


@pytest.fixture
def browser(product: Product, runs: AgentRuns) -> Iterator[httpx.Client]:
    """The owner of the runs' project; the password comes from an administrator's command."""
    set_password = (
        "from accounts.models import User; import os;"
        f"u = User.objects.get(email='{OWNER}');"
        "u.set_password(os.environ['NEW_PASSWORD']); u.save()"
    )
    password = os.urandom(12).hex()
    assert product.manage("shell", "-c", set_password, NEW_PASSWORD=password).returncode == 0
    with pages.sign_in(product.url, OWNER, password) as client:
        yield client


def test_paging_lists_each_run_once(product: Product, runs: AgentRuns) -> None:
    def complete() -> dict[str, int]:
        listed = _listed(product, runs)
        return listed if listed == runs.span_counts else {}

    until(complete, f"{RUNS} runs with all their spans", seconds=60, pause=0.5)
    starts = [item["trace_start_time"] for item in _items(product, runs)]
    assert len(set(starts)) < RUNS, "no two runs start at the same instant; nothing was proven"


def test_every_run_opens(product: Product, runs: AgentRuns, browser: httpx.Client) -> None:
    for trace_id, count in runs.span_counts.items():
        answer = product.api(f"traces/{trace_id}", api_key=runs.api_key)
        assert answer.status_code == 200
        assert len(answer.json()["spans"]) == count
    for trace_id in sorted(runs.span_counts)[::18]:
        page = browser.get(f"/projects/{runs.project_id}/traces/{trace_id}/")
        assert page.status_code == 200
        assert trace_id in page.text


def test_failed_tools_become_findings_and_mail(
    product: Product,
    runs: AgentRuns,
    browser: httpx.Client,
    mailbox: Mailbox,
) -> None:
    until(
        lambda: sum(count >= RUNS for count in _examined(browser, runs)) == CHECKS,
        "every run examined by every check",
        seconds=90,
        pause=0.5,
    )
    until(
        lambda: not _count(product, "detectors_detectorrun", runs, _UNFINISHED),
        "no run left to examine",
        seconds=60,
        pause=0.5,
    )
    findings = _count(product, "detectors_finding", runs)
    failed_tools = _count(
        product,
        "detectors_finding",
        runs,
        "detector_id IN (SELECT id FROM detectors_detector WHERE template = 'tool_failure')",
    )
    assert failed_tools > 0
    assert _count(product, "detectors_detectorrun", runs, "state = 'failed'") == 0
    until(lambda: mailbox.messages_to(OWNER), "an alert", seconds=30)
    mails = mailbox.messages_to(OWNER)
    assert len(mails) <= findings
    body = mails[0].get_body(("plain",))
    assert body is not None
    assert f"{product.url}/projects/{runs.project_id}/findings/" in body.get_content()
    page = browser.get(f"/projects/{runs.project_id}/findings/")
    assert page.status_code == 200
    assert f"/projects/{runs.project_id}/findings/" in page.text
    print(f"{findings} findings, {failed_tools} of failed tools; {len(mails)} mails so far")


def _span_counts(path: Path) -> Iterator[tuple[str, int]]:
    with gzip.open(path) as lines:
        for line in lines:
            spans = [
                span
                for resource in json.loads(line)["resourceSpans"]
                for scope in resource["scopeSpans"]
                for span in scope["spans"]
            ]
            ids = {span["traceId"] for span in spans}
            assert len(ids) == 1
            yield ids.pop(), len(spans)


def _items(product: Product, runs: AgentRuns) -> list[dict[str, str]]:
    """The whole list in pages of 50, by cursors."""
    items: list[dict[str, str]] = []
    cursor = ""
    while True:
        page = product.api("traces", api_key=runs.api_key, limit="50", cursor=cursor).json()
        items += page["data"]
        cursor = page["meta"]["next_cursor"]
        if not cursor:
            return items


def _listed(product: Product, runs: AgentRuns) -> dict[str, int]:
    items = _items(product, runs)
    counts = {item["trace_id"]: int(item["span_count"]) for item in items}
    assert len(counts) == len(items), "a run is listed twice"
    return counts


def _examined(browser: httpx.Client, runs: AgentRuns) -> list[int]:
    """What each detector has examined, as the page says."""
    page = browser.get(f"/projects/{runs.project_id}/detectors/")
    return [int(count) for count in re.findall(r'data-label="runs">(\d+)', page.text)]


def _count(product: Product, table: str, runs: AgentRuns, where: str = "true") -> int:
    """Rows of the project in the relational store, looked at from outside."""
    file = product.data_dir / "traceroot.sqlite3"
    sql = f"SELECT count(*) FROM {table} WHERE project_id = ? AND ({where})"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return int(database.execute(sql, [runs.project_id.replace("-", "")]).fetchone()[0])
