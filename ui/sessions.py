"""The cookie that tells browsers apart, and the table of those that are let in.

The cookie is ``<who>.<key>``, both random. ``who`` stays for as long as the browser keeps it; a visitor's id is its digest, so
that neither a list of runs nor a run folder ever holds what lets one in. ``key`` is new with every log-in: a cookie that
somebody planted in a browser beforehand is worth nothing afterwards. See docs/decisions/accounts.md.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

COOKIE = "mfx_visitor"
KEPT_FOR = 180 * 24 * 3600
"""Seconds for which a browser keeps the cookie."""
IDLE = 12 * 3600.0
"""Seconds without a request after which whoever was let in has to log in again."""
MOST = 10_000
"""Browsers that are let in at a time, and log-outs that are remembered; beyond that the oldest are forgotten."""
_COOKIE = re.compile(r"[A-Za-z0-9_-]{32}\.[A-Za-z0-9_-]{32}")


def new_cookie(before: str = "", *, same_visitor: bool = True) -> str:
    """A cookie with a new key, of the same visitor as the one ``before`` where that is wanted and there was one."""
    who = before.partition(".")[0] if before and same_visitor else secrets.token_urlsafe(24)
    return f"{who}.{secrets.token_urlsafe(24)}"


def cookie_in(headers: Iterable[str]) -> str:
    """Our cookie in the values of Cookie headers; empty where there is none that we could have set.

    The first one counts: of several, browsers send the one with the closest path first.
    """
    for header in headers:
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == COOKIE and _COOKIE.fullmatch(value):
                return value
    return ""


def browser_id(cookie: str) -> str:
    """The id of the visitor that a cookie names: always the same, and no way back to the cookie; empty for none."""
    return f"b-{_digest(cookie.partition('.')[0])[:24]}" if cookie else ""


@dataclass(frozen=True)
class Session:
    """A browser that is let in. ``login``: the log-in that it goes back to; several browsers never share one."""

    id: str
    name: str = ""
    admin: bool = False
    login: str = ""
    seen: float = 0.0


class Sessions:
    """Who is let in, by cookie. In memory alone: when the server starts anew, pages say once more who they are.

    Safe to use from several threads. ``clock``: seconds, monotonic.
    """

    def __init__(self, most: int = MOST, idle: float = IDLE, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._idle, self._clock = most, idle, clock
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._guard = threading.Lock()

    def let_in(self, cookie: str, session: Session) -> None:
        """From now on this cookie stands for ``session``. Not after its log-in has ended, and not without a cookie."""
        key = _digest(cookie)
        with self._guard:
            if not cookie or session.login in self._ended or key in self._ended:
                return
            known = self._open.get(key)
            name = known.name if known is not None and known.id == session.id and known.name else session.name
            self._open[key] = replace(session, name=name, seen=self._clock())
            self._open.move_to_end(key)
            _shorten(self._open, self._most)

    def find(self, cookie: str) -> Session | None:
        """Whom this cookie stands for; None where nobody (any more)."""
        key = _digest(cookie)
        with self._guard:
            session = self._open.get(key)
            if session is None:
                return None
            now = self._clock()
            if now - session.seen > self._idle:
                del self._open[key]
                return None
            self._open[key] = replace(session, seen=now)
            self._open.move_to_end(key)
            return session

    def rename(self, cookie: str, name: str) -> None:
        """What a visitor wants to be called."""
        with self._guard:
            session = self._open.get(_digest(cookie))
            if session is not None:
                self._open[_digest(cookie)] = replace(session, name=name)

    def end(self, cookie: str, login: str = "") -> None:
        """Log out: this cookie, and every other that goes back to the same log-in, stands for nobody from now on."""
        key = _digest(cookie)
        with self._guard:
            for name in [key, *([login] if login else [])]:
                self._ended[name] = None
            self._open = OrderedDict(
                (name, one) for name, one in self._open.items() if name != key and (not login or one.login != login)
            )
            _shorten(self._ended, self._most)

    def ended(self, *, login: str = "", cookie: str = "") -> bool:
        """Whether a log-in, or a cookie, has ended by a log-out."""
        with self._guard:
            return login in self._ended or _digest(cookie) in self._ended


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _shorten(table: OrderedDict[str, Session] | OrderedDict[str, None], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
