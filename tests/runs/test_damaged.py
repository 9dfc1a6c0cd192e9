"""One bad run folder is told of, and takes nothing else along."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mfcore.errors import UnusableRequest
from mfcore.files import loads
from mfcore.runs import RunStore
from mfcore.runs.export import archive
from mfcore.runs.layout import RunFolder
from tests.runs.damage import DAMAGED, HARMLESS, STATUS, WHOSE


@pytest.fixture
def folder(finished: RunFolder, home: Path) -> RunFolder:
    """A copy of it, beside a second that stays whole."""
    runs = RunStore(home).runs
    shutil.copytree(finished.path, runs / "whole")
    return RunFolder(Path(shutil.copytree(finished.path, runs / "bad")))


@pytest.mark.parametrize("what", {**HARMLESS, **DAMAGED, **STATUS})
def test_it_is_listed_with_its_reason_and_can_be_deleted(what: str, folder: RunFolder, home: Path) -> None:
    {**HARMLESS, **DAMAGED, **STATUS}[what](folder.path)
    store = RunStore(home)
    shown = {run.run_id: run for run in store.list()}
    assert shown["whole"].state == "finished"
    expected = "finished" if what in HARMLESS else "damaged" if what in DAMAGED else "interrupted"
    assert shown["bad"].state == expected and shown["bad"].reason
    assert 0 <= shown["bad"].created < 8e9 and len(shown["bad"].name) <= 200
    store.delete("bad")
    assert [run.run_id for run in store.list()] == ["whole"]


def test_a_damaged_run_cannot_go_on(folder: RunFolder, home: Path) -> None:
    DAMAGED["options that are a list"](folder.path)
    with pytest.raises(UnusableRequest, match="options of a dataset must be numbers by name"):
        RunStore(home).requeue("bad")


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e400", "1" + "0" * 400, str(2**64), '"\\ud800"', "[" * 100_000, "NaN", '{"a": Infinity}', b"\xff", "[1,"],
)
def test_json_that_nothing_of_ours_writes_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 1e308, 1e-320, 0.1234567890123456789, "\U0001f600 \\ud800", [[[]]]])
def test_json_that_is_unusual_is_read(value: Any) -> None:
    assert loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "what", [name for name in DAMAGED if name not in WHOSE and not name.startswith(("labels that", "a config"))]
)
def test_an_import_of_it_is_refused_and_leaves_nothing(what: str, folder: RunFolder, tmp_path: Path) -> None:
    DAMAGED[what](folder.path)
    with pytest.raises(UnusableRequest, match=r"in this zip file|holds no config"):
        archive.unpack(archive.pack(folder), tmp_path)
    assert list((tmp_path / "runs").iterdir()) == []


def test_more_events_than_readers_have_room_for_are_refused(folder: RunFolder, tmp_path: Path) -> None:
    (folder.path / "events.jsonl").write_text('{"kind":"epoch","epoch":1}\n' * 2_001)
    limits = archive.Limits(events=2_000)
    with pytest.raises(UnusableRequest, match="holds 2,001 events; at most 2,000 fit"):
        archive.unpack(archive.pack(folder), tmp_path, limits)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_configuration_of_many_megabytes_is_refused(folder: RunFolder, tmp_path: Path) -> None:
    (folder.path / "config.json").write_text(json.dumps({"name": "x" * 5_000_000}))
    with pytest.raises(UnusableRequest, match=r"config\.json in this zip file is larger than 4 MB"):
        archive.unpack(archive.pack(folder), tmp_path)


@pytest.mark.parametrize("seed", range(150))
def test_a_zip_with_flipped_bytes_is_taken_in_or_refused_in_words(seed: int, finished: RunFolder, tmp_path: Path) -> None:
    draw, data = random.Random(seed), bytearray(archive.pack(finished))
    for _ in range(draw.choice([1, 2, 5, 50])):  # half of them in the directory at its end, where the offsets are
        data[draw.randrange(len(data) - 1_500 if draw.random() < 0.5 else 0, len(data))] = draw.randrange(256)
    try:
        archive.unpack(bytes(data[: draw.choice([len(data), len(data), len(data) // 2])]), tmp_path)
    except UnusableRequest:
        assert list((tmp_path / "runs").iterdir()) == []


def test_what_is_packed_otherwise_is_refused(folder: RunFolder, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as zipped:
        zipped.write(folder.path / "config.json", "r/config.json")
    with pytest.raises(UnusableRequest, match="packed in a way"):
        archive.unpack(packed.getvalue(), tmp_path)
