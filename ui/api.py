"""Read-only HTTP routes beside the pages: health, the events of a run, and plotly.js for our own components."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from typing import Any

import plotly
from plotly.offline import get_plotlyjs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mfcore.runs.folder import open_folder
from mfcore.runs.manager import manager_for
from mfcore.validate import UnusableRequest
from ui.api_space import ROUTES as SPACE_ROUTES

PLOTLY_PATH = "/api/assets/plotly.js"
_NO_STORE = {"Cache-Control": "no-store"}


def plotly_url() -> str:
    """Address of plotly.js. It names the installed version, so the browser may keep the file for ever."""
    return f"{PLOTLY_PATH}?v={plotly.__version__}"


@cache
def packed_plotly() -> bytes:
    """plotly.js of the installed package, gzipped once a process (about 1.5 MB instead of 4.8)."""
    return gzip.compress(get_plotlyjs().encode(), compresslevel=6, mtime=0)


def health(request: Request) -> Response:
    """The server answers."""
    return JSONResponse({"status": "ok"}, headers=_NO_STORE)


def plotly_asset(request: Request) -> Response:
    """plotly.js, compressed where the browser takes it (all do), to be cached for a year."""
    body, headers = packed_plotly(), {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type="text/javascript", headers=headers)


def run_events(request: Request) -> Response:
    """``GET /api/runs/<id>/events?from=<offset>``: what happened since, where to read on, and the run's state.

    Plain ``def``: Starlette runs it in a thread, so a slow disk never holds the event loop.
    """
    run_id, text = request.path_params["run_id"], request.query_params.get("from", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return _refuse(400, f"from must be a whole number >= 0, got {text!r}")
    try:
        answer = _events_since(run_id, int(text))
    except UnusableRequest as error:  # no such run; names that could leave the runs folder are refused there too
        return _refuse(404, str(error))
    return JSONResponse(answer, headers=_NO_STORE)


def _events_since(run_id: str, offset: int) -> dict[str, Any]:
    # The state is read before the events: were it the other way round, a run that ends in between would say
    # "finished" while its last events are still unread, and the reader would stop too early. The manager is asked
    # rather than the folder because it notices a worker that died without a word.
    run = manager_for().get(run_id)
    events, following = open_folder(run_id).events(offset)
    answer: dict[str, Any] = {"events": events, "next": following, "state": run.state}
    if run.reason:
        answer["reason"] = run.reason
    if offset == 0:
        answer["config"] = {
            "model": run.model,
            "loss": run.config.training.loss,
            "num_epochs": run.config.training.num_epochs,
            "learning_rate": run.config.training.learning_rate,
            "k": run.config.protocol.k,
        }
    if run.state == "queued":
        answer["waiting_for"] = _runs_before(run_id, run.created)
    return answer


def _runs_before(run_id: str, created: float) -> int:
    """How many runs are being trained, or wait before this one."""
    others = (run for run in manager_for().list() if run.run_id != run_id)
    return sum(run.state in ("running", "paused") or (run.state == "queued" and run.created <= created) for run in others)


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status, headers=_NO_STORE)


ROUTES = [
    Route("/healthz", health, methods=["GET"]),
    Route("/api/runs/{run_id}/events", run_events, methods=["GET"]),
    Route(PLOTLY_PATH, plotly_asset, methods=["GET"]),
    *SPACE_ROUTES,
]
