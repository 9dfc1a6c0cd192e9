"""Read-only routes for moving embeddings: frames of points on fixed axes, what the points are, and the rating block.

``GET /api/runs/<id>/space`` answers with the numbers themselves (``application/octet-stream``, little-endian)::

    bytes 0–3      "MFS1"
    bytes 4–7      uint32 H, the length of the header
    8 … 8+H        header, JSON in UTF-8, padded with spaces so that the frames start at a multiple of 4
    8+H …          frames, int16: for each epoch in ``epochs`` n rows of items, then m rows of users, each row with one number
                   per column in ``columns``

    coordinate = int16 / 32767 · ranges[frame][column]        (WebGL: a normalised SHORT attribute times a uniform)

Header: ``epochs`` (of the frames sent), ``available`` (all there are now: drop frames of epochs that are missing in it),
``basis`` (epoch whose item vectors gave the axes), ``columns`` (["1", "2", "3"], then what was asked for), ``ranges``
(one list per frame, one number per column), ``items`` n, ``users`` m, ``item_idx`` and ``user_idx`` (whose rows they are; only
with the first answer, that is without ``from``), ``origin`` (where the zero vector lies, one number per component), ``dim``
(numbers in a whole vector; with as many components the frames are the vectors themselves, turned and shifted), ``explained``
(share of variance per component), ``state`` of the run, ``note``.

Parameters: ``what=items|users|both`` (default both); ``basis=final|<epoch>`` (a live view passes the ``basis`` it was given
first, so that its axes never turn); ``components=1…512`` (default 3); ``from=<epoch>``, ``to=<epoch>`` frames from this epoch
on, up to this epoch; at most 64 MB in one answer;
``norm=1`` adds the length of each whole vector as a last column; ``every=1`` all items and users in one frame, the model's;
``items=3,17,42`` (item_idx) these alone, with components of their own; ``sphere=1`` every vector at length 1 first;
``between=3,17~42`` a column "between" after the components: the place of each point on the way from the mean of the first films
to that of the others (0 half-way). All of these fit the axes once, at the basis epoch.

``GET /api/runs/<id>/space/points`` → JSON ``{items: {idx, id, title, year, genres, ratings, mean, bias}, users: {idx, id,
label, ratings, mean, bias}}``, columns of equal length in the order of the rows above; unknown is null. ``every=1`` as above.

``GET /api/embeddings/<id>/space`` and ``…/space/points``: the same of imported embeddings: one frame, epoch 0, no users; points
has ``more`` besides, the columns of their table that are none of these.

``GET /api/runs/<id>/block?epoch=<e>|latest`` → JSON ``{epoch, step, users, items, known, heldout, predicted, low, high, unit,
note}``: rows are users; ``known`` has null where there is no rating, ``heldout`` 1 where the rating is validation's.
``static=0`` leaves out all but epoch, step and predicted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.embeddings.trajectories import Trajectories, View, trajectories
from mfcore.runs.embedding_space import run_space
from mfcore.validate import boolean, choice, integer
from ui.api.answers import Recent, answered, binary_answer, finite, json_answer, stored_of


def space(request: Request) -> Response:
    """Frames of points; see the top of this module."""
    query, stored = request.query_params, stored_of(request)
    since, every = integer("from", query.get("from", "0"), low=0), boolean("every", query.get("every", "0"))
    until = integer("to", query["to"], low=0) if "to" in query else None
    what = choice("what", query.get("what", "both"), ("items", "users", "both"))
    found = trajectories(stored.snapshots(every=every), view_of(query), since=since, until=until)
    first = "from" not in query
    return frames(found, what, norm=boolean("norm", query.get("norm", "0")), first=first, head={"state": stored.state})


def view_of(query: Mapping[str, str]) -> View:
    """The axes that an address asks for.

    Raises:
        UnusableRequest: a parameter makes no sense.
    """
    basis = query.get("basis", "final")
    start, _, end = query.get("between", "").partition("~")
    return View(
        basis=None if basis == "final" else integer("basis", basis, low=0),
        components=integer("components", query.get("components", "3")),
        sphere=boolean("sphere", query.get("sphere", "0")),
        items=_numbers("items", query.get("items", "")),
        start=_numbers("between", start),
        end=_numbers("between", end),
    )


def _numbers(name: str, text: str) -> tuple[int, ...]:
    return tuple(integer(name, word, low=0) for word in text.split(",")) if text else ()


def frames(found: Trajectories, what: str, *, norm: bool, first: bool, head: dict[str, Any]) -> Response:
    """The binary answer described at the top of this module."""
    parts = {"items": (found.items, found.item_norms), "users": (found.users, found.user_norms)}
    chosen = [name for name in parts if what in (name, "both")]
    columns = list(found.columns)
    points = np.concatenate([parts[name][0] for name in chosen], axis=1)
    if norm:
        points = np.concatenate([points, np.concatenate([parts[name][1] for name in chosen], axis=1)[..., None]], axis=2)
        columns.append("norm")
    header = {
        **head,
        "epochs": found.epochs,
        "available": found.available,
        "basis": found.basis,
        "columns": columns,
        "items": found.items.shape[1] if "items" in chosen else 0,
        "users": found.users.shape[1] if "users" in chosen else 0,
        "origin": [finite(value, 6) for value in found.projection.transform(np.zeros((1, len(found.projection.mean))))[0]],
        "dim": len(found.projection.mean),
        "explained": [finite(share, 4) for share in found.explained_variance_ratio],
        "note": found.note,
    }
    if first:
        index = {"items": found.item_idx, "users": found.user_idx}
        header |= {f"{name[:-1]}_idx": index[name].tolist() for name in chosen}
    return binary_answer(header, points)


def points(request: Request) -> Response:
    """What the points are; see the top of this module."""
    every = boolean("every", request.query_params.get("every", "0"))
    return json_answer(request, stored_of(request).points(every=every))


_pictures = Recent(seconds=0.25)


def block(request: Request) -> Response:
    """The rating block; see the top of this module."""
    query = request.query_params
    wanted = query.get("epoch", "latest")
    epoch = None if wanted == "latest" else integer("epoch", wanted, low=0)
    static = boolean("static", query.get("static", "1"))
    run_id, packed = request.path_params["run_id"], "gzip" in request.headers.get("accept-encoding", "")
    # A class that watches one run asks for one and the same picture.
    return _pictures.answer(
        (run_id, epoch, static, packed),
        lambda: json_answer(request, run_space(run_id).rating_block(epoch=epoch, static=static)),
    )


ROUTES = [
    Route("/api/runs/{run_id}/space", answered(space), methods=["GET"]),
    Route("/api/runs/{run_id}/space/points", answered(points), methods=["GET"]),
    Route("/api/runs/{run_id}/block", answered(block), methods=["GET"]),
    Route("/api/embeddings/{embeddings_id}/space", answered(space), methods=["GET"]),
    Route("/api/embeddings/{embeddings_id}/space/points", answered(points), methods=["GET"]),
]
