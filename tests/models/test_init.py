"""How the starting weights are drawn."""

from __future__ import annotations

import math

import pytest
import torch

from mfcore.data import Interactions, load_dataset
from mfcore.errors import UnusableRequest
from mfcore.models import ModelConfig, build_model


@pytest.fixture(scope="module")
def train() -> Interactions:
    return load_dataset("planted", num_users=300, num_items=200, density=0.05, seed=0)


@pytest.mark.parametrize("name", ["mf", "biased-mf", "gmf", "mlp", "neumf"])
def test_uniform_vectors_lie_between_0_and_1_whatever_init_std_says(train: Interactions, name: str) -> None:
    model = build_model(name, train, init="uniform", init_std=7.0, embedding_dim=20)
    vectors = torch.cat([model.user_vectors().flatten(), model.item_vectors().flatten()])
    assert vectors.min() >= 0.0
    assert vectors.max() < 1.0
    assert vectors.mean().item() == pytest.approx(0.5, abs=0.02)
    assert vectors.std().item() == pytest.approx(1 / math.sqrt(12), abs=0.02)


def test_the_first_guess_of_mf_is_a_quarter_of_embedding_dim_or_none_at_all(train: Interactions) -> None:
    # E[Σ p q] = 20 · ½ · ½ for uniform on [0, 1); for N(0, 1) the mean is 0 and the deviation √20.
    uniform = build_model("mf", train, init="uniform", embedding_dim=20).score_items(range(300))
    normal = build_model("mf", train, init="normal", init_std=1.0, embedding_dim=20).score_items(range(300))
    assert uniform.mean().item() == pytest.approx(5.0, abs=0.2)
    assert normal.mean().item() == pytest.approx(0.0, abs=0.2)
    assert normal.std().item() == pytest.approx(math.sqrt(20), rel=0.05)


def test_biases_start_from_none_unless_told(train: Interactions) -> None:
    plain, spread = build_model("biased-mf", train), build_model("biased-mf", train, bias_std=1.0)
    assert plain.user_biases().abs().max() == plain.item_biases().abs().max() == 0.0
    both = torch.cat([spread.user_biases(), spread.item_biases()])
    assert both.std().item() == pytest.approx(1.0, abs=0.15)
    assert torch.equal(plain.user_vectors(), spread.user_vectors()), "biases are drawn after the vectors"


def test_the_same_seed_draws_the_same_start(train: Interactions) -> None:
    one, two = (build_model("neumf", train, init="uniform", seed=5) for _ in range(2))
    assert torch.equal(one.user_vectors(), two.user_vectors())
    assert not torch.equal(one.user_vectors(), build_model("neumf", train, init="uniform", seed=6).user_vectors())


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"init": "zeros"}, "init must be one of normal, uniform"), ({"bias_std": -1}, "bias_std must be >= 0")],
)
def test_what_cannot_be_drawn_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(UnusableRequest, match=words):
        ModelConfig(**fields)  # type: ignore[arg-type]
