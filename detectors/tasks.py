"""Wake-ups of detection. The work is rows, so a lost wake-up costs a second and never a verdict."""

from __future__ import annotations

import logging
import uuid

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from detectors import alerts, runs, sweep
from detectors.models import Detector
from traces import resting
from traces.store.errors import StoreError

log = logging.getLogger(__name__)

CHECK_SECONDS = 8.0
JUDGE_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 10
_WAKE = "task:detectors.run_pending"


@shared_task(name="detectors.sweep", time_limit=120)
def sweep_settled() -> None:
    """Settled generations become runs, and their checks run at once; judges are woken."""
    owner = uuid.uuid4().hex
    if not resting.is_due("detectors.sweep") or not sweep.hold(owner, timezone.now()):
        return
    with resting.afterwards("detectors.sweep"):
        _sweep(owner)
    if runs.has_due(Detector.Kind.JUDGE, timezone.now()) and cache.add(_WAKE, True, timeout=15):
        run_pending.apply_async(expires=15)


def _sweep(owner: str) -> None:
    try:
        is_wide = cache.add("detectors.sweep:looked", True, timeout=_LOOK_EVERY_SECONDS)
        sweep.create_runs(timezone.now(), overlap=sweep.OVERLAP if is_wide else sweep.GLANCE)
        runs.run_due(Detector.Kind.CHECK, seconds=CHECK_SECONDS)
    except StoreError as error:
        log.warning("sweep.store_unavailable reason=%s", error)
    finally:
        sweep.release(owner)


@shared_task(name="detectors.run_pending", time_limit=600)
def run_pending() -> None:
    """Judges of waiting runs, for a while; one call of a model may outlast the budget."""
    try:
        runs.run_due(Detector.Kind.JUDGE, seconds=JUDGE_SECONDS)
    finally:
        cache.delete(_WAKE)


@shared_task(name="detectors.send_alerts", time_limit=300)
def send_alerts() -> None:
    alerts.send_due(timezone.now)
