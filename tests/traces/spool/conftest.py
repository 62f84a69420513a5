"""A spool of each test's own, empty at its beginning."""

from __future__ import annotations

import pytest

from traces.spool import deposits


@pytest.fixture(autouse=True)
def _usage_is_looked_up_anew() -> None:
    """Rows vanish between tests; what a process remembers of them would not."""
    deposits.forget_usage()
