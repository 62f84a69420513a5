"""Wake-ups of the trace stages. The work is found in the store: a lost wake-up costs a second."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache

from traces import settle
from traces.store.errors import StoreError

log = logging.getLogger(__name__)


@shared_task(name="traces.settle", time_limit=300)
def settle_recent() -> None:
    _alone("traces.settle", settle.SHORT_LOOKBACK_SECONDS, settle.MAX_SECONDS)


@shared_task(name="traces.settle_all", time_limit=900)
def settle_all() -> None:
    _alone("traces.settle_all", settle.LONG_LOOKBACK_SECONDS, 600.0)


def _alone(name: str, lookback_seconds: int, max_seconds: float) -> None:
    """Two settlers do no harm, only double work; the mark of one that was killed expires soon."""
    if not cache.add(f"task:{name}", True, timeout=int(max_seconds) + 40):
        return
    try:
        settle.settle_quiet(lookback_seconds=lookback_seconds, max_seconds=max_seconds)
    except StoreError as error:
        log.warning("traces.settle_failed reason=%s", error)
    finally:
        cache.delete(f"task:{name}")
