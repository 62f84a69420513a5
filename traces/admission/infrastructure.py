"""Spans of the machinery around an agent (HTTP, databases, RPC, queues) that carry no content.

The store works the same out for what is stored (column `is_infrastructure`); a test holds the two
together.
"""

from __future__ import annotations

from traces.spans import Span

ATTRIBUTES = frozenset(
    {
        "http.request.method", "http.method", "http.url", "url.full", "http.route",
        "db.system", "db.system.name", "rpc.system", "rpc.system.name", "messaging.system",
        "faas.trigger", "asgi.event.type", "network.protocol.name", "celery.action",
    }
)  # fmt: skip
"""One of these, as text, on a span of no other kind."""


def is_infrastructure(span: Span) -> bool:
    if span.kind != "span" or span.input or span.output:
        return False
    attributes = span.attributes
    if ATTRIBUTES.isdisjoint(attributes):
        return False
    return any(isinstance(attributes.get(name), str) for name in ATTRIBUTES)
