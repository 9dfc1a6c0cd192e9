"""Maps in a child process: they finish, are kept, can be cancelled, and fail with a reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mfcore.embeddings import manifold_job as module
from mfcore.embeddings.imported import ForeignEmbeddings
from mfcore.embeddings.manifold import ManifoldSettings
from mfcore.embeddings.manifold_job import ManifoldJob, manifold_job, start_manifold_job
from mfcore.embeddings.tsv import Tables
from mfcore.errors import UnusableRequest
from tests.runs.tiny_runs import wait_until


@pytest.fixture
def cloud(home: Path) -> Iterator[ForeignEmbeddings]:
    """Three clusters of 100 points; whatever was started for them ends with the test."""
    rng = np.random.default_rng(0)
    vectors = (np.repeat(15 * rng.standard_normal((3, 5)), 100, axis=0) + rng.standard_normal((300, 5))).astype(np.float32)
    yield ForeignEmbeddings.add(Tables(vectors, {"label": [str(n) for n in range(300)]}), "cloud", home)
    for child in module._children.values():
        child.kill()
        child.wait()
    module._children.clear()


def job(cloud: ForeignEmbeddings, home: Path, **settings: object) -> ManifoldJob:
    return manifold_job(cloud.name, home, settings=ManifoldSettings(**settings), kind="embeddings")


def test_a_map_is_made_once_and_kept(home: Path, cloud: ForeignEmbeddings) -> None:
    asked = job(cloud, home, perplexity=20)
    assert asked.status().state == "absent"
    assert asked.points() is None
    assert asked.start().state in ("starting", "running", "finished")
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "finished", asked.status()
    points = asked.points()
    assert points is not None
    centres = points.reshape(3, 100, 2).mean(axis=1)
    spread = np.linalg.norm(points.reshape(3, 100, 2) - centres[:, None], axis=2).max()
    assert min(np.linalg.norm(centres[a] - centres[b]) for a, b in ((0, 1), (0, 2), (1, 2))) > spread / 2
    made = asked.place.with_suffix(".safetensors").stat().st_mtime_ns
    assert asked.start().state == "finished"
    assert asked.place.with_suffix(".safetensors").stat().st_mtime_ns == made
    assert job(cloud, home, perplexity=21).status().state == "absent"


def test_a_map_can_be_cancelled_and_begun_again(home: Path, cloud: ForeignEmbeddings) -> None:
    asked = job(cloud, home)
    asked.start()
    asked.cancel()
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "cancelled"
    assert asked.start().state == "starting"
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "finished"


def test_too_few_points_fail_with_the_reason(home: Path) -> None:
    few = ForeignEmbeddings.add(Tables(np.eye(5, dtype=np.float32), {"label": list("abcde")}), "few", home)
    asked = start_manifold_job(few.name, home, kind="embeddings")
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "failed"
    assert "too few" in asked.status().reason


def test_a_child_that_dies_without_a_word_is_noticed(home: Path, cloud: ForeignEmbeddings) -> None:
    asked = job(cloud, home)
    asked.start()
    wait_until(lambda: asked.status().state == "running")
    module._children[asked.place].kill()
    module._children[asked.place].wait()
    assert asked.status().state == "failed"
    assert "without a word" in asked.status().reason


def test_a_status_nobody_stands_behind_is_a_failure(home: Path, cloud: ForeignEmbeddings) -> None:
    asked = job(cloud, home)
    asked.place.parent.mkdir()
    for state, time_ in (("running", time.time()), ("starting", time.time() - 1000)):
        asked.place.with_suffix(".json").write_text(json.dumps({"state": state, "time": time_}))
        assert asked.status().state == "failed"
    asked.place.with_suffix(".json").write_text(json.dumps({"state": "starting", "time": time.time()}))
    assert asked.status().state == "starting"


def test_only_so_many_at_once_and_only_so_many_are_kept(
    home: Path, cloud: ForeignEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 1)
    first = job(cloud, home, seed=1)
    first.start()
    with pytest.raises(UnusableRequest, match="being made already"):
        job(cloud, home, seed=2).start()
    wait_until(lambda: first.status().over)
    monkeypatch.setattr(module, "_MOST_KEPT", 1)
    second = job(cloud, home, seed=2)
    second.start()
    assert first.status().state == "absent"
    second.cancel()
    wait_until(lambda: second.status().over)


def test_a_run_is_mapped_from_its_snapshots(home: Path, train: Callable) -> None:
    folder = train()[0]
    asked = start_manifold_job(folder.run_id, home, epoch=1, what="users", settings=ManifoldSettings(perplexity=5))
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "finished", asked.status()
    points = asked.points()
    assert points is not None
    assert points.shape == (60, 2)


def test_what_does_not_exist_cannot_be_started(home: Path, cloud: ForeignEmbeddings) -> None:
    with pytest.raises(UnusableRequest, match="epoch 4"):
        start_manifold_job(cloud.name, home, kind="embeddings", epoch=4)
    with pytest.raises(UnusableRequest, match="what must be one of"):
        manifold_job(cloud.name, home, kind="embeddings", what="films")
