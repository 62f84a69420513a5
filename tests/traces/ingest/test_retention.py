"""The ledger is kept for as long as the setting says."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from traces.ingest import retention

pytestmark = pytest.mark.usefixtures("store")


def test_a_changed_setting_changes_both_tables_once(settings: Settings) -> None:
    assert retention.apply() == []
    settings.INGEST_LEDGER_DAYS = 3
    try:
        assert sorted(retention.apply()) == ["ingested", "receipts"]
        assert retention.apply() == []
    finally:
        settings.INGEST_LEDGER_DAYS = 14
        assert sorted(retention.apply()) == ["ingested", "receipts"]
