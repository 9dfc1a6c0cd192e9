"""The gate: who has to be let in is let in here, before Streamlit or any route of ours is asked.

It also gives each browser the cookie by which it is told from others. With one password for all, nothing but the login form
and a bare /healthz answers before it. With a provider, Streamlit's own log-in needs its pages and their connection; those end
at a button (ui/login.py), and whatever holds content (routes, uploads, media) is refused here as well.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from ui.access import OIDC, PASSWORD, access
from ui.api.answers import refusal
from ui.api.attempts import Attempts
from ui.api.login_form import NO_STORE, login_form
from ui.sessions import COOKIE, KEPT_FOR, Session, browser_id, cookie_in, new_cookie
from ui.visitors import LOG_IN, SESSIONS, behind

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 4096
_CALLBACK, _LOGGED_IN = "oauth2callback", "_streamlit_user="
# What Streamlit needs to show a button to log in: its own program, the page without content, and the way to the provider.
_OPEN_STCORE = {"stream", "health", "host-config", "allowed-message-origins", "script-health-check", "bidi-components"}


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, /, attempts: Attempts | None = None, **_: Any) -> None:
        self.app = app
        self.attempts = attempts or Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        cookie = cookie_in(Headers(scope=scope).getlist("cookie"))
        if behind(cookie).let_in or open_to_strangers(scope["type"], scope["path"], access().login):
            await self.app(scope, receive, _with_cookie(scope, send, cookie))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await (await self._turn_away(Request(scope, receive), cookie))(scope, receive, send)

    async def _turn_away(self, request: Request, cookie: str) -> Response:
        if access().login != PASSWORD:
            return refusal(401, LOG_IN)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method == "POST" and kind == "application/x-www-form-urlencoded":
            return await self._try(request, cookie)
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return login_form()
        return refusal(401, LOG_IN)

    async def _try(self, request: Request, cookie: str) -> Response:
        """A password was sent."""
        if not same_origin(request):
            return login_form("Send the password from this page itself.", 403)
        given = await _password(request)
        address = request.client.host if request.client else ""
        wait = self.attempts.wait(address)
        if wait > 0:
            return login_form(f"Too many wrong passwords. Try again in {max(1, round(wait))} seconds.", 429, wait)
        settings = access()
        admin, right = _same(given, settings.admin_password), _same(given, settings.password)
        if not (admin or right):
            self.attempts.failed(address)
            return login_form("This is not the password.")
        # Who has logged out was somebody else, as far as anybody who comes after them can tell.
        fresh = new_cookie(cookie, same_visitor=not SESSIONS.ended(cookie=cookie))
        SESSIONS.let_in(fresh, Session(browser_id(fresh), "an admin" if admin else "", admin))
        back = RedirectResponse(f"?{request.url.query}", 303, NO_STORE)
        back.headers["Set-Cookie"] = cookie_header(fresh, request.scope)
        return back


def open_to_strangers(kind: str, path: str, login: str) -> bool:
    """Whether a path may be asked for, by "http" or as a "websocket", by who is not let in. What is not foreseen may not."""
    parts = _parts(path)
    if kind == "http" and parts == ["healthz"] and path.endswith("/healthz") and "//" not in path:
        return True
    if login != OIDC or ".." in parts:
        return False
    first, second = (*parts, "", "")[:2]
    if first in ("_stcore", "api"):
        return second in (_OPEN_STCORE if first == "_stcore" else {"assets"})
    return first in ("", "static", "auth", _CALLBACK, "component", "index.html") or len(parts) == 1


def same_origin(request: Request) -> bool:
    """Whether, as far as the browser says, a page of this server sent it."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said in ("same-origin", "none")
    origin = request.headers.get("origin")  # what browsers before 2023 say instead; programs say neither
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def cookie_header(cookie: str, scope: Scope) -> str:
    """What sets our cookie: out of reach for scripts and for what other sites send."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    secure = scope["scheme"] == "https" or Headers(scope=scope).get("x-forwarded-proto", "").lower() == "https"
    words = [f"{COOKIE}={cookie}", f"Path=/{base}", f"Max-Age={KEPT_FOR}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*words, *(["Secure"] if secure else [])])


def _with_cookie(scope: Scope, send: Send, cookie: str) -> Send:
    """Give a page's browser a cookie where it has none, and another key where somebody comes back from logging in."""
    if scope["type"] != "http":
        return send
    back = _parts(scope["path"]) == [_CALLBACK]

    async def with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            # Else a link from elsewhere could take away the key of who is logged in.
            said = [one for one in headers.getlist("set-cookie") if "max-age=0" not in one.lower()]
            logged_in = back and any(one.startswith(_LOGGED_IN) for one in said)
            if logged_in or (not cookie and headers.get("content-type", "").startswith("text/html")):
                headers.append("Set-Cookie", cookie_header(new_cookie(cookie), scope))
        await send(message)

    return with_cookie


def _parts(path: str) -> list[str]:
    """The parts of a path below the one that the app is served under, or of a bare one."""
    parts = [part for part in path.split("/") if part]
    base = [part for part in str(st.get_option("server.baseUrlPath") or "").split("/") if part]
    return parts[len(base) :] if base and parts[: len(base)] == base else parts


async def _password(request: Request) -> str:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                return ""
    except ClientDisconnect:
        return ""
    return parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).get("password", [""])[0].strip()


def _same(given: str, wanted: str) -> bool:
    """Whether it is the password, in a time that does not tell how much of it was right; an empty one is none."""
    alike = hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(wanted.encode()).digest())
    return alike and bool(wanted)
