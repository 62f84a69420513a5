"""The schedule inside `web`: what its thread may set of connections depends on the database."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from traceroot_site.embedded_worker import EmbeddedWorker


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_its_schedule_keeps_a_connection_only_where_no_pool_does() -> None:
    """Django refuses a pool beside persistent connections, and the schedule would never start."""
    found: dict[str, object] = {}

    class Beat:
        def start(self, embedded_process: bool) -> None:
            for one in connections.all():
                one.ensure_connection()
                found[one.vendor] = one.settings_dict["CONN_MAX_AGE"]

    worker = EmbeddedWorker.__new__(EmbeddedWorker)
    worker._beat = Beat()  # type: ignore[assignment]
    thread = threading.Thread(target=worker._run_beat)
    thread.start()
    thread.join(20)
    wanted = {"sqlite": None, "postgresql": 0}
    assert found
    assert found == {vendor: wanted[vendor] for vendor in found}
