"""Sustained ingest with the text index on: the same as `ingest`, and nothing promised of it."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import ingest
from benchmarks.figures import Figure
from tests.product.running import Product
from traces.store import text_index


def run(product: Product) -> Sequence[Figure]:
    text_index.add()
    try:
        return ingest.measure(product, seed=5)
    finally:
        text_index.drop()
