"""What fuzzing found, each as a case of its own."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.data import Split, cache, random_split
from mfcore.data.readers import UnreadableData, read_grouplens, read_recbole
from mfcore.embeddings.export import pack_tables, read_tables, read_zip
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.embeddings.snapshots import SnapshotFiles, write_arrays
from mfcore.errors import UnusableRequest
from mfcore.evaluation import EvaluationDetails
from mfcore.files import read_arrays
from mfcore.runs.export import archive
from tests.data.made_up import grouplens_files, recbole_files
from tests.fuzzing import kit


def npz(**arrays: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return io.BytesIO(buffer.getvalue())


def test_an_array_that_says_it_is_larger_than_it_is_gets_no_room() -> None:
    """A header of a hundred bytes asked numpy for 34 GB."""
    sound = npz(a=np.arange(3)).getvalue()
    with zipfile.ZipFile(io.BytesIO(sound)) as packed:
        array = packed.read("a.npy").replace(b"(3,), }" + b" " * 9, b"(4294967296,), }")
    assert b"4294967296" in array
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.npy", array)
    tracemalloc.start(1)
    try:
        with pytest.raises(ValueError, match="another size than it says"):
            read_arrays(io.BytesIO(buffer.getvalue()))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("array", [np.zeros(0), np.array("text"), np.zeros((2, 0)), np.ones((2, 3), np.float16, order="F")])
def test_arrays_of_every_shape_come_back(array: np.ndarray) -> None:
    np.testing.assert_array_equal(read_arrays(npz(a=array))["a"], array)


@pytest.mark.parametrize("rows", [np.zeros((2, 2), np.int64), np.array(["x"]), np.array([0.5])])
def test_a_split_of_other_than_rows_is_refused(rows: np.ndarray, tmp_path: Path) -> None:
    path, split = tmp_path / "split.npz", random_split(kit.data())
    split.save(path)
    arrays = read_arrays(path)
    path.write_bytes(npz(**{**arrays, "train": rows}).getvalue())
    with pytest.raises(UnusableRequest, match="no whole numbers"):
        Split.load(path, kit.data())


@pytest.mark.parametrize(
    "change",
    [
        {"num_full": np.array(["x"])}, {"case_user": np.zeros(1, np.int64)}, {"predicted": np.zeros((2, 2), np.float32)},
        {"greater_sampled": np.zeros(3, np.int64)}, {"ties": np.array("nonsense")}, {"about": np.array("[]")},
    ],
    ids=str,
)  # fmt: skip
def test_an_evaluation_whose_arrays_do_not_fit_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    arrays = read_arrays(kit.folder().evaluation_path)
    path = tmp_path / "evaluation.npz"
    path.write_bytes(npz(**{**arrays, **change}).getvalue())
    with pytest.raises(UnusableRequest, match="do not fit each other"):
        EvaluationDetails.load(path)


def test_what_is_no_text_about_points_is_left_out(tmp_path: Path) -> None:
    added = ImportedEmbeddings.add(read_tables(kit.VECTORS, kit.METADATA), "x", tmp_path)
    columns = {"title": ["a", "b", "c", "d"], "year": 5, "ratings": [1, 2, 3, 4], "genres": ["x"], "mean": {}}
    (added.path / "metadata.json").write_text(json.dumps({"columns": columns}))
    points = added.points()
    assert points["items"]["title"] == ["a", "b", "c", "d"] and points["items"]["year"] == [None] * 4
    assert points["items"]["genres"] == [[]] * 4 and points["more"] == {}


@pytest.mark.parametrize("scale", [1e308, "x", None])
def test_a_snapshot_of_no_scale_is_absent(scale: object, tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    files.path.mkdir()
    vectors = {name: np.ones((2, 2), np.float16) for name in ("items", "users", "block")}
    write_arrays(files.file_of(1), vectors, {"step": 1, "item_scale": 1.0, "user_scale": 1.0})
    assert files.load(1) is not None
    write_arrays(files.file_of(1), vectors, {"step": 1, "item_scale": scale, "user_scale": 1.0})
    assert files.load(1) is None


def test_a_number_beyond_its_column_is_refused_without_a_warning() -> None:
    files = grouplens_files()
    with pytest.raises(UnreadableData, match=r"u\.data"):
        read_grouplens({**files, "u.data": files["u.data"].replace(b"\t", b"\t" + b"9" * 25 + b".5", 1)})


@pytest.mark.parametrize("rows", [b"", b"1\t1\t5\t1\t2\n1\t2\t3\n", b"1\t1\t5\t1\r1\t1\n"])
def test_ratings_that_are_none_or_of_other_columns_are_refused(rows: bytes) -> None:
    """One column too many here and one too few there: pandas would leave the last out."""
    files = recbole_files()
    header, _, _ = files["ml-100k.inter"].partition(b"\n")
    with pytest.raises(UnreadableData, match=r"no ratings|4 columns"):
        read_recbole({**files, "ml-100k.inter": header + b"\n" + rows})


def test_a_zip_with_a_name_of_nothing_is_refused(tmp_path: Path) -> None:
    """Python's own zipfile stumbles over it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("@", "x")
    nameless = buffer.getvalue().replace(b"@", b"\0")
    for read in (lambda: archive.unpack(nameless, tmp_path), lambda: read_zip(nameless)):
        with pytest.raises(UnusableRequest, match="zip file"):
            read()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_zip_that_points_before_its_beginning_is_refused() -> None:
    packed = bytearray(pack_tables([[1, 2], [3, 4], [5, 7]], {"title": list("abc")}))
    end = packed.rfind(b"PK\x05\x06")
    packed[end + 16 : end + 20] = (int.from_bytes(packed[end + 16 : end + 20], "little") + 3).to_bytes(4, "little")
    with pytest.raises(UnusableRequest, match="not a zip file"):
        read_zip(bytes(packed))


@pytest.mark.parametrize("genres", [np.ones(40), np.array(5)], ids=["numbers", "one"])
def test_a_stored_dataset_of_other_columns_is_damaged(
    genres: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cache.to_columns
    monkeypatch.setattr(cache, "to_columns", lambda data: {**real(data), "genres": genres})
    cache.write_cache(tmp_path, kit.data(), "here")
    with pytest.raises(cache.DamagedCache, match="does not make sense"):
        cache.read_cache(tmp_path)


def test_text_of_no_characters_is_damaged() -> None:
    """Python raised a SystemError when it was read."""
    content = npz(a=np.array(["abc"])).getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        array = packed.read("a.npy")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a.npy", array[:-12] + b"\xff" * 12)
    with pytest.raises(ValueError, match="no characters"):
        read_arrays(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("arrays", [{"others": np.ones((3, 2), np.float32)}, {"vectors": np.ones(3, np.float32)}])
def test_imported_embeddings_without_vectors_are_damaged(arrays: dict[str, Any], tmp_path: Path) -> None:
    kept = ImportedEmbeddings.add(read_tables(b"1\t2\n3\t4\n5\t7\n"), "three", tmp_path)
    write_arrays(kept.path / "vectors.safetensors", arrays, {})
    with pytest.raises(UnusableRequest, match="are damaged; import them again"):
        kept.points()
