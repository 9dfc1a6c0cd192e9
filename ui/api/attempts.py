"""Wrong passwords are few and slow: counted for each address and for all together, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable


class Attempts:
    """Wrong attempts of the last minute. For one thread: the server's event loop.

    Args:
        each: how many an address has. together: how many all have. window: seconds for which one counts. most: addresses kept
            in memory; of more, the one that tried longest ago is forgotten, and what all have together still holds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        each: int = 10,
        together: int = 100,
        window: float = 60.0,
        most: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._window, self._most, self._clock = each, window, most, clock
        self._all: deque[float] = deque(maxlen=together)
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        now = self._clock()
        return max(0.0, *(self._until(times, now) for times in (self._all, self._by_address.get(address))))

    def failed(self, address: str) -> None:
        """One more wrong password."""
        now = self._clock()
        self._all.append(now)
        self._by_address.setdefault(address, deque(maxlen=self._each)).append(now)
        self._by_address.move_to_end(address)
        while len(self._by_address) > self._most:
            self._by_address.popitem(last=False)

    def _until(self, times: deque[float] | None, now: float) -> float:
        full = times is not None and len(times) == times.maxlen
        return times[0] + self._window - now if full and times else 0.0
