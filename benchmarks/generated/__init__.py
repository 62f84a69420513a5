"""Spans by the million, made inside the engine: INSERT … SELECT from numbers, the same for the same
seed and the same end.

Thirty days; nine tenths are of one project, the rest of 49 others. Twenty spans a trace, about five
traces a session, 20,000 users, six models of which a trace mostly uses one, 10 to 14 attributes a
span. Texts are short (some 300
characters a span, words by Zipf's law), so that ten million spans fit in 3 GB; long texts cost
reads of content, not lists and figures.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from traces.store import client

DAYS = 30
SPANS_A_TRACE = 20
RARE_WORD = "zanzibar"
"""One span in a million has it."""
_WORDS = 6_000
_SPANS_A_STEP = 250_000
_SECONDS = 3_600.0
_DIRECTORY = Path(__file__).parent
_SEED = 1


@dataclass(frozen=True, slots=True)
class Generated:
    """What there is: `until` is when the last span began, in seconds."""

    project_id: str
    spans: int
    since: int
    until: int


def generate(project_id: str, spans: int) -> Generated:
    """Fill the engine. The newest span began an hour ago, so that nothing settles it again."""
    until = int(time.time()) - 3_600
    made = Generated(project_id, spans, until - DAYS * 86_400, until)
    sql = (_DIRECTORY / "spans.sql").read_text()
    for first in range(0, spans, _SPANS_A_STEP):
        step = min(_SPANS_A_STEP, spans - first)
        _run(
            sql,
            {
                "words": _WORDS,
                "seed": _SEED,
                "until_ns": until * 10**9,
                "days": DAYS,
                "total": spans,
                "project_id": project_id,
                "first": first,
                "spans": step,
            },
        )
        if first % 1_000_000 == 0:
            print(f"  {first + step:,} of {spans:,} spans", flush=True)
    sql = (_DIRECTORY / "traces.sql").read_text()
    for day in range(DAYS + 1):
        since = made.since + day * 86_400
        _run(sql, {"since": since, "until": since + 86_400})
    return made


def wait_for_merges(seconds: float = 600.0) -> None:
    """Until the engine has nothing more to merge, as it would have on a quiet day."""
    deadline = time.monotonic() + seconds
    quiet = 0
    while quiet < 5 and time.monotonic() < deadline:
        running = client.query("SELECT count() AS merges FROM system.merges")[0]["merges"]
        quiet = 0 if running else quiet + 1
        time.sleep(1)


def disk_bytes_a_span() -> float:
    """Of all tables, for each row of `spans`."""
    found = client.query(
        "SELECT sum(bytes_on_disk) AS bytes, sumIf(rows, table = 'spans') AS spans"
        " FROM system.parts WHERE active AND database = currentDatabase()"
    )[0]
    return float(found["bytes"]) / float(found["spans"] or 1)


def _run(sql: str, parameters: dict[str, object]) -> None:
    client.client(_SECONDS).command(sql, parameters=parameters)
