"""How long the engine keeps receipts and ledger: by their tables' TTL, as the setting says."""

from __future__ import annotations

import logging

from django.conf import settings

from traces.store import client

log = logging.getLogger(__name__)

_TABLES = ("receipts", "ingested")


def apply() -> list[str]:
    """Change the tables whose TTL differs from the setting; returns them. Raises StoreError."""
    days = max(1, int(settings.INGEST_LEDGER_DAYS))
    found = client.query(
        "SELECT name, engine_full FROM system.tables"
        " WHERE database = currentDatabase() AND name IN {names:Array(String)}",
        {"names": list(_TABLES)},
    )
    changed = []
    for row in found:
        if f"TTL received_at + toIntervalDay({days}) " in row["engine_full"]:
            continue
        name = str(row["name"])
        client.command(f"ALTER TABLE {name} MODIFY TTL received_at + toIntervalDay({days})")
        changed.append(name)
        log.info("ledger.retention_changed table=%s days=%d", name, days)
    return changed
