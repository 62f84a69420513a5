"""Token buckets: what may come, when again, and that nothing half comes."""

from __future__ import annotations

import threading
import uuid

import pytest

from traces.admission.rates import Limit, OverLimit, Rates

ACME, GLOBEX = uuid.UUID(int=1), uuid.UUID(int=2)
NOON = 20_000 * 86_400 + 43_200.0


def test_ten_seconds_worth_may_come_at_once_and_then_what_is_left() -> None:
    rates, limit = Rates(), Limit(spans_per_second=100)
    rates.take(ACME, limit, 600, 0, NOON)
    rates.take(ACME, limit, 600, 0, NOON)  # something was left: taken whole
    with pytest.raises(OverLimit, match="100 spans a second") as refused:
        rates.take(ACME, limit, 1, 0, NOON)
    assert refused.value.seconds == 3
    with pytest.raises(OverLimit):
        rates.take(ACME, limit, 0, 0, NOON + 1.9)
    rates.take(ACME, limit, 1, 0, NOON + 3)


def test_a_request_larger_than_the_burst_is_not_impossible() -> None:
    rates, limit = Rates(), Limit(spans_per_second=1)
    rates.take(ACME, limit, 50_000, 0, NOON)
    with pytest.raises(OverLimit) as refused:
        rates.take(ACME, limit, 0, 0, NOON)
    rates.take(ACME, limit, 1, 0, NOON + refused.value.seconds)


def test_bytes_are_counted_by_days_of_utc() -> None:
    rates, limit = Rates(), Limit(bytes_per_day=1_000)
    rates.take(ACME, limit, 0, 999, NOON)
    rates.take(ACME, limit, 0, 5_000, NOON)
    with pytest.raises(OverLimit, match="1,000 bytes a day") as refused:
        rates.take(ACME, limit, 0, 1, NOON)
    assert refused.value.seconds == 43_200
    rates.take(ACME, limit, 0, 1, NOON + 43_200)


def test_what_other_processes_took_counts_too() -> None:
    rates, limit = Rates(), Limit(spans_per_second=1, bytes_per_day=1_000)
    rates.note_used(ACME, 1_000, NOON)
    with pytest.raises(OverLimit, match="bytes a day"):
        rates.take(ACME, limit, 1, 1, NOON)
    rates.take(GLOBEX, limit, 1, 1, NOON)


def test_projects_do_not_pay_for_each_other_and_no_limit_is_none() -> None:
    rates = Rates()
    for _ in range(3):
        rates.take(GLOBEX, Limit(), 10**9, 10**12, NOON)
    rates.take(ACME, Limit(spans_per_second=1), 100, 0, NOON)
    rates.take(GLOBEX, Limit(spans_per_second=1), 1, 0, NOON)


def test_threads_together_get_no_more_than_one() -> None:
    rates, limit = Rates(), Limit(spans_per_second=10)
    taken: list[int] = []

    def send() -> None:
        for _ in range(200):
            try:
                rates.take(ACME, limit, 1, 0, NOON)
            except OverLimit:
                return
            taken.append(1)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 100
