"""Answers that are the same for everybody who asks within a moment: sixty watchers cost hardly more than one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from starlette.responses import Response


class Recent:
    """Keeps each answer for ``seconds``; at most ``most`` of them. Safe to use from several threads."""

    def __init__(self, seconds: float, most: int = 64) -> None:
        self._seconds, self._most = seconds, most
        self._kept: dict[Hashable, tuple[float, bytes, dict[str, str]]] = {}
        self._guard = threading.Lock()

    def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """The answer under ``key`` if it is young enough, else what ``make`` makes. What ``make`` raises is not kept."""
        now = time.monotonic()
        with self._guard:
            made, body, headers = self._kept.get(key, (-1.0, b"", {}))
        if made >= 0 and now - made <= self._seconds:
            return Response(body, headers=headers)
        response = make()
        with self._guard:
            for old in [name for name, (since, _, _) in self._kept.items() if now - since > self._seconds][: self._most]:
                del self._kept[old]
            if len(self._kept) < self._most:
                self._kept[key] = (now, bytes(response.body), dict(response.headers))
        return response
