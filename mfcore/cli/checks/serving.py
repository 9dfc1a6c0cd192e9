"""Checks of how the app would be served from here, and of who has its port. Read without Streamlit, which may be missing."""

from __future__ import annotations

import os
import re
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfcore.cli.checks.asking import OURS, SEE_LOG, ask
from mfcore.cli.checks.finding import Circumstances, Finding, note, ok, problem
from mfcore.cli.serve import LOOPBACK, WILDCARDS, app_path
from mfcore.errors import UnusableRequest
from mfcore.log import VARIABLE, chosen_form

DEFAULT_PORT = 8501
"""Streamlit's, where nothing else is said."""
_DEFAULTS: dict[str, Any] = {
    "server.address": "",
    "server.port": DEFAULT_PORT,
    "server.allowedHosts": [],
    "server.baseUrlPath": "",
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableAgentApi": False,
}
_PROTECTIONS = {"server.enableXsrfProtection": True, "server.enableCORS": True, "server.enableAgentApi": False}
"""Settings that keep other sites and programs out, as they have to be."""


FORWARDED = "FORWARDED_ALLOW_IPS"
"""uvicorn's: from whom it believes X-Forwarded-For; without it, from this machine alone."""


def resolved() -> dict[str, Any]:
    """The settings of :data:`_DEFAULTS` as a server would have them that is started without flags.

    From Streamlit's own file of this person, that beside the app, and ``STREAMLIT_…`` in the environment; the later wins.

    Raises:
        UnusableRequest: a file is no TOML, or the app is not installed.
    """
    found = dict(_DEFAULTS)
    for path in (Path.home() / ".streamlit" / "config.toml", app_path().parent / ".streamlit" / "config.toml"):
        if not path.is_file():
            continue
        try:
            stated = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnusableRequest(f"{path} cannot be read ({error}); mend it") from None
        found |= {key: value for key in found if (value := _inside(stated, key)) is not None}
    for key, usual in _DEFAULTS.items():
        said = os.environ.get(variable(key))
        if said:
            found[key] = _as(usual, said)
    return found


def variable(key: str) -> str:
    """The name by which an option of Streamlit stands in the environment: STREAMLIT_SERVER_BASE_URL_PATH."""
    return "STREAMLIT_" + re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", key.replace(".", "_")).upper()


def settings(given: Circumstances) -> Iterator[Finding]:
    """Who can reach a server that is started here without flags, under which names and path."""
    try:
        found = resolved()
    except UnusableRequest as error:
        yield problem(str(error), "look at the file it names, or install the app anew")
        return
    address, names = str(found["server.address"] or ""), [str(name) for name in found["server.allowedHosts"]]
    path = f"/{str(found['server.baseUrlPath']).strip('/')}"
    where = f"listens on {address or 'all addresses'}, answers to {', '.join(names) or 'any name'}, under {path}"
    if not names or "*" in names:
        yield problem(where, "say which names it has: mf-explorer serve --allow-host NAME, or server.allowedHosts")
    elif address in LOOPBACK:
        yield ok(f"{where}: this machine only, or a proxy on it")
    else:
        yield note(f"{where}: whoever reaches that may train and delete", "put something in front that asks who they are")
    trusted = os.environ.get(FORWARDED, "")
    if "*" in trusted:
        why = f"{FORWARDED} is {trusted}: whoever asks may say from where, and the log believes it"
        yield note(why, "name the proxy's address there, or leave it out where the proxy is on this machine")
    weakened = [f"{key} = {str(found[key]).lower()}" for key, wanted in _PROTECTIONS.items() if found[key] != wanted]
    if weakened:
        yield problem(f"protection is off: {', '.join(weakened)}", "remove these settings from config.toml and the environment")


def log_form(given: Circumstances) -> Iterator[Finding]:
    """The form of a server's log."""
    try:
        yield ok(f"{chosen_form()}, on standard error")
    except UnusableRequest as error:
        yield problem(str(error), f"set {VARIABLE} to one of them, or not at all")


def port(given: Circumstances) -> Iterator[Finding]:
    """Whether the port is free, or who answers there."""
    try:
        found = resolved()
    except UnusableRequest:
        found = dict(_DEFAULTS)  # the check of settings has told it
    number = given.port or int(found["server.port"])
    address = str(found["server.address"] or "")
    host = "127.0.0.1" if not address or address in WILDCARDS or address == "localhost" else address
    try:
        answer = ask(f"http://{'[' + host + ']' if ':' in host else host}:{number}", "/healthz", host="localhost", timeout=5.0)
    except ConnectionRefusedError:
        yield _free(host, number)
        return
    except (OSError, ValueError) as error:
        yield problem(f"{number} is taken by something that is no web server ({error})", _elsewhere(number))
        return
    told = answer.object()
    if told.get("status") == OURS:
        yield ok(f"an MF Explorer answers at {number}, and can train")
    elif "why" in told:
        yield problem(
            f"an MF Explorer answers at {number}, and {told.get('status')}: {'; '.join(map(str, told['why']))}", SEE_LOG
        )
    else:
        yield problem(f"{number} is taken by another web server (it answers {answer.status})", _elsewhere(number))


def _free(host: str, number: int) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            return problem(f"{number} of {host} cannot be listened on ({error.strerror})", _elsewhere(number))
    return ok(f"{number} of {host} is free")


def _elsewhere(number: int) -> str:
    another = number + 1 if 1023 < number < 65_535 else 8600
    return f"stop what has it, or choose another: mf-explorer serve --port {another}"


def _inside(stated: dict[str, Any], key: str) -> Any:
    section, _, name = key.partition(".")
    return stated[section].get(name) if isinstance(stated.get(section), dict) else None


def _as(usual: Any, said: str) -> Any:
    """What the environment says, read as the kind of value that is usual."""
    if isinstance(usual, bool):
        return said.strip().lower() in ("1", "true", "yes", "on")
    if isinstance(usual, list):
        return [word for word in re.split(r"[\s,]+", said) if word]
    if isinstance(usual, int):
        return int(said) if said.strip().isdigit() else usual
    return said
