"""How the server leaves: on SIGTERM or Ctrl+C it saves what trains, says so in one line, and exits with status 0.

uvicorn answers signals by closing its connections and then raising the signal anew, which ends the process with an error, and
it waits for connections as long as they like. So its handler is replaced by one that asks it to leave by its own switch.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from types import FrameType
from typing import Any

from mfcore import log
from mfcore.errors import UnusableRequest
from ui.visitor_runs import server_manager

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
"""By name: no Windows knows the last one, which says that the terminal was closed; ``nohup`` has it ignored."""
PATIENCE = 3.0
"""Seconds for which connections may take their leave."""


class Leaving:
    """Saves trainings once, in a thread, from the moment that the server is asked to go, and says so in the log."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin, unless that has been done."""
        if self._thread is None:  # not a daemon: the process does not end before the trainings are saved
            log.event("server stopping", pid=os.getpid())
            self._thread = threading.Thread(target=self._leave, name="leaving")
            self._thread.start()

    def wait(self) -> None:
        """Begin, and return when all is done."""
        self.begin()
        if self._thread is not None:
            self._thread.join()

    def _leave(self) -> None:
        try:
            returned = server_manager().shutdown(put_back=True)
        except UnusableRequest:  # without a usable data directory there was no manager
            returned = []
        log.event(farewell(len(returned)))


def farewell(returned: int) -> str:
    """What is said last."""
    if not returned:
        return "MF Explorer has stopped; nothing was training."
    runs = "1 training was saved and goes" if returned == 1 else f"{returned} trainings were saved and go"
    return f"MF Explorer has stopped; {runs} on at the next start."


def server_of(handler: Any) -> Any:
    """The uvicorn server whose method handles signals; None where something else does."""
    server = getattr(handler, "__self__", None)
    return server if hasattr(server, "should_exit") and hasattr(server, "force_exit") else None


def take_signals(leaving: Leaving) -> Any:
    """Handle signals from now on; to be called on the main thread while the server starts.

    Returns the uvicorn server, None if that cannot be found.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    server = server_of(signal.getsignal(signal.SIGTERM))
    if server is None:  # something else has the process: it says how it ends
        return None
    loop = asyncio.get_running_loop()

    def leave(_number: int, _frame: FrameType | None) -> None:
        if server.should_exit:  # asked twice: at once, but not before the trainings are saved
            server.force_exit = True
        server.should_exit = True
        leaving.begin()
        loop.call_soon_threadsafe(loop.call_later, PATIENCE, _force, server)

    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
    return server


def _force(server: Any) -> None:
    server.force_exit = True
