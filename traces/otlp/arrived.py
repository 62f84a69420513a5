"""What a request brought, once it is decoded and normalised, and what is known of its sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traces.otlp.decoded import Rejection
from traces.otlp.decoder import Encoding
from traces.spans import Attributes, Span


@dataclass(frozen=True, slots=True)
class Arrived:
    spans: Sequence[Span]
    rejected: Sequence[Rejection]
    received_ns: int
    encoding: Encoding
    content_encoding: str
    compressed_bytes: int
    body_bytes: int
    resource: Attributes
    """Of the first span: requests of several SDKs come from collectors, which say so themselves."""
