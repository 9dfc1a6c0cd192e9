"""HTTP routes beside the pages: health here; what runs tell, and what is asked of them, in files of their own."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.api import assets, embeddings, events, manifold, steering, vectors
from ui.api.answers import json_answer


def health(request: Request) -> Response:
    """The server answers."""
    return json_answer(request, {"status": "ok"})


ROUTES: list[Route] = [
    Route("/healthz", health, methods=["GET"]),
    *(route for part in (assets, events, steering, embeddings, manifold, vectors) for route in part.ROUTES),
]


def under_base_path(routes: Iterable[Route], base: str | None = None) -> list[Route]:
    """The routes, and once more below the path that the app is served under (``server.baseUrlPath``).

    Streamlit prefixes its own and not those of others. Both stay: a proxy that strips the path asks for the bare ones.
    """
    base = str(st.get_option("server.baseUrlPath") if base is None else base or "").strip("/")
    bare = list(routes)
    return [*bare, *(Route(f"/{base}{one.path}", one.endpoint, methods=one.methods) for one in bare if base)]
