"""A model made anew from the files that export-vectors writes, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.__main__ import main
from mfcore.embeddings.export import pack_tables, read_tables, read_zip, vector_tables
from mfcore.runs import RunFolder
from mfcore.runs.embedding_space import run_space
from mfcore.runs.loaded import load_run
from tests.runs.tiny_runs import tiny

CASES: dict[str, dict[str, Any]] = {
    "mf": {"model": "mf"},
    "mf, squeezed": {"model": "mf", "output_range": True},
    "biased, ratings": {"model": "biased-mf"},
    "biased, squeezed": {"model": "biased-mf", "output_range": True},
    "biased, no mean": {"model": "biased-mf", "global_mean": False},
    "biased, refitted": {"model": "biased-mf", "refit": True},
    "biased, ranking": {"model": "biased-mf", "loss": "bce"},
    "mf, ranking": {"model": "mf", "loss": "bpr"},
}


def read(folder: Path) -> tuple[np.ndarray, dict[str, list[str]], dict[str, Any]]:
    """By hand, as somebody without our code would."""
    vectors = np.array([[float(word) for word in line.split("\t")] for line in _lines(folder / "vectors.tsv")])
    names, *rows = [line.split("\t") for line in _lines(folder / "metadata.tsv")]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return vectors, columns, json.loads((folder / "model.json").read_text(encoding="utf-8"))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def rebuilt(out: Path) -> np.ndarray:
    """(users, items) scores, as the formula in the files says."""
    (users, of_users, about), (items, of_items, same) = read(out / "users"), read(out / "items")
    assert about == same
    total = about["global_mean"] + users @ items.T
    assert ("user bias" in about["formula"]) == ("bias" in of_users) == ("bias" in of_items)
    if "bias" in of_users:
        total += np.array(of_users["bias"], float)[:, None] + np.array(of_items["bias"], float)
    if about["output_range"] is not None:
        assert "exp(-(" in about["formula"]
        low, high = about["output_range"]
        return low + (high - low) / (1 + np.exp(-total))
    return total


def export(run_id: str, home: Path, out: Path, *more: str) -> None:
    for what in ("items", "users"):
        words = ["export-vectors", run_id, "--what", what, "--out", str(out / what), "--home", str(home), *more]
        assert main(words) == 0


@pytest.mark.parametrize("case", CASES)
def test_predictions_come_back_from_the_files_alone(home: Path, tmp_path: Path, train: Callable, case: str) -> None:
    folder: RunFolder = train(tiny(**CASES[case]))[0]
    export(folder.run_id, home, tmp_path)
    run = load_run(folder.run_id, home)
    expected = run.model.score_items(np.arange(run.data.num_users)).numpy()
    trained = [np.array(read(tmp_path / what)[1]["trained"]) == "yes" for what in ("users", "items")]
    learned_from = run.split.with_validation_in_train().train if case == "biased, refitted" else run.split.train
    np.testing.assert_array_equal(trained[0], learned_from.activity() > 0)
    np.testing.assert_array_equal(trained[1], learned_from.popularity() > 0)
    warm = np.ix_(*trained)
    np.testing.assert_allclose(rebuilt(tmp_path)[warm], expected[warm], atol=1e-5)
    about = read(tmp_path / "items")[2]
    assert about["predicts"] == ("score" if "loss" in CASES[case] else "rating")
    if case in ("biased, ratings", "biased, refitted"):
        assert about["global_mean"] == pytest.approx(float(learned_from.rating.mean()), abs=1e-6)
    if "loss" in CASES[case]:
        assert about["global_mean"] == 0.0


def test_a_snapshot_starts_from_the_mean_it_was_trained_with(home: Path, tmp_path: Path, train: Callable) -> None:
    """Also where the model of the run was refitted with more ratings, which have another mean."""
    folder: RunFolder = train(tiny(model="biased-mf", refit=True))[0]
    export(folder.run_id, home, tmp_path, "--epoch", "1")
    run = load_run(folder.run_id, home)
    about = read(tmp_path / "items")[2]
    assert about["global_mean"] == pytest.approx(float(run.split.train.rating.mean()), abs=1e-6)
    assert about["global_mean"] != pytest.approx(float(run.model.global_mean), abs=1e-6)
    weights = run_space(folder.run_id, home).snapshots().load(1)
    assert weights is not None and weights.item_biases is not None
    np.testing.assert_allclose(np.array(read(tmp_path / "items")[1]["bias"], float), weights.item_biases, atol=1e-7)
    assert rebuilt(tmp_path).shape == (60, 40)


def test_a_model_with_layers_says_that_tables_do_not_give_its_scores(home: Path, tmp_path: Path, train: Callable) -> None:
    folder: RunFolder = train(tiny(model="gmf"))[0]
    export(folder.run_id, home, tmp_path)
    about = read(tmp_path / "items")[2]
    assert about["formula"] == "" and "layers beyond these tables" in about["note"]


def test_the_tables_stay_what_a_projector_reads(home: Path, train: Callable) -> None:
    """Vectors without a header, metadata with one line more; the third file in the zip disturbs nobody."""
    folder: RunFolder = train(tiny(model="biased-mf"))[0]
    vectors, columns, prediction = vector_tables(run_space(folder.run_id, home))
    tables = read_zip(pack_tables(vectors, columns, prediction))
    np.testing.assert_array_equal(tables.vectors, vectors)
    assert len(tables.metadata["bias"]) == len(vectors)
    assert read_tables(b"1\t2\n").vectors.tolist() == [[1.0, 2.0]]
