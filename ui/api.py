"""Read-only HTTP routes beside the pages: health, the events of a run, and plotly.js for our own components."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from typing import Any

import plotly
from plotly.offline import get_plotlyjs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mfcore.paths import data_dir
from mfcore.runs.folder import RunFolder
from mfcore.validate import UnusableRequest

PLOTLY_PATH = "/api/assets/plotly.js"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
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
    if not _RUN_ID.fullmatch(run_id):
        return _refuse(404, f"there is no run {run_id}")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return _refuse(400, f"from must be a whole number >= 0, got {text!r}")
    try:
        answer = _events_since(run_id, int(text))
    except (UnusableRequest, FileNotFoundError):
        return _refuse(404, f"there is no run {run_id}")
    return JSONResponse(answer, headers=_NO_STORE)


def _events_since(run_id: str, offset: int) -> dict[str, Any]:
    path = data_dir() / "runs" / run_id
    if not path.is_dir():
        raise FileNotFoundError(run_id)
    folder = RunFolder(path)
    # The state is read before the events: were it the other way round, a run that ends in between would say
    # "finished" while its last events are still unread, and the reader would stop too early.
    status = folder.status()
    events, following = folder.events(offset)
    answer: dict[str, Any] = {"events": events, "next": following, "state": status.state}
    if status.reason:
        answer["reason"] = status.reason
    if offset == 0:
        config = folder.config()
        answer["config"] = {
            "model": config.model.name,
            "loss": config.training.loss,
            "num_epochs": config.training.num_epochs,
            "learning_rate": config.training.learning_rate,
            "k": config.protocol.k,
        }
    if status.state == "queued":
        answer["waiting_for"] = _runs_before(run_id)
    return answer


def _runs_before(run_id: str) -> int:
    """How many runs are trained or wait before this one. Ids sort by the time they were made."""
    runs = (data_dir() / "runs").iterdir()
    earlier = [RunFolder(path) for path in runs if path.name < run_id and (path / "status.json").exists()]
    return sum(folder.status().state in ("queued", "running", "paused") for folder in earlier)


def _refuse(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status, headers=_NO_STORE)


ROUTES = [
    Route("/healthz", health, methods=["GET"]),
    Route("/api/runs/{run_id}/events", run_events, methods=["GET"]),
    Route(PLOTLY_PATH, plotly_asset, methods=["GET"]),
]
