"""Documents that a retriever or reranker gave, in one shape, from lists, flat keys and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traces.semconv import flat_messages, places, reading
from traces.semconv.message_parts import first
from traces.semconv.registry import CONVENTIONS
from traces.spans import Span

_FLAT = tuple(p for convention in CONVENTIONS for p in convention.reads.flat_documents)
_EVENTS = {"db.query.result": "db.query.result.", "db.search.result": "db.search.result."}
_LIST_KEYS = ("documents", "contexts", "results", "chunks", "matches")
_MAX_DOCUMENTS = 1_000

Document = dict[str, Any]


def of(span: Span) -> list[Document]:
    """Each with what it has of `document_id`, `content`, `score` and `metadata`."""
    for items in (_listed(span), _flat(span), _of_events(span)):
        found = [document for item in items if (document := _document(item))][:_MAX_DOCUMENTS]
        if found:
            return found
    return []


def _listed(span: Span) -> Iterator[Any]:
    for _, value in places.of(span, "retrieval_contexts"):
        parsed = reading.parsed_json(value)
        if isinstance(parsed, dict):
            parsed = first(parsed, *_LIST_KEYS)
        if isinstance(parsed, list) and parsed:
            yield from parsed
            return


def _flat(span: Span) -> Iterator[Any]:
    for prefix in _FLAT:
        if any(name.startswith(prefix) for name in span.attributes):
            yield from flat_messages.indexed(flat_messages.tree(span.attributes, prefix))
            return


def _of_events(span: Span) -> Iterator[Any]:
    for event in span.events:
        prefix = _EVENTS.get(event.name)
        if prefix is not None:
            yield {name.removeprefix(prefix): value for name, value in event.attributes.items()}


def _document(item: Any) -> Document | None:
    if isinstance(item, str):
        return {"content": item} if item else None
    if not isinstance(item, dict):
        return None
    inner = item.get("document")
    details: Mapping[str, Any] = inner if isinstance(inner, dict) else item
    content = first(
        details, "content", "page_content", "pageContent", "text", "document", "entity", "body"
    )
    found: Document = {
        "document_id": first(details, "id", "document_id", "documentId", "doc_id"),
        "chunk_id": first(details, "chunk_id", "chunkId"),
        "content": content,
        "score": first(details, "score", "relevance_score", "distance") or item.get("score"),
        "metadata": reading.parsed_json(first(details, "metadata")),
    }
    kept = {name: value for name, value in found.items() if value is not None}
    return kept if "content" in kept or "document_id" in kept else None
