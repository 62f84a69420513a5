"""Metadata as it was sent: the store keeps texts to filter by, this gives `1` back as a number.

Read from the attributes, which keep what arrived; a value that cannot be found there stays text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from traces.semconv import reading
from traces.semconv.registry import COMMON, METADATA_NAMES, METADATA_PREFIXES
from traces.semconv.registry import TRACE_METADATA_PREFIXES as OF_TRACE_PREFIXES
from traces.spans import Attributes, AttributeValue, Span

_Field = Literal["metadata", "trace_metadata"]


def of_span(span: Span) -> dict[str, Any]:
    """Values for JSON, by the names of `span.metadata`."""
    return _typed(span.metadata, _sent(span.attributes, "metadata")) if span.metadata else {}


def of_trace(kept: Mapping[str, str], root: Span | None, spans: Sequence[Span]) -> dict[str, Any]:
    """Values for JSON, by the names of `kept`, the summary's: the root's own and the trace's."""
    sent = dict(_sent(root.attributes, "metadata")) if root is not None and root.metadata else {}
    for span in spans:
        if span.trace_metadata:
            sent.update(_sent(span.attributes, "trace_metadata"))
    return _typed(kept, sent)


def _typed(kept: Mapping[str, str], sent: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Only what reads the same is taken: `kept` is what people filter by."""
    return {
        key: reading.parsed_json(text) if _is_other_than_text(sent.get(key), text) else text
        for key, text in kept.items()
    }


def _is_other_than_text(value: AttributeValue, text: str) -> bool:
    return value is not None and not isinstance(value, str) and reading.text(value) == text


def _sent(attributes: Attributes, field: _Field) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    for _, name in sorted(_holders(attributes, field)):
        content = reading.parsed_json(attributes[name])
        if isinstance(content, dict):
            for key, value in content.items():
                found.setdefault(str(key), value)
    prefixes = METADATA_PREFIXES if field == "metadata" else OF_TRACE_PREFIXES
    for name, value in attributes.items():
        if field == "metadata" and name in METADATA_NAMES:
            found.setdefault(METADATA_NAMES[name], value)
        elif name.startswith(prefixes):
            prefix = next(each for each in prefixes if name.startswith(each))
            found.setdefault(name[len(prefix) :], value)
    return found


def _holders(attributes: Attributes, field: _Field) -> Iterator[tuple[int, str]]:
    """Attributes that hold entries together, each with its rank."""
    for name in attributes:
        entry = COMMON.entries.get(name)
        for given, rank in entry.fields if entry is not None else ():
            if given == field:
                yield rank, name
