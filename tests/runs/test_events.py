"""Events: what was told can be read again, by other versions too, and what a resume takes back is gone."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mfcore.runs.events import (
    EVENTS,
    CommandEvent,
    DivergedEvent,
    EndEvent,
    EpochEvent,
    Event,
    EventLog,
    MessageEvent,
    ResumeEvent,
    StartEvent,
    StepEvent,
    from_json,
    schema,
    surviving,
)

ROOT = Path(__file__).resolve().parents[2]
RECORDED = sorted((ROOT / "tests" / "events").glob("*.jsonl"))
SCHEMA = ROOT / "ui" / "components" / "shared" / "events.schema.json"
EXAMPLES: list[Event] = [
    StartEvent(num_epochs=3, metrics=["rmse", {"key": "ndcg@10", "unit": ""}], baselines={"valid": {"random": {"rmse": 1.5}}}),
    StepEvent(step=3, epoch=0.5, train_loss=0.25),
    EpochEvent(epoch=1, step=6, train_loss=0.5, metrics={"rmse": 1.0}, best=True, samples=100, seconds=0.5),
    CommandEvent(name="pace", number=1, value=5.0, step=3, epoch=0),
    CommandEvent(name="pace", value="fast", refused="pace must be a number"),
    MessageEvent(text="ä ★", inherited=True),
    ResumeEvent(step=3, epoch=0),
    DivergedEvent(step=9, epoch=2, user_id="u-1", item_id=7, predicted=math.inf, predicted_text="inf"),
    EndEvent(state="finished", test={"rmse": 1.0}, best_epoch=2),
]


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events.jsonl")


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: str(event.kind))
def test_what_was_told_is_read_again(event: Event, log: EventLog) -> None:
    written = log.append(event)
    [read], _ = log.read()
    assert type(read) is type(event) and read.to_json() == written.to_json() and read.time > 1e9
    [line] = json.loads(f"[{log.path.read_text()}]")
    assert line["v"] == 1 and line["kind"] == event.kind
    assert ("null" not in log.path.read_text() and "inherited" not in line) or event.inherited
    assert log.lines()[0] == [line]


def test_what_is_undefined_is_absent(log: EventLog) -> None:
    log.append(EpochEvent(epoch=0, train_loss=math.nan, metrics={"rmse": math.inf, "mae": 0.5}))
    text = log.path.read_text()
    assert "NaN" not in text and "Infinity" not in text and "train_loss" not in text
    [event] = log.of(EpochEvent)
    assert event.metrics == {"mae": 0.5} and math.isnan(event.train_loss) and event.step is None


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "weather"},
        {"kind": ["epoch"], "epoch": 1},
        {},
        {"kind": "epoch"},
        {"kind": "epoch", "epoch": "three"},
        {"kind": "epoch", "epoch": 1.5},
        {"kind": "epoch", "epoch": True},
        {"kind": "epoch", "epoch": 1, "metrics": [1]},
        {"kind": "epoch", "epoch": 1, "metrics": {"rmse": "low"}},
        {"kind": "step", "step": 1, "train_loss": "low"},
        {"kind": "message", "text": 5},
        {"kind": "end", "state": None},
        {"kind": "resume", "epoch": 1},
    ],
)
def test_lines_that_tell_of_no_event_are_passed_over(line: dict[str, Any], log: EventLog) -> None:
    log.path.write_text(json.dumps(line) + "\n" + '{"kind": "step", "step": 1, "colour": "red", "v": 7}\n')
    assert from_json(line) is None
    assert [event.step for event in log.read()[0]] == [1], "a field of another version does no harm"
    assert len(log.lines()[0]) == 1


def test_a_torn_last_line_waits_for_its_end(log: EventLog) -> None:
    assert log.read() == ([], 0)
    log.append(StepEvent(step=1))
    with log.path.open("a") as file:
        file.write('{"kind": "step", "st')
    events, offset = log.read()
    assert [event.step for event in events] == [1]
    with log.path.open("a") as file:
        file.write('ep": 2}\n')
    events, offset = log.read(offset)
    assert [event.step for event in events] == [2]
    assert log.read(offset) == ([], offset)


def test_a_new_worker_writes_on_a_line_of_its_own(log: EventLog) -> None:
    log.append(StepEvent(step=1))
    offset = log.read()[1]
    with log.path.open("a") as file:
        file.write('{"kind": "step", "step": 2, "train_lo')
    log.repair()
    log.append(StepEvent(step=3))
    assert [event.step for event in log.read()[0]] == [1, 3]
    assert [event.step for event in log.read(offset)[0]] == [3]


def test_events_that_a_resume_took_back_are_gone(log: EventLog) -> None:
    events = [
        MessageEvent(text="before there was a trainer"),
        *(StepEvent(step=step, epoch=0.1) for step in (1, 2, 3)),
        ResumeEvent(step=1, epoch=0),
        StepEvent(step=2, epoch=0.2),
    ]
    for event in events:
        log.append(event)
    assert [(event.kind, event.step) for event in log.surviving()] == [
        ("message", None),
        ("step", 1),
        ("resume", 1),
        ("step", 2),
    ]
    assert [step.epoch for step in log.of(StepEvent)] == [0.1, 0.2]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: str(path.stem))
def test_recorded_runs_read_as_they_were(path: Path) -> None:
    """The same files that the browser's reducer is tested on."""
    events, end = EventLog(path).read()
    assert end == path.stat().st_size and len(events) == len(path.read_text(encoding="utf-8").splitlines())
    for event, line in zip(events, path.read_text(encoding="utf-8").splitlines(), strict=True):
        assert event.to_json() == json.loads(line)
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    assert [[event.kind, event.step or 0] for event in surviving(events)] == expected


def test_there_are_recorded_runs() -> None:
    kinds = {json.loads(line)["kind"] for path in RECORDED for line in path.read_text(encoding="utf-8").splitlines()}
    assert {path.stem for path in RECORDED} >= {"worker_resumed", "worker_branch"}
    assert kinds >= set(EVENTS) - {"diverged"}


def test_the_schema_in_the_browsers_folder_is_ours() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema(), "run python -m mfcore.runs.events > " + str(SCHEMA.name)
    assert set(schema()["$defs"]) == {kind.__name__ for kind in EVENTS.values()}


def test_a_command_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "mfcore.runs.events"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(printed.stdout) == schema()
