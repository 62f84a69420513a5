"""Fixtures of all tests: the real engine, the named cast, the shared real cases."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts import api_keys
from traces.store import client, schema
from traces.store.engine.directory import write_atomically
from traces.store.engine.process import EngineProcess

pytest_plugins = ["tests.cast"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who uses the database may use the spool's, as in the product."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        names = getattr(item, "fixturenames", ())
        if mark is None and not {"db", "transactional_db"} & set(names):
            continue
        given = dict(mark.kwargs) if mark else {"transaction": "transactional_db" in names}
        item.add_marker(pytest.mark.django_db(**{"databases": ["default", "spool"], **given}))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a body by its length: test processes must agree on names, and bytes may hold a time."""
    return f"{argname}_of_{len(val)}_bytes" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _no_key_is_remembered() -> Iterator[None]:
    """Rows vanish between tests; a cached key would outlive its own."""
    api_keys.forget_verified()
    yield
    api_keys.forget_verified()


@pytest.fixture(scope="session")
def engine() -> Iterator[EngineProcess]:
    """A real engine process with our tables, one a test process."""
    process = EngineProcess(Path(settings.DATA_DIR) / "engine", token=uuid.uuid4().hex)
    process.start()
    client.engine_file().parent.mkdir(parents=True, exist_ok=True)
    write_atomically(client.engine_file(), json.dumps({"url": process.url, "token": process.token}))
    schema.apply()
    yield process
    client.forget()
    process.stop()


@pytest.fixture
def store(engine: EngineProcess) -> EngineProcess:
    """The trace store, running. Tests are kept apart by their projects' ids."""
    if not engine.is_running:
        engine.start()
    return engine


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real cases; skips with a message where there is none."""
    folder = os.environ.get("TRACEROOT_SHARED", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TRACEROOT_SHARED does not name the folder of real cases")
    return Path(folder)
