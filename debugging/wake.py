"""Wakes a worker after a row was queued. Beat finds every row too: a lost wake-up costs seconds."""

from __future__ import annotations

from celery import current_app
from django.db import transaction


def worker() -> None:
    """Once the transaction is committed; a broker that is down is logged and no error."""
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    current_app.send_task("debugging.run_pending", expires=30)
