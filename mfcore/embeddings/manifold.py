"""t-SNE and UMAP: maps that keep neighbours together, and nothing else."""

from __future__ import annotations

import dataclasses
import io
import re
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from mfcore.embeddings.projection import Projection, on_sphere
from mfcore.errors import UnusableRequest
from mfcore.typing import Float32
from mfcore.validate import boolean, choice, integer, number, require

Progress = Callable[[float, str], None]
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
NO_UMAP = "UMAP is not installed here; `pip install umap-learn` adds it, or choose t-SNE"
_WIDEST = 50
_ITERATIONS = 1000


@dataclass(frozen=True)
class ManifoldSettings:
    """What decides a map, apart from the vectors.

    Attributes:
        method: "tsne" (van der Maaten & Hinton 2008) or "umap" (McInnes, Healy & Melville 2018).
        perplexity: t-SNE, about how many neighbours each point keeps. neighbours, min_dist: the like of it for UMAP, and how
            closely points may sit, 0 to 1. sphere: compare directions only. seed: of both.

    Raises:
        UnusableRequest: a value is out of range.
    """

    method: str = "tsne"
    perplexity: float = 30.0
    neighbours: int = 15
    min_dist: float = 0.1
    sphere: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        choice("method", self.method, METHODS)
        fix = object.__setattr__
        fix(self, "perplexity", number("perplexity", self.perplexity, low=2, high=200))
        fix(self, "neighbours", integer("neighbours", self.neighbours, low=2, high=200))
        fix(self, "min_dist", number("min_dist", self.min_dist, low=0, high=1))
        fix(self, "sphere", boolean("sphere", self.sphere))
        fix(self, "seed", integer("seed", self.seed, low=0, high=2**32 - 1))

    def deciding(self) -> dict[str, object]:
        """Only what matters to this method: two requests that differ elsewhere are the same map."""
        other = ("neighbours", "min_dist") if self.method == "tsne" else ("perplexity",)
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in other}


def has_umap() -> bool:
    """Whether UMAP can be used here."""
    return find_spec("umap") is not None


def manifold(vectors: npt.ArrayLike, settings: ManifoldSettings, progress: Progress = lambda share, text: None) -> Float32:
    """(n, d) vectors → (n, 2) float32 map. Takes seconds for thousands of points, minutes for tens of thousands.

    progress: (share done 0 to 1, what is being done), now and then.

    Raises:
        UnusableRequest: too few points for the settings, vectors that are not finite, or UMAP is not installed.
    """
    table = np.asarray(vectors, dtype=np.float32)
    require(table.ndim == 2 and bool(np.isfinite(table).all()), "the vectors are not a table of finite numbers")
    needed = 3 * settings.perplexity if settings.method == "tsne" else settings.neighbours + 1
    require(len(table) > needed, f"{len(table)} points are too few for these settings; lower perplexity or neighbours")
    require(bool(np.ptp(table, axis=0).any()), "all vectors are the same, so there is nothing to map")
    if settings.sphere:
        table = on_sphere(table)
    if table.shape[1] > _WIDEST:  # what t-SNE's authors do: distances hardly change, the search for neighbours is much faster
        table = Projection.fit(table, min(_WIDEST, len(table))).coordinates
    made = _tsne(table, settings, progress) if settings.method == "tsne" else _umap(table, settings, progress)
    require(bool(np.isfinite(made).all()), "the map did not come out as numbers; try another perplexity")
    return made.astype(np.float32)


def _tsne(table: Float32, settings: ManifoldSettings, progress: Progress) -> Float32:
    from sklearn.manifold import TSNE

    progress(0.0, "finding neighbours")
    tsne = TSNE(
        perplexity=settings.perplexity, init="pca", random_state=settings.seed, max_iter=_ITERATIONS, verbose=2, n_jobs=1
    )
    with redirect_stdout(_Listener(r"Iteration (\d+)", _ITERATIONS, progress)):
        found: Float32 = tsne.fit_transform(table)
    return found


def _umap(table: Float32, settings: ManifoldSettings, progress: Progress) -> Float32:
    if not has_umap():
        raise UnusableRequest(NO_UMAP)
    progress(0.0, "compiling and finding neighbours")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports, and that a seed costs parallelism: both are known
        from umap import UMAP

        reducer = UMAP(
            n_neighbors=settings.neighbours,
            min_dist=settings.min_dist,
            random_state=settings.seed,
            n_jobs=1,
            verbose=True,
            tqdm_kwds={"disable": True},
        )
        with redirect_stdout(_Listener(r"completed\s+(\d+)\s*/\s*(\d+)", 1, progress)):
            found: Float32 = reducer.fit_transform(table)
    return found


class _Listener(io.TextIOBase):
    """Neither library calls back; both print where they are."""

    def __init__(self, pattern: str, whole: int, progress: Progress) -> None:
        self._pattern, self._whole, self._progress = re.compile(pattern), whole, progress

    def write(self, text: str) -> int:
        found = self._pattern.search(text)
        if found:
            whole = int(found[2]) if self._pattern.groups > 1 else self._whole
            self._progress(min(1.0, int(found[1]) / max(1, whole)), "arranging points")
        return len(text)
