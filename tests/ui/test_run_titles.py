"""What an unnamed run is called, and how it says where it comes from."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mfcore.runs import RunConfig, preset_config
from mfcore.runs.summary import RunSummary
from ui.run_titles import lineage, run_title, runs_to_compare


def run(
    name: str = "", run_id: str = "20261122-100000-mf-aaaa", preset: str = "", epochs: int = 3, **settings: Any
) -> RunSummary:
    config = (preset_config(preset) if preset else RunConfig()).with_flat(settings)
    return RunSummary(run_id, name, "", False, config, "finished", "", 1.0, epochs_done=epochs)


@pytest.mark.parametrize(
    ("preset", "settings", "title"),
    [
        ("biased-mf", {"learning_rate": 0.05}, "Biased MF · lr 0.05"),
        ("biased-mf", {"learning_rate": 0.05, "optimizer": "adam"}, "Biased MF · Adam · lr 0.05"),
        ("neumf", {"num_epochs": 7, "seed": 3}, "NeuMF · 7 epochs · seed 3"),
        ("mf-implicit", {"loss": "bpr"}, "MF · BPR, pairs"),
    ],
)
def test_the_settings_that_set_a_run_apart_name_it(preset: str, settings: dict[str, Any], title: str) -> None:
    assert run_title(run(preset=preset, **settings)) == title


def test_a_preset_as_it_is_still_says_its_learning_rate() -> None:
    rate = preset_config("biased-mf").training.learning_rate
    assert run_title(run(preset="biased-mf")) == f"Biased MF · lr {rate:g}"


def test_no_title_lists_everything() -> None:
    many = run(preset="mf", learning_rate=0.1, embedding_dim=3, batch_size=7, num_epochs=9, seed=5)
    assert run_title(many).count(" · ") == 3


def test_a_branch_is_called_by_what_changed_and_says_where_it_comes_from() -> None:
    parent = run(preset="mf", learning_rate=0.1, embedding_dim=3, batch_size=7)
    origin = {"run_id": parent.run_id, "epoch": 7, "changes": {"weight_decay": 0.5}}
    branch = dataclasses.replace(
        parent, run_id="b", config=dataclasses.replace(parent.config, parent=origin).with_flat({"weight_decay": 0.5})
    )
    assert run_title(branch) == "MF · decay 0.5 · lr 0.1 · 3 dim"
    assert lineage(branch, {parent.run_id: parent}) == f"⤷ epoch 7 of {run_title(parent)}"
    assert lineage(branch, {}) == "⤷ epoch 7 of a run that is not here"
    assert lineage(parent, {}) == ""


def test_a_name_that_people_gave_wins() -> None:
    assert run_title(run("mine", preset="mf", learning_rate=0.1)) == "mine"


def test_only_what_has_learned_something_can_be_laid_over() -> None:
    offered = runs_to_compare([run(run_id="20261122-100000-mf-aaaa"), run(run_id="20261122-100000-mf-bbbb", epochs=0)])
    assert [entry["id"] for entry in offered] == ["20261122-100000-mf-aaaa"]
    assert set(offered[0]) == {"id", "title", "model", "loss", "when"}
