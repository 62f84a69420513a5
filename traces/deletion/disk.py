"""The files of the embedded databases, without what was deleted in them.

Freed places are overwritten when they are freed (`secure_delete` in the settings); here the journal
is emptied and the spool's file cut. A database server does this by itself.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import OperationalError, connections

log = logging.getLogger(__name__)


def clean() -> bool:
    """False when somebody was reading meanwhile: try again."""
    cleaned = [_clean(alias) for alias in {"default", settings.SPOOL_ALIAS}]  # each of them
    return all(cleaned)


def _clean(alias: str) -> bool:
    connection = connections[alias]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return True
    try:
        with connection.cursor() as cursor:
            if alias == settings.SPOOL_ALIAS:
                cursor.executescript("PRAGMA incremental_vacuum;")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy = cursor.fetchone()[0]
    except OperationalError as error:
        log.info("deletion.disk_busy database=%s reason=%s", alias, error)
        return False
    return not is_busy
