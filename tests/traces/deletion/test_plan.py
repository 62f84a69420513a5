"""The plan names every table of the store, and finds rows as their columns allow."""

from __future__ import annotations

import pytest

from traces.deletion.plan import NAMES, PLAN
from traces.store import client

pytestmark = pytest.mark.usefixtures("store")
NOT_OF_PROJECTS = {"schema_migrations"}


def columns() -> dict[str, set[str]]:
    found = client.query(
        "SELECT c.table AS table, groupArray(c.name) AS names FROM system.columns AS c"
        " JOIN system.tables AS t ON t.database = c.database AND t.name = c.table"
        " WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree'"
        " GROUP BY c.table"
    )
    return {row["table"]: set(row["names"]) for row in found}


def test_every_table_is_in_the_plan_with_the_ways_its_columns_allow() -> None:
    tables = {
        name: names
        for name, names in columns().items()
        if name not in NOT_OF_PROJECTS and not name.startswith(("bare", "without_", "kept_"))
    }
    assert {name for name, names in tables.items() if "project_id" in names} == set(NAMES)
    for table in PLAN:
        names = tables[table.name]
        has_id = "trace_id" in names
        assert table.by_trace == has_id or table.keeps, table
        if table.by_person:
            assert {"session_id", "user_id"} <= names
        if table.has_window:
            assert "bucket_time" in names


def test_rows_that_may_belong_to_no_trace_are_found_by_person() -> None:
    """A table whose rows are found neither by trace nor by person says what keeps them."""
    for table in PLAN:
        assert table.by_trace or table.by_person or table.keeps


def test_the_index_of_traces_goes_last() -> None:
    assert NAMES[-1] == "trace_index"
