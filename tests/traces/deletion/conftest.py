"""A spool of each test's own; old parts of the store leave the disk within a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from traces.deletion import tombstones
from traces.deletion.plan import NAMES
from traces.spool import deposits
from traces.store import client


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    deposits.forget_usage()
    tombstones.forget()
    yield
    tombstones.forget()


@pytest.fixture
def quick_disk(store: object) -> None:
    """By default the engine keeps replaced parts for eight minutes, and the thread of a table that
    removes them sleeps up to five more, as it decided when it last looked: it is begun anew."""
    for name in NAMES:
        definition = client.query(
            "SELECT engine_full FROM system.tables"
            " WHERE database = currentDatabase() AND name = {table:String}",
            {"table": name},
        )[0]["engine_full"]
        if "old_parts_lifetime = 1" in definition:
            continue
        client.command(
            f"ALTER TABLE {name} MODIFY SETTING old_parts_lifetime = 1,"
            " cleanup_delay_period = 1, max_cleanup_delay_period = 2"
        )
        client.command(f"DETACH TABLE {name}")
        client.command(f"ATTACH TABLE {name}")
