"""Statements for a cluster. The engine's parser reads them; no cluster has run them."""

from __future__ import annotations

import re

import pytest
from pytest_django import Settings

from traces.store import client, cluster, schema, text_index, tuning

pytestmark = pytest.mark.usefixtures("store")


def ours() -> list[str]:
    """Every statement that changes the store's shape."""
    statements = [one for migration in schema.migrations() for one in migration.statements()]
    alterations = [
        f"ALTER TABLE spans ADD INDEX IF NOT EXISTS {name} {definition}"
        for name, definition in text_index.INDEXES.items()
    ]
    settings = [
        f"ALTER TABLE {one.table} MODIFY SETTING {name} = '{value}'"
        for one in tuning.TUNING
        for name, value in one.settings
    ]
    return [schema.LEDGER, *statements, *alterations, *settings, "DROP TABLE IF EXISTS spans"]


def rendered() -> list[str]:
    return [one for statement in ours() for one in cluster.render(statement)]


def parses(statement: str) -> bool:
    """The engine's own parser takes it, to the end."""
    return bool(client.query(f"EXPLAIN AST {statement.rstrip(';')}"))


def test_without_a_cluster_statements_run_as_written() -> None:
    assert rendered() == [statement.strip() for statement in ours()]
    assert all(parses(statement) for statement in rendered())
    assert cluster.stored_name("spans") == "spans"
    assert cluster.read_settings() == cluster.insert_settings() == {}


@pytest.mark.parametrize("is_sharded", [False, True], ids=["replicated", "sharded"])
def test_on_a_cluster_every_statement_is_for_all_servers_and_every_table_replicated(
    settings: Settings, is_sharded: bool
) -> None:
    settings.CLICKHOUSE_CLUSTER, settings.CLICKHOUSE_SHARDED = "main", is_sharded
    for statement in rendered():
        assert "ON CLUSTER 'main'" in statement
        assert not re.search(r"ENGINE = (?!Replicated)\w*MergeTree", statement)
        assert parses(statement), statement


def test_a_sharded_table_is_two_and_the_rows_of_a_trace_are_together(settings: Settings) -> None:
    settings.CLICKHOUSE_CLUSTER, settings.CLICKHOUSE_SHARDED = "main", True
    held, spread = cluster.render(
        "CREATE TABLE IF NOT EXISTS spans (trace_id String)\n"
        "ENGINE = ReplacingMergeTree(version)\nORDER BY trace_id"
    )
    assert held.startswith("CREATE TABLE IF NOT EXISTS spans_shard ON CLUSTER 'main' (trace_id")
    assert "ReplicatedReplacingMergeTree(version)" in held
    assert spread == (
        "CREATE TABLE IF NOT EXISTS spans ON CLUSTER 'main' AS spans_shard ENGINE ="
        " Distributed('main', currentDatabase(), spans_shard, cityHash64(trace_id))"
    )
    (view,) = cluster.render(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS writer TO trace_index AS\nSELECT 1 FROM spans"
    )
    assert "TO trace_index_shard AS" in view
    assert view.endswith("FROM spans_shard")
    (changed,) = cluster.render("ALTER TABLE writer MODIFY QUERY SELECT 1 FROM spans")
    assert changed == "ALTER TABLE writer ON CLUSTER 'main' MODIFY QUERY SELECT 1 FROM spans_shard"


def test_columns_are_added_to_both_tables_and_the_rest_to_the_one_with_rows(
    settings: Settings,
) -> None:
    settings.CLICKHOUSE_CLUSTER, settings.CLICKHOUSE_SHARDED = "main", True
    assert cluster.render("ALTER TABLE spans ADD COLUMN IF NOT EXISTS x String") == [
        "ALTER TABLE spans_shard ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS x String",
        "ALTER TABLE spans ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS x String",
    ]
    for change in ("UPDATE x = 1 WHERE 1", "MODIFY SETTING a = 1", "MATERIALIZE INDEX i"):
        (only,) = cluster.render(f"ALTER TABLE spans {change}")
        assert only.startswith("ALTER TABLE spans_shard ON CLUSTER 'main'")
    assert len(cluster.render("DROP TABLE IF EXISTS spans")) == 2


def test_the_ledger_of_migrations_is_one_for_all_shards(settings: Settings) -> None:
    settings.CLICKHOUSE_CLUSTER, settings.CLICKHOUSE_SHARDED = "main", True
    (ledger,) = cluster.render(schema.LEDGER)
    assert "'{shard}-{replica}'" in ledger
    assert "schema_migrations_shard" not in ledger


def test_a_statement_without_a_rule_is_refused(settings: Settings) -> None:
    settings.CLICKHOUSE_CLUSTER = "main"
    with pytest.raises(ValueError, match="No rule"):
        cluster.render("RENAME TABLE a TO b")


def test_tuning_is_applied_once_and_the_engine_keeps_it() -> None:
    assert tuning.apply() == []
    definition = client.query("SELECT engine_full FROM system.tables WHERE name = 'spans'")
    assert "map_serialization_version = 'with_buckets'" in definition[0]["engine_full"]
