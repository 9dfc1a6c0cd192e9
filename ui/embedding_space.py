"""Vectors of a run, their projection, and neighbours in the whole space (not on the map)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from mfcore.runs.loaded import load_run
from mfcore.validate import require
from ui.embedding_points import item_points, user_points

if TYPE_CHECKING:
    from mfcore.runs.loaded import LoadedRun

Floats = npt.NDArray[np.float32]
ITEMS, USERS = "items", "users"


@dataclass(frozen=True, eq=False)
class Space:
    """Items or users as points (n rows), vectors (n, d), coordinates on up to three axes, and the variance each axis holds.

    ``others``: coordinates of the other kind of points (users, where these are items) on the same axes.
    """

    kind: str
    points: pd.DataFrame
    vectors: Floats
    coordinates: Floats
    explained: npt.NDArray[np.float64]
    others: Floats


def space_of(run: LoadedRun, kind: str) -> Space:
    """The space of a run's items or users; kept until the run's checkpoint changes.

    Raises:
        UnusableRequest: the vectors are not finite, or too short for a map.
    """
    stamp = (run.folder.checkpoints / f"{run.checkpoint}.safetensors").stat().st_mtime_ns
    return _space(str(run.folder.path.parent.parent), run.folder.run_id, stamp, kind)


@st.cache_resource(max_entries=12, show_spinner="Drawing the map …")
def _space(home: str, run_id: str, stamp: int, kind: str) -> Space:
    from mfcore.projection import Projection

    run = load_run(run_id, home)
    both = {ITEMS: run.model.item_vectors(), USERS: run.model.user_vectors()}
    vectors = np.asarray(both[kind], dtype=np.float32)
    width = vectors.shape[1]
    require(
        width >= 2,
        f"a map needs at least two dimensions, and this model's vectors have {width}; train with embedding_dim 2 or more",
    )
    projection = Projection.fit(vectors, num_components=min(3, *vectors.shape))
    points = item_points(run.data) if kind == ITEMS else user_points(run.data)
    others = projection.transform(both[USERS if kind == ITEMS else ITEMS])
    return Space(kind, points, vectors, projection.coordinates, projection.explained_variance_ratio, others)


def neighbours(vectors: Floats, row: int, n: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """The ``n`` rows with the highest cosine to ``row``, itself left out, and those cosines. vectors: (m, d)."""
    length = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[row])
    cosine = np.divide(vectors @ vectors[row], length, out=np.full(len(vectors), -2.0, np.float32), where=length > 0)
    cosine[row] = -2.0
    best = np.argsort(-cosine, kind="stable")[:n]
    best = best[cosine[best] > -2.0]
    return best.astype(np.int64), cosine[best]


def variance_words(explained: npt.NDArray[np.float64], axes: int, width: int) -> str:
    """How much of the whole the axes on screen show, in a sentence."""
    shares = explained[:axes]
    if not np.isfinite(shares).all():
        return "All vectors are the same, so there is nothing to tell them apart by."
    names = ("first axis", "second", "third")
    each = ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(names, shares, strict=False))
    rest = f" What lies side by side here may be apart in the other {width - axes} dimensions." if width > axes else ""
    whole = f"{100 * shares.sum():.0f} % of the variance of the {width}-dimensional vectors"
    return f"The {axes} axes shown hold {whole} ({each}).{rest}"
