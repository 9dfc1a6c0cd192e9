"""A script of ours that runs before Streamlit's: written into every page as it leaves the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SOURCE = Path(__file__).resolve().parent.parent / "components" / "frame" / "first.js"
HEAD = b"<head>"


class FirstScript:
    """ASGI middleware; touches answers of HTML alone, which are small and whole."""

    def __init__(self, app: ASGIApp, /, **_: Any) -> None:
        self.app = app
        self.tag = HEAD + b"<script>" + SOURCE.read_bytes() + b"</script>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for a page uncompressed and unconditionally, and hand it on with the script at the beginning of its head."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        kept = {b"accept-encoding", b"if-none-match", b"if-modified-since"}
        scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in kept]}
        start: Message | None = None
        body = b""

        async def with_script(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                if not Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    await send(message)
                    return
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = body.replace(HEAD, self.tag, 1)
                headers = MutableHeaders(raw=start["headers"])
                if scope["method"] != "HEAD":
                    headers["content-length"] = str(len(page))
                del headers["etag"]
                await send(start)
                await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, with_script)
