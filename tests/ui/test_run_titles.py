"""What an unnamed run is called, and how it says where it comes from."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mfcore.runs import RunConfig, preset_config
from mfcore.runs.history import Change
from mfcore.runs.summary import RunSummary
from mfcore.settings import SETTINGS
from ui.run_titles import distinct_titles, lineage, run_title, runs_to_compare

SCALED = (SETTINGS["weight_decay_scaling"].options() or {})["sqrt-count"]


def run(
    name: str = "", run_id: str = "20261122-100000-mf-aaaa", preset: str = "", epochs: int = 3, **settings: Any
) -> RunSummary:
    config = (preset_config(preset) if preset else RunConfig()).with_flat({**({"preset": ""} if settings else {}), **settings})
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


def test_a_preset_as_it_is_goes_by_its_name_and_its_settings_alone_by_their_learning_rate() -> None:
    rate = preset_config("biased-mf").training.learning_rate
    assert run_title(run(preset="biased-mf")) == "Biased MF"
    assert run_title(run(preset="biased-mf", learning_rate=rate)) == f"Biased MF · lr {rate:g}"


def changed(*changes: Change, **settings: Any) -> RunSummary:
    return dataclasses.replace(run(**settings), changes=changes)


def test_what_was_changed_on_the_way_is_in_the_title_and_the_rate_it_did_not_end_with_is_not_alone() -> None:
    rate = Change(20, 1400, "learning_rate", 0.015, 0.0015, True, 20.0, 0.00069, instead_of=0.0069)
    assert run_title(changed(rate, preset="mf")) == "Matrix factorization · lr 0.0069 → 0.00069 at epoch 20"
    again = dataclasses.replace(rate, epoch=25, at=25.4, asked=0.0001, instead_of=0.0005)
    assert run_title(changed(rate, again, preset="mf", seed=3)) == "MF · lr 0.0069 → 0.0001 · seed 3"
    decay = Change(3, 200, "weight_decay", 0.0, 0.3, True, 3.5, 0.3, instead_of=0.0)
    assert run_title(changed(decay, preset="mf", seed=3)) == "MF · decay 0 → 0.3 in epoch 4 · seed 3"
    inherited = dataclasses.replace(decay, in_flight=False)
    assert run_title(changed(inherited, preset="mf", seed=3)) == "MF · seed 3"


def test_no_title_lists_everything() -> None:
    many = run(preset="mf", learning_rate=0.1, embedding_dim=3, batch_size=7, num_epochs=9, seed=5)
    assert run_title(many).count(" · ") == 3


def test_titles_that_are_the_same_name_what_is_in_no_title() -> None:
    common: dict[str, Any] = {"preset": "mf", "learning_rate": 0.1, "embedding_dim": 3, "batch_size": 7}
    one, other = run(run_id="20261122-100000-mf-aaaa", **common), run(run_id="20261122-100500-mf-bbbb", **common, momentum=0.5)
    assert run_title(one) == run_title(other)
    assert list(distinct_titles([one, other]).values()) == [
        f"{run_title(one)} · momentum 0",
        f"{run_title(one)} · momentum 0.5",
    ]
    untitled = run(run_id="20261122-101000-mf-cccc", **common, weight_decay_scaling="sqrt-count")
    assert distinct_titles([one, untitled])[untitled.run_id] == f"{run_title(one)} · weight decay for: {SCALED}"
    twin = dataclasses.replace(one, run_id="20261122-110000-mf-dddd")
    assert list(distinct_titles([one, twin]).values()) == [
        f"{run_title(one)} · 11-22 10:00",
        f"{run_title(one)} · 11-22 11:00",
    ]


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


def test_runs_measured_on_something_else_say_so_where_they_are_laid_over_another() -> None:
    shown, same, other = run(preset="mf"), run(preset="biased-mf"), run(preset="mf", split="time")
    said = [one["when"] for one in runs_to_compare([same, other], beside=shown)]
    assert "split: " not in said[0]
    assert "split: " in said[1]
