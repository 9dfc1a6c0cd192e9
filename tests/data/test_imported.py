"""Imported datasets: kept whole or not at all, found by name everywhere, managed without harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from mfcore.data import imported as store
from mfcore.data import load_dataset, load_ratings
from mfcore.data.importing import Cancelled, ImportPlan
from mfcore.data.interactions import Interactions
from mfcore.data.registry import dataset_status, fetch
from mfcore.errors import UnusableRequest
from mfcore.paths import at_home
from mfcore.registry import DATASETS


def table() -> pd.DataFrame:
    """Ids with leading zeros or a blank at the end; titles that a spreadsheet or a browser may take for something else."""
    titles = ["<script>", "=1+1", "$x$", "[a](javascript:b)", "🎬", "שלום"]
    rows = [
        (user, f"0{item}", 1 + (place + item) % 5) for place, user in enumerate(["b", "b ", "007", "c"]) for item in range(6)
    ]
    frame = pd.DataFrame(rows, columns=["user", "movieId", "rating"])
    frame["title"] = [titles[int(item)] for item in frame["movieId"]]
    frame["timestamp"] = 1_600_000_000 + np.arange(len(frame))
    return frame


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store.import_dataset(table(), "mine", ImportPlan(words={"item": ("film", "films")}), title="My films", home=tmp_path)
    return tmp_path


def same(one: Interactions, other: Interactions) -> bool:
    titles = one.item_table["title"].tolist() == other.item_table["title"].tolist()
    return one.fingerprint == other.fingerprint and titles and one.rating_scale == other.rating_scale


def test_what_is_stored_is_what_was_read(home: Path) -> None:
    found = load_dataset("mine", home=home)
    assert same(found, load_ratings(table()))
    assert found.users.ids.tolist() == ["b", "b ", "007", "c"]
    assert found.item_table["title"].tolist() == table()["title"][:6].tolist()
    assert found.name == "mine"
    store.verify_imported("mine", home)


def test_it_is_known_by_name_in_its_data_directory_alone(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with at_home(home):
        spec = DATASETS["mine"]
        assert (spec.title, spec.item, spec.has_timestamps, spec.scale) == ("My films", ("film", "films"), True, (1.0, 5.0))
        assert dataset_status("mine") == "here"
        assert fetch("mine") == home / "datasets" / "mine"
        with pytest.raises(UnusableRequest, match=r"ml-100k.*mine; got 'none'"):
            DATASETS["none"]
    with at_home(tmp_path_factory.mktemp("other")):
        assert "mine" not in DATASETS


def test_another_process_knows_it_at_once(home: Path) -> None:
    code = "import sys; from mfcore.paths import at_home; from mfcore.registry import DATASETS\n"
    code += "with at_home(sys.argv[1]): print(DATASETS['mine'].title)"
    assert (
        subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True).stdout
        == "My films\n"
    )


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "Big", "x" * 41, "ends.", "ml-100k", "mine"])
def test_names_that_cannot_be_used(name: str, home: Path) -> None:
    with pytest.raises(UnusableRequest, match=r"name|already"):
        store.import_dataset(table(), name, home=home)
    assert sorted(path.name for path in (home / "datasets").iterdir() if path.is_dir()) == ["mine"]


def test_two_at_once_one_is_refused_and_no_harm_is_done(tmp_path: Path) -> None:
    root = tmp_path / "datasets"
    root.mkdir()
    with FileLock(root / ".importing-twin.lock"), pytest.raises(UnusableRequest, match="somebody is importing twin"):
        store.import_dataset(table(), "twin", home=tmp_path)
    store.import_dataset(table(), "twin", home=tmp_path)
    assert len(load_dataset("twin", home=tmp_path)) == 24


@pytest.mark.parametrize("asked", range(0, 12))
def test_whenever_it_is_called_off_nothing_is_left(asked: int, tmp_path: Path) -> None:
    calls = iter(range(1000))
    with pytest.raises(Cancelled):
        store.import_dataset(table(), "mine", home=tmp_path, cancelled=lambda: next(calls) >= asked)
    assert not store.imported_in(tmp_path)
    assert not list((tmp_path / "datasets").glob("**/*.npy"))


def test_what_somebody_died_in_is_invisible_and_cleared_away(tmp_path: Path) -> None:
    begun = tmp_path / "datasets" / ".importing-mine"
    begun.mkdir(parents=True)
    (begun / "0.npy").write_bytes(b"half")
    assert not store.imported_in(tmp_path)
    store.import_dataset(table(), "mine", home=tmp_path)
    assert not begun.exists()


def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_json", full)
    with pytest.raises(UnusableRequest, match="No space left on device"):
        store.import_dataset(table(), "mine", home=tmp_path)
    assert not store.imported_in(tmp_path)
    assert not list((tmp_path / "datasets").glob("**/*.npy"))


def test_renamed_it_is_the_same_data(home: Path) -> None:
    store.rename_dataset("mine", title="Seen ☆", description="All of them.", home=home)
    spec = store.imported_in(home)["mine"]
    assert (spec.title, spec.description) == ("Seen ☆", "All of them.")
    assert same(load_dataset("mine", home=home), load_ratings(table()))
    with pytest.raises(UnusableRequest, match="needs a title"):
        store.rename_dataset("mine", title=" ", home=home)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_exported_and_imported_again_it_is_the_same(suffix: str, home: Path) -> None:
    path = store.export_dataset("mine", home / f"out.{suffix}", home)
    assert same(load_ratings(path, title="title"), load_ratings(table()))
    assert sorted(one.name for one in home.iterdir()) == ["datasets", path.name]


def test_deleted_it_is_gone_and_its_name_free(home: Path) -> None:
    load_dataset("mine", home=home)
    store.delete_dataset("mine", home)
    assert not store.imported_in(home)
    with pytest.raises(UnusableRequest, match="must be one of"):
        load_dataset("mine", home=home)
    store.import_dataset(table().iloc[:12], "mine", home=home)
    assert len(load_dataset("mine", home=home)) == 12
    with pytest.raises(UnusableRequest, match="no imported dataset"):
        store.delete_dataset("ml-100k", home)


def test_damage_is_told(home: Path) -> None:
    folder = home / "datasets" / "mine"
    column = folder / store.describe_dataset("mine", home)["columns"]["rating"]["file"]
    content = bytearray(column.read_bytes())
    content[-1] ^= 1
    column.write_bytes(content)
    with pytest.raises(UnusableRequest, match="column rating is not what was written"):
        store.verify_imported("mine", home)
    column.write_bytes(content[:-4])
    with pytest.raises(UnusableRequest, match=r"damaged.*delete it and import it again"):
        store.open_imported(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1, "name": "odd"}', '{"format": 9, "name": "odd"}'])
def test_notes_that_make_no_sense_hide_only_their_own(content: str, home: Path) -> None:
    (home / "datasets" / "odd").mkdir()
    (home / "datasets" / "odd" / store.META).write_text(content)
    assert list(store.imported_in(home)) == ["mine"]
