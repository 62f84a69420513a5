"""Applies `migrations/NNNN_verb_noun.sql` to the engine: forward only, in order, checksummed.

With CLICKHOUSE_CLUSTER set they are rendered for the cluster (`cluster`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from traces.store import client, cluster, tuning
from traces.store.errors import StoreError

_DIRECTORY = Path(__file__).parent / "migrations"
LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations
(name String, checksum String, applied_at DateTime('UTC') DEFAULT now())
ENGINE = ReplacingMergeTree ORDER BY name
"""


class MigrationChanged(StoreError):
    """A migration that was applied no longer reads as it did."""


_BEFORE = {
    "0001_create_spans": "f19fdedef1d5d0f5025cd1517c2684aa81cef744a569103385216dc67609250f",
}
"""Checksums of migrations that make something else for new installations, which the engine cannot
change where it exists, and that old ones need not have: `spans` had granules of 4,096 rows.
"""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self) -> list[str]:
        without_comments = re.sub(r"^\s*--.*$", "", self.sql, flags=re.MULTILINE)
        return [part.strip() for part in without_comments.split(";\n") if part.strip(" \n;")]


def migrations() -> list[Migration]:
    return [Migration(file.stem, file.read_text()) for file in sorted(_DIRECTORY.glob("*.sql"))]


def apply(report: Callable[[str], None] = lambda name: None) -> list[str]:
    """Apply what is missing; returns the names applied. Raises MigrationChanged or StoreError."""
    _run(LEDGER)
    applied = {
        row["name"]: row["checksum"]
        for row in client.query("SELECT name, checksum FROM schema_migrations FINAL")
    }
    done = []
    for migration in migrations():
        known = applied.get(migration.name)
        if known is not None:
            if known not in {migration.checksum, _BEFORE.get(migration.name)}:
                raise MigrationChanged(
                    f"Migration {migration.name} was applied and has been edited since. "
                    "Restore its text and write a new migration for the change."
                )
            continue
        for statement in migration.statements():
            _run(statement)
        client.insert(
            "schema_migrations",
            [[migration.name], [migration.checksum]],
            ["name", "checksum"],
            ["String"] * 2,
        )
        report(migration.name)
        done.append(migration.name)
    tuning.apply()
    return done


def _run(statement: str) -> None:
    for rendered in cluster.render(statement):
        client.command(rendered)
