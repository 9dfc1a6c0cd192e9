"""Maps in a child process: they finish, are kept, can be cancelled, and fail with a reason."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.embeddings.manifold import ManifoldSettings
from mfcore.embeddings.manifold_job import Children, ManifoldJob, manifold_job
from mfcore.errors import UnusableRequest
from mfcore.runs.embedding_space import run_space
from tests.runs.tiny_runs import wait_until


@pytest.fixture
def cloud(home: Path) -> ImportedEmbeddings:
    """Three clusters of 100 points."""
    rng = np.random.default_rng(0)
    vectors = (np.repeat(15 * rng.standard_normal((3, 5)), 100, axis=0) + rng.standard_normal((300, 5))).astype(np.float32)
    return ImportedEmbeddings.add(Tables(vectors, {"label": [str(n) for n in range(300)]}), "cloud", home)


@pytest.fixture
def children() -> Iterator[Children]:
    """Whatever is started ends with the test."""
    made = Children()
    yield made
    made.kill()


def job(cloud: ImportedEmbeddings, children: Children, **settings: object) -> ManifoldJob:
    return manifold_job(cloud, settings=ManifoldSettings(**settings), children=children)


def test_a_map_is_made_once_and_kept(cloud: ImportedEmbeddings, children: Children) -> None:
    asked = job(cloud, children, perplexity=20)
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
    made = asked.files.points.stat().st_mtime_ns
    assert asked.start().state == "finished"
    assert asked.files.points.stat().st_mtime_ns == made
    assert job(cloud, children, perplexity=21).status().state == "absent"


def test_a_map_can_be_cancelled_and_begun_again(cloud: ImportedEmbeddings, children: Children) -> None:
    asked = job(cloud, children)
    asked.start()
    asked.cancel()
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "cancelled"
    assert asked.start().state == "starting"
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "finished"


def test_too_few_points_fail_with_the_reason(home: Path, children: Children) -> None:
    few = ImportedEmbeddings.add(Tables(np.eye(5, dtype=np.float32), {"label": list("abcde")}), "few", home)
    asked = job(few, children)
    asked.start()
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "failed"
    assert "too few" in asked.status().reason


def test_a_child_that_dies_without_a_word_is_noticed(cloud: ImportedEmbeddings, children: Children) -> None:
    asked = job(cloud, children)
    asked.start()
    wait_until(lambda: asked.status().state == "running")
    children.kill()
    assert asked.status().state == "failed"
    assert "without a word" in asked.status().reason


def test_a_status_nobody_stands_behind_is_a_failure(cloud: ImportedEmbeddings, children: Children) -> None:
    asked = job(cloud, children)
    asked.files.stem.parent.mkdir()
    for state, time_ in (("running", time.time()), ("starting", time.time() - 1000)):
        asked.files.stem.with_suffix(".json").write_text(json.dumps({"state": state, "time": time_}))
        assert asked.status().state == "failed"
    asked.files.stem.with_suffix(".json").write_text(json.dumps({"state": "starting", "time": time.time()}))
    assert asked.status().state == "starting"


def test_only_so_many_at_once_and_only_so_many_are_kept(cloud: ImportedEmbeddings) -> None:
    children = Children(most_at_once=1, most_kept=1)
    first, second = job(cloud, children, seed=1), job(cloud, children, seed=2)
    first.start()
    with pytest.raises(UnusableRequest, match="being made already"):
        second.start()
    wait_until(lambda: first.status().over)
    second.start()
    assert first.status().state == "absent"
    assert not list(first.files.stem.parent.glob(f"{first.files.stem.name}.*"))
    children.kill()


def test_what_the_child_reads_is_gone_when_it_has_read_it(cloud: ImportedEmbeddings, children: Children) -> None:
    asked = job(cloud, children, perplexity=5)
    asked.start()
    wait_until(lambda: asked.status().over)
    assert not asked.files.vectors.exists()


def test_a_run_is_mapped_from_its_snapshots(home: Path, train: Callable, children: Children) -> None:
    opened = run_space(train()[0].run_id, home)
    asked = manifold_job(opened, epoch=1, what="users", settings=ManifoldSettings(perplexity=5), children=children)
    asked.start()
    wait_until(lambda: asked.status().over)
    assert asked.status().state == "finished", asked.status()
    points = asked.points()
    assert points is not None
    assert points.shape == (60, 2)


def test_what_does_not_exist_cannot_be_started(cloud: ImportedEmbeddings, children: Children) -> None:
    with pytest.raises(UnusableRequest, match="epoch 4"):
        manifold_job(cloud, epoch=4, children=children).start()
    with pytest.raises(UnusableRequest, match="what must be one of"):
        manifold_job(cloud, what="films")
