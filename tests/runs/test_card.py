"""The run card says how its figures came about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mfcore import Protocol
from mfcore.evaluation.words import protocol_facts
from mfcore.runs import RunFolder, RunStatus, card_facts, command_line, preset_config, run_card
from tests.runs.tiny_runs import tiny


def test_a_finished_run(train: Callable[..., tuple[RunFolder, RunStatus]]) -> None:
    folder, _ = train(tiny(seed=7, draws=5, refit=True))
    card = card_facts(folder)
    known, result = folder.provenance(), folder.result()
    assert card["data"]["fingerprint"] == known["dataset_fingerprint"]
    assert card["data"]["split hash"] == known["split_hash"]
    assert card["data"]["split"] == "random (0.2 test, 0.1 validation, seed 0)"
    assert card["data"]["num_users"] == "60"
    assert card["training"]["seed"] == "7"
    assert card["training"]["refit"] == "yes"
    assert card["test"] == {name: f"{value:.4f}" for name, value in result["test"].items()}
    assert card["measured on"]["device"] == "cpu"
    assert card["measured on"]["torch"] == known["packages"]["torch"]
    assert card["measured on"]["epochs"].endswith("chosen on validation, then refitted on train + validation")
    assert card["again"]["command"] == command_line(folder.config())
    text = run_card(folder)
    for facts in card.values():
        for name, value in facts.items():
            assert any(line.split(maxsplit=1)[0] == name.split()[0] and line.endswith(value) for line in text.splitlines())


def test_a_queued_run_says_what_is_known(home: Path) -> None:
    card = card_facts(RunFolder.create(home, tiny()))
    assert card["run"]["state"] == "queued"
    assert "fingerprint" not in card["data"]
    assert "test" not in card
    assert "measured on" not in card


def test_protocols_in_words() -> None:
    plain = protocol_facts(Protocol(draws=1), relevant="a rating of 4 or more", candidates=(100, 100))
    assert plain["relevant"] == "held-out interactions with a rating of 4 or more"
    assert plain["sampled ranking"] == "1 + 99 never-interacted items, one draw, seed 0"
    few = protocol_facts(Protocol(), candidates=(10, 22))
    assert few["sampled ranking"] == "1 + 9 to 21 never-interacted items, mean of 5 draws, seed 0"
    other = protocol_facts(Protocol(draws=20, ties="optimistic"))
    assert other["sampled ranking"].startswith("1 + up to 99 ")
    assert other["relevant"] == "every held-out interaction"
    assert "mean of 20 draws" in other["sampled ranking"]
    assert "optimistic" in other["ties"]


def test_the_spread_of_a_start_is_left_out_where_it_has_none(home: Path) -> None:
    said = card_facts(RunFolder.create(home, tiny(init="uniform")))["model"]
    assert said["init"] == "uniform"
    assert "init_std" not in said
    assert "init_std" in card_facts(RunFolder.create(home, tiny()))["model"]


def test_what_als_does_not_use_is_not_on_its_card(home: Path) -> None:
    said = card_facts(RunFolder.create(home, preset_config("ials")))["training"]
    assert {"weight_decay": "0.013", "unobserved_weight": "0.3", "optimizer": "als"}.items() <= said.items()
    assert not {"learning_rate", "batch_size", "schedule", "negatives"} & set(said)
