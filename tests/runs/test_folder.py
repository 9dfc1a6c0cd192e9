"""The run folder: what two processes may do to it at once, and what a crash may leave behind."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mfcore.errors import UnusableRequest
from mfcore.files import clean, loads, read_json, tail_lines, write_json
from mfcore.registry import MODELS
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.layout import check_run_id, open_folder
from tests.runs.tiny_runs import tiny


@pytest.fixture
def folder(home: Path) -> RunFolder:
    return RunFolder.create(home, tiny(name="first"))


def test_a_new_run_is_whole_and_queued(folder: RunFolder) -> None:
    assert folder.config() == tiny(name="first")
    assert folder.status().state == "queued"
    nobody = {"owner": "", "shared": False, "shared_by": ""}
    assert folder.meta() == {"name": "first", "note": "", "starred": False, **nobody}
    assert folder.events.read() == ([], 0)
    assert not folder.locked()
    assert "biased-mf" in folder.run_id
    assert [path.name for path in folder.path.parent.iterdir()] == [folder.run_id]


@pytest.mark.parametrize("name", ["svd++", "due passi/è", "最近", "x" * 90])
def test_a_run_can_be_opened_whatever_its_model_is_called(home: Path, name: str) -> None:
    with MODELS.temporarily(replace(MODELS["mf"], name=name)):
        config = tiny()
        made = RunFolder.create(home, replace(config, model=replace(config.model, name=name)))
        assert open_folder(made.run_id, home).config().model.name == name


def test_a_damaged_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"a": 1}\nnot json\n{"a": NaN}\n[1]\n{"a": 2}\n')
    assert tail_lines(path, 0) == ([{"a": 1}, {"a": 2}], path.stat().st_size)


def test_what_is_undefined_is_absent(folder: RunFolder) -> None:
    path = folder.path / "result.json"
    write_json(path, {"train_loss": math.nan, "metrics": {"rmse": math.inf, "mae": 0.5, "hr@10": None}})
    text = path.read_text()
    assert "NaN" not in text and "Infinity" not in text and "null" not in text
    assert read_json(path) == {"metrics": {"mae": 0.5}}
    with pytest.raises(ValueError, match="strict"):
        loads('{"a": NaN}')
    with pytest.raises(TypeError, match="no place"):
        clean({"a": object()})


def test_status_survives_and_a_damaged_one_waits_for_nobody(folder: RunFolder) -> None:
    status = RunStatus("failed", created=1.5, ended=2.5, reason="because", error="ValueError")
    folder.write_status(status)
    assert folder.status() == status
    for damage in ("", "{", '{"state": "dancing"}', "[]"):
        (folder.path / "status.json").write_text(damage)
        assert folder.status().state == "interrupted"


def test_a_failed_write_leaves_the_old_file_and_no_litter(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.path / "result.json"
    write_json(path, {"a": 1})
    before = sorted(folder.path.iterdir())

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert sorted(folder.path.iterdir()) == before


def test_provenance_is_kept_beside_the_config(folder: RunFolder) -> None:
    folder.write_provenance({"split_hash": "abc"})
    assert folder.config() == tiny(name="first")
    assert folder.provenance() == {"split_hash": "abc"}
    assert json.loads((folder.path / "config.json").read_text())["format_version"] == 1


@pytest.mark.parametrize("name", ["..", "../etc", "a/b", "a\\b", "", ".hidden", "x" * 100, "a b", None, 3, "a\n"])
def test_only_names_of_runs_reach_the_file_system(name: object, home: Path) -> None:
    with pytest.raises(UnusableRequest, match="not the name of a run"):
        check_run_id(name)
    with pytest.raises(UnusableRequest):
        open_folder(name, home)  # type: ignore[arg-type]


def test_a_run_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(UnusableRequest, match="there is no run nothing"):
        open_folder("nothing", home)


def test_a_claim_ends_with_its_process(folder: RunFolder) -> None:
    queued = folder.status()
    assert not queued.claimed
    assert queued.claim().claimed
    import dataclasses

    assert not dataclasses.replace(queued.claim(), claimed_by=f"{queued.claim().claimed_by.split(':')[0]}:{2**22 + 1}").claimed
    assert not dataclasses.replace(queued.claim(), claimed_at=time.time() - 1000).claimed
    assert dataclasses.replace(queued.claim(), claimed_by="elsewhere:1").claimed
