"""What a model makes of the matrix, against predictions one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mfcore.data.matrix import make_axis
from mfcore.errors import UnusableRequest
from mfcore.runs import load_run, reconstruction
from mfcore.runs.reconstruction import every_cell, factor_values, known_cells
from tests.runs.tiny_runs import tiny


def test_known_and_every_cell_are_the_means_of_predictions_held_within_the_scale(home: Path, train: Callable) -> None:
    folder, _ = train(tiny(num_epochs=3, model="mf", **{"dataset.noise": 0.1}))
    run = load_run(folder.run_id, home)
    users, items = make_axis(-run.data.activity(), 7), make_axis(-run.data.popularity(), 5)
    every = np.array([np.clip(run.model.predict([user] * 40, np.arange(40)).numpy(), 1.0, 5.0) for user in range(60)])
    known, whole = known_cells(run, users, items)
    filled, all_of_them = every_cell(run, users, items)
    assert whole and all_of_them and known.shape == filled.shape == (7, 5)
    for row in range(7):
        for column in range(5):
            inside = (users.bin[run.data.user_idx] == row) & (items.bin[run.data.item_idx] == column)
            pairs = run.data.user_idx[inside], run.data.item_idx[inside]
            assert known[row, column] == pytest.approx(every[pairs].mean(), rel=1e-5)
            block = every[np.ix_(users.bin == row, items.bin == column)]
            assert filled[row, column] == pytest.approx(block.mean(), rel=1e-5)


def test_of_a_large_matrix_a_part_is_predicted_and_says_so(
    home: Path, train: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = train(tiny(num_epochs=1))
    run = load_run(folder.run_id, home)
    monkeypatch.setattr(reconstruction, "MOST_PREDICTIONS", 200)
    users, items = make_axis(np.arange(60), 7), make_axis(np.arange(40), 5)
    (known, whole), (filled, all_of_them) = known_cells(run, users, items), every_cell(run, users, items)
    assert not whole and not all_of_them and np.isfinite(filled).all() and np.isfinite(known).any()


def test_factors_are_counted_from_one_and_ranking_has_nothing_to_reconstruct(home: Path, train: Callable) -> None:
    folder, _ = train(tiny(num_epochs=1, loss="bce", model="mf"))
    run = load_run(folder.run_id, home)
    users, items = factor_values(run.model, 1)
    assert users.tolist() == run.model.user_vectors()[:, 0].tolist() and len(items) == 40
    with pytest.raises(UnusableRequest, match="factor must be <="):
        factor_values(run.model, users.shape[0] + 10_000)
    with pytest.raises(UnusableRequest, match="ranks and predicts no ratings"):
        known_cells(run, make_axis(np.arange(60)), make_axis(np.arange(40)))
