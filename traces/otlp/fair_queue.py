"""A queue in which owners take turns: whoever has much waiting does not stand before others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Each owner's things in their order; the owners one after the other. Not thread-safe."""

    def __init__(self) -> None:
        self._owners: dict[Hashable, deque[T]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, owner: Hashable, item: T) -> None:
        self._owners.setdefault(owner, deque()).append(item)
        self._length += 1

    def peek(self) -> T:
        """What `take_next` would give. Something must wait."""
        return next(iter(self._owners.values()))[0]

    def take_next(self) -> T:
        return self._pop(next(iter(self._owners)))

    def take(self, may: Callable[[Hashable, T], bool]) -> T | None:
        """The next thing that `may` be taken, or None; its owner is last from then on."""
        for owner, items in self._owners.items():
            if may(owner, items[0]):
                return self._pop(owner)
        return None

    def _pop(self, owner: Hashable) -> T:
        items = self._owners.pop(owner)
        item = items.popleft()
        if items:
            self._owners[owner] = items
        self._length -= 1
        return item
