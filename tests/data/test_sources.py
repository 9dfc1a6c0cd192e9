"""The cache, the order of the origins, and what a person is told when none of them works."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import sys
import time
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from mfcore.data import dataset_status, fetch, forget_loaded, load_dataset
from mfcore.data.cache import MANIFEST, DamagedCache, read_cache, write_cache
from mfcore.data.readers import UnreadableData, read_grouplens, read_recbole
from mfcore.data.sources.download import FetchFailed
from mfcore.data.sources.fetching import Origin, Source, load_stored
from mfcore.data.sources.generated import planted
from mfcore.data.sources.movielens import from_grouplens
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.paths import data_dir
from mfcore.registry import DATASETS
from tests.data.made_up import as_grouplens, grouplens_files, recbole_files, served, zipped


def silent(message: str, fraction: float | None) -> None:
    pass


def unreachable(scratch: Path, progress: object) -> None:
    raise FetchFailed("the bridge is out")


class Counted:
    """An origin that works, and counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, scratch: Path, progress: object):
        self.times += 1
        return read_recbole(recbole_files())


def source(*origins, fingerprint=None) -> Source:
    return Source(tuple(Origin(f"origin {n}", one) for n, one in enumerate(origins, 1)), "Take the train.", fingerprint)


@pytest.fixture
def made_up_set():
    """A registered dataset "ml-100k" that comes from a counted origin."""
    origin = Counted()
    entry = dataclasses.replace(DATASETS["ml-100k"], source=source(origin))
    with DATASETS.temporarily(entry):
        yield origin


def assert_same(one, other):
    assert one.fingerprint == other.fingerprint and one.name == other.name and one.rating_scale == other.rating_scale
    pd.testing.assert_frame_equal(one.item_table, other.item_table)
    if one.user_table is None:
        assert other.user_table is None
    else:
        pd.testing.assert_frame_equal(one.user_table, other.user_table)


@pytest.mark.parametrize("data", [read_grouplens(grouplens_files()), planted(num_users=9, num_items=8)], ids=["full", "bare"])
def test_the_cache_gives_back_what_it_was_given(data, tmp_path):
    assert read_cache(tmp_path / "set") is None
    write_cache(tmp_path / "set", data, "here")
    assert_same(read_cache(tmp_path / "set"), data)


def test_text_ids_survive_the_cache(small, tmp_path):
    write_cache(tmp_path, small, "here")
    assert_same(read_cache(tmp_path), small)


def test_a_new_copy_replaces_the_old_one_and_leaves_no_litter(small, tmp_path):
    write_cache(tmp_path, small, "here")
    write_cache(tmp_path, small.select(np.arange(5)), "here")
    assert len(read_cache(tmp_path)) == 5
    assert len(list(tmp_path.iterdir())) == 2


def data_file(folder: Path) -> Path:
    return folder / json.loads((folder / MANIFEST).read_text())["file"]


