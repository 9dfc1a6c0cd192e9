"""t-SNE keeps clusters apart, says how far it is, and refuses what it cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from mfcore.embeddings import manifold as module
from mfcore.embeddings.manifold import ManifoldSettings, has_umap, manifold
from mfcore.errors import UnusableRequest


def clusters(width: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centre = 20 * rng.standard_normal((3, width))
    which = np.repeat(np.arange(3), 40)
    return (centre[which] + rng.standard_normal((120, width))).astype(np.float32), which


def kept_together(points: np.ndarray, which: np.ndarray) -> float:
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float(np.mean(which[distance.argmin(axis=1)] == which))


METHODS = ["tsne", pytest.param("umap", marks=pytest.mark.skipif(not has_umap(), reason="umap-learn is not installed"))]


@pytest.mark.parametrize("method", METHODS)
def test_clusters_stay_together_and_progress_is_told(method: str) -> None:
    vectors, which = clusters()
    told: list[float] = []
    points = manifold(vectors, ManifoldSettings(method, perplexity=10, neighbours=10), lambda share, text: told.append(share))
    assert points.shape == (120, 2)
    assert points.dtype == np.float32
    assert kept_together(points, which) == 1.0
    assert told[0] == 0.0
    assert told == sorted(told)
    assert method == "umap" or told[-1] > 0.9


def test_the_same_seed_gives_the_same_map_and_the_sphere_another() -> None:
    vectors, _ = clusters(60)  # wider than 50: reduced by PCA first
    settings = ManifoldSettings(perplexity=5)
    first = manifold(vectors, settings)
    np.testing.assert_array_equal(first, manifold(vectors, settings))
    assert not np.array_equal(first, manifold(vectors, ManifoldSettings(perplexity=5, sphere=True)))


def test_without_umap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_umap", lambda: False)
    with pytest.raises(UnusableRequest, match="pip install umap-learn"):
        manifold(clusters()[0], ManifoldSettings("umap"))


@pytest.mark.parametrize(
    ("vectors", "words"),
    [(np.zeros((200, 3)), "nothing to map"), (np.ones((20, 3)), "too few"), (np.full((200, 3), np.nan), "finite")],
)
def test_what_cannot_be_mapped_is_refused(vectors: np.ndarray, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        manifold(vectors, ManifoldSettings())


@pytest.mark.parametrize("bad", [{"method": "pca"}, {"perplexity": 1}, {"neighbours": 1}, {"min_dist": 2}, {"seed": -1}])
def test_settings_are_checked(bad: dict) -> None:
    with pytest.raises(UnusableRequest):
        ManifoldSettings(**bad)


def test_only_what_decides_is_part_of_a_maps_name() -> None:
    assert ManifoldSettings("tsne", neighbours=5).deciding() == ManifoldSettings("tsne", neighbours=9).deciding()
    assert ManifoldSettings("umap", neighbours=5).deciding() != ManifoldSettings("umap", neighbours=9).deciding()
