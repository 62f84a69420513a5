"""The same warning every second is one line, until it says how often it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from traceroot_site.repeated_lines import WINDOW_SECONDS, RepeatedLines


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def handler(clock: Clock) -> Kept:
    handler = Kept()
    handler.addFilter(RepeatedLines(clock))
    return handler


@pytest.fixture
def log(handler: Kept) -> Iterator[logging.Logger]:
    log = logging.getLogger("tests.repeated")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    yield log
    log.removeHandler(handler)


def test_every_second_is_one_line_a_minute(
    log: logging.Logger, handler: Kept, clock: Clock
) -> None:
    for _ in range(int(WINDOW_SECONDS) + 1):
        log.warning("settle_failed reason=%s", "Connection refused")
        clock.now += 1
    assert handler.lines == [
        "settle_failed reason=Connection refused",
        "settle_failed reason=Connection refused (and 59 times before)",
    ]


def test_other_words_and_other_levels_are_let_through(log: logging.Logger, handler: Kept) -> None:
    for number in range(2):
        log.warning("failed run=%d", number)
        log.error("failed")
        try:
            raise ValueError("once more")
        except ValueError:
            log.warning("crashed", exc_info=True)
    assert len(handler.lines) == 6


def test_a_failure_after_good_news_is_news(log: logging.Logger, handler: Kept) -> None:
    for _ in range(2):
        log.warning("engine.away")
        log.warning("engine.away")
        log.info("engine.back")
    assert handler.lines == ["engine.away", "engine.back"] * 2


def test_what_it_remembers_is_bounded(log: logging.Logger, handler: Kept) -> None:
    for number in range(5_000):
        log.warning("failed run=%d", number)
    [lines] = handler.filters
    assert isinstance(lines, RepeatedLines)
    assert sum(len(texts) for texts in lines._said.values()) <= 100
    assert len(handler.lines) == 5_000


def test_it_is_where_all_our_lines_pass() -> None:
    handlers = logging.getLogger().handlers
    assert any(isinstance(one, RepeatedLines) for each in handlers for one in each.filters)
