"""The test part is scored once, at the end. Before that, reading it raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore import TrainConfig, Trainer, build_model
from mfcore.data import Interactions, Split
from mfcore.evaluation import baseline_metrics, leak_meter
from mfcore.runs import RunConfig, RunFolder
from mfcore.runs.worker.session import train_run
from tests.evaluation.examples import split_of


class Sealed(Split):
    @property
    def test(self) -> Interactions:  # type: ignore[override]
        raise AssertionError("the test part was read")


def sealed_split(kind: str) -> Split:
    rng = np.random.default_rng(0)
    rows = [(u, int(i), float(rng.integers(1, 6))) for u in range(30) for i in rng.choice(40, 9, replace=False)]
    return split_of(rows[::3] + rows[1::3][::2], rows[1::3][1::2], rows[2::3], 30, 40, kind, Sealed)


@pytest.mark.parametrize("loss", ["mse", "bce", "bpr"])
@pytest.mark.parametrize("kind", ["random", "leave-last-out"])
def test_training_choosing_and_refitting_never_read_test(kind: str, loss: str) -> None:
    split = sealed_split(kind)
    config = TrainConfig(loss=loss, num_epochs=4, batch_size=32, device="cpu", threads=1)
    trainer = Trainer(build_model("biased-mf", split.train, embedding_dim=4), split, config)
    trainer.validate()
    ends = list(trainer.fit())
    trainer.load_best()
    assert len(ends) == 4
    assert trainer.selection_metric in ends[-1].metrics
    again = Trainer(build_model("biased-mf", split.train, embedding_dim=4), split, config)
    again.load_state_dict(trainer.state_dict())
    together = split.with_validation_in_train()
    refit = Trainer(build_model("biased-mf", together.train, embedding_dim=4), together, config)
    refit.train_epoch()
    baseline_metrics(split, "valid", strong=True)
    with pytest.raises(AssertionError, match="was read"):
        leak_meter(split)


@pytest.mark.parametrize("changes", [{}, {"loss": "bce", "split": "leave-last-out", "dataset": "ml-100k"}])
def test_a_run_reads_test_only_after_its_last_epoch(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    home = tmp_path
    flat = {"dataset": "planted", "dataset.num_users": 60, "dataset.num_items": 40, "dataset.density": 0.3, **changes}
    if flat["dataset"] == "ml-100k":
        request.getfixturevalue("ml_100k")
        home = request.getfixturevalue("test_home")
        flat = {key: value for key, value in flat.items() if not key.startswith("dataset.")}
    config = RunConfig().with_flat({**flat, "num_epochs": 3, "refit": True, "device": "cpu", "threads": 1, "embedding_dim": 4})
    told: list[str] = []
    read_after: list[list[str]] = []
    whole = Split.__dict__["test"].func

    def test(split: Split) -> Interactions:
        read_after.append(list(told))
        part: Interactions = whole(split)
        return part

    monkeypatch.setattr(Split, "test", property(test))
    folder = RunFolder.create(home, config)
    status = train_run(folder, home, listen=lambda event: told.append(event.kind))
    assert status.state == "finished", status.reason
    assert read_after, "test was scored"
    assert all(kinds.count("epoch") == 4 for kinds in read_after)  # the untrained model and three epochs
    assert all(kinds[-1] == "refit" for kinds in read_after)  # the refit is over by then
