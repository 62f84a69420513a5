"""One running product for all tests that leave it running, with a mail server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import running
from tests.product.mailbox import Mailbox
from tests.product.running import Product


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    yield box
    box.stop()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Product]:
    """Started once; tests leave it as alive as they found it."""
    directory = tmp_path_factory.mktemp("product") / "data"
    product = running.start(directory, more_environment=mailbox.environment)
    yield product
    product.destroy()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """For a product of a test's own."""
    return tmp_path / "data"
