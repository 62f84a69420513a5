"""Figures as people read them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from traces.templatetags import figures


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (None, ""),
        (0, "0 µs"),
        (-5, "0 µs"),
        (999_999, "999 µs"),
        (1_000_000, "1 ms"),
        (999_400_000, "999 ms"),
        (999_900_000, "1.0 s"),
        (99_940_000_000, "99.9 s"),
        (99_990_000_000, "1 m 40 s"),
        (192 * 10**9, "3 m 12 s"),
        (3_599_600_000_000, "1 h 0 m"),
        (7_500 * 10**9, "2 h 5 m"),
        (72 * 3600 * 10**9, "3 d 0 h"),
        (2**63, "106751 d 23 h"),
    ],
)
def test_durations(ns: int | None, shown: str) -> None:
    assert plain(figures.duration(ns)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        (0, "0"),
        (999, "999"),
        (40_200, "40.2 k"),
        (999_960, "1.0 M"),
        (1_300_000, "1.3 M"),
        (2_000_000_000, "2.0 G"),
        (999_960_000_000, "1.0 T"),
        (10**15, "1.0 P"),
        (2**63, "9.2 E"),
        (10**22, "10,000.0 E"),
    ],
)
def test_counts(value: int | None, shown: str) -> None:
    assert plain(figures.count(value)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (Decimal(0), "$0"),
        (Decimal("0.00001"), "<$0.0001"),
        (Decimal("0.0587"), "$0.0587"),
        (Decimal("12.345"), "$12.34"),
        (Decimal(12345), "$12,345"),
        (Decimal("-1.5"), "-$1.50"),
    ],
)
def test_money(value: Decimal | None, shown: str) -> None:
    assert figures.money(value) == shown


def test_moments() -> None:
    assert figures.moment(0) is None
    assert figures.moment(None) is None
    assert figures.moment(10**9) == dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
    assert figures.moment(10**30) is None


def test_ids() -> None:
    assert figures.short_id(b"\xab" * 16) == "abab…abab"
    assert figures.short_id("short") == "short"
    assert figures.hexid(b"\x01\x02") == "0102"
