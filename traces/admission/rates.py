"""Token buckets: how many spans a second and bytes a day a project may still send.

A request is taken while anything is left and then charged in full, so that a large one is never
impossible; who is in debt waits until it is paid off. Spans are shared between the processes of a
machine (`buckets`); bytes each process counts itself and hears of the others through receipts.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from uuid import UUID

from traces.admission.buckets import Buckets

BURST_SECONDS = 10
"""So many seconds' worth may come at once, after as long a pause."""
_DAY_SECONDS = 86_400
_MOST_PROJECTS = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """0: none. A day is one of UTC; bytes are counted decompressed."""

    spans_per_second: int = 0
    bytes_per_day: int = 0


class OverLimit(Exception):
    """The project has sent as much as it may; `seconds` from now it may send again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(slots=True)
class _Account:
    day: int = 0
    bytes: int = 0


class Rates:
    """Safe from any thread. `now` is seconds since the epoch."""

    def __init__(self, buckets: Buckets | None = None) -> None:
        self._accounts: dict[UUID, _Account] = {}
        self._buckets = buckets or Buckets()
        self._lock = threading.Lock()

    def take(self, project_id: UUID, limit: Limit, spans: int, size: int, now: float) -> None:
        """Without spans and bytes only whether anything may come. Raises OverLimit."""
        if not limit.spans_per_second and not limit.bytes_per_day:
            return
        with self._lock:
            account = self._account(project_id, now)
            if limit.bytes_per_day and account.bytes >= limit.bytes_per_day:
                raise OverLimit(
                    f"This project sent its limit, {limit.bytes_per_day:,} bytes a day (UTC). "
                    "Send it again tomorrow, or ask an admin of the project to raise the limit.",
                    max(1, math.ceil(_DAY_SECONDS - now % _DAY_SECONDS)),
                )
            if limit.spans_per_second:
                self._take_spans(project_id, limit.spans_per_second, spans, now)
            account.bytes += size

    def note_used(self, project_id: UUID, size: int, now: float) -> None:
        """What the project sent today by any process, as receipts say."""
        with self._lock:
            account = self._accounts.get(project_id)
            if account is None:
                account = self._accounts[project_id] = _Account()
            _turn_page(account, now)
            account.bytes = max(account.bytes, size)

    def _take_spans(self, project_id: UUID, per_second: int, spans: int, now: float) -> None:
        full = float(per_second * BURST_SECONDS)
        with self._buckets.held():
            left, at = self._buckets.read(project_id) or (full, now)
            if at > now + _DAY_SECONDS:  # by a clock that was wrong
                left, at = full, now
            left = min(full, left + max(0.0, now - at) * per_second)
            if left <= 0:
                raise OverLimit(
                    f"This project sent more than its limit, {_spans(per_second)} a second. "
                    "Send it again later.",
                    max(1, math.ceil((1 - left) / per_second)),
                )
            self._buckets.write(project_id, left - spans, now)

    def _account(self, project_id: UUID, now: float) -> _Account:
        account = self._accounts.get(project_id)
        if account is None:
            if len(self._accounts) >= _MOST_PROJECTS:
                self._accounts.clear()
            account = self._accounts[project_id] = _Account()
        _turn_page(account, now)
        return account


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"


def _turn_page(account: _Account, now: float) -> None:
    day = int(now // _DAY_SECONDS)
    if account.day != day:
        account.day, account.bytes = day, 0
