"""The named queries, as far as they must agree with each other."""

from __future__ import annotations

import re

from traces.store import statements


def selected(name: str) -> list[str]:
    """The names of what the inner SELECT of a query gives, in order."""
    found = re.search(r"\(\s*SELECT\s+(.*?)\s+FROM spans", statements.text(name), re.DOTALL)
    assert found is not None, name
    whole = found.group(1)
    while (flat := re.sub(r"\([^()]*\)", "", whole)) != whole:  # arguments of functions
        whole = flat
    return [column.split()[-1] for column in whole.split(",")]


def test_a_running_trace_and_a_settled_one_are_summed_up_from_the_same_columns() -> None:
    """`totals` reads rows of both; the queries stay apart because one may cross projects."""
    assert selected("spans_of_traces") == selected("system_spans_of_traces")
