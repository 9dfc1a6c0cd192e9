"""Who is let in, and whether anything may be changed: the one place where that is read from. Off unless somebody asks.

Environment first, then the section ``[mf_explorer]`` of Streamlit's ``secrets.toml``; the command ``serve`` sets the
environment. Read once, as the server starts: what makes no sense keeps it from starting.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mfcore.cli.serve import LOGINS
from mfcore.errors import UnusableRequest
from mfcore.validate import boolean, choice, require

NO_LOGIN, OIDC, PASSWORD = LOGINS
PREFIX = "MF_EXPLORER_"
SECTION = "mf_explorer"
SHORTEST_PASSWORD = 8
"""Characters. Guessing is slowed down as well: see ui/api/attempts.py."""
_WORDS = ("login", "password", "password_file", "admin_password", "admins", "members", "read_only")


@dataclass(frozen=True)
class Access:
    """How people are let in.

    ``login``: "none" (whoever reaches the server, as one), "oidc" (Streamlit's own login at a provider), "password" (one for
    all; each browser is a person of its own). ``admin_password``: lets in who may change everything. ``admins``: who may, by
    verified email address (``@example.org`` for all there) or by subject, with "oidc". ``members``: who is let in, likewise;
    empty: whomever the provider knows. ``read_only``: everything can be looked at and nothing changed.
    """

    login: str = NO_LOGIN
    password: str = field(default="", repr=False)
    admin_password: str = field(default="", repr=False)
    admins: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    read_only: bool = False

    def __post_init__(self) -> None:
        choice("login", self.login, LOGINS)
        if self.login == PASSWORD:
            for name, word in (("password", self.password), ("admin_password", self.admin_password)):
                fits = len(word) >= SHORTEST_PASSWORD or (name == "admin_password" and not word)
                require(fits, f"{name} must have at least {SHORTEST_PASSWORD} characters; see docs/decisions/accounts.md")
            require(self.password != self.admin_password, "password and admin_password must differ")
        else:
            require(not self.password and not self.admin_password, "a password is set, but login is not password")
        require(self.login == OIDC or not (self.members or self.admins), "members and admins are named for login oidc only")

    @property
    def accounts(self) -> bool:
        """Whether people are told apart."""
        return self.login != NO_LOGIN


@cache
def access() -> Access:
    """How people are let in here.

    Raises:
        UnusableRequest: the settings contradict each other, or what they need is missing.
    """
    found = read_access(os.environ, _secrets(SECTION))
    if found.login == OIDC:
        _check_oidc(_secrets("auth"))
    return found


def read_access(environment: Mapping[str, str], secrets: Mapping[str, Any]) -> Access:
    """What these two say; the first where both do.

    Raises:
        UnusableRequest: it makes no sense.
    """
    unknown = sorted(set(secrets) - set(_WORDS))
    require(not unknown, f"secrets.toml, [{SECTION}]: {', '.join(unknown)} not understood; there are {', '.join(_WORDS)}")
    said = {name: environment.get(f"{PREFIX}{name.upper()}") or secrets.get(name, "") for name in _WORDS}
    password = _text("password", said["password"])
    if said["password_file"]:
        require(not password, "set password or password_file, not both")
        password = _first_line(Path(_text("password_file", said["password_file"])))
    login = _text("login", said["login"]) or (PASSWORD if password else NO_LOGIN)
    return Access(
        login=login,
        password=password,
        admin_password=_text("admin_password", said["admin_password"]),
        admins=_names("admins", said["admins"]),
        members=_names("members", said["members"]),
        read_only=boolean("read_only", said["read_only"] or False),
    )


def _text(name: str, value: Any) -> str:
    require(isinstance(value, str), f"{name} must be text")
    return str(value)


def _names(name: str, value: Any) -> frozenset[str]:
    """A list, or text with commas."""
    words = value.split(",") if isinstance(value, str) else value
    names = isinstance(words, (list, tuple)) and all(isinstance(word, str) for word in words)
    require(names, f"{name} must be a list of names")
    return frozenset(word.strip() for word in words if word.strip())


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableRequest(f"password_file {path} cannot be read ({error})") from None
    return lines[0].strip() if lines else ""


def _secrets(section: str) -> dict[str, Any]:
    """A section of secrets.toml; empty where there is none."""
    import streamlit as st

    if not st.secrets.load_if_toml_exists():
        return {}
    found = st.secrets.get(section, {})
    require(isinstance(found, Mapping), f"secrets.toml: {section} must be a section")
    return dict(found)


def _check_oidc(auth: Mapping[str, Any]) -> None:
    authlib = importlib.util.find_spec("authlib") is not None
    require(authlib, "login oidc needs Authlib; install it with: pip install 'mf-explorer[login]'")
    for name in ("redirect_uri", "cookie_secret"):
        require(bool(auth.get(name)), f"login oidc needs {name} in the section [auth] of .streamlit/secrets.toml")
    require(len(str(auth["cookie_secret"])) >= 32, "cookie_secret in [auth] must be random, with at least 32 characters")
    provider = "default" if "client_id" in auth else next((name for name in auth if isinstance(auth[name], Mapping)), "")
    require(bool(provider), "login oidc needs client_id, client_secret and server_metadata_url in [auth] of secrets.toml")


def providers() -> list[str]:
    """Names of the providers that secrets.toml describes; one without a name is ``""``."""
    auth = _secrets("auth")
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
    return ([""] if "client_id" in auth else []) + named
