"""Table settings that make reads cheaper where the engine knows them; older servers go without.

Applied after the migrations, each time: an engine that was upgraded gets what it could not have
before. Nothing here changes what a table holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from traces.store import client, cluster


@dataclass(frozen=True, slots=True)
class TableSettings:
    table: str
    settings: tuple[tuple[str, str], ...]


TUNING = (
    # A filter by one attribute reads the bucket of its key, not all of them: a third of the time.
    # Only merges sort into buckets; an INSERT writes as before.
    TableSettings(
        "spans",
        (
            ("map_serialization_version", "with_buckets"),
            ("map_serialization_version_for_zero_level_parts", "basic"),
            ("map_buckets_min_avg_size", "0"),
            ("map_buckets_coefficient", "2"),
        ),
    ),
    # A part of some thousand spans in one file instead of two hundred: a third less work an INSERT.
    TableSettings("spans", (("min_bytes_for_wide_part", str(64 * 1024**2)),)),
    # Column after column instead of row after row: a sixth less work, and less memory.
    TableSettings("spans", (("vertical_merge_algorithm_min_rows_to_activate", "1"),)),
    # Merging a wide row costs as much as inserting it. At the engine's base of 5 a row under load
    # is merged twice in its first ten seconds, and narrow tables are merged whole with every
    # INSERT; at 16 half as often, for a dozen parts more. Parts that are left alone for ten seconds
    # are merged as before.
    *(
        TableSettings(table, (("merge_selector_base", "16"),))
        for table in ("spans", "trace_index", "ingested", "receipts", "traces", "verdicts")
    ),
    # Distinct values of every column, counted at each merge for the planner of joins; none is made.
    TableSettings("spans", (("auto_statistics_types", ""),)),
)


def apply() -> list[str]:
    """Set what is missing; returns the tables that were changed. Raises StoreError."""
    known = {row["name"] for row in client.query("SELECT name FROM system.merge_tree_settings")}
    changed = []
    for tuning in TUNING:
        if any(name not in known for name, _ in tuning.settings):
            continue
        definition = client.query(
            "SELECT engine_full FROM system.tables"
            " WHERE database = currentDatabase() AND name = {table:String}",
            {"table": cluster.stored_name(tuning.table)},
        )[0]["engine_full"]
        wanted = [
            (name, value) for name, value in tuning.settings if f"{name} = " not in definition
        ]
        if wanted:
            said = ", ".join(f"{name} = '{value}'" for name, value in wanted)
            for rendered in cluster.render(f"ALTER TABLE {tuning.table} MODIFY SETTING {said}"):
                client.command(rendered)
            changed.append(tuning.table)
    return changed
