"""Read-only routes on what vectors say: names of axes, their shape over time, neighbours. Frames and points: ``api_space``.

``GET /api/runs/<id>/space/axes`` (parameters of a view as for ``/space``) → JSON ``{axes: [{sentence, low, high, correlations:
[{name, kind, rho, p}]}]}``; low and high are item_idx.

``GET /api/runs/<id>/space/shape`` → JSON ``{epochs, singular_values: [[…]], effective_rank, norm_rho, recovery, chance,
angles}``; the last three only where the truth is known (planted data).

``GET /api/runs/<id>/neighbours?item=<idx>|user=<idx>&n=10&by=cosine|dot&epoch=<e>|latest`` → JSON ``{epoch, item_idx, value}``:
the items nearest to an item, or to a user in the items' space.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.embeddings.axes import axis_names
from mfcore.embeddings.points import plain
from mfcore.embeddings.projection import nearest
from mfcore.embeddings.spectrum import norms_over_time, spectra
from mfcore.embeddings.trajectories import places
from mfcore.runs.embedding_space import run_space
from mfcore.validate import integer, require
from ui.api.answers import answered, finite, json_answer, stored_of
from ui.api.embeddings import view_of


def axes(request: Request) -> Response:
    """Names of the axes; see the top of this module."""
    opened, view = run_space(request.path_params["run_id"]), view_of(request.query_params)
    source = opened.snapshots()
    items = view.selected(source).item_idx
    named = [
        {
            "sentence": one.sentence,
            "low": [int(items[row]) for row in one.low],
            "high": [int(items[row]) for row in one.high],
            "correlations": [
                {"name": c.name, "kind": c.kind, "rho": finite(c.rho, 4), "p": finite(c.p, 6)} for c in one.correlations
            ],
        }
        for one in axis_names(source, opened.data_for(source), view)
    ]
    return json_answer(request, {"axes": named})


def shape(request: Request) -> Response:
    """Spectrum, norms and recovery per epoch; see the top of this module."""
    opened = run_space(request.path_params["run_id"])
    source, found = opened.snapshots(), opened.recovery()
    shapes, norms = spectra(source), norms_over_time(source, opened.data_for(source).popularity())
    answer: dict[str, Any] = {
        "epochs": list(shapes),
        "singular_values": [plain(one.singular_values) for one in shapes.values()],
        "effective_rank": [finite(one.effective_rank, 3) for one in shapes.values()],
        "norm_rho": [finite(norms[epoch].rho, 4) if epoch in norms else None for epoch in shapes],
    }
    if found:
        answer["recovery"] = [finite(found[epoch].score, 4) if epoch in found else None for epoch in shapes]
        answer["angles"] = [plain(found[epoch].angles, 2) if epoch in found else None for epoch in shapes]
        answer["chance"] = next(iter(found.values())).chance
    return json_answer(request, answer)


def neighbours(request: Request) -> Response:
    """Nearest items; see the top of this module."""
    query = request.query_params
    source = stored_of(request).snapshots()
    epoch = query.get("epoch", "latest")
    wanted = max(source.stamps(), default=0) if epoch == "latest" else integer("epoch", epoch, low=0)
    snapshot = source.load(wanted)
    require(snapshot is not None, f"there are no vectors of epoch {wanted}")
    assert snapshot is not None
    require(("item" in query) != ("user" in query), "name one item or one user")
    n, by = integer("n", query.get("n", "10"), low=1, high=1000), query.get("by", "cosine")
    if "item" in query:
        row = places(source.item_idx, (integer("item", query["item"], low=0),))[0]
        rows, values = nearest(snapshot.items, snapshot.items[row], n, by, without=row)
    else:
        user = places(source.user_idx, (integer("user", query["user"], low=0),), "user")[0]
        rows, values = nearest(snapshot.items, snapshot.users[user], n, by)
    return json_answer(request, {"epoch": wanted, "item_idx": source.item_idx[rows].tolist(), "value": plain(values)})


ROUTES = [
    Route("/api/runs/{run_id}/space/axes", answered(axes), methods=["GET"]),
    Route("/api/runs/{run_id}/space/shape", answered(shape), methods=["GET"]),
    Route("/api/runs/{run_id}/neighbours", answered(neighbours), methods=["GET"]),
    Route("/api/embeddings/{embeddings_id}/neighbours", answered(neighbours), methods=["GET"]),
]
