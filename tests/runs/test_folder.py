"""The run folder: what two processes may do to it at once, and what a crash may leave behind."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from pathlib import Path

import pytest

from mfcore.errors import UnusableRequest
from mfcore.files import clean, loads, read_json, tail_lines, write_json
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.layout import check_run_id, open_folder
from tests.runs.tiny_runs import tiny


@pytest.fixture
def folder(home: Path) -> RunFolder:
    return RunFolder.create(home, tiny(name="first"))


def test_a_new_run_is_whole_and_queued(folder: RunFolder) -> None:
    assert folder.config() == tiny(name="first")
    assert folder.status().state == "queued"
    assert folder.meta() == {"name": "first", "note": "", "starred": False}
    assert folder.events() == ([], 0)
    assert not folder.locked()
    assert "biased-mf" in folder.run_id
    assert [path.name for path in folder.path.parent.iterdir()] == [folder.run_id]


def test_a_torn_last_line_waits_for_its_end(folder: RunFolder) -> None:
    folder.append_event({"kind": "step", "step": 1})
    with folder.events_path.open("a") as file:
        file.write('{"kind": "step", "st')
    events, offset = folder.events()
    assert [event["step"] for event in events] == [1]
    with folder.events_path.open("a") as file:
        file.write('ep": 2}\n')
    events, offset = folder.events(offset)
    assert [event["step"] for event in events] == [2]
    assert folder.events(offset) == ([], offset)


def test_a_new_worker_writes_on_a_line_of_its_own(folder: RunFolder) -> None:
    folder.append_event({"kind": "step", "step": 1})
    offset = folder.events()[1]
    with folder.events_path.open("a") as file:
        file.write('{"kind": "step", "step": 2, "train_lo')
    folder.open_events()
    folder.append_event({"kind": "step", "step": 3})
    assert [event["step"] for event in folder.events()[0]] == [1, 3]
    assert [event["step"] for event in folder.events(offset)[0]] == [3]


def test_a_damaged_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"a": 1}\nnot json\n{"a": NaN}\n[1]\n{"a": 2}\n')
    assert tail_lines(path, 0) == ([{"a": 1}, {"a": 2}], path.stat().st_size)


def test_what_is_undefined_is_absent(folder: RunFolder) -> None:
    event = {"kind": "epoch", "train_loss": math.nan, "metrics": {"rmse": math.inf, "mae": 0.5, "hr@10": None}}
    written = folder.append_event(event)
    assert written["metrics"] == {"mae": 0.5}
    text = folder.events_path.read_text()
    assert "NaN" not in text and "Infinity" not in text and "null" not in text
    assert folder.events()[0] == [written]
    with pytest.raises(ValueError, match="strict"):
        loads('{"a": NaN}')
    with pytest.raises(TypeError, match="no place"):
        clean({"a": object()})


def test_events_that_a_resume_took_back_are_gone(folder: RunFolder) -> None:
    for step in (1, 2, 3):
        folder.append_event({"kind": "step", "step": step, "life": 1})
    folder.append_event({"kind": "resume", "step": 1})
    folder.append_event({"kind": "step", "step": 2, "life": 2})
    assert [(e["kind"], e["step"], e.get("life")) for e in folder.load_events()] == [
        ("step", 1, 1),
        ("resume", 1, None),
        ("step", 2, 2),
    ]


def test_two_writers_never_overwrite_each_others_commands(folder: RunFolder) -> None:
    def ask(who: int) -> None:
        for value in range(25):
            folder.add_command("pace", value=value, who=who)

    writers = [threading.Thread(target=ask, args=(who,)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    commands = folder.pending_commands()
    assert [command["number"] for command in commands] == list(range(1, 101))
    for who in range(4):
        assert [command["value"] for command in commands if command["who"] == who] == list(range(25))
    assert folder.pending_commands(after=98) == commands[98:]


def test_a_command_being_written_holds_up_the_later_ones_but_not_for_ever(folder: RunFolder) -> None:
    folder.add_command("pause")
    half = folder.path / "commands" / "000002.json"
    half.write_text('{"kind": "pa')
    folder.add_command("stop")
    assert [command["number"] for command in folder.pending_commands()] == [1]
    past = time.time() - 10
    os.utime(half, (past, past))
    assert [command["kind"] for command in folder.pending_commands()] == ["pause", "unreadable", "stop"]


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
