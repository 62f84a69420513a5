"""Buckets that processes share, and what happens where they cannot."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from traces.admission.buckets import Buckets
from traces.admission.rates import Limit, OverLimit, Rates

ACME = uuid.UUID(int=1)
NOON = 20_000 * 86_400 + 43_200.0
LIMIT = Limit(spans_per_second=10)
TAKE = """
import sys, uuid
from pathlib import Path
from traces.admission.buckets import Buckets
from traces.admission.rates import Limit, Rates

rates = Rates(Buckets(Path(sys.argv[1])))
for _ in range(100):
    rates.take(uuid.UUID(int=1), Limit(spans_per_second=10), 0, 0, float(sys.argv[2]))
    rates.take(uuid.UUID(int=1), Limit(spans_per_second=10), 1, 0, float(sys.argv[2]))
"""


def other_process(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TAKE, str(file), str(NOON)], capture_output=True, text=True
    )


def test_what_one_process_took_another_has_not(tmp_path: Path) -> None:
    file = tmp_path / "run" / "rates"
    rates = Rates(Buckets(file))
    rates.take(ACME, LIMIT, 0, 0, NOON)
    done = other_process(file)
    assert done.returncode == 0, done.stderr
    with pytest.raises(OverLimit, match="10 spans a second"):
        rates.take(ACME, LIMIT, 1, 0, NOON)
    assert "10 spans a second" in other_process(file).stderr
    rates.take(ACME, LIMIT, 1, 0, NOON + 1)


def test_where_no_file_can_be_each_process_counts_for_itself(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file in the way")
    rates = Rates(Buckets(tmp_path / "run" / "rates"))
    rates.take(ACME, LIMIT, 100, 0, NOON)
    with pytest.raises(OverLimit):
        rates.take(ACME, LIMIT, 1, 0, NOON)


def test_more_projects_than_slots_let_go_of_the_quietest() -> None:
    buckets = Buckets()
    same_place = [uuid.UUID(int=1 + number * 8_192) for number in range(17)]
    for number, project_id in enumerate(same_place):
        with buckets.held():
            buckets.write(project_id, 5.0, NOON + number)
    with buckets.held():
        assert buckets.read(same_place[0]) is None
        assert [buckets.read(one) for one in same_place[1:]] == [
            (5.0, NOON + number) for number in range(1, 17)
        ]


def test_a_clock_that_was_wrong_holds_nobody_up_for_years() -> None:
    buckets = Buckets()
    rates = Rates(buckets)
    rates.take(ACME, LIMIT, 100, 0, NOON + 10**9)
    rates.take(ACME, LIMIT, 1, 0, NOON)
