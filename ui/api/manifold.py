"""Read-only routes of maps that a child process makes: t-SNE and UMAP. Starting and cancelling is the page's.

``GET /api/runs/<id>/manifold/<tsne|umap>`` → JSON ``{state, progress, message, reason, seconds}``; state is absent, starting,
running, finished, failed or cancelled. Parameters say which map: ``epoch=<e>`` (default the latest), ``what=items|users``,
``perplexity``, ``neighbours``, ``min_dist``, ``sphere``, ``seed``. With ``points=1``, once it is finished, the same binary
answer as ``/space`` with two columns; 400 before. ``/api/embeddings/<id>/manifold/…``: of imported embeddings.
"""

from __future__ import annotations

import dataclasses

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.embeddings.manifold import ManifoldSettings
from mfcore.embeddings.manifold_job import ManifoldJob, manifold_job
from mfcore.validate import boolean, integer, number, require
from ui.api.answers import answered, binary_answer, json_answer, stored_of


def manifold_state(request: Request) -> Response:
    """How far a map is, or its points; see the top of this module."""
    job = _job(request)
    if not boolean("points", request.query_params.get("points", "0")):
        return json_answer(request, dataclasses.asdict(job.status()))
    points = job.points()
    require(points is not None, "this map is not finished")
    assert points is not None
    items = len(points) if job.what == "items" else 0
    header = {
        "state": "finished",
        "epochs": [job.epoch],
        "columns": ["1", "2"],
        "items": items,
        "users": len(points) - items,
        f"{job.what[:-1]}_idx": (job.source.item_idx if items else job.source.user_idx).tolist(),
    }
    return binary_answer(header, points[None])


def _job(request: Request) -> ManifoldJob:
    stored, query = stored_of(request), request.query_params
    settings = ManifoldSettings(
        request.path_params["method"],
        perplexity=number("perplexity", query.get("perplexity", "30")),
        neighbours=integer("neighbours", query.get("neighbours", "15")),
        min_dist=number("min_dist", query.get("min_dist", "0.1")),
        sphere=boolean("sphere", query.get("sphere", "0")),
        seed=integer("seed", query.get("seed", "0")),
    )
    epoch = query.get("epoch", "latest")
    return manifold_job(
        stored,
        epoch=None if epoch == "latest" else integer("epoch", epoch, low=0),
        what=query.get("what", "items"),
        settings=settings,
    )


ROUTES = [
    Route("/api/runs/{run_id}/manifold/{method}", answered(manifold_state), methods=["GET"]),
    Route("/api/embeddings/{embeddings_id}/manifold/{method}", answered(manifold_state), methods=["GET"]),
]
