"""A disk that returns other bits than it was given: found out wherever it matters, and nothing lost that lies there twice."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mfcore.__main__ import main
from mfcore.data import Split, load_dataset, random_split
from mfcore.data.cache import DamagedCache, read_cache, write_cache
from mfcore.errors import UnusableRequest
from mfcore.evaluation import EvaluationDetails
from mfcore.runs import RunConfig, RunFolder, RunStatus, RunStore
from mfcore.runs.checkpoints.files import load_state, load_weights, save_checkpoint
from mfcore.runs.checkpoints.info import read_info
from mfcore.runs.checkpoints.retention import kept_path
from mfcore.runs.events import EpochEvent, Event, MessageEvent, ResumeEvent
from mfcore.runs.loaded import load_run
from tests.runs.test_branching import branch
from tests.runs.tiny_runs import equal, tiny

Train = Callable[..., tuple[RunFolder, RunStatus]]


def flip(path: Path, at: int | None = None, bit: int = 3) -> None:
    """Turn one bit of a file, in its middle unless said otherwise."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1 << bit
    path.unlink()  # a branch may share the file with its parent
    path.write_bytes(content)


def test_every_flipped_bit_of_a_checkpoint_is_found(tmp_path: Path) -> None:
    path, state = tmp_path / "last.safetensors", {"moments": torch.ones(4, 2), "draws": 2**100, "best": None}
    save_checkpoint(path, {"weight": torch.arange(6.0)}, {"epoch": 3}, state)
    whole = path.read_bytes()
    assert load_weights(path)[1] == {"epoch": 3} == load_state(path)[1]
    for at in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            for read in (load_weights, load_state, read_info):
                with pytest.raises(UnusableRequest, match=r"last\.safetensors cannot be read"):
                    read(path)


def test_flipped_bits_of_splits_evaluations_and_datasets_are_found_or_harmless(finished: RunFolder, tmp_path: Path) -> None:
    data, draw = load_dataset("planted"), random.Random(0)
    split, path = random_split(data), tmp_path / "file.npz"
    split.save(path)
    whole = path.read_bytes()
    for at in draw.sample(range(len(whole)), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        try:
            read = Split.load(path, data)
        except UnusableRequest:
            continue
        assert read.hash == split.hash and read.config == split.config
    whole, truth = finished.evaluation_path.read_bytes(), EvaluationDetails.load(finished.evaluation_path)
    for at in draw.sample(range(len(whole)), 300):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        try:
            seen = EvaluationDetails.load(path)
        except UnusableRequest:
            continue
        np.testing.assert_array_equal(seen.rank_full, truth.rank_full)
        np.testing.assert_array_equal(seen.predicted, truth.predicted)
    write_cache(tmp_path / "data", data, "here")
    (stored,) = (tmp_path / "data").glob("data-*.npz")
    flip(stored)
    with pytest.raises(DamagedCache):
        read_cache(tmp_path / "data")


def learned(folder: RunFolder) -> dict[str, torch.Tensor]:
    """The weights that stand for a run."""
    return load_run(folder.run_id, folder.path.parents[1]).model.state_dict()


def cut_short(train: Train, config: RunConfig, epoch: int) -> RunFolder:
    """A run whose worker was asked to leave after ``epoch``."""
    done = list[int]()

    def listen(event: Event) -> None:
        if isinstance(event, EpochEvent):
            done.append(event.epoch)

    folder, status = train(config, listen=listen, interrupted=lambda: epoch in done)
    assert status.state == "interrupted", status
    return folder


def test_a_run_goes_on_from_the_newest_whole_epoch(train: Train, home: Path) -> None:
    """Once with the last checkpoint damaged, once with the newest kept epoch as well: the weights are those of a quiet run."""
    config = tiny(num_epochs=6)
    quiet, _ = train(config)
    folder = cut_short(train, config, 4)
    for damaged, goes_on in ((["last"], 4), (["last", "epoch-00004"], 3)):
        again = RunFolder(Path(shutil.copytree(folder.path, folder.path.with_name(f"{folder.run_id}-{goes_on}"))))
        for name in damaged:
            flip(again.checkpoints / f"{name}.safetensors")
        RunStore(home).requeue(again.run_id)
        _, status = train(folder=again)
        assert status.state == "finished", status.reason
        (resumed,) = again.events.of(ResumeEvent)
        assert resumed.epoch == goes_on
        (told,) = (event for event in again.events.of(MessageEvent) if event.level == "warning")
        assert "last.safetensors cannot be read (its checksum differs" in told.text and f"epoch {goes_on}" in told.text
        assert equal(learned(again), learned(quiet))
        assert again.result()["test"] == quiet.result()["test"]


def test_without_any_whole_checkpoint_it_says_so(train: Train, home: Path) -> None:
    folder = cut_short(train, tiny(num_epochs=6), 2)
    for path in folder.checkpoints.glob("*.safetensors"):
        flip(path)
    RunStore(home).requeue(folder.run_id)
    _, status = train(folder=folder)
    assert (
        status.state == "failed"
        and "last.safetensors cannot be read" in status.reason
        and "train the run again" in status.reason
    )


def test_damaged_best_weights_are_read_from_the_epoch_they_are_of(train: Train, home: Path) -> None:
    folder, _ = train(tiny(num_epochs=3))
    before = learned(folder)
    flip(folder.checkpoints / "best.safetensors")
    assert equal(learned(folder), before)
    for path in folder.checkpoints.glob("epoch-*.safetensors"):
        flip(path)
    flip(folder.checkpoints / "best.safetensors", at=-1)  # another moment, another stamp
    with pytest.raises(UnusableRequest, match="its checksum differs"):
        load_run(folder.run_id, home)


def test_no_branch_is_made_of_a_damaged_epoch(train: Train, home: Path) -> None:
    parent, _ = train(tiny(num_epochs=2))
    flip(kept_path(parent.checkpoints, 1))
    with pytest.raises(UnusableRequest, match=r"epoch-00001.*its checksum differs.*branch from another epoch"):
        branch(home, parent, 1)


def test_a_damaged_split_is_written_anew(train: Train, home: Path) -> None:
    folder, _ = train(tiny())
    stored = home / "splits" / f"{folder.provenance()['split_hash']}.npz"
    whole = stored.read_bytes()
    flip(stored)
    load_run(folder.run_id, home)
    assert stored.read_bytes() == whole


def test_a_damaged_evaluation_is_made_anew_when_the_run_is_evaluated(
    train: Train, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = train(tiny())
    whole = EvaluationDetails.load(folder.evaluation_path)
    flip(folder.evaluation_path)
    assert main(["evaluate", folder.run_id, "--home", str(home)]) == 0
    assert "was damaged, and has been made anew" in capsys.readouterr().err
    again = EvaluationDetails.load(folder.evaluation_path)
    np.testing.assert_array_equal(again.rank_full, whole.rank_full)
    assert again.about == whole.about
    assert main(["evaluate", folder.run_id, "--home", str(home)]) == 0
    assert "damaged" not in capsys.readouterr().err
