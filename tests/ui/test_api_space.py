"""The routes of moving embeddings: the binary format, views, points, the rating block, neighbours, maps, refusals."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.embeddings.manifold import ManifoldSettings
from mfcore.embeddings.manifold_job import CHILDREN, manifold_job
from mfcore.embeddings.snapshots import SnapshotFiles
from mfcore.embeddings.trajectories import View, trajectories
from mfcore.runs import RunFolder
from mfcore.runs.embedding_space import run_space
from mfcore.runs.worker.session import train_run
from tests.runs.tiny_runs import tiny, wait_until
from ui.api import routes as api


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> RunFolder:
    folder = RunFolder.create(home, tiny(num_epochs=4))
    assert train_run(folder, home).state == "finished"
    return folder


@pytest.fixture
def client(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(home))
    with TestClient(Starlette(routes=api.ROUTES)) as opened:
        yield opened


def get(client: TestClient, run: RunFolder, what: str, status: int = 200) -> Any:
    answer = client.get(f"/api/runs/{run.run_id}/{what}")
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer


def decoded(body: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """As the documentation says, from the bytes alone: header, and (F, n + m, c) coordinates."""
    assert body[:4] == b"MFS1"
    (length,) = struct.unpack("<I", body[4:8])
    assert (8 + length) % 4 == 0
    header = json.loads(body[8 : 8 + length])
    shape = (len(header["epochs"]), header["items"] + header["users"], len(header["columns"]))
    shorts = np.frombuffer(body[8 + length :], "<i2").reshape(shape)
    return header, shorts / 32767 * np.array(header["ranges"]).reshape(shape[0], 1, shape[2])


def test_frames_decode_to_the_coordinates_of_the_space(client: TestClient, home: Path, run: RunFolder) -> None:
    header, points = decoded(get(client, run, "space").content)
    space = trajectories(run_space(run.run_id, home).snapshots())
    assert (header["items"], header["users"], header["columns"]) == (40, 60, ["1", "2", "3"])
    assert header["epochs"] == header["available"] == space.epochs == SnapshotFiles(run.path).epochs()
    assert header["item_idx"] == list(range(40))
    tolerance = float(np.abs(points).max()) / 60_000
    assert points[:, :40] == pytest.approx(space.items, abs=tolerance)
    assert points[:, 40:] == pytest.approx(space.users, abs=tolerance)
    assert header["explained"] == pytest.approx(space.explained_variance_ratio, abs=1e-4)
    assert header["state"] == "finished"


def test_with_all_components_the_frames_are_the_vectors_turned(client: TestClient, run: RunFolder) -> None:
    header, points = decoded(get(client, run, f"space?components={4}&norm=1").content)
    assert header["columns"] == ["1", "2", "3", "4", "norm"]
    from_origin = np.linalg.norm(points[-1, :, :4] - np.array(header["origin"]), axis=1)
    assert from_origin == pytest.approx(points[-1, :, 4], abs=1e-3 * float(points[-1, :, 4].max()))
    assert header["dim"] == 4


def test_a_client_reads_on_with_the_axes_it_was_given(client: TestClient, run: RunFolder) -> None:
    first, _ = decoded(get(client, run, "space?to=2&what=items").content)
    assert max(first["epochs"]) <= 2
    later, points = decoded(get(client, run, f"space?from=3&basis={first['basis']}&what=items").content)
    assert min(later["epochs"]) >= 3
    assert later["basis"] == first["basis"]
    assert "item_idx" not in later
    assert (later["users"], points.shape[1]) == (0, 40)
    nothing, empty = decoded(get(client, run, "space?from=99").content)
    assert (nothing["epochs"], empty.size) == ([], 0)


def test_views_of_an_address_are_those_of_the_library(client: TestClient, home: Path, run: RunFolder) -> None:
    header, points = decoded(get(client, run, "space?items=3,1,2,9&components=2&sphere=1&between=1,2~9&what=items").content)
    view = View(items=(1, 2, 3, 9), components=2, sphere=True, start=(1, 2), end=(9,))
    space = trajectories(run_space(run.run_id, home).snapshots(), view)
    assert header["columns"] == ["1", "2", "between"]
    assert header["item_idx"] == [1, 2, 3, 9]
    assert points == pytest.approx(space.items, abs=1e-4)


def test_every_item_of_the_model(client: TestClient, run: RunFolder) -> None:
    header, _ = decoded(get(client, run, "space?every=1").content)
    assert header["epochs"] == [run.result()["best_epoch"]]
    points = get(client, run, "space/points?every=1").json()
    assert len(points["items"]["title"]) == header["items"]


def test_points_are_as_long_as_the_frames_are_wide(client: TestClient, run: RunFolder) -> None:
    points = get(client, run, "space/points").json()
    assert {len(column) for column in points["items"].values()} == {40}
    assert {len(column) for column in points["users"].values()} == {60}
    assert set(points["items"]) == {"idx", "id", "title", "year", "genres", "ratings", "mean", "bias"}


def test_the_rating_block_is_strict_json_in_four_decimals(client: TestClient, run: RunFolder) -> None:
    picture = get(client, run, "block").json()
    assert np.array(picture["predicted"]).shape == np.array(picture["heldout"]).shape == (40, 40)
    assert all(value == round(value, 4) for row in picture["predicted"] for value in row)
    assert any(value is None for row in picture["known"] for value in row)
    early = get(client, run, "block?epoch=0&static=0").json()
    assert early["epoch"] == 0
    assert set(early) == {"epoch", "step", "predicted"}
    assert early["predicted"] != picture["predicted"]


def test_long_answers_are_packed_where_the_browser_takes_it(client: TestClient, run: RunFolder) -> None:
    url = f"/api/runs/{run.run_id}/block"
    packed = client.get(url, headers={"accept-encoding": "gzip"})
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_axes_in_words_and_the_shape_over_time(client: TestClient, run: RunFolder) -> None:
    axes = get(client, run, "space/axes?components=2").json()["axes"]
    assert [axis["sentence"][:6] for axis in axes] == ["Axis 1", "Axis 2"]
    assert all(0 <= item < 40 for axis in axes for item in axis["low"] + axis["high"])
    shape = get(client, run, "space/shape").json()
    assert len(shape["epochs"]) == len(shape["effective_rank"]) == len(shape["recovery"]) == len(shape["norm_rho"])
    assert shape["chance"] == pytest.approx(4 / 40)


def test_neighbours_of_items_and_users(client: TestClient, run: RunFolder) -> None:
    kept = SnapshotFiles(run.path).load(4)
    assert kept is not None
    unit = kept.items / np.linalg.norm(kept.items, axis=1, keepdims=True)
    truth = unit @ unit[5]
    truth[5] = -9
    near = get(client, run, "neighbours?item=5&n=3").json()
    assert near["item_idx"] == np.argsort(-truth)[:3].tolist()
    assert near["value"] == pytest.approx(np.sort(truth)[::-1][:3], abs=1e-3)
    liked = get(client, run, "neighbours?user=7&by=dot&n=1&epoch=0").json()
    assert liked["epoch"] == 0
    assert len(liked["item_idx"]) == 1


def test_a_map_says_where_it_stands(client: TestClient, run: RunFolder) -> None:
    assert get(client, run, "manifold/tsne").json()["state"] == "absent"
    assert "not finished" in get(client, run, "manifold/tsne?points=1", 400).json()["error"]
    assert "perplexity" in get(client, run, "manifold/tsne?perplexity=0", 400).json()["error"]
    assert "method" in get(client, run, "manifold/magic", 400).json()["error"]


def test_a_finished_map_comes_in_the_same_format(client: TestClient, home: Path, run: RunFolder) -> None:
    job = manifold_job(run_space(run.run_id, home), settings=ManifoldSettings(perplexity=5))
    job.start()
    wait_until(lambda: job.status().over)
    CHILDREN.wait(job.files)
    assert get(client, run, "manifold/tsne?perplexity=5").json()["state"] == "finished"
    header, points = decoded(get(client, run, "manifold/tsne?perplexity=5&points=1").content)
    assert (header["columns"], header["item_idx"]) == (["1", "2"], list(range(40)))
    truth = job.points()
    assert truth is not None
    assert points[0] == pytest.approx(truth, abs=float(np.abs(truth).max()) / 60_000)


def test_imported_embeddings_are_shown_by_the_same_routes(client: TestClient, home: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((9, 3)).astype(np.float32)
    added = ImportedEmbeddings.add(Tables(vectors, {"word": [f"w{n}" for n in range(9)]}), "words", home)
    header, points = decoded(client.get(f"/api/embeddings/{added.name}/space?components=3").content)
    assert (header["items"], header["users"], header["epochs"], header["state"]) == (9, 0, [0], "finished")
    assert np.linalg.norm(points[0] - np.array(header["origin"]), axis=1) == pytest.approx(
        np.linalg.norm(vectors, axis=1), abs=1e-3
    )
    assert client.get(f"/api/embeddings/{added.name}/space/points").json()["items"]["title"][0] == "w0"
    assert client.get(f"/api/embeddings/{added.name}/neighbours?item=0&n=2").status_code == 200
    nobody = client.get(f"/api/embeddings/{added.name}/neighbours?user=0")
    assert (nobody.status_code, nobody.json()["error"][:28]) == (400, "user 0 is not in this space,")
    assert client.get("/api/embeddings/nothing/space").status_code == 404


@pytest.mark.parametrize("run_id", ["20200101-000000-mf-none", "..", "%2e%2e", ".hidden", "x" * 300])
@pytest.mark.parametrize("what", ["space", "space/points", "block", "space/axes", "space/shape", "neighbours", "manifold/tsne"])
def test_what_is_no_run_is_not_found(client: TestClient, run_id: str, what: str) -> None:
    answer = client.get(f"/api/runs/{run_id}/{what}")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "space?components=0",
        "space?components=x",
        "space?basis=soon",
        "space?from=-1",
        "space?what=films",
        "space?items=1,2,999",
        "space?items=1,b",
        "space?between=1~",
        "space?every=maybe",
        "block?epoch=-3",
        "neighbours",
        "neighbours?item=1&user=2",
        "neighbours?item=999",
        "neighbours?item=1&by=feeling",
        "neighbours?item=1&epoch=77",
    ],
)
def test_parameters_that_make_no_sense_are_refused_in_words(client: TestClient, run: RunFolder, query: str) -> None:
    error = get(client, run, query, 400).json()["error"]
    assert len(error) > 10
    assert "\n" not in error


def test_a_run_that_has_not_begun_says_so(client: TestClient, home: Path) -> None:
    folder = RunFolder.create(home, tiny())
    for what in ("space", "space/points", "block"):
        assert "wait for its first epoch" in get(client, folder, what, 400).json()["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_routes_only_read(client: TestClient, run: RunFolder, method: str) -> None:
    for what in ("space", "block", "manifold/tsne"):
        assert client.request(method, f"/api/runs/{run.run_id}/{what}").status_code == 405
