"""Each test starts and ends without prices in memory: what one wrote is gone with its rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from traces import pricing
from traces.pricing import stored


@pytest.fixture(autouse=True)
def _no_prices_are_remembered() -> Iterator[None]:
    pricing.forget()
    stored.forget()
    yield
    pricing.forget()
    stored.forget()
