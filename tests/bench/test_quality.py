"""The arithmetic between runs and the table of quality; no run is started here."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench import quality
from bench.measured import Measured, mean, read, under
from bench.quality import goal_words, mark, with_spread
from bench.quality_goals import CHECKS, ROWS, Figure, Row
from mfcore.evaluation.baselines import RANKING_BASELINES, RATING_BASELINES
from mfcore.runs.presets import PRESETS, preset_config

ROW = {row.name: row for row in ROWS}


def run(seed: int, rmse: float, fold: int | None = None) -> dict[str, Any]:
    settings = {"seed": seed} if fold is None else {"seed": seed, "fold": fold}
    return {"settings": settings, "test": {"rmse": rmse, "hr@10": rmse}}


def test_a_repeat_is_the_mean_over_its_folds_and_the_spread_is_over_repeats() -> None:
    runs = [run(1, 0.8, 1), run(0, 1.0, 1), run(0, 2.0, 2), run(1, 1.2, 2)]
    assert quality.repeats(Figure("mean", "rmse"), runs) == [1.5, 1.0]
    assert quality.repeats(Figure("u1", "rmse", fold=1), runs) == [1.0, 0.8]
    figure = Figure("mean", "rmse", required=1.25)
    row = Row("mine", "mf", "", (figure,), "")
    found = quality.figure_of(row, figure, runs)
    assert (found.name, found.value, found.low, found.high, found.n) == ("mine/mean", 1.25, 1.0, 1.5, 2)
    assert found.sd == pytest.approx(0.5 / 2**0.5)
    assert found.required == "≤ 1.25"
    assert found.met
    assert found.note == f"preset {quality.digest(row)}"


def test_a_single_repeat_has_no_spread() -> None:
    assert mean("one", [0.9]).sd is None
    assert with_spread(mean("one", [0.9])) == "0.9000"
    assert with_spread(mean("two", [0.9, 1.1])) == "1.0000 ± 0.1414"


def test_errors_must_be_low_and_hits_high() -> None:
    assert quality.reaches("rmse", 0.9, 0.91)
    assert not quality.reaches("mae", 0.92, 0.91)
    assert quality.reaches("hr@10", 0.67, 0.67)
    assert not quality.reaches("ndcg@10/full", 0.07, 0.077)
    assert quality.reaches("rmse", 0.9, None) is None
    assert goal_words("rmse", 0.913) == "≤ 0.913"
    assert goal_words("ndcg@10", "mf-implicit") == "beats mf-implicit"
    assert [mark(met) for met in (None, True, False)] == ["", " ✓", " ✗"]


def test_the_moonshot_may_be_another_row() -> None:
    rows = {"mf-implicit/HR@10": Measured("mf-implicit/HR@10", 0.67)}

    def met(value: float, moonshot: float | str | None) -> bool | None:
        return quality.moonshot_met(Figure("HR@10", "hr@10", moonshot=moonshot), rows, Measured("", value))

    assert [met(0.67, 0.7), met(0.68, "mf-implicit"), met(0.6, "not measured"), met(0.6, None)] == [False, True, None, None]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_run_of_every_row_is_one_the_product_takes(row: Row) -> None:
    wanted = quality.jobs(row, seeds=3)
    assert len(wanted) == max(3, row.divisions) * max(1, len(row.folds))
    assert len({tuple(sorted(job.items())) for job in wanted}) == len(wanted)
    for job in wanted:
        config = preset_config(row.preset).with_flat(job)
        assert config.training.refit
        assert config.protocol.draws == 20
        assert config.training.seed == config.protocol.negatives_seed == config.split.seed == job["seed"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_figures_in_the_table_are_of_the_presets_as_they_are(row: Row) -> None:
    measured = under(read("quality"), row.name)
    assert measured
    for one in measured.values():
        assert one.note == f"preset {quality.digest(row)}", "settings were changed: run `python -m bench.quality` again"


def test_a_row_is_measured_again_where_its_runs_would_differ_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {row.name: quality.digest(row) for row in ROWS}

    def with_flat(**changes: Any) -> set[str]:
        flat = {**PRESETS["biased-mf"].flat, **changes}
        monkeypatch.setitem(PRESETS, "biased-mf", dataclasses.replace(PRESETS["biased-mf"], flat=flat))
        return {row.name for row in ROWS if quality.digest(row) != before[row.name]}

    assert with_flat(split="time", fold=3, pace=1) == set(), "both rows state their own split"
    assert with_flat(learning_rate=0.03) == {"biased-mf", "biased-mf-random"}


def test_every_good_preset_has_a_row() -> None:
    assert {name for name, preset in PRESETS.items() if preset.kind == "good"} == {row.preset for row in ROWS}


def test_the_rows_are_those_that_were_asked_for() -> None:
    assert {job["fold"] for job in quality.jobs(ROW["biased-mf"], 1)} == {1, 2, 3, 4, 5}
    assert preset_config("mf").with_flat(quality.jobs(ROW["mf"], 1)[0]).model.embedding_dim == 20
    assert {check.baseline for check in CHECKS} <= {*RATING_BASELINES, *RANKING_BASELINES}
    assert all(check.low < check.high for check in CHECKS)


def test_a_check_is_judged_by_its_mean() -> None:
    check = next(check for check in CHECKS if check.label == "popularity, HR@10")
    found = quality.checked(check, [{"popularity": {"hr@10": 0.40}}, {"popularity": {"hr@10": 0.42}}])
    assert found.value == pytest.approx(0.41)
    assert found.met
    assert not quality.checked(check, [{"popularity": {"hr@10": 0.6}}]).met
