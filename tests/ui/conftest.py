"""How people are let in, for a test that is about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ui import access as settings
from ui import visitors
from ui.sessions import Session, Sessions, browser_id, new_cookie

SetAccess = Callable[..., None]
PASSWORD = "correct horse"


@pytest.fixture
def set_access(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetAccess]:
    """Sets the environment of a server, which then reads it anew: ``set_access(read_only="1")``."""
    monkeypatch.setattr(settings, "_secrets", lambda section: {})

    def change(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(f"MF_EXPLORER_{name.upper()}", value)
        settings.access.cache_clear()

    yield change
    monkeypatch.undo()
    settings.access.cache_clear()


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """A table of its own: nobody is let in yet."""
    from ui.api import gate

    fresh = Sessions()
    monkeypatch.setattr(visitors, "SESSIONS", fresh)
    monkeypatch.setattr(gate, "SESSIONS", fresh)
    return fresh


@pytest.fixture
def log_in(sessions: Sessions, set_access: SetAccess) -> Callable[..., tuple[dict[str, str], str]]:
    """With one password for all: headers of somebody who is let in, and their id."""
    set_access(password=PASSWORD)

    def come(name: str, *, admin: bool = False) -> tuple[dict[str, str], str]:
        cookie = new_cookie()
        sessions.let_in(cookie, Session(browser_id(cookie), name, admin))
        return {"cookie": f"mfx_visitor={cookie}"}, browser_id(cookie)

    return come