DAMAGE = {
    "cut short": (lambda folder: data_file(folder).write_bytes(data_file(folder).read_bytes()[:-7]), "bytes instead of"),
    "altered": (lambda folder: data_file(folder).write_bytes(data_file(folder).read_bytes()[:-1] + b"x"), "checksum differs"),
    "gone": (lambda folder: data_file(folder).unlink(), "data file cannot be read"),
    "torn manifest": (lambda folder: (folder / MANIFEST).write_text('{"format": 1, "fi'), "manifest cannot be read"),
    "binary manifest": (lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe\x00"), "manifest cannot be read"),
    "other manifest": (lambda folder: (folder / MANIFEST).write_text("[]"), "another version"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_copy_is_noticed_named_and_fetched_again(kind, made_up_set, tmp_path):
    harm, how_it_shows = DAMAGE[kind]
    first = load_dataset("ml-100k", home=tmp_path)
    folder = tmp_path / "datasets" / "ml-100k"
    harm(folder)
    with pytest.raises(DamagedCache, match=how_it_shows):
        read_cache(folder)
    forget_loaded()
    said: list[str] = []
    again = load_dataset("ml-100k", home=tmp_path, progress=lambda message, _: said.append(message))
    assert_same(again, first)
    assert made_up_set.times == 2
    assert [line for line in said if "damaged" in line and how_it_shows in line and "\n" not in line]
    assert_same(read_cache(folder), first)


def test_a_sound_file_with_senseless_content_is_damaged(small, tmp_path):
    write_cache(tmp_path, small, "here")
    content = b"not an npz"
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    data_file(tmp_path).write_bytes(content)
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DamagedCache, match="does not make sense"):
        read_cache(tmp_path)


def test_origins_are_tried_in_order_and_the_cache_first(tmp_path):
    first, second = Counted(), Counted()
    for _ in range(2):
        load_stored("set", source(unreachable, first, second), tmp_path / "set", silent)
    assert (first.times, second.times) == (1, 0)
    assert json.loads((tmp_path / "set" / MANIFEST).read_text())["source"] == "origin 2"


def test_when_no_origin_works_each_is_named_with_what_to_do(tmp_path):
    def broken(scratch, progress):
        raise UnreadableData("line 3 is odd")

    write_cache(tmp_path / "set", read_recbole(recbole_files()), "here")
    data_file(tmp_path / "set").unlink()
    with pytest.raises(DataUnavailable) as caught:
        load_stored("set", source(unreachable, broken), tmp_path / "set", silent)
    text = str(caught.value)
    assert "\n" not in text
    for part in (
        "set could not be fetched",
        "stored copy: damaged",
        "origin 1: the bridge is out",
        "origin 2: line 3 is odd",
        "Take the train.",
    ):
        assert part in text
    assert [name for name, _ in caught.value.attempts] == ["stored copy", "origin 1", "origin 2"]


def test_the_failure_of_movielens_tells_a_newcomer_what_to_do(tmp_path):
    genuine = DATASETS["ml-100k"]
    blocked = tuple(dataclasses.replace(origin, fetch=unreachable) for origin in genuine.source.origins)
    entry = dataclasses.replace(genuine, source=dataclasses.replace(genuine.source, origins=blocked))
    with DATASETS.temporarily(entry):
        with pytest.raises(DataUnavailable, match=r"GroupLens: .*pip .*: .*python -m mfcore fetch ml-100k.*synthetic"):
            load_dataset("ml-100k", home=tmp_path)
        assert dataset_status("ml-100k", tmp_path) == "to fetch"


def test_other_ratings_than_the_published_ones_are_refused(tmp_path):
    with pytest.raises(DataUnavailable, match="ratings differ from the published ones"):
        load_stored("set", source(Counted(), fingerprint="f" * 64), tmp_path / "set", silent)
    assert read_cache(tmp_path / "set") is None


def test_a_stored_copy_of_other_ratings_is_fetched_again(tmp_path):
    genuine = read_recbole(recbole_files())
    write_cache(tmp_path / "set", genuine.select(np.arange(3)), "elsewhere")
    data = load_stored("set", source(Counted(), fingerprint=genuine.fingerprint), tmp_path / "set", silent)
    assert len(data) == len(genuine)


def test_status_and_fetch(made_up_set, tmp_path):
    assert dataset_status("synthetic", tmp_path) == "generated"
    assert dataset_status("ml-100k", tmp_path) == "to fetch"
    folder = fetch("ml-100k", tmp_path)
    assert dataset_status("ml-100k", tmp_path) == "here"
    assert fetch("ml-100k", tmp_path) == folder and made_up_set.times == 1
    assert fetch("planted", tmp_path) is None
    with data_file(folder).open("ab") as file:
        file.write(b"x")
    assert dataset_status("ml-100k", tmp_path) == "to fetch"


def test_an_unwritable_data_directory_is_a_clear_error(made_up_set, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UnusableRequest, match=r"cannot be created \(Not a directory\); choose another with --home or MF_EXPLORER_HOME"
    ):
        load_dataset("ml-100k", home=tmp_path / "file" / "home")
    with pytest.raises(UnusableRequest, match="cannot be created"):
        fetch("ml-100k", tmp_path / "file")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "datasets").write_text("in the way")
    with pytest.raises(UnusableRequest, match=r"datasets cannot be created \(a file has that name\)"):
        load_dataset("ml-100k", home=tmp_path / "home")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UnusableRequest, match="is not writable"):
        data_dir(tmp_path)


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(made_up_set, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnusableRequest, match="No space left on device"):
        load_dataset("ml-100k", home=tmp_path)
    assert list((tmp_path / "datasets" / "ml-100k").iterdir()) == []


def test_the_data_directory_is_the_argument_then_the_variable_then_the_platform_s(tmp_path, monkeypatch):
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path / "variable"))
    assert data_dir(tmp_path / "argument") == tmp_path / "argument"
    assert data_dir() == tmp_path / "variable" and (tmp_path / "variable").is_dir()
    monkeypatch.delenv("MF_EXPLORER_HOME")
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, **_: str(tmp_path / name))
    assert data_dir() == tmp_path / "mf-explorer"


def _crowded_origin(visits: Path, asking, scratch: Path, progress: object):
    """Answers only when all three have set out to ask."""
    (visits / str(os.getpid())).write_text("")
    assert all(asking.acquire(timeout=60) for _ in range(3))
    return read_recbole(recbole_files())


def _fetch_in_process(home: str, visits: str, asking, answers) -> None:
    asking.release()
    data = load_stored("set", source(partial(_crowded_origin, Path(visits), asking)), Path(home) / "set", silent)
    answers.put(data.fingerprint)


def test_two_processes_fetch_once_and_agree(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # whatever ran here before: not to be run again
    visits = tmp_path / "visits"
    visits.mkdir()
    context = multiprocessing.get_context("spawn")
    answers, asking = context.Queue(), context.Semaphore(0)
    arguments = (str(tmp_path), str(visits), asking, answers)
    processes = [context.Process(target=_fetch_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    got = {answers.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(60)
    answers.close()
    answers.join_thread()
    assert got == {read_recbole(recbole_files()).fingerprint}
    assert len(list(visits.iterdir())) == 1


def test_the_cache_is_quick(ml_100k, tmp_path):
    write_cache(tmp_path / "ml-100k", ml_100k, "here")
    seconds = []
    for _ in range(5):
        started = time.process_time()  # whatever else the machine does
        load_stored("ml-100k", DATASETS["ml-100k"].source, tmp_path / "ml-100k", silent)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.1


def test_both_origins_of_movielens_give_the_same(ml_100k, tmp_path):
    archive = zipped(as_grouplens(ml_100k), "ml-100k")
    genuine = DATASETS["ml-100k"].source
    assert genuine.fingerprint == ml_100k.fingerprint
    with served(archive) as (url, _):
        origin = Origin("GroupLens", partial(from_grouplens, url=f"{url}/ml-100k.zip", sha256=None))
        data = load_stored("ml-100k", dataclasses.replace(genuine, origins=(origin,)), tmp_path / "ml-100k", silent)
    assert_same(data, ml_100k)
