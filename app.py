"""The front door: `streamlit run app.py` serves the pages, the routes that live charts feed on, and the run manager."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from anyio import to_thread
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # pages import ui and mfcore from here, wherever the server is started from

from mfcore import __version__, log  # noqa: E402
from mfcore.errors import UnusableRequest  # noqa: E402
from ui import errors, warmup  # noqa: E402
from ui.access import access  # noqa: E402
from ui.api.first_script import FirstScript  # noqa: E402
from ui.api.gate import Gate  # noqa: E402
from ui.api.headers import SecurityHeaders  # noqa: E402
from ui.api.hosts import KnownHosts  # noqa: E402
from ui.api.routes import ROUTES, under_base_path  # noqa: E402
from ui.connections import TimedBodies, allow_many_files, close_silent, forget_name  # noqa: E402
from ui.leaving import Leaving, take_signals  # noqa: E402


@asynccontextmanager
async def lifespan(server: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start: the log, warm worker and libraries in the background. Stop: what trains is saved for the next start."""
    log.configure()  # here, and not on import: by now Streamlit and uvicorn have set up theirs, which it takes over
    address, port, base = (st.get_option(f"server.{name}") for name in ("address", "port", "baseUrlPath"))
    log.event(
        "server started", version=__version__, address=address or "all", port=port, path=f"/{base.strip('/')}", pid=os.getpid()
    )
    allow_many_files()
    warmup.start()
    leaving = Leaving()
    server = take_signals(leaving)
    forget_name(server)
    sweeping = asyncio.create_task(close_silent(server)) if server is not None else None
    try:
        yield {}
    finally:
        if sweeping is not None:
            sweeping.cancel()
        await to_thread.run_sync(leaving.wait)


try:
    access()
except UnusableRequest as error:  # half a lock is none
    sys.exit(f"MF Explorer does not start: {error}")

app = st.App(
    ROOT / "ui" / "main.py",
    lifespan=lifespan,
    routes=under_base_path(ROUTES),
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(KnownHosts),
        Middleware(TimedBodies),
        Middleware(Gate),
        Middleware(FirstScript),
    ],
    on_script_error=errors.show,
)
