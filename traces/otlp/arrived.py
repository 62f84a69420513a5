"""What a request brought, once it is decoded and normalised, and what is known of its sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traces.agent_usage import AgentUsage
from traces.logs import Log
from traces.otlp.decoded import Rejection
from traces.otlp.decoder import Encoding
from traces.otlp.sdk import NOT_SAID, Sdk
from traces.otlp.signals import Signal
from traces.spans import Span


@dataclass(frozen=True, slots=True)
class Arrived:
    spans: Sequence[Span]
    rejected: Sequence[Rejection]
    received_ns: int
    encoding: Encoding
    content_encoding: str
    compressed_bytes: int
    body_bytes: int
    sdk: Sdk = NOT_SAID
    """Of the first record: requests of several SDKs come from collectors, which say so."""
    signal: Signal = "traces"
    logs: Sequence[Log] = ()
    usage: Sequence[AgentUsage] = ()
