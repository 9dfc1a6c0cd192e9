"""The HTTP routes that change something: steer a run, branch from one of its epochs. Everything else only reads.

A click must act at once and from every tab that watches, without the page being run again; so these are routes and not page
callbacks. What guards them against requests that other sites make a browser send: the secret of this server process, which a
page hands to its components over Streamlit's own (origin-checked) connection, in a header that no foreign page may set; and
the browser's own word on where a request comes from. Whose run it is decides what may be asked: ui/visitor_runs.py.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore import log
from mfcore.errors import UnusableRequest
from mfcore.files import loads
from mfcore.settings import in_labels
from mfcore.validate import integer, require
from ui.api.answers import asked, json_answer, refusal
from ui.visitor_runs import VisitorRuns, runs_of
from ui.visitors import LOG_IN, NotAllowed, Visitor, asking

TOKEN_HEADER = "X-MF-Explorer-Token"
_TOKEN = secrets.token_urlsafe(24)
_MOST_BYTES = 4096
Act = Callable[[VisitorRuns, str, dict[str, Any]], dict[str, Any]]


def steering_token() -> str:
    """The secret of this server process; whoever has a page open gets it with the page."""
    return _TOKEN


async def command(request: Request) -> Response:
    """``POST /api/runs/<id>/commands`` with ``{"kind": "pace", "value": 5}``: see ``mfcore.runs.commands``."""
    return await _answer(request, _command)


async def branch(request: Request) -> Response:
    """``POST /api/runs/<id>/branch`` with ``{"epoch": 7, "changes": {…}, "name": ""}``; answers ``{"run_id": …}``."""
    return await _answer(request, _branch)


async def place(request: Request) -> Response:
    """``POST /api/runs/<id>/place`` with ``{"to": 1}``: another place in the queue, 1 being the next to begin."""
    return await _answer(request, _place)


async def end(request: Request) -> Response:
    """``POST /api/runs/<id>/end`` with ``{}``: end a worker that no longer answers; the run can go on from its checkpoint."""
    return await _answer(request, _end)


async def _answer(request: Request, act: Act) -> Response:
    visitor, run_id = asking(request), request.path_params["run_id"]
    if not visitor.let_in:
        return refusal(401, LOG_IN)
    if not _trusted(request):
        log.event("request refused", level="warning", status=403, **asked(request.scope))
        return refusal(403, "this request does not come from a page of this server; reload the page and try again")
    try:
        wish = _wish(await _body(request))
        # In a thread: writing a file must not hold up everybody else.
        return json_answer(request, await to_thread.run_sync(_act, act, visitor, run_id, wish))
    except LookupError as error:
        return refusal(404, str(error.args[0]))
    except NotAllowed as error:
        return refusal(403, str(error))
    except UnusableRequest as error:
        return refusal(400, in_labels(str(error)))
    except OSError as error:
        log.event("request failed", level="error", status=500, error=error, **asked(request.scope))
        return refusal(500, f"it could not be written down: {error.strerror or error}")


def _act(act: Act, visitor: Visitor, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Raises LookupError: there is no such run for this visitor. Else as ``act``."""
    runs = runs_of(visitor)
    try:
        runs.get(run_id)
    except UnusableRequest as error:
        raise LookupError(str(error)) from None
    return act(runs, run_id, wish)


def _command(runs: VisitorRuns, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    kind = wish.get("kind")
    require(isinstance(kind, str), "kind must be the name of a command")
    require(not set(wish) - {"kind", "value"}, "a command has a kind and perhaps a value, and nothing else")
    value: Any = wish.get("value")
    if kind == "extend":
        runs.extend(run_id, value)
    else:
        runs.command(run_id, str(kind), value)
    return {"done": True}


def _branch(runs: VisitorRuns, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    require(not set(wish) - {"epoch", "changes", "name"}, "a branch has an epoch, changes and a name, and nothing else")
    epoch: Any = wish.get("epoch")
    changes, name = wish.get("changes", {}), wish.get("name", "")
    require(isinstance(changes, dict), "changes must be settings by name")
    require(isinstance(name, str) and len(name) <= 200, "name must be a text of at most 200 characters")
    return {"run_id": runs.branch(run_id, epoch, changes, name)}


def _place(runs: VisitorRuns, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    require(set(wish) == {"to"}, "a place has a number, to, and nothing else")
    runs.move(run_id, integer("to", wish["to"], low=1))
    return {"done": True}


def _end(runs: VisitorRuns, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    require(not wish, "to end a worker takes nothing but the run")
    runs.kill(run_id)
    return {"done": True}


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
        wish = loads(body)
    except ValueError:
        wish = None
    require(isinstance(wish, dict), "the request must be one JSON object")
    return dict(wish)


ROUTES = [
    Route("/api/runs/{run_id}/commands", command, methods=["POST"]),
    Route("/api/runs/{run_id}/branch", branch, methods=["POST"]),
    Route("/api/runs/{run_id}/place", place, methods=["POST"]),
    Route("/api/runs/{run_id}/end", end, methods=["POST"]),
]
