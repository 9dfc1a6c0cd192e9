"""Disks, clocks and connections that fail lose nothing that can be kept, and say what they cost."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from mfcore.files import replace_file
from mfcore.runs.commands import Command, read_commands, write_command
from mfcore.runs.events import EventLog, MessageEvent
from tests.faults import storage, time_and_distance
from tests.faults.conftest import Play
from tests.faults.disk import DEEP, failing
from tests.faults.suite import Fault, Outcome, Table, lost, twin


@pytest.mark.parametrize("fault", [*storage.FAULTS, *time_and_distance.FAULTS], ids=lambda fault: fault.name)
def test_nothing_is_lost_that_should_not_be(fault: Fault, play: Play) -> None:
    assert play(fault) == []


def test_what_is_lost_is_measured(tmp_path: Path) -> None:
    """A suite that finds nothing must be able to find something."""
    whole, other = twin(num_epochs=2), twin(num_epochs=2, seed=1)
    assert lost(whole, whole) == []
    assert set(lost(other, whole)) >= {"last weights", "best weights", "figures of epochs", "test figures"}
    shorter = storage.cut_short(tmp_path, num_epochs=4)
    assert lost(shorter, twin(num_epochs=4)) == ["the run (interrupted)"]
    table = Table([Fault("a", "b", lambda stage: Outcome(), costs=("the run",))])
    table.record("a", Outcome(1, Counter(x=1), Counter({"the run": 1})))
    assert table.bad == [] and table.lines()[-1] == "    lost  the run ×1"
    table.record("a", Outcome(1, Counter(x=1), Counter({"weights": 1})))
    assert table.bad == ["a"] and table.lines()[-1].endswith("SHOULD NOT BE")


@pytest.mark.parametrize("kind", DEEP)
def test_each_kind_of_operation_can_fail(kind: str, tmp_path: Path) -> None:
    with failing(tmp_path, kinds=(kind,)), pytest.raises(OSError, match="No space"):
        (tmp_path / "folder").mkdir()
        replace_file(tmp_path / "folder" / "file", b"12")


def test_a_disk_that_fills_up_leaves_no_half_line_and_no_half_wish(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.append(MessageEvent(text="first"))
    with failing(tmp_path, kinds=("write",)), pytest.raises(OSError, match="No space"):
        log.append(MessageEvent(text="second"))
    log.append(MessageEvent(text="third"))
    assert [event.text for event in log.of(MessageEvent)] == ["first", "third"]
    with failing(tmp_path, kinds=("write",)), pytest.raises(OSError, match="No space"):
        write_command(tmp_path / "commands", Command("stop"))
    write_command(tmp_path / "commands", Command("pause"))
    assert [pending.kind for pending in read_commands(tmp_path / "commands")] == ["pause"]


def test_a_write_that_takes_a_part_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, log = os.write, EventLog(tmp_path / "events.jsonl")
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[: max(1, len(data) // 2)]))
    log.append(MessageEvent(text="whole"))
    assert [event.text for event in log.of(MessageEvent)] == ["whole"]


def test_an_unreadable_wish_does_not_wait_for_a_clock_that_was_set_back(tmp_path: Path) -> None:
    write_command(tmp_path, Command("pause"))
    (tmp_path / "000001.json").write_text("{")
    os.utime(tmp_path / "000001.json", (time.time() + 3600,) * 2)
    assert [pending.kind for pending in read_commands(tmp_path)] == ["unreadable"]
