"""Predictions and gradients worked out by hand, and what is particular to one model."""

from __future__ import annotations

import math

import pytest
import torch

from mfcore.data import Interactions, random_split
from mfcore.errors import UnusableRequest
from mfcore.models import (
    GMF,
    MLP,
    BiasedMF,
    ModelConfig,
    NeuMF,
    RecommenderModel,
    build_model,
    check_memory,
    estimate_memory,
    neural,
)


def two_by_two(**fields: object) -> BiasedMF:
    """μ = 3, p_0 = (1, 2), q_1 = (0.5, −1), b_u0 = 0.25, b_i1 = −0.5; the rest is zero."""
    model = BiasedMF(ModelConfig("biased-mf", embedding_dim=2, **fields), 2, 2, mean_rating=3.0)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.user_factors[0] = torch.tensor([1.0, 2.0])
        model.item_factors[1] = torch.tensor([0.5, -1.0])
        model.user_bias[0] = 0.25
        model.item_bias[1] = -0.5
    return model


def test_biased_mf_by_hand() -> None:
    # 3 + 0.25 − 0.5 + (0.5 − 2) = 1.25
    assert two_by_two()(torch.tensor([0]), torch.tensor([1])).item() == pytest.approx(1.25)
    # 0.25 − 0.5 − 1.5 without μ
    assert two_by_two(global_mean=False)(torch.tensor([0]), torch.tensor([1])).item() == pytest.approx(-1.75)


def test_biased_mf_gradient_is_2e() -> None:
    model = two_by_two()
    error = 1.25 - 4.0
    (model(torch.tensor([0]), torch.tensor([1])) - 4.0).square().mean().backward()
    assert model.user_bias.grad is not None
    assert model.user_factors.grad is not None
    assert model.item_factors.grad is not None
    assert model.user_bias.grad.tolist() == [[2 * error], [0.0]]
    assert model.user_factors.grad.tolist() == [[2 * error * 0.5, 2 * error * -1.0], [0.0, 0.0]]
    assert model.item_factors.grad.tolist() == [[0.0, 0.0], [2 * error * 1.0, 2 * error * 2.0]]


def test_output_range_keeps_the_mean_and_the_bounds() -> None:
    model = two_by_two(output_range=True)
    # Item 0 and user 1 know nothing: the prediction is the mean rating, put on the sigmoid's scale and back.
    assert model(torch.tensor([1]), torch.tensor([0])).item() == pytest.approx(3.0)
    # logit((3 − 1) / 4) = 0, so the sum is 0.25 − 0.5 − 1.5
    expected = 1 + 4 / (1 + math.exp(1.75))
    assert model(torch.tensor([0]), torch.tensor([1])).item() == pytest.approx(expected)
    with torch.no_grad():
        model.user_bias[0], model.user_bias[1] = 1e4, -1e4
    assert model.predict([0, 1], [0, 0]).tolist() == [5.0, 1.0]


def test_l2_by_hand() -> None:
    # ‖p‖² = 5, ‖q‖² = 1.25, b_u² = 0.0625, b_i² = 0.25; the pair (1, 0) adds nothing, and the mean is over two
    assert two_by_two().l2(torch.tensor([0, 1]), torch.tensor([1, 0])).item() == pytest.approx(6.5625 / 2)


@pytest.mark.parametrize("name", ["biased-mf", "gmf", "mlp", "neumf"])
def test_the_mean_rating_is_that_of_the_training_data_and_no_part_of_a_logit(small: Interactions, name: str) -> None:
    model = build_model(name, small)
    assert model.global_mean.item() == pytest.approx(float(small.rating.mean()))
    model.predicts_ratings = False
    assert model.global_mean.item() == 0.0
    model.predicts_ratings = True
    assert model.global_mean.item() == pytest.approx(float(small.rating.mean()))


def test_plain_mf_starts_from_zero(small: Interactions) -> None:
    assert build_model("mf", small, init_std=0.0).score_items([0]).abs().max().item() == 0.0


@pytest.mark.parametrize("name", ["mlp", "neumf"])
def test_dropout_acts_in_training_only(small: Interactions, name: str) -> None:
    model = build_model(name, small, dropout=0.5, init_std=1.0)
    users, items = torch.zeros(400, dtype=torch.int64), torch.zeros(400, dtype=torch.int64)
    trained, evaluated = model.train()(users, items), model.eval()(users, items)
    assert len(trained.unique()) > 1
    assert len(evaluated.unique()) == 1


def test_dropout_keeps_the_expected_value() -> None:
    dropout = neural.Dropout(0.25)
    dropout.generator = torch.Generator().manual_seed(0)
    out = dropout(torch.ones(100_000))
    assert out.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert out.mean().item() == pytest.approx(1.0, abs=0.01)


