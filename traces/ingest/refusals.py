"""Requests that were refused, added up in memory and written as receipts every few seconds.

They are figures for a page, not a ledger: what a crash takes is a few seconds of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from traces.ingest import receipts
from traces.ingest.receipts import MAX_SAMPLES, Receipt
from traces.store.errors import StoreError

log = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0
_MAX_GROUPS = 1_000
_Group = tuple[UUID, UUID, int]  # project, key, status


@dataclass(slots=True)
class _Total:
    requests: int = 0
    bytes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Refusals:
    """Safe from any thread. `write` is given the receipts of each flush."""

    def __init__(
        self,
        write: Callable[[Sequence[Receipt]], None] = receipts.insert,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._write = write
        self._now_ns = now_ns
        self._totals: dict[_Group, _Total] = {}
        self._keyless = 0
        self._lock = threading.Lock()
        self._is_flushing = False

    def note(
        self, project_id: UUID | None, key_id: UUID | None, status: int, reason: str, size: int
    ) -> None:
        with self._lock:
            if project_id is None or key_id is None:
                self._keyless += 1
            else:
                self._add((project_id, key_id, status), reason[:200], size)
            starts, self._is_flushing = not self._is_flushing, True
        if starts:
            self._start_timer()

    def flush(self) -> None:
        """Write what was added up. Raises StoreError; then it is kept for the next time."""
        with self._lock:
            totals, self._totals = self._totals, {}
            keyless, self._keyless = self._keyless, 0
        if keyless:
            log.info("otlp.unauthorized requests=%d", keyless)
        if not totals:
            return
        try:
            self._write([self._receipt(group, total) for group, total in totals.items()])
        except StoreError:
            with self._lock:
                for group, total in self._totals.items():
                    kept = totals.setdefault(group, _Total())
                    kept.requests += total.requests
                    kept.bytes += total.bytes
                    for reason, count in total.reasons.items():
                        kept.reasons[reason] = kept.reasons.get(reason, 0) + count
                self._totals = totals
            raise

    def _add(self, group: _Group, reason: str, size: int) -> None:
        total = self._totals.get(group)
        if total is None:
            if len(self._totals) >= _MAX_GROUPS:
                return
            total = self._totals[group] = _Total()
        total.requests += 1
        total.bytes += size
        if reason in total.reasons or len(total.reasons) < receipts.MAX_REASONS:
            total.reasons[reason] = total.reasons.get(reason, 0) + 1

    def _start_timer(self) -> None:
        timer = threading.Timer(FLUSH_SECONDS, self._flush_later)
        timer.daemon = True
        timer.start()

    def _flush_later(self) -> None:
        with self._lock:
            self._is_flushing = False
        try:
            self.flush()
        except StoreError as error:
            log.info("refusals.kept reason=%s", error)
            with self._lock:
                starts, self._is_flushing = not self._is_flushing, True
            if starts:
                self._start_timer()

    def _receipt(self, group: _Group, total: _Total) -> Receipt:
        project_id, key_id, status = group
        return Receipt(
            project_id=project_id,
            receipt_id=uuid4(),
            kind="refused",
            key_id=key_id,
            received_ns=self._now_ns(),
            status=status,
            requests=total.requests,
            compressed_bytes=total.bytes,
            reasons=total.reasons,
            samples=list(total.reasons)[:MAX_SAMPLES],
        )
