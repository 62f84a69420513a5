"""After a campaign: what was acknowledged is stored, once, settled, judged, and adds up."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from benchmarks.soak.shapes import Shape
from tests.product.senders import Senders

_STORED_SECONDS = 300
_SETTLED_SECONDS = 180
_SAMPLED = 25


@dataclass
class Tally:
    """`wrong` says what must not be; empty is good."""

    requests: int = 0
    spans: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.requests} requests with {self.spans} spans acknowledged, "
            f"{self.unanswered} without an answer; all stored, listed and judged once after "
            f"{self.seconds:.0f} s"
            if not self.wrong
            else f"WRONG after {self.requests} acknowledged requests: {'; '.join(self.wrong)}"
        )


def check(shape: Shape, senders: Senders, failing: set[str]) -> Tally:
    """`failing`: ids of the traces in which a tool fails. Senders have stopped."""
    began = time.monotonic()
    acknowledged = dict(senders.acknowledged)
    tally = Tally(len(acknowledged), sum(map(len, acknowledged.values())), len(senders.unanswered))
    if senders.unexpected:
        tally.wrong.append(f"answers {Counter(senders.unexpected)}")
    for look, seconds in (
        (lambda: _missing(shape, acknowledged), _STORED_SECONDS),
        (lambda: _not_listed(shape, senders), _SETTLED_SECONDS),
        (lambda: _not_judged(shape, failing & set(acknowledged)), _SETTLED_SECONDS),
        (lambda: _not_adding_up(shape), _SETTLED_SECONDS),
        (lambda: _page_says_else(shape, acknowledged), 30),
    ):
        said = "not looked at"
        deadline = time.monotonic() + seconds
        while said and time.monotonic() < deadline:
            try:
                said = look()
            except (httpx.HTTPError, OSError) as error:
                said = f"{type(error).__name__}: {error}"
            if said:
                time.sleep(1)
        if said:
            tally.wrong.append(said)
    tally.wrong.extend(_doubled(shape, acknowledged))
    tally.seconds = time.monotonic() - began
    return tally


def _missing(shape: Shape, acknowledged: dict[str, set[str]]) -> str:
    sql = (
        "SELECT lower(hex(trace_id)) AS trace, groupUniqArray(lower(hex(span_id))) AS spans "
        "FROM spans GROUP BY trace"
    )
    stored = {row["trace"]: set(row["spans"]) for row in shape.rows(sql)}
    missing = sum(len(ids - stored.get(trace, set())) for trace, ids in acknowledged.items())
    return f"{missing} acknowledged spans are missing" if missing else ""


def _not_listed(shape: Shape, senders: Senders) -> str:
    """Each trace once, with all of its spans; without an answer whole or not at all."""
    listed: dict[str, int] = {}
    cursor = ""
    while True:
        page = shape.api("traces", limit="200", cursor=cursor).raise_for_status().json()
        for item in page["data"]:
            if item["trace_id"] in listed:
                return f"{item['trace_id']} is listed twice"
            listed[item["trace_id"]] = item["span_count"]
        cursor = page["meta"]["next_cursor"]
        if not cursor:
            break
    wrong = [trace for trace, ids in senders.acknowledged.items() if listed.get(trace) != len(ids)]
    for trace, body in senders.unanswered.items():
        size = len(body["resourceSpans"][0]["scopeSpans"][0]["spans"])
        if listed.get(trace, size) != size:
            wrong.append(trace)
    return f"{len(wrong)} traces are listed with another number of spans" if wrong else ""


def _not_judged(shape: Shape, failing: set[str]) -> str:
    """One finding of each failure."""
    script = (
        "from detectors.models import Finding\n"
        "for one in Finding.objects.filter(detector__template='tool_failure')"
        ".values_list('trace_id', flat=True): print(one)"
    )
    done = shape.manage("shell", "--no-imports", "-c", script)
    if done.returncode:
        return done.stderr[-300:]
    found = Counter(done.stdout.split())
    without = len(failing - set(found))
    twice = sum(count > 1 for count in found.values())
    if without or twice:
        return f"of {len(failing)} failing traces {without} have no finding and {twice} have two"
    return ""


def _doubled(shape: Shape, acknowledged: dict[str, set[str]]) -> list[str]:
    """Of some traces each span, as a reader gets them."""
    wrong = []
    for trace in sorted(acknowledged)[:: max(1, len(acknowledged) // _SAMPLED)]:
        ids = [span["span_id"] for span in shape.api(f"traces/{trace}").json()["spans"]]
        if len(ids) != len(set(ids)) or set(ids) != acknowledged[trace]:
            wrong.append(f"{trace} is read with other spans")
    return wrong


def _not_adding_up(shape: Shape) -> str:
    until = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
    done = shape.manage("reconcile", "--until", until)
    if done.returncode or not re.search(r"in the spool +0\n", done.stdout):
        return f"reconcile: {done.stdout}{done.stderr}"
    return ""


def _page_says_else(shape: Shape, acknowledged: dict[str, set[str]]) -> str:
    """The page of ingest health, against the engine's own count.

    The page counts by receipts: what was stored without one, as the process died before, was told
    to nobody and may be missing there.
    """
    page = shape.page(f"/projects/{shape.project_id}/ingest/?range=24h")
    [total] = re.findall(r"All keys<.*?data-label=\"stored\">([\d,]+)<", page)
    said = int(total.replace(",", ""))
    sql = (
        "SELECT lower(hex(trace_id)) AS trace, uniqExact(span_id) AS spans FROM spans "
        f"WHERE project_id = '{shape.project_id}' GROUP BY trace"
    )
    stored = {row["trace"]: int(row["spans"]) for row in shape.rows(sql)}
    told = sum(count for trace, count in stored.items() if trace in acknowledged)
    if told <= said <= sum(stored.values()):
        return ""
    return f"the page says {said} stored, {told} to {sum(stored.values())} are"
