"""HTTP routes beside the pages: health and plotly.js here; what runs tell, and what is asked of them, in files of their own."""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
from functools import cache

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.api.embeddings import ROUTES as SPACE_ROUTES
from ui.api.events import EVENT_ROUTES
from ui.api.manifold import ROUTES as MAP_ROUTES
from ui.api.steering import STEERING_ROUTES
from ui.api.vectors import ROUTES as VECTOR_ROUTES

PLOTLY_PATH = "/api/assets/plotly.js"
_NO_STORE = {"Cache-Control": "no-store"}


@cache
def plotly_url() -> str:
    """Address of plotly.js. It names the installed version, so the browser may keep the file for ever."""
    return f"{PLOTLY_PATH}?v={importlib.metadata.version('plotly')}"


@cache
def packed_plotly() -> bytes:
    """plotly.js of the installed package, gzipped once a process (about 1.5 MB instead of 4.8)."""
    from plotly.offline import get_plotlyjs

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


ROUTES = [
    Route("/healthz", health, methods=["GET"]),
    Route(PLOTLY_PATH, plotly_asset, methods=["GET"]),
    *EVENT_ROUTES,
    *STEERING_ROUTES,
    *SPACE_ROUTES,
    *MAP_ROUTES,
    *VECTOR_ROUTES,
]
