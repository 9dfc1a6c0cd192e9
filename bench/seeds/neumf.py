"""The NeuMF tutorial (2021): layers 64-32-16-8, 32 GMF factors, Adam 1e-3, 4 negatives, batches of 256, 10 epochs.

It trains on MovieLens 1M and prints no HR or NDCG; here it runs on MovieLens 100K. Factors, widths and the 100 competitors at
test time are those of the repository it follows, the batch is customary; the rest is in its text.

Its dropout of 0.2 is declared and never applied; its training negatives are drawn once, before the first epoch, and in that
repository never from a user's test item; its checkpoint is the one with the best HR on the test part; and each test item stands
first among its competitors, where a sort may leave it when all score alike. One defect at a time is put back into the mended
model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from bench.measured import Measured, mean
from mfcore.data import Split, leave_last_out, load_dataset
from mfcore.evaluation import Evaluator, Protocol
from mfcore.models import build_model
from mfcore.models.baselines import GlobalMean
from mfcore.runs import preset_config
from mfcore.training import Trainer
from mfcore.training.samples import Samples, SampleSource

PRESET = "neumf-tutorial"
DRAWS = 20
AS_REPORTED, CHOSEN_ON_TEST = "as the tutorial reports", "checkpoint chosen on test"
ONE_DRAW = Protocol(sampled_negatives=100, ties="optimistic")
"""As the tutorial scores: one draw of 100 competitors for good, ties in favour of the test item."""


@dataclass(frozen=True)
class Variant:
    """One way to train it. ``spare_held_out``: items held out for a user never come up as that user's negatives."""

    dropout: bool = True
    draw_once: bool = False
    spare_held_out: bool = False


VARIANTS = {
    "mended": Variant(),
    "dropout never applied": Variant(dropout=False),
    "negatives drawn once": Variant(draw_once=True),
    "held-out items never a negative": Variant(spare_held_out=True),
    "all three": Variant(dropout=False, draw_once=True, spare_held_out=True),
}


class DrawnOnce(SampleSource):
    """Negatives of the first epoch serve all others too; only the order changes."""

    _first: Samples | None = None

    def _draw(self, generator: torch.Generator) -> Samples:
        if self._first is None:
            self._first = super()._draw(generator)
        return self._first


def trainer_for(variant: Variant, split: Split, seed: int) -> Trainer:
    """An untrained model and its trainer, with the variant's defects."""
    config = preset_config(PRESET)
    model = build_model(replace(config.model, dropout=config.model.dropout if variant.dropout else 0.0), split.train, seed=seed)
    training = replace(config.training, seed=seed, device="cpu", threads=1)
    held_out = np.concatenate([split.valid_rows, split.test_rows])
    avoid = split.data.select(held_out) if variant.spare_held_out else None
    kind = DrawnOnce if variant.draw_once else SampleSource
    # No settings for them: they are defects.
    return Trainer(model, split, training, source=kind(split.train, training, torch.device(training.device), avoid))


def epochs_of(variant: Variant, split: Split, seed: int) -> list[dict[str, dict[str, float]]]:
    """Metrics after each epoch: of validation and test (1 + 99, 20 draws), and of test as the tutorial scores it."""
    exact = Protocol(draws=DRAWS, negatives_seed=seed)
    watched = {"test": Evaluator(split, "test", exact, True), "tutorial": Evaluator(split, "test", ONE_DRAW, True)}
    if len(split.valid_rows):
        watched["valid"] = Evaluator(split, "valid", exact, True)
    trainer, found = trainer_for(variant, split, seed), []
    while trainer.epoch < trainer.config.num_epochs:
        trainer.train_epoch()
        found.append({name: evaluator.metrics(trainer.model) for name, evaluator in watched.items()})
    return found


def one_defect_at_a_time(split: Split, seeds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Test figures at the epoch that validation chooses; for the mended model also at the one that test would choose."""
    found: dict[str, Any] = {}
    for name, variant in VARIANTS.items():
        found[name] = {"best_epoch": [], "hr@10": [], "ndcg@10": [], "ndcg@10/full": []}
        for seed in range(seeds):
            say(f"NeuMF: {name}, seed {seed}")
            epochs = epochs_of(variant, split, seed)
            best = int(np.argmax([epoch["valid"]["ndcg@10"] for epoch in epochs]))
            found[name]["best_epoch"].append(best + 1)
            for metric in ("hr@10", "ndcg@10", "ndcg@10/full"):
                found[name][metric].append(epochs[best]["test"][metric])
            if name == "mended":
                _choose_on_test(found, epochs, best)
    return found


def _choose_on_test(found: dict[str, Any], epochs: list[dict[str, dict[str, float]]], best: int) -> None:
    """What the tutorial would report of the same training, beside the same score at the epoch validation chooses."""
    chosen = found.setdefault(CHOSEN_ON_TEST, {"best_epoch": [], "hr@10": [], "hr@10_at_validations_choice": []})
    scores = [epoch["tutorial"]["hr@10"] for epoch in epochs]
    chosen["best_epoch"].append(int(np.argmax(scores)) + 1)
    chosen["hr@10"].append(max(scores))
    chosen["hr@10_at_validations_choice"].append(scores[best])


def as_the_tutorial_reports(split: Split, seeds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """All its defects together: trained on all but the test items, the best HR of any epoch on the test part."""
    together = split.with_validation_in_train()
    found: dict[str, Any] = {"best_epoch": [], "hr@10": [], "ndcg@10": []}
    for seed in range(seeds):
        say(f"NeuMF: as the tutorial reports, seed {seed}")
        scores = [epoch["tutorial"] for epoch in epochs_of(VARIANTS["all three"], together, seed)]
        best = int(np.argmax([score["hr@10"] for score in scores]))
        found["best_epoch"].append(best + 1)
        for metric in ("hr@10", "ndcg@10"):
            found[metric].append(scores[best][metric])
    return found


def constant_model(split: Split) -> dict[str, Any]:
    """HR@10 of a model that scores everything alike, by who wins a tie; and what two ways to sort make of it."""
    policies = {
        ties: Evaluator(split, "test", Protocol(ties=ties), True).metrics(GlobalMean(split.train))["hr@10"]
        for ties in ("optimistic", "mean", "pessimistic")
    }
    alike = torch.full((101,), 0.5)
    first_wins = {
        "stable sort": 0 in torch.sort(alike, descending=True, stable=True).indices[:10],
        "topk on the CPU": 0 in torch.topk(alike, 10).indices,
    }
    return {"hr@10_by_ties": policies, "hr@10_by_lot": 10 / 100, "test_item_listed_first_is_found_by": first_wins}


def measure(seeds: int, say: Callable[[str], None]) -> list[Measured]:
    """Each defect's effect, all of them together, and the constant model."""
    split = leave_last_out(load_dataset("ml-100k"))
    constant = constant_model(split)
    rows = [Measured(f"neumf/constant model, ties {ties}", value) for ties, value in constant["hr@10_by_ties"].items()]
    for sort, hit in constant["test_item_listed_first_is_found_by"].items():
        rows.append(Measured(f"neumf/constant model, test item listed first, {sort}", float(hit)))
    trained = one_defect_at_a_time(split, seeds, say) | {AS_REPORTED: as_the_tutorial_reports(split, seeds, say)}
    return rows + [mean(f"neumf/{name}/{metric}", values) for name, case in trained.items() for metric, values in case.items()]
