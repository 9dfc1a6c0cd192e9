"""The front door: `streamlit run app.py` serves the pages, the routes that live charts feed on, and the run manager."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st
from anyio import to_thread
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # pages import ui and mfcore from here, wherever the server is started from

from mfcore.errors import UnusableRequest  # noqa: E402
from mfcore.runs.manager.manager import manager_for  # noqa: E402
from ui import errors, warmup  # noqa: E402
from ui.api.headers import SecurityHeaders  # noqa: E402
from ui.api.routes import ROUTES, under_base_path  # noqa: E402


@asynccontextmanager
async def lifespan(server: st.App) -> AsyncIterator[dict[str, Any]]:
    """Start: warm worker and libraries in the background. Stop: the manager ends its workers."""
    warmup.start()
    try:
        yield {}
    finally:
        with suppress(UnusableRequest):  # without a usable data directory there was no manager
            await to_thread.run_sync(lambda: manager_for().shutdown())


app = st.App(
    ROOT / "ui" / "main.py",
    lifespan=lifespan,
    routes=under_base_path(ROUTES),
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=errors.show,
)
