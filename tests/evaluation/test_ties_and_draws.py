"""Tie policies, several draws of negatives, and evaluations stored by the version before them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore import RunConfig, UnusableRequest
from mfcore.data import Split
from mfcore.evaluation import EvaluationDetails, Evaluator, Protocol, sampled_curve, summarise
from mfcore.settings.ties import TIES
from tests.evaluation.examples import Table, split_of


def world(seed: int = 3, num_users: int = 20, num_items: int = 40) -> tuple[Split, Table]:
    """Scores with many ties, one to three cases a user."""
    rng = np.random.default_rng(seed)
    rows = [(u, int(i), 5.0) for u in range(num_users) for i in rng.choice(num_items, 9, replace=False)]
    held = [row for place, row in enumerate(rows) if place % 9 >= 6 + row[0] % 3]
    split = split_of([row for row in rows if row not in held], [], held, num_users, num_items)
    return split, Table(rng.integers(0, 6, (num_users, num_items)))


@pytest.mark.parametrize(("ties", "rank"), [("optimistic", 1.0), ("mean", 2.0), ("pessimistic", 3.0)])
def test_policies_by_hand(ties: str, rank: float) -> None:
    """One item above, two level with the target."""
    split = split_of([(0, 0, 3.0)], [], [(0, 1, 5.0)], 1, 6, "leave-last-out")
    model = Table([[9, 4, 7, 4, 4, 1]])
    details = Evaluator(split, protocol=Protocol(ties=ties), all_relevant=True).details(model)
    assert details.rank_full.tolist() == details.rank_draws[0].tolist() == [rank]
    assert summarise(details)["auc"] == summarise(details)["auc/full"] == 0.5  # ties half, whatever the policy


def test_another_policy_needs_no_scoring() -> None:
    split, model = world()
    details = Evaluator(split, protocol=Protocol(sampled_negatives=15, draws=3)).details(model)
    for ties in TIES:
        again = Evaluator(split, protocol=Protocol(sampled_negatives=15, draws=3, ties=ties)).details(model)
        assert summarise(details.with_ties(ties)) == summarise(again)
        assert details.with_ties(ties).about == again.about
    hits = [summarise(details.with_ties(ties), 3)["hr@3"] for ties in ("pessimistic", "mean", "optimistic")]
    assert hits == sorted(hits)
    assert hits[0] < hits[2]
    with pytest.raises(UnusableRequest, match="ties must be one of mean, optimistic, pessimistic; got 'lucky'"):
        details.with_ties("lucky")


def test_a_constant_model_is_perfect_only_to_the_optimist() -> None:
    split = split_of([(0, 50, 4.0)], [], [(u, u, 5.0) for u in range(5)], 5, 300, "leave-last-out")
    constant = Table(np.ones((5, 300)))
    hits = {t: Evaluator(split, protocol=Protocol(ties=t), all_relevant=True).metrics(constant)["hr@10"] for t in TIES}
    assert hits == pytest.approx({"mean": 0.1, "optimistic": 1.0, "pessimistic": 0.0})


def test_figures_over_draws_are_means_and_the_first_draw_is_the_one_of_a_single_draw() -> None:
    split, model = world(num_items=120)
    many = Evaluator(split, protocol=Protocol(k=3, sampled_negatives=15, draws=4)).details(model)
    assert many.greater_sampled.shape == (4, len(many.case_user))
    one = Evaluator(split, protocol=Protocol(k=3, sampled_negatives=15)).details(model)
    np.testing.assert_array_equal(many.rank_draws[0], one.rank_draws[0])
    assert len({tuple(rank) for rank in many.rank_draws.tolist()}) == 4
    alone = [
        dataclasses.replace(many, greater_sampled=many.greater_sampled[[d]], equal_sampled=many.equal_sampled[[d]])
        for d in range(4)
    ]
    for name in ("hr@3", "ndcg@3", "mrr@3", "auc"):
        assert summarise(many)[name] == pytest.approx(np.mean([summarise(draw)[name] for draw in alone]))
    assert summarise(many)["ndcg@3/full"] == summarise(one)["ndcg@3/full"]


@pytest.mark.parametrize("count", [1, 10, 31, 200])
def test_from_few_to_all_negatives(count: int) -> None:
    split, model = world()
    details = Evaluator(split, protocol=Protocol(sampled_negatives=count, draws=2)).details(model)
    free = 40 - np.bincount(split.data.user_idx, minlength=20)[details.case_user]
    assert details.num_sampled.tolist() == (np.minimum(count, free) + 1).tolist()
    np.testing.assert_array_equal(details.num_free, free)
    if count == 200:
        np.testing.assert_array_equal(details.greater_sampled, np.stack([details.greater_free] * 2))
        np.testing.assert_array_equal(details.equal_sampled, np.stack([details.equal_free] * 2))


@given(st.integers(0, 1000), st.sampled_from(["test", "valid"]))
def test_counts_among_never_interacted_items_by_brute_force(seed: int, on: str) -> None:
    rng = np.random.default_rng(seed)
    part = rng.integers(0, 5, (3, 8))  # 0, 1 never; 2 train; 3 valid; 4 test
    part[0, 0] = 2
    rows = [[(u, i, 5.0) for u in range(3) for i in range(8) if part[u, i] == kind] for kind in (2, 3, 4)]
    split = split_of(rows[0], rows[1], rows[2], 3, 8)
    scores = rng.integers(0, 3, (3, 8)).astype(np.float32)
    details = Evaluator(split, on).details(Table(scores))
    assert details.greater_free is not None
    assert details.equal_free is not None
    for place, (user, item) in enumerate(zip(details.case_user, details.case_item, strict=True)):
        free = scores[user][part[user] < 2]
        assert details.greater_free[place] == (free > scores[user, item]).sum()
        assert details.equal_free[place] == (free == scores[user, item]).sum()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("ties", "some", "ties must be one of"), ("draws", 0, "draws must be >= 1"), ("draws", 101, "draws must be <= 100")],
)
def test_an_unusable_protocol_is_refused(field: str, value: object, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        Protocol(**{field: value})  # type: ignore[arg-type]


def test_run_configs_carry_the_new_fields_and_load_without_them() -> None:
    config = RunConfig().with_flat({"ties": "pessimistic", "draws": "20"})
    assert config.protocol == Protocol(ties="pessimistic", draws=20)
    assert RunConfig.from_dict(config.to_dict()) == config
    assert config.to_flat() == {"ties": "pessimistic", "draws": 20}
    assert RunConfig().with_flat(config.to_flat()) == config
    old = RunConfig().to_dict()
    del old["protocol"]["ties"], old["protocol"]["draws"]
    assert RunConfig.from_dict(old) == RunConfig()
    former = RunConfig().to_dict()
    former["protocol"]["ties"] = "half"
    assert RunConfig.from_dict(former) == RunConfig() == RunConfig().with_flat({"ties": "half"})


def _store_version_1(details: EvaluationDetails, path: Path) -> None:
    names = ("k", "case_user", "case_item", "rank_full", "num_sampled", "num_full", "num_relevant")
    names += ("rating_user", "rating_item", "predicted", "actual")
    np.savez_compressed(path, rank_sampled=details.rank_draws[0], **{name: getattr(details, name) for name in names})


def test_old_evaluations_are_read_and_know_what_they_lack(tmp_path: Path) -> None:
    split, model = world()
    details = Evaluator(split, protocol=Protocol(sampled_negatives=15, draws=1)).details(model)
    _store_version_1(details, tmp_path / "old.npz")
    old = EvaluationDetails.load(tmp_path / "old.npz")
    np.testing.assert_array_equal(old.rank_full, details.rank_full)
    np.testing.assert_array_equal(old.rank_draws[0], details.rank_draws[0])
    without = dataclasses.replace(details, equal_sampled=0 * details.equal_sampled, equal_full=0 * details.equal_full)
    assert summarise(old)["auc"] == pytest.approx(summarise(details)["auc"])
    assert set(summarise(old)) == set(summarise(without))
    assert old.with_ties("mean").ties == "mean"
    with pytest.raises(UnusableRequest, match="stored without its ties; evaluate the run again"):
        old.with_ties("optimistic")
    with pytest.raises(UnusableRequest, match="evaluate the run again"):
        sampled_curve(old)
    old.save(tmp_path / "again.npz")
    assert not EvaluationDetails.load(tmp_path / "again.npz").ties_known


def test_an_evaluation_from_a_later_version_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "later.npz", format_version=99)
    with pytest.raises(UnusableRequest, match="needs a newer version"):
        EvaluationDetails.load(tmp_path / "later.npz")
