"""Embeddings made elsewhere are kept and shown like those of a run; vectors of a run go out as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mfcore.__main__ import main
from mfcore.embeddings.export import Tables, pack_tables, read_tables, read_zip, vector_tables
from mfcore.embeddings.imported import ImportedEmbeddings, delete_embeddings, list_embeddings, open_embeddings
from mfcore.embeddings.trajectories import trajectories
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder
from mfcore.runs.checkpoints.files import load_weights
from mfcore.runs.embedding_space import open_space, run_space

VECTORS = b"1\t0\t0\n0\t2\t0\n0\t0\t3\n1\t1\t1\n"


def test_imported_embeddings_are_points_in_a_space(home: Path) -> None:
    tables = read_tables(
        VECTORS, b"Title\tYear\tGenres\tcolour\nA\t1990\tDrama|War\tred\nB\t\t\tblue\nC\tx\tComedy\tred\nD\t2001\t\t\n"
    )
    added = ImportedEmbeddings.add(tables, "four points", home)
    stored = open_space("embeddings", added.name, home)
    space = trajectories(stored.snapshots())
    assert space.items.shape == (1, 4, 3)
    assert stored.snapshots().load(1) is None, "there is one moment only"
    assert space.item_norms[0] == pytest.approx([1, 2, 3, 3**0.5])
    points = stored.points()
    assert points["items"]["title"] == ["A", "B", "C", "D"]
    assert points["items"]["year"] == [1990.0, None, None, 2001.0]
    assert points["items"]["genres"] == [["Drama", "War"], [], ["Comedy"], []]
    assert points["more"] == {"colour": ["red", "blue", "red", ""]}
    assert (stored.state, added.about()["title"], added.about()["shape"]) == ("finished", "four points", [4, 3])


def test_long_tables_come_back_whole(home: Path) -> None:
    """More than any other JSON of ours may hold: labels of 20,000 points of 1,000 letters each."""
    labels = [f"{number} " + "x" * 1000 for number in range(20_000)]
    vectors = np.random.default_rng(0).normal(size=(len(labels), 2)).astype(np.float32)
    added = ImportedEmbeddings.add(Tables(vectors, {"label": labels}), "long", home)
    assert added.metadata()["label"] == labels


def test_embeddings_are_listed_newest_first_and_deleted(home: Path) -> None:
    assert list_embeddings(home) == []
    names = [ImportedEmbeddings.add(read_tables(VECTORS), title, home).name for title in ("one", "two")]
    assert {one.name for one in list_embeddings(home)} == set(names)
    delete_embeddings(names[0], home)
    assert [one.name for one in list_embeddings(home)] == [names[1]]
    with pytest.raises(UnusableRequest, match="no imported embeddings"):
        open_embeddings(names[0], home)


@pytest.mark.parametrize("name", ["..", "../runs", "a/b", "", ".hidden"])
def test_no_name_leads_out_of_the_folder(home: Path, name: str) -> None:
    with pytest.raises(UnusableRequest):
        open_embeddings(name, home)


def test_damaged_embeddings_are_refused_in_words(home: Path) -> None:
    added = ImportedEmbeddings.add(read_tables(VECTORS), "x", home)
    (added.path / "vectors.safetensors").write_bytes(b"no")
    with pytest.raises(UnusableRequest, match="damaged"):
        added.snapshots()


def test_the_command_writes_tables_that_come_back(home: Path, tmp_path: Path, train: Callable) -> None:
    folder: RunFolder = train()[0]
    out = tmp_path / "out"
    assert main(["export-vectors", folder.run_id, "--out", str(out), "--home", str(home)]) == 0
    tables = read_tables((out / "vectors.tsv").read_bytes(), (out / "metadata.tsv").read_bytes())
    weights, _ = load_weights(folder.checkpoints / "best.safetensors")
    np.testing.assert_array_equal(tables.vectors, weights["item_factors"].numpy())
    assert tables.metadata["title"][:2] == ["Item 1", "Item 2"]
    assert list(tables.metadata) == ["title", "id", "year", "ratings", "mean", "genres", "trained", "bias"]
    assert main(["export-vectors", folder.run_id, "--out", str(out), "--home", str(home), "--epoch", "99"]) == 2
    assert main(["export-vectors", folder.run_id, "--out", str(out), "--home", str(home), "--what", "films"]) == 2


def test_a_snapshots_users_go_out_too(home: Path, train: Callable) -> None:
    folder: RunFolder = train()[0]
    tables = read_zip(pack_tables(*vector_tables(run_space(folder.run_id, home), what="users", epoch=0)))
    assert tables.vectors.shape == (60, 4)
    assert list(tables.metadata) == ["label", "id", "ratings", "mean", "trained", "bias"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"ab", "not numbers"),
        (b"1\t2", "at least 3 points"),
        (b"x\ty\n1\t2\n3\t4\n", "at least 3 points"),
        (b"1\n2\n3\n4\n", "at least 2 numbers a point.*tabs"),
        (b"1 2\n3 4\n5 6\n", "not numbers with tabs"),
        (b"1\t2\n1\t2\n1\t2\n", "all 3 points are the same"),
        (b"1\t2\n3\tnan\n5\t6\n", "NaN"),
    ],
)
def test_what_is_no_map_is_refused_in_words(home: Path, text: bytes, says: str) -> None:
    with pytest.raises(UnusableRequest, match=says):
        ImportedEmbeddings.add(read_tables(text), "x", home)
    assert list_embeddings(home) == []


def test_tables_from_python_are_checked_too(home: Path) -> None:
    cloud = np.eye(4, dtype=np.float32)
    with pytest.raises(UnusableRequest, match="3 labels for 4 points"):
        ImportedEmbeddings.add(Tables(cloud, {"label": list("abc")}), "x", home)
    cloud[2, 1] = np.nan
    with pytest.raises(UnusableRequest, match="point 3 holds NaN"):
        ImportedEmbeddings.add(Tables(cloud, {"label": list("abcd")}), "x", home)
