"""The command serve: the app in this process' place, served by Streamlit."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from mfcore.errors import UnusableRequest
from mfcore.paths import HOME_VARIABLE, data_dir
from mfcore.validate import choice, integer, require

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""By which names a machine knows itself. No others are answered unless they are given: see ui/api/hosts.py."""
LOGINS = ("none", "oidc", "password")
"""Ways in; ui/access.py says what each means."""
WILDCARDS = ("0.0.0.0", "::")  # what a person gives to be reached from elsewhere
_PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that mfcore lies in: site-packages, or a working tree."""


def serve(options: argparse.Namespace) -> int:
    """Serve the app until it is stopped; returns how Streamlit ended.

    Raises:
        UnusableRequest: an option is unusable, or the app or Streamlit is not installed.
    """
    app = app_path()
    command = streamlit_command(options, app)
    require(
        importlib.util.find_spec("streamlit") is not None, "the app needs Streamlit; install it with: pip install mf-explorer"
    )
    # Its settings lie beside the app. What is said of a place is said of the folder one is in now.
    environment = {**os.environ, **access_of(options), HOME_VARIABLE: str(data_dir(options.home))}
    if os.name == "posix":  # nothing stands between whoever sends a signal and the server
        os.chdir(app.parent)
        os.execve(command[0], command, environment)
    return subprocess.call(command, cwd=app.parent, env=environment)


def access_of(options: argparse.Namespace) -> dict[str, str]:
    """What the options say of who is let in, as the environment of the app (see ui/access.py).

    Raises:
        UnusableRequest: there is no such way to log in, no password is at hand, or Authlib is missing.
    """
    if options.limits is not None:
        from mfcore.runs.limits import Limits  # here: doctor has to start without what that needs

        Limits.read(options.limits)  # a slip is told before anything is started
    given = {"LOGIN": options.login, "READ_ONLY": "1" if options.read_only else None, "LIMITS": options.limits}
    if options.login is not None:
        choice("login", options.login, LOGINS)
    if options.password_file is not None:
        path = Path(options.password_file).absolute()  # the app is started from another folder
        require(path.is_file(), f"there is no file {options.password_file} with a password in its first line")
        given |= {"LOGIN": options.login or "password", "PASSWORD_FILE": str(path)}
    if options.login == "oidc":
        authlib = importlib.util.find_spec("authlib") is not None
        require(authlib, "login oidc needs Authlib; install it with: pip install 'mf-explorer[login]'")
    return {f"MF_EXPLORER_{name}": value for name, value in given.items() if value is not None}


def app_path(packages: Path = _PACKAGES) -> Path:
    """Where the app is: installed in the folder mf_explorer beside mfcore, or in the same working tree.

    Raises:
        UnusableRequest: it is in neither.
    """
    for path in (packages / "mf_explorer" / "app.py", packages / "app.py"):
        if path.is_file():
            return path
    raise UnusableRequest(f"the app is not installed beside mfcore in {packages}; install it with: pip install mf-explorer")


def streamlit_command(options: argparse.Namespace, app: Path) -> list[str]:
    """What starts the server. Options that are not given are Streamlit's, or those of ``.streamlit/config.toml``."""
    names = [*LOOPBACK, *_names_of(options.host), *options.allow_host] if options.host or options.allow_host else []
    given = {"server.address": options.host, "server.baseUrlPath": options.base_url_path}
    if options.port is not None:
        given["server.port"] = str(integer("port", options.port, low=1, high=65_535))
    flags = [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]
    flags += [word for name in dict.fromkeys(names) for word in ("--server.allowedHosts", name)]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags, *options.streamlit]


def _names_of(host: str | None) -> list[str]:
    """By which names a browser may know an address that is listened on; of all addresses, those that this machine has."""
    if host not in WILDCARDS:
        return [host] if host else []
    own = [socket.gethostname(), socket.getfqdn()]
    with suppress(OSError):  # a machine that does not know its own name
        own += [str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)]
    return own
