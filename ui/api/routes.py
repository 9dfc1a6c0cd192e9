"""HTTP routes beside the pages: health here; what runs tell, and what is asked of them, in files of their own."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.errors import UnusableRequest
from ui.api import assets, embeddings, events, manifold, queue, steering, vectors
from ui.api.answers import json_answer
from ui.visitor_runs import server_manager
from ui.visitors import asking


def health(request: Request) -> Response:
    """``GET /healthz``: 200 where a run could be trained now, else 503 and, to who is let in, what is wrong, a line each."""
    try:
        found = server_manager().troubles()
    except UnusableRequest as error:
        found = [str(error)]
    if not found:
        return json_answer(request, {"status": "ok"})
    why = {"why": found} if asking(request).let_in else {}
    return json_answer(request, {"status": "cannot train", **why}, 503)


ROUTES: list[Route] = [
    Route("/healthz", health, methods=["GET"]),
    *(route for part in (assets, events, queue, steering, embeddings, manifold, vectors) for route in part.ROUTES),
]


def under_base_path(routes: Iterable[Route], base: str | None = None) -> list[Route]:
    """The routes, and once more below the path that the app is served under (``server.baseUrlPath``).

    Streamlit prefixes its own and not those of others. Both stay: a proxy that strips the path asks for the bare ones.
    """
    base = str(st.get_option("server.baseUrlPath") if base is None else base or "").strip("/")
    bare = list(routes)
    return [*bare, *(Route(f"/{base}{one.path}", one.endpoint, methods=one.methods) for one in bare if base)]
