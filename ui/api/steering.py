"""The HTTP routes that change something: steer a run, branch from one of its epochs. Everything else only reads.

A click must act at once and from every tab that watches, without the page being run again; so these are routes and not page
callbacks. What guards them against requests that other sites make a browser send: the secret of this server process, which a
page hands to its components over Streamlit's own (origin-checked) connection, in a header that no foreign page may set; and
the browser's own word on where a request comes from.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.errors import UnusableRequest
from mfcore.runs.manager.manager import manager_for
from mfcore.validate import require
from ui.api.answers import json_answer, refusal

TOKEN_HEADER = "X-MF-Explorer-Token"
_TOKEN = secrets.token_urlsafe(24)
_MOST_BYTES = 4096


def steering_token() -> str:
    """The secret of this server process; whoever has a page open gets it with the page."""
    return _TOKEN


async def command(request: Request) -> Response:
    """``POST /api/runs/<id>/commands`` with ``{"kind": "pace", "value": 5}``: see ``mfcore.runs.commands``."""
    return await _answer(request, _command)


async def branch(request: Request) -> Response:
    """``POST /api/runs/<id>/branch`` with ``{"epoch": 7, "changes": {…}, "name": ""}``; answers ``{"run_id": …}``."""
    return await _answer(request, _branch)


async def _answer(request: Request, act: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Response:
    if not _trusted(request):
        return refusal(403, "this request does not come from a page of this server; reload the page and try again")
    try:
        wish = _wish(await _body(request))
        # In a thread: writing a file must not hold up everybody else.
        return json_answer(request, await to_thread.run_sync(act, request.path_params["run_id"], wish))
    except UnusableRequest as error:
        return refusal(400, str(error))
    except OSError as error:
        return refusal(500, f"it could not be written down: {error.strerror or error}")


def _command(run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    manager, kind = manager_for(), wish.get("kind")
    require(isinstance(kind, str), "kind must be the name of a command")
    require(not set(wish) - {"kind", "value"}, "a command has a kind and perhaps a value, and nothing else")
    value: Any = wish.get("value")
    if kind == "extend":
        manager.extend(run_id, value)
    else:
        manager.command(run_id, str(kind), value)
    return {"done": True}


def _branch(run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    require(not set(wish) - {"epoch", "changes", "name"}, "a branch has an epoch, changes and a name, and nothing else")
    epoch: Any = wish.get("epoch")
    changes, name = wish.get("changes", {}), wish.get("name", "")
    require(isinstance(changes, dict), "changes must be settings by name")
    require(isinstance(name, str) and len(name) <= 200, "name must be a text of at most 200 characters")
    return {"run_id": manager_for().branch(run_id, epoch, changes, name)}


def _trusted(request: Request) -> bool:
    """Whether a page of this server sent it: it knows the secret, and the browser says nothing to the contrary."""
    if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), _TOKEN.encode()):
        return False
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said == "same-origin"
    origin = request.headers.get("origin")  # what browsers before 2023 say instead; programs say neither
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        require(len(body) <= _MOST_BYTES, f"a request has at most {_MOST_BYTES} bytes")
    return body


def _wish(body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError):
        wish = None
    require(isinstance(wish, dict), "the request must be one JSON object")
    return dict(wish)


ROUTES = [
    Route("/api/runs/{run_id}/commands", command, methods=["POST"]),
    Route("/api/runs/{run_id}/branch", branch, methods=["POST"]),
]
