"""What /readyz says."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
def test_a_disk_that_is_almost_full_is_said(client: Client, settings: Settings) -> None:
    settings.CLICKHOUSE_URL = ""
    assert client.get("/readyz").json()["checks"]["disk"]["status"] == "ok"
    settings.SPOOL_MIN_FREE_BYTES = 2**62
    answer = client.get("/readyz")
    assert answer.status_code == 503
    disk = answer.json()["checks"]["disk"]
    assert (disk["status"], disk["error"]) == ("unavailable", "DiskAlmostFull")
