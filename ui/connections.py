"""Connections that never say what they want: closed after a while, or a few hundred of them would keep everybody else out.

uvicorn closes what is idle after an answer, and pings web sockets; what has not yet sent a whole request may take for ever.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ui.api.answers import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNTIL_ASKED = 20.0
"""Seconds in which a connection has to send the head of its first request."""
BETWEEN_PIECES = 30.0
"""Seconds that may pass between two pieces of a request's body."""
_TICK = 5.0
FILES = 16_384
"""Open files: room for some thousand tabs."""


def allow_many_files(wanted: int = FILES) -> int:
    """Let this process have more open files than systems give by default; returns how many it may have, 0 if unknown.

    An open tab takes four: its connection, and three of the event loop that Streamlit gives it. Many systems give 1,024.
    """
    if sys.platform == "win32":
        return 0
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # what is there has to do
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return soft


def forget_name(server: Any) -> None:
    """Let no answer say which program sent it, as a line ``server: uvicorn`` does; ``server``: uvicorn's."""
    config: Any = getattr(server, "config", None)
    if hasattr(config, "encoded_headers"):
        config.encoded_headers = [(name, value) for name, value in config.encoded_headers if name != b"server"]


class Silent:
    """Notices connections that have been open for too long without a request. ``clock``: seconds, monotonic."""

    def __init__(self, patience: float = UNTIL_ASKED, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._since: dict[Any, float] = {}

    def overdue(self, connections: Collection[Any]) -> list[Any]:
        """Those of uvicorn's HTTP protocols that have waited too long; ``cycle`` is the request they are at, or were."""
        now = self._clock()
        silent = {one for one in connections if getattr(one, "cycle", True) is None}
        self._since = {one: self._since.get(one, now) for one in silent}
        return [one for one, since in self._since.items() if now - since > self._patience]


async def close_silent(server: Any, silent: Silent | None = None, tick: float = _TICK) -> None:
    """Close them for as long as the server runs."""
    watch = silent or Silent()
    while not server.should_exit:
        for one in watch.overdue(server.server_state.connections):
            one.transport.close()
        await asyncio.sleep(tick)


class TimedBodies:
    """ASGI middleware: a request whose body stops coming is answered with 408."""

    def __init__(self, app: ASGIApp, /, patience: float = BETWEEN_PIECES, **_: Any) -> None:
        self.app, self._patience = app, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with a clock at the side of whoever waits for more of the body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        more, begun = True, False

        async def in_time() -> Message:
            nonlocal more
            if not more:  # what comes after the body is the end of the connection, which may take as long as the answer
                return await receive()
            message = await asyncio.wait_for(receive(), self._patience)
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, in_time, noted)
        except TimeoutError:
            if begun or not more:
                raise
            await refusal(408, "the request did not come to its end; send it again")(scope, receive, send)
