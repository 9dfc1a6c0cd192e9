"""A browser's side of the app without a browser: the protocol that Streamlit's page speaks, and what live views ask besides.

So that sixty of them fit on the machine that they load. What they do not do is draw.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from bench.watchers import Connection

LIVE_LIMIT = 60.0
"""Seconds after which a page is said not to come."""


@dataclass
class Visit:
    """One page as it came. ``seconds``: from the wish until the last element; ``first``: until the first one."""

    page: str
    seconds: float
    first: float
    bytes: int
    errors: list[str] = field(default_factory=list)


class PageSession:
    """One open tab. Use as an asynchronous context manager."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        await Connection(self.port).get("/")
        origin = f"http://127.0.0.1:{self.port}"
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        self._socket = await connect(address, subprotocols=["streamlit"], origin=origin, max_size=2**26, compression=None)  # type: ignore[list-item,arg-type]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def open(self, page: str, query: str = "") -> Visit:
        """Go to a page ("" is home) and wait until its script has ended."""
        assert self._socket is not None, "not connected"
        wish = BackMsg()
        wish.rerun_script.query_string, wish.rerun_script.page_name = query, page
        wish.rerun_script.context_info.url = f"http://127.0.0.1:{self.port}/{page}?{query}"
        began = time.perf_counter()
        await self._socket.send(wish.SerializeToString())
        visit = Visit(page or "home", 0.0, 0.0, 0)
        async with asyncio.timeout(LIVE_LIMIT):
            while True:
                told = ForwardMsg()
                piece = await self._socket.recv()
                told.ParseFromString(piece if isinstance(piece, bytes) else piece.encode())
                visit.bytes += len(piece)
                kind = told.WhichOneof("type")
                if kind == "delta":
                    visit.first = visit.first or time.perf_counter() - began
                    if told.delta.new_element.WhichOneof("type") == "exception":
                        visit.errors.append(told.delta.new_element.exception.message)
                if kind == "script_finished" and told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    visit.seconds = time.perf_counter() - began
                    return visit

    async def watch(self, run_id: str, seconds: float) -> int:
        """Ask for a run's events as a live view does, as often as the server says; returns how many answers there were."""
        http = Connection(self.port)  # the server closes one that was idle for some seconds, as browsers know
        following, answers, until = 0, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            answer = json.loads(await http.get(f"/api/runs/{run_id}/events?from={following}&watcher={id(self)}"))
            following, answers = int(answer.get("next", following)), answers + 1
            await asyncio.sleep(min(float(answer.get("every_ms", 1000)) / 1000, max(0.0, until - time.monotonic())))
        return answers