def test_blocks_change_nothing(small: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("neumf", small, init_std=1.0)
    whole = model.score_items(range(13))
    monkeypatch.setattr(neural, "BLOCK_NUMBERS", 1)
    torch.testing.assert_close(model.score_items(range(13)), whole)


@pytest.mark.parametrize(
    ("name", "gmf", "mlp", "words"),
    [("mf", "a", "b", "are for neumf only"), ("neumf", "a", "", "go together"), ("neumf", "", "b", "go together")],
)
def test_pretrained_parents_are_two_and_for_neumf(name: str, gmf: str, mlp: str, words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        ModelConfig(name, pretrained_gmf=gmf, pretrained_mlp=mlp)


@pytest.fixture
def towers(small: Interactions) -> tuple[GMF, MLP]:
    gmf, mlp = build_model("gmf", small, embedding_dim=3, init_std=1.0), build_model("mlp", small, init_std=1.0, seed=1)
    assert isinstance(gmf, GMF)
    assert isinstance(mlp, MLP)
    return gmf, mlp


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_neumf_starts_as_the_blend_of_its_parents(towers: tuple[GMF, MLP], alpha: float) -> None:
    gmf, mlp = towers
    model = NeuMF.from_pretrained(gmf, mlp, alpha=alpha)
    expected = alpha * gmf.score_items(range(13)) + (1 - alpha) * mlp.score_items(range(13))
    torch.testing.assert_close(model.score_items(range(13)), expected)
    assert torch.equal(model.user_vectors(), torch.cat([gmf.user_vectors(), mlp.user_vectors()], dim=1))


def test_pretrained_parents_stay_as_they_were(towers: tuple[GMF, MLP]) -> None:
    gmf, mlp = towers
    before = gmf.user_vectors().clone()
    model = NeuMF.from_pretrained(gmf, mlp)
    with torch.no_grad():
        model.user_factors.zero_()
    assert torch.equal(gmf.user_vectors(), before)


def test_pretrained_parents_must_fit(towers: tuple[GMF, MLP], small: Interactions) -> None:
    gmf, mlp = towers
    other = GMF(gmf.config, 5, 5)
    with pytest.raises(UnusableRequest, match="same users and items"):
        NeuMF.from_pretrained(other, mlp)
    with pytest.raises(UnusableRequest, match="alpha"):
        NeuMF.from_pretrained(gmf, mlp, alpha=2.0)
    wide = build_model("neumf", small, embedding_dim=7)
    assert isinstance(wide, NeuMF)
    with pytest.raises(UnusableRequest, match="embedding_dim"):
        wide.load_pretrained(gmf, mlp)


def test_a_model_too_large_is_refused_with_a_way_out(small: Interactions) -> None:
    with pytest.raises(
        UnusableRequest, match=r"embedding_dim 1000000000 needs about .* TB? .*; this machine has .* free; try 64"
    ):
        check_memory(ModelConfig(embedding_dim=10**9), 943, 1682)
    with pytest.raises(UnusableRequest, match=r"embedding_dim 1000000000 needs about .*; try 64"):
        build_model("biased-mf", small, embedding_dim=10**9)
    with pytest.raises(UnusableRequest, match="mlp_layers 2000000000,8 needs about"):
        build_model("neumf", small, mlp_layers=(2 * 10**9, 8))


def test_the_suggested_width_fits() -> None:
    config = ModelConfig("mf", embedding_dim=10**6)
    with pytest.raises(UnusableRequest) as refused:
        check_memory(config, 1000, 1000, available=1_000_000)
    suggestion = int(str(refused.value).rsplit(" ", 1)[1])
    assert estimate_memory(ModelConfig("mf", embedding_dim=suggestion), 1000, 1000) <= 1_000_000


def test_unknown_names_are_refused(small: Interactions) -> None:
    with pytest.raises(UnusableRequest, match="model must be one of mf, biased-mf"):
        build_model("svd", small)
    with pytest.raises(UnusableRequest, match=r"unknown model setting n_factors; known: .*embedding_dim"):
        build_model("mf", small, n_factors=3)


def test_a_split_or_a_list_is_no_training_data(small: Interactions) -> None:
    with pytest.raises(UnusableRequest, match=r"train must be Interactions, such as split.train; got Split"):
        build_model("mf", random_split(small))  # type: ignore[arg-type]
    with pytest.raises(UnusableRequest, match=r"train must be Interactions, such as split.train; got list"):
        build_model("mf", [(0, 1, 5.0)])  # type: ignore[arg-type]


def test_statistics_come_from_the_training_part(small: Interactions) -> None:
    part = small.select(small.rating > small.rating.mean())
    model: RecommenderModel = build_model("biased-mf", part)
    assert model.global_mean.item() == pytest.approx(float(part.rating.mean()))
    assert (model.num_users, model.num_items) == (13, 9)
