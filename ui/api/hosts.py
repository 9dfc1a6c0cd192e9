"""Which names this server answers to.

A site elsewhere can let its own name point at this machine (DNS rebinding); to the browser, what it then asks for comes from
that site. The one thing it cannot change is the name that its requests are addressed to. Streamlit checks it for its own
connection (``server.allowedHosts``); this holds every other answer to the same list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers

from mfcore import log
from ui.api.answers import asked, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

CURE = "start the server with --server.allowedHosts and this name, or open it as http://localhost"


class KnownHosts:
    """ASGI middleware: refuses what is addressed to a name that is not allowed, web sockets too."""

    def __init__(self, app: ASGIApp, /, **_: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is meant for this server."""
        if scope["type"] not in ("http", "websocket") or answers_to(Headers(scope=scope).get("host", ""), allowed()):
            await self.app(scope, receive, send)
            return
        log.event("request refused", level="warning", status=421, **asked(scope))
        if scope["type"] == "http":
            await refusal(421, f"this server does not answer to this name; {CURE}")(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


def allowed() -> list[str]:
    """The names as configured; empty: any."""
    return list(st.get_option("server.allowedHosts"))


def answers_to(host: str, names: Iterable[str]) -> bool:
    """Whether a Host header, whatever its port, is one of ``names``: ``*.example.com`` is all below, ``*`` any."""
    names = [name.strip().lower().rstrip(".") for name in names]
    if not names:
        return True
    try:
        parts = urlsplit(f"//{host}")
        called, whole = (parts.hostname or "").rstrip("."), parts.netloc == host and parts.port != 0
    except ValueError:  # a port that is none
        return False
    if not called or not whole or "@" in host:
        return False
    return any(name in ("*", called) or (name.startswith("*.") and called.endswith(name[1:])) for name in names)
