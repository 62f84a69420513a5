"""Wake-ups of the trace stages. The work is found in the store: a lost wake-up costs a second."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from traces import resting, settle
from traces.deletion import work
from traces.estimates import tokenizer
from traces.estimates import work as estimating
from traces.ingest import retention
from traces.retention import sweeps
from traces.spool import drain
from traces.store.errors import StoreError

log = logging.getLogger(__name__)

_GLANCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 15
_LOOK_FAR_SECONDS = 3600


@shared_task(name="traces.settle", time_limit=300)
def settle_recent() -> None:
    """Each second what came just now; further back only now and then: that is much to look at."""
    if not resting.is_due("traces.settle"):
        return
    looks = cache.add("traces.settle:looked", True, timeout=_LOOK_EVERY_SECONDS)
    seconds = settle.SHORT_LOOKBACK_SECONDS if looks else _GLANCE_SECONDS
    with resting.afterwards("traces.settle"):
        _settle("traces.settle", seconds, settle.MAX_SECONDS)


@shared_task(name="traces.settle_all", time_limit=900)
def settle_all() -> None:
    _settle("traces.settle_all", settle.LONG_LOOKBACK_SECONDS, 600.0)


def _settle(name: str, lookback_seconds: int, max_seconds: float) -> None:
    def work() -> None:
        settle.settle_quiet(lookback_seconds=lookback_seconds, max_seconds=max_seconds)

    _alone(name, max_seconds, work)


@shared_task(name="traces.estimate_tokens", time_limit=300)
def estimate_tokens() -> None:
    """Each minute what settled just now; what was missed in the last day only now and then."""
    looks_far = cache.add("traces.estimate_tokens:looked", True, timeout=_LOOK_FAR_SECONDS)

    def work() -> None:
        seconds = estimating.SHORT_LOOKBACK_SECONDS
        if looks_far:
            seconds = estimating.LONG_LOOKBACK_SECONDS
        try:
            estimating.run(lookback_seconds=seconds)
        except tokenizer.EncodingMissing as error:
            log.error("traces.estimate_tokens_failed reason=%s", error)

    _alone("traces.estimate_tokens", estimating.MAX_SECONDS, work)


@shared_task(name="traces.drain_spool", time_limit=300)
def drain_spool() -> None:
    # Leases keep drainers apart; one is enough.
    _alone("traces.drain_spool", drain.MAX_SECONDS, drain.drain)


@shared_task(name="traces.keep_ledger", time_limit=300)
def keep_ledger() -> None:
    _alone("traces.keep_ledger", 60.0, retention.apply)


@shared_task(name="traces.delete", time_limit=600)
def delete() -> None:
    """Deletions are rows with leases: whoever comes second finds them taken."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    work.run_due(worker, max_seconds=20.0)


@shared_task(name="traces.keep_retention", time_limit=600)
def keep_retention() -> None:
    now = timezone.now()

    def tend() -> None:
        sweeps.ask_due(now)
        work.forget_expired(now)

    _alone("traces.keep_retention", 300.0, tend)


def _alone(name: str, max_seconds: float, work: Callable[[], object]) -> None:
    """Two at once do no harm, only double work; the mark of one that was killed expires soon."""
    if not cache.add(f"task:{name}", True, timeout=int(max_seconds) + 40):
        return
    try:
        work()
    except StoreError as error:
        log.warning("%s_failed reason=%s", name, error)
    finally:
        cache.delete(f"task:{name}")
