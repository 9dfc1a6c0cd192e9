"""Lists, labels, deletion and archives of runs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mfcore.errors import UnusableRequest
from mfcore.registry import MODELS
from mfcore.runs import RunFolder, RunStatus, RunStore, load_run
from mfcore.runs.commands import Command
from mfcore.runs.events import EpochEvent, ResumeEvent, StartEvent
from mfcore.runs.export import archive
from mfcore.runs.layout import check_run_id
from mfcore.runs.summary import RunReader
from tests.runs.tiny_runs import tiny
from ui.run_titles import run_title

Train = Callable[..., tuple[RunFolder, RunStatus]]


def test_the_list_shows_newest_first_with_what_a_table_needs(train: Train, home: Path) -> None:
    store = RunStore(home)
    assert store.list() == []
    folder, _ = train(tiny(name="older"))
    newer = RunFolder.create(home, tiny())
    (home / "runs" / "not-a-run").mkdir()
    listed = store.list()
    assert [summary.run_id for summary in listed] == [newer.run_id, folder.run_id]
    done = listed[1]
    assert (done.state, done.name, done.epochs_done, done.num_epochs) == ("finished", "older", 3, 3)
    assert done.headline == ("rmse", done.test["rmse"]) and done.headline_part == "test"
    assert len(done.curve) == 4 and done.valid["rmse"] == min(done.curve[1:])
    assert done.baselines["valid"]["bias only"]["rmse"] > 0 and done.baselines["test"]["bias only"]["rmse"] > 0
    assert (done.dataset, done.model, done.device) == ("planted", "biased-mf", "cpu")
    waiting = listed[0]
    assert waiting.state == "queued" and waiting.headline is None and waiting.curve == []


def test_a_summary_reads_events_only_once(home: Path) -> None:
    """What it has read is replaced by as many spaces: a reader that came back to it would find no event."""
    folder = RunFolder.create(home, tiny())
    reader = RunReader(folder)
    folder.events.append(StartEvent(selection_metric="rmse", num_epochs=9))
    for epoch in range(3):
        folder.events.append(EpochEvent(epoch=epoch, step=epoch, metrics={"rmse": 2.0 - epoch}))
        assert reader.read().curve == [2.0 - e for e in range(epoch + 1)]
        assert reader.read() is reader.read()
        path = folder.events.path
        path.write_bytes(b" " * (path.stat().st_size - 1) + b"\n")
    folder.events.append(ResumeEvent(step=1, epoch=1))
    assert reader.read().curve == [2.0, 1.0]
    assert reader.read().num_epochs == 9


def test_a_run_whose_worker_is_gone_is_interrupted(home: Path) -> None:
    store = RunStore(home)
    folder = RunFolder.create(home, tiny())
    for state in ("running", "paused"):
        folder.write_status(RunStatus(state, pid=1))
        with folder.lock():
            assert store.get(folder.run_id).state == state
        assert store.get(folder.run_id).state == "interrupted"
        assert "worker" in store.get(folder.run_id).reason


def test_a_damaged_config_fails_alone(train: Train, home: Path) -> None:
    good, _ = train()
    bad, _ = train()
    (bad.path / "config.json").write_text("{")
    worse, _ = train()
    (worse.path / "result.json").write_text('{"test": {"rmse": "low"}}')
    (worse.path / "status.json").write_text('{"state": "finished", "created": "yesterday"}')
    states = {summary.run_id: summary for summary in RunStore(home).list()}
    assert states[worse.run_id].state == "damaged" and "no run writes" in states[worse.run_id].reason
    assert states[good.run_id].state == "finished"
    assert states[bad.run_id].state == "damaged" and "config.json" in states[bad.run_id].reason


def test_a_run_of_what_is_not_registered_any_more_keeps_its_names_its_figures_and_its_status(train: Train, home: Path) -> None:
    with MODELS.temporarily(replace(MODELS["mf"], name="gone++")):
        config = tiny()
        folder, status = train(replace(config, model=replace(config.model, name="gone++")))
    run = RunStore(home).get(folder.run_id)
    assert (run.state, run.model, run.dataset) == ("failed", "gone++", "planted") and run.test
    assert run.reason.startswith("model must be one of") and run.reason.endswith("got 'gone++'")
    assert run_title(run) == "gone++"
    with pytest.raises(UnusableRequest, match="model must be one of"):
        RunStore(home).requeue(folder.run_id, epochs=1)
    assert folder.status() == status
    (folder.path / "config.json").write_text("{")
    assert (RunStore(home).get(folder.run_id).model, RunStore(home).get(folder.run_id).dataset) == ("?", "?")


def test_nonsense_in_a_runs_labels_fails_it_alone(train: Train, home: Path) -> None:
    good, bad = train(tiny())[0], train(tiny())[0]
    (bad.path / "meta.json").write_text('{"name": 5}')
    states = {run.run_id: run.state for run in RunStore(home).list()}
    assert states == {good.run_id: "finished", bad.run_id: "damaged"}
    assert RunStore(home).get(bad.run_id).name == ""


def test_labels(train: Train, home: Path) -> None:
    store = RunStore(home)
    run_id = train()[0].run_id
    store.set_meta(run_id, name="  the good one ", starred=True)
    store.set_meta(run_id, note="see <b>here</b>")
    summary = store.get(run_id)
    assert (summary.name, summary.note, summary.starred, summary.title) == (
        "the good one",
        "see <b>here</b>",
        True,
        "the good one",
    )


def test_deleting_spares_what_is_being_trained(train: Train, home: Path) -> None:
    store = RunStore(home)
    folder = RunFolder.create(home, tiny())
    folder.write_status(RunStatus("running"))
    with folder.lock(), pytest.raises(UnusableRequest, match="being trained; stop it"):
        store.delete(folder.run_id)
    claimed = RunFolder.create(home, tiny(), claimed=True)
    with pytest.raises(UnusableRequest, match="about to start"):
        store.delete(claimed.run_id)
    finished, _ = train()
    store.delete(finished.run_id)
    assert not finished.path.exists()
    with pytest.raises(UnusableRequest, match="there is no run"):
        store.get(finished.run_id)
    assert {s.run_id for s in store.list()} == {folder.run_id, claimed.run_id}
    assert all(path.name[0] != "." for path in (home / "runs").iterdir())


def test_runs_are_found_by_the_beginning_of_their_name(train: Train, home: Path) -> None:
    store = RunStore(home)
    first, second = train()[0].run_id, train()[0].run_id
    assert store.find(first) == first
    assert store.find("latest") == second
    assert store.find(second[:-1]) == second or second[:-1] == first[:-1]
    with pytest.raises(UnusableRequest, match="fits 2 runs"):
        store.find(first[:8])
    for absent in ("xyz", "", "../.."):
        with pytest.raises(UnusableRequest, match="there is no run"):
            store.find(absent)


@pytest.mark.parametrize("state", ["queued", "finished", "stopped"])
def test_only_what_was_interrupted_goes_on(state: str, home: Path) -> None:
    folder = RunFolder.create(home, tiny())
    folder.write_status(RunStatus(state))
    with pytest.raises(UnusableRequest, match="only an interrupted run"):
        RunStore(home).requeue(folder.run_id)
    folder.write_status(RunStatus("failed", error="TrainingDiverged"))
    with pytest.raises(UnusableRequest, match="only an interrupted run"):
        RunStore(home).requeue(folder.run_id)
    folder.write_status(RunStatus("failed", error="OSError"))
    RunStore(home).requeue(folder.run_id)
    assert folder.status().state == "queued"


# --- archives ------------------------------------------------------------------------------------------------------------


def packed(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


CONFIG = json.dumps(tiny().to_dict())


def test_a_run_travels(train: Train, home: Path, tmp_path: Path) -> None:
    store, elsewhere = RunStore(home), RunStore(tmp_path / "elsewhere")
    folder, _ = train(tiny(name="traveller"))
    folder.add_command(Command("stop"))
    data = store.export_zip(folder.run_id)
    assert elsewhere.import_zip(data) == folder.run_id
    there, here = elsewhere.get(folder.run_id), store.get(folder.run_id)
    assert there == here
    assert load_run(folder.run_id, elsewhere.home).evaluate("test") == here.test
    assert not list((elsewhere.runs / folder.run_id).rglob("commands/*"))
    again = elsewhere.import_zip(data)
    assert again != folder.run_id and again.startswith(folder.run_id)
    assert len(elsewhere.list()) == 2


def test_a_run_of_the_longest_name_can_be_taken_in_again_and_again(home: Path) -> None:
    store, longest = RunStore(home), "r" * 80
    found = [store.import_zip(packed({f"{longest}/config.json": CONFIG})) for _ in range(3)]
    assert found[0] == longest and len(set(found)) == 3
    assert {run.run_id for run in store.list()} == {check_run_id(run_id) for run_id in found}


def test_an_unfinished_run_arrives_interrupted(home: Path, tmp_path: Path) -> None:
    folder = RunFolder.create(home, tiny())
    folder.write_status(RunStatus("running", pid=1, host="there"))
    with folder.lock():
        data = RunStore(home).export_zip(folder.run_id)
    elsewhere = RunStore(tmp_path / "elsewhere")
    assert elsewhere.get(elsewhere.import_zip(data)).state == "interrupted"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no config.json"),
        ({"r/status.json": "{}"}, "no config.json"),
        ({"r/config.json": "{"}, "config.json in this zip file is damaged"),
        ({"r/config.json": "{}", "r/../../evil.json": "{}"}, "which no run has"),
        ({"config.json": CONFIG, "../config.json": CONFIG}, "which no run has|twice"),
        ({"/etc/config.json": CONFIG}, "which no run has"),
        ({"r/config.json": CONFIG, "r/commands/000001.json": "{}"}, "which no run has"),
        ({"r/config.json": CONFIG, "r/run.lock": ""}, "which no run has"),
        ({"r/config.json": CONFIG, "s/config.json": CONFIG}, "twice"),
        ({"r/config.json": '{"model": {"name": "gpt"}}'}, "model must be one of"),
        ({"r/config.json": '{"surprise": 1}'}, "unknown run setting"),
        ({"r/config.json": CONFIG, "r/status.json": "[1]"}, "status.json in this zip file is damaged"),
        ({"r/config.json": CONFIG, "r/result.json": '{"test": {"rmse": NaN}}'}, "result.json in this zip file is damaged"),
        ({"r/config.json": CONFIG, "r/result.json": '{"test": "hello"}'}, "result.json in this zip file holds what no run"),
        ({"r/config.json": CONFIG, "r/result.json": '{"baselines": {"a": {"rmse": "1"}}}'}, "holds what no run writes"),
        ({"r/config.json": CONFIG, "r/meta.json": '{"name": 5}'}, "holds what no run writes"),
        ({f"r/checkpoints/{n}.safetensors": "" for n in range(500)}, "500 files"),
    ],
)
def test_what_is_not_a_run_is_refused_and_leaves_nothing(files: dict[str, bytes | str], words: str, home: Path) -> None:
    store = RunStore(home)
    with pytest.raises(UnusableRequest, match=words):
        store.import_zip(packed(files))
    assert list(store.runs.iterdir()) == []
    assert not (home / "evil.json").exists()


@pytest.mark.parametrize(
    "data", [b"", b"not a zip", packed({"r/config.json": CONFIG})[:60]], ids=["nothing", "no zip", "one cut short"]
)
def test_what_is_not_a_zip_is_refused(data: bytes, home: Path) -> None:
    with pytest.raises(UnusableRequest, match="not a zip file of a run"):
        RunStore(home).import_zip(data)


def test_a_history_too_long_to_be_read_is_refused_by_name(home: Path) -> None:
    limits = archive.Limits(lines=2 * 1024**2)
    line = json.dumps({"v": 1, "kind": "step", "time": 1.0, "step": 1, "epoch": 0.1, "train_loss": 1.0}) + "\n"
    too_long = line * (limits.lines // len(line) + 1)
    with pytest.raises(UnusableRequest, match=r"events\.jsonl in this zip file is larger than 2 MB and is not taken in"):
        archive.unpack(packed({"r/config.json": CONFIG, "r/events.jsonl": too_long}), home, limits)
    assert list((home / "runs").iterdir()) == []
    archive.unpack(packed({"r/config.json": CONFIG, "r/events.jsonl": line * 100}), home, limits)


def test_a_bomb_is_not_unpacked(home: Path) -> None:
    with pytest.raises(UnusableRequest, match="larger than"):
        bomb = packed({"r/config.json": CONFIG, "r/events.jsonl": b"\n" * 2_000_000})
        archive.unpack(bomb, home, archive.Limits(total=1_000_000))
    assert list((home / "runs").iterdir()) == []


def test_odd_names_get_a_new_id(home: Path) -> None:
    store = RunStore(home)
    assert store.import_zip(packed({"config.json": CONFIG})).startswith("imported-")
    assert store.import_zip(packed({"odd name!/config.json": CONFIG})).startswith("imported-")
    assert len(store.list()) == 2
