"""Token buckets: how many spans a second and bytes a day a project may still send.

One of each process. A request is taken while anything is left and then charged in full, so that a
large one is never impossible; who is in debt waits until it is paid off.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from uuid import UUID

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
    spans: float
    at: float
    day: int = 0
    bytes: int = 0


class Rates:
    """Safe from any thread. `now` is seconds since the epoch."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, _Account] = {}
        self._lock = threading.Lock()

    def take(self, project_id: UUID, limit: Limit, spans: int, size: int, now: float) -> None:
        """Without spans and bytes only whether anything may come. Raises OverLimit."""
        if not limit.spans_per_second and not limit.bytes_per_day:
            return
        with self._lock:
            account = self._account(project_id, limit, now)
            if limit.spans_per_second and account.spans <= 0:
                raise OverLimit(
                    f"This project sent more than its limit, {_spans(limit.spans_per_second)} a "
                    "second. Send it again later.",
                    max(1, math.ceil((1 - account.spans) / limit.spans_per_second)),
                )
            if limit.bytes_per_day and account.bytes >= limit.bytes_per_day:
                raise OverLimit(
                    f"This project sent its limit, {limit.bytes_per_day:,} bytes a day (UTC). "
                    "Send it again tomorrow, or ask an admin of the project to raise the limit.",
                    max(1, math.ceil(_DAY_SECONDS - now % _DAY_SECONDS)),
                )
            account.spans -= spans
            account.bytes += size

    def note_used(self, project_id: UUID, size: int, now: float) -> None:
        """What the project sent today by any process, as receipts say."""
        with self._lock:
            account = self._accounts.get(project_id)
            if account is None:
                account = self._accounts[project_id] = _Account(math.inf, now)
            _turn_page(account, now)
            account.bytes = max(account.bytes, size)

    def _account(self, project_id: UUID, limit: Limit, now: float) -> _Account:
        full = float(limit.spans_per_second * BURST_SECONDS)
        account = self._accounts.get(project_id)
        if account is None:
            if len(self._accounts) >= _MOST_PROJECTS:
                self._accounts.clear()
            account = self._accounts[project_id] = _Account(full, now)
        passed = max(0.0, now - account.at)
        account.spans = min(full, account.spans + passed * limit.spans_per_second)
        account.at = now
        _turn_page(account, now)
        return account


def _spans(count: int) -> str:
    return "1 span" if count == 1 else f"{count:,} spans"


def _turn_page(account: _Account, now: float) -> None:
    day = int(now // _DAY_SECONDS)
    if account.day != day:
        account.day, account.bytes = day, 0
