"""The schedule inside `web`: what its thread may set of connections depends on the database."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from traceroot_site import embedded_worker


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_its_thread_keeps_connections_only_where_no_pool_does() -> None:
    """Django refuses a pool beside persistent connections, and the schedule would never start."""
    found: dict[str, object] = {}

    def work() -> None:
        embedded_worker.keep_connections()
        for one in connections.all():
            one.ensure_connection()
            found[one.vendor] = one.settings_dict["CONN_MAX_AGE"]
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    wanted = {"sqlite": None, "postgresql": 0}
    assert found
    assert found == {vendor: wanted[vendor] for vendor in found}
