"""Migrations: in order, once, and never silently different."""

from __future__ import annotations

import re

import pytest

from traces.store import client, schema

pytestmark = pytest.mark.usefixtures("store")


def test_applying_again_does_nothing() -> None:
    assert schema.apply() == []


def test_names_are_in_order_and_no_number_is_used_twice() -> None:
    numbers = [int(migration.name.split("_")[0]) for migration in schema.migrations()]
    assert numbers == sorted(set(numbers))
    for migration in schema.migrations():
        assert re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)+", migration.name)


def test_an_edited_migration_is_refused() -> None:
    first = schema.migrations()[0].name
    ledger = ["name", "checksum"], ["String", "String"]
    try:
        client.insert("schema_migrations", [[first], ["another"]], *ledger)
        with pytest.raises(schema.MigrationChanged, match=first):
            schema.apply()
    finally:
        client.insert("schema_migrations", [[first], [schema.migrations()[0].checksum]], *ledger)
    assert schema.apply() == []


def test_an_installation_with_an_earlier_form_is_brought_up_to_date() -> None:
    """Its table has granules of 4,096 rows for good, and everything else as new ones have it."""
    ledger = ["name", "checksum"], ["String", "String"]
    for name, earlier in schema._BEFORE.items():
        now = next(one for one in schema.migrations() if one.name == name)
        assert earlier != now.checksum
        text = now.sql.replace("index_granularity = 2048", "index_granularity = 4096")
        assert schema.Migration(name, text).checksum == earlier
        try:
            client.insert("schema_migrations", [[name], [earlier]], *ledger)
            assert schema.apply() == []
        finally:
            client.insert("schema_migrations", [[name], [now.checksum]], *ledger)


def test_statements_are_split_and_comments_dropped() -> None:
    found = schema.Migration("0001_a_b", "-- why; how\nSELECT 1;\n\nSELECT 2;\n").statements()
    assert [statement.rstrip(";") for statement in found] == ["SELECT 1", "SELECT 2"]


def test_every_column_that_is_written_exists_with_its_type() -> None:
    from traces.store import rows

    found = client.query(
        "SELECT name, type FROM system.columns"
        " WHERE database = currentDatabase() AND table = 'spans'"
    )
    types = {row["name"]: row["type"] for row in found}
    for name, type_ in zip(rows.COLUMN_NAMES, rows.COLUMN_TYPES, strict=True):
        assert types[name] == type_


def test_what_the_engine_fills_in_for_a_column_that_is_not_sent_is_its_empty_value() -> None:
    """`writer.insert` leaves out columns in which no row has a value."""
    from traces.store import rows

    found = client.query(
        "SELECT name, default_expression FROM system.columns"
        " WHERE database = currentDatabase() AND table = 'spans' AND default_kind != ''"
    )
    defaults = {row["name"]: row["default_expression"] for row in found}
    sent = {defaults[name] for name in rows.COLUMN_NAMES if name in defaults}
    sent.discard(defaults["sources_json"])  # never empty: it is "{}" at least
    assert sent <= {"''", "0", "false"}
