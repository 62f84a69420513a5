"""The price map that comes with the installation, inside of the litellm package.

Read as a file: importing litellm costs seconds and 190 MB.
"""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

from traces.pricing.price_map import PriceMap

_FILE = "litellm/model_prices_and_context_window_backup.json"


def version() -> str:
    """`litellm 1.105.3`."""
    return f"litellm {metadata.version('litellm')}"


def content() -> bytes:
    found = metadata.distribution("litellm").locate_file(_FILE)
    return Path(str(found)).read_bytes()


@cache
def price_map() -> PriceMap:
    return PriceMap(content(), version())
