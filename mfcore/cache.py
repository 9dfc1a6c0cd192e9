"""The one cache in memory: what was made last stays, what was asked for longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LRU(Generic[Key, Value]):
    """At most ``most`` values, weighing at most ``heaviest`` together; the one made last is always kept. Safe between threads.

    Args:
        weigh: the weight of a value, such as its number of rows; by default all weigh nothing.
    """

    def __init__(
        self, most: int, *, weigh: Callable[[Value], float] = lambda value: 0.0, heaviest: float = float("inf")
    ) -> None:
        self._most, self._weigh, self._heaviest = most, weigh, heaviest
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._guard = threading.Lock()
        self._making: dict[Key, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """The value under ``key``, which is now the one asked for last; None where there is none."""
        with self._guard:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> Value:
        """Keep ``value`` under ``key`` and return it; what no longer fits goes."""
        with self._guard:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._over():
                self._values.popitem(last=False)
        return value

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value under ``key``, made by ``make`` where there is none. Who asks for the same meanwhile waits for it; others
        do not. What ``make`` raises is passed on, and nothing is kept."""
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                found = self.get(key)
                return found if found is not None else self.put(key, make())
        finally:
            with self._guard:
                if not making.locked():
                    self._making.pop(key, None)

    def discard(self, unwanted: Callable[[Key], bool]) -> None:
        """Drop every value whose key is ``unwanted``."""
        with self._guard:
            for key in [key for key in self._values if unwanted(key)]:
                del self._values[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._guard:
            self._values.clear()

    def _over(self) -> bool:
        if len(self._values) > self._most:
            return True
        return self._heaviest < float("inf") and sum(map(self._weigh, self._values.values())) > self._heaviest
