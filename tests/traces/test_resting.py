"""Short work goes on at once; long work rests after it."""

from __future__ import annotations

import time

import pytest

from traces import resting


def test_work_that_took_long_rests_and_short_work_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with resting.afterwards("short"):
        pass
    assert resting.is_due("short")
    monkeypatch.setattr(resting, "_FREE_SECONDS", 0.01)
    with resting.afterwards("long"):
        time.sleep(0.02)
    assert not resting.is_due("long")
    time.sleep(1.1)
    assert resting.is_due("long")


def test_work_that_fails_rests_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "_FREE_SECONDS", 0.0)
    with pytest.raises(ValueError, match="x"), resting.afterwards("failing"):
        raise ValueError("x")
    assert not resting.is_due("failing")
