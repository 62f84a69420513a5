"""How the spans of a trace lie in one another, and between which of them usage is restated.

A span that wraps another one repeats its usage, unless work stands between two model calls: what a
tool or an agent calls is a call of its own (`counted_usage`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from traces.trace_spans import NO_PARENT

CALLS = frozenset({"llm", "embedding"})
# Between two model calls one of these means two calls; without one the outer restates the inner.
WORK_BETWEEN = frozenset({"tool", "agent", "retriever", "reranker"})


def from_the_top(ids: Sequence[bytes], parents: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """The position of each span once with the parent it was reached by, parents first, without
    recursion.

    Spans that are their own ancestors are reached by no top: the first of them becomes one.
    """
    below = _children(ids, parents)
    order: list[tuple[int, bytes]] = []
    seen: set[int] = set()
    for top in (*below.get(b"", ()), *range(len(ids))):
        stack = [(top, b"")]
        while stack:
            position, parent = stack.pop()
            if position in seen:
                continue
            seen.add(position)
            order.append((position, parent))
            span_id = ids[position]
            stack.extend((child, span_id) for child in below.get(span_id, ()))
    return order


def _children(ids: Sequence[bytes], parents: Sequence[bytes]) -> dict[bytes, list[int]]:
    known = set(ids)
    below: dict[bytes, list[int]] = defaultdict(list)
    for position, (span_id, parent) in enumerate(zip(ids, parents, strict=True)):
        is_below = parent != NO_PARENT and parent in known and parent != span_id
        below[parent if is_below else b""].append(position)
    return below
