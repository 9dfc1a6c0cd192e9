"""What presets promise happens: where the sentences of Home and of the cards were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfcore.data import Interactions
from mfcore.embeddings.snapshots import SnapshotFiles
from mfcore.registry import DATASETS
from mfcore.runs import PRESETS, RunFolder, preset_config
from mfcore.runs.events import EpochEvent
from mfcore.runs.presets import FIRST, FIRST_RANKING
from mfcore.runs.worker.session import train_run


def trained(home: Path, preset: str, **flat: object) -> RunFolder:
    folder = RunFolder.create(home, preset_config(preset).with_flat({"pace": 0, "device": "cpu", **flat}))
    train_run(folder, home)
    return folder


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_rate_far_too_high_diverges_and_a_tenth_of_it_learns(tmp_path: Path, seed: int) -> None:
    drawn = {"dataset": "planted", "seed": seed, "split_seed": seed}
    failed = trained(tmp_path, "lr-too-high", **drawn).status()
    rate = preset_config("lr-too-high").training.learning_rate
    assert failed.state == "failed"
    assert f"try {rate / 10:g}" in failed.reason
    cured = trained(tmp_path, "lr-too-high", **drawn, learning_rate=rate / 10)
    errors = [event.metrics["rmse"] for event in cured.events.of(EpochEvent)]
    assert cured.status().state == "finished"
    assert errors[-1] < 0.9 * errors[0]


def test_a_rate_too_high_is_so_at_a_usual_batch_and_a_usual_order_of_size() -> None:
    high, good = preset_config("lr-too-high").training, preset_config(FIRST).training
    assert (high.optimizer, high.batch_size) == (good.optimizer, good.batch_size)
    assert high.learning_rate <= 20 * good.learning_rate


def test_sentences_of_presets_hold_on_any_data() -> None:
    """A preset for all data names no items of one: a film is one only in MovieLens."""
    nouns = {word for spec in DATASETS.values() for word in (*spec.item, *spec.user) if word not in ("item", "items")}
    for preset in PRESETS.values():
        if preset.kind != "seed":
            said = {word.strip(".,:;") for word in preset.sentence.lower().split()}
            assert not said & (nouns - {"user", "users"}), preset.name


def test_alike_items_gather_around_a_ranking_model_and_hardly_around_one_that_guesses_ratings(
    ml_100k: Interactions, test_home: Path
) -> None:
    shares = {}
    for preset in (FIRST, FIRST_RANKING):
        folder = trained(test_home, preset, num_epochs=10, draws=1, refit=False)
        shares[preset], base = alike(folder, ml_100k)
    assert 0.25 < base < 0.4
    assert shares[FIRST_RANKING] > 0.5 > shares[FIRST] + 0.05


def alike(folder: RunFolder, data: Interactions) -> tuple[float, float]:
    """Among the ten nearest to a comedy, by cosine in all dimensions: the share of comedies; and among all. Of items with 20
    ratings or more."""
    source = SnapshotFiles(folder.path).source()
    assert source is not None
    rated = np.bincount(data.item_idx, minlength=data.num_items)[source.item_idx] >= 20
    vectors = source.load(max(source.stamps())).items[rated]
    comedy = np.array(["Comedy" in genres for genres in data.item_table["genres"]])[source.item_idx][rated]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    like = unit @ unit.T
    np.fill_diagonal(like, -np.inf)
    nearest = np.argsort(-like, axis=1)[:, :10]
    return float(comedy[nearest][comedy].mean()), float(comedy.mean())
