"""Who is asking, and the one rule of who may see and change what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st
from starlette.requests import Request
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mfcore.errors import UnusableRequest
from ui.access import OIDC, Access, access
from ui.sessions import Session, Sessions, browser_id, cookie_in

SESSIONS = Sessions()
"""Who is let in at this server."""
READ_ONLY = "This server is for looking only: nothing can be trained, steered, imported or deleted here."
LOG_IN = "log in to see this; reload the page"
SOMEBODYS = "somebody's run"
"""What a run that is not shown is called where it has to be counted."""


class NotAllowed(UnusableRequest):
    """It is there, and can be looked at, but is not this visitor's to change."""


class Owned(Protocol):
    """A run, or imported embeddings."""

    @property
    def owner(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def shared_by(self) -> str: ...


@dataclass(frozen=True)
class Visitor:
    """Somebody with a browser.

    ``id``: the same after a reload; empty for a program without a cookie. ``name``: what people call them. ``let_in``: whether
    they are shown anything. ``may_write``: whether they may train, import and change what is theirs. ``admin``: whether
    everything is theirs. ``account``: whether what they make is theirs alone; without accounts it is nobody's.
    """

    id: str = ""
    name: str = ""
    let_in: bool = False
    may_write: bool = False
    admin: bool = False
    account: bool = False

    @property
    def owner(self) -> str:
        """Whose the runs are that they make."""
        return self.id if self.account else ""


STRANGER = Visitor()
"""Who is not let in."""


def may_see(visitor: Visitor, thing: Owned) -> bool:
    """Whether a run or imported embeddings may be looked at: one's own, nobody's, and what others share."""
    return visitor.let_in and (visitor.admin or thing.shared or thing.owner in ("", visitor.owner))


def may_change(visitor: Visitor, thing: Owned) -> bool:
    """Whether they may be changed, steered, deleted: one's own. What is nobody's is the admins'."""
    owns = visitor.owner != "" and thing.owner == visitor.owner
    return visitor.let_in and visitor.may_write and (visitor.admin or owns)


def why_not_write(visitor: Visitor) -> str:
    """Why this visitor may not train or import anything; empty where they may."""
    return "" if visitor.may_write else READ_ONLY


def why_not_change(visitor: Visitor, thing: Owned) -> str:
    """Why this visitor may not change something; empty where they may."""
    if may_change(visitor, thing):
        return ""
    if not visitor.may_write:
        return READ_ONLY
    return "It was made before there were accounts; an admin may change it." if not thing.owner else "It is somebody else's."


# --- who asks --------------------------------------------------------------------------------------------------------


def asking(request: Request) -> Visitor:
    """Who sends a request to one of our routes."""
    return behind(cookie_in(request.headers.getlist("cookie")))


def behind(cookie: str) -> Visitor:
    """Whom a cookie stands for at this moment."""
    settings = access()
    if not settings.accounts:
        return _anybody(browser_id(cookie), settings)
    session = SESSIONS.find(cookie)
    return STRANGER if session is None else _account(session, settings)


def me() -> Visitor:
    """Who looks at the page that is being drawn, or presses its buttons. Elsewhere: nobody who is let in."""
    if access().login == OIDC:
        return _logged_in()
    return behind(page_cookie())


def page_cookie() -> str:
    """Our cookie as it was when the page connected; empty where there is none."""
    if get_script_run_ctx() is None:
        return ""
    try:
        return cookie_in(st.context.headers.get_all("cookie"))
    except (TypeError, RuntimeError):  # a page without a browser, as in tests
        return ""


def log_out() -> None:
    """End what this browser was let in by, in all its tabs. The provider is told by ``st.logout``, which is the page's."""
    claims = _claims()
    SESSIONS.end(page_cookie(), login_of(claims) if claims else "")


def call_me(name: str) -> None:
    """What this visitor wants to be called."""
    SESSIONS.rename(page_cookie(), " ".join(name.split())[:60])


def _anybody(name: str, settings: Access) -> Visitor:
    """Without accounts everything is everybody's."""
    return Visitor(name, let_in=True, may_write=not settings.read_only, admin=True)


def _account(session: Session, settings: Access) -> Visitor:
    writes = not settings.read_only
    return Visitor(session.id, session.name, let_in=True, may_write=writes, admin=session.admin, account=True)


# --- a log-in at a provider ------------------------------------------------------------------------------------------


def _claims() -> dict[str, Any]:
    """What the provider says of who looks at this page; empty where nobody is logged in."""
    if access().login != OIDC or get_script_run_ctx() is None:
        return {}
    told = st.user.to_dict()
    return {name: value for name, value in told.items() if name != "tokens"} if told.get("is_logged_in") is True else {}


def _logged_in() -> Visitor:
    """Who is logged in at the provider; our routes then know their cookie too."""
    claims, settings = _claims(), access()
    login = login_of(claims)
    if not claims or SESSIONS.ended(login=login) or not is_member(claims, settings.members):
        return STRANGER
    session = Session(account_id(claims), called(claims), is_named(claims, settings.admins), login)
    SESSIONS.let_in(page_cookie(), session)
    return _account(session, settings)


def turned_away() -> str:
    """The name of who is logged in at the provider but not let in here; empty where that is not so."""
    claims = _claims()
    member = bool(claims) and is_member(claims, access().members)
    return called(claims) if claims and not member else ""


def login_of(claims: Mapping[str, Any]) -> str:
    """One log-in, told from every other of the same person: a digest of all that the provider said at it."""
    return hashlib.sha256(json.dumps(dict(claims), sort_keys=True, default=str).encode()).hexdigest()


def account_id(claims: Mapping[str, Any]) -> str:
    """The id of a person at a provider. Of all that it says only issuer and subject are theirs for good."""
    who = json.dumps([str(claims.get("iss", "")), str(claims.get("sub", ""))])
    return f"u-{hashlib.sha256(who.encode()).hexdigest()[:24]}"


def called(claims: Mapping[str, Any]) -> str:
    """What people call them."""
    said = next((str(claims[name]) for name in ("name", "preferred_username", "email") if claims.get(name)), "somebody")
    return " ".join(said.split())[:60]


def is_named(claims: Mapping[str, Any], names: frozenset[str]) -> bool:
    """Whether a list names this person: by subject, by an email address that the provider has verified, or by its domain.

    A name with an @ is an address, one without is a subject: nobody becomes another by calling themselves so.
    """
    if str(claims.get("sub", "")) in {name for name in names if "@" not in name}:
        return True
    email = str(claims.get("email", "")).casefold() if claims.get("email_verified") is True else ""
    own = {email, f"@{email.rpartition('@')[2]}"} if "@" in email else set()
    return not own.isdisjoint(name.casefold() for name in names)


def is_member(claims: Mapping[str, Any], members: frozenset[str]) -> bool:
    """Whether this person is let in. Without a list of members, all whom the provider knows are."""
    return bool(claims.get("sub")) and (not members or is_named(claims, members))
