"""Posting OTLP requests to the running product."""

from __future__ import annotations

import gzip

import httpx

from tests.product.running import Product

_HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}


def client(product: Product) -> httpx.Client:
    return httpx.Client(
        headers={**_HEADERS, "Authorization": f"Bearer {product.api_key}"},
        timeout=60,
        trust_env=False,
    )


def packed(body: bytes) -> bytes:
    return gzip.compress(body, 1)


def post(sender: httpx.Client, product: Product, body: bytes) -> None:
    """A gzipped protobuf request; raises unless every span of it is stored."""
    answer = sender.post(f"{product.otlp_url}/v1/traces", content=body)
    answer.raise_for_status()
    if answer.content:
        raise RuntimeError(f"Spans were rejected: {answer.content[:300]!r}")
