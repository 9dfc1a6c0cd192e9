"""What every model promises, whatever is inside."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from mfcore.data import Interactions
from mfcore.models import ModelConfig, RecommenderModel, build_model, count_parameters
from mfcore.registry import MODELS, load


class ModelContract:
    """Inherit, name the model, and every promise is tested."""

    name: str
    fields: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def model(self, small: Interactions) -> RecommenderModel:
        model = build_model(self.name, small, seed=3, **{"embedding_dim": 4, "init_std": 0.5, **self.fields})
        # Biases start at zero, which would hide a forgotten one.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
        return model

    def pairs(self, model: RecommenderModel) -> tuple[torch.Tensor, torch.Tensor]:
        users = torch.arange(model.num_users).repeat_interleave(model.num_items)
        return users, torch.arange(model.num_items).repeat(model.num_users)

    @pytest.mark.parametrize("size", [0, 1, 5])
    def test_scores_have_the_shape_of_the_pairs(self, model: RecommenderModel, size: int) -> None:
        index = torch.zeros(size, dtype=torch.int64)
        scores = model(index, index)
        assert scores.shape == (size,)
        assert scores.dtype == torch.float32

    @pytest.mark.parametrize("predicts_ratings", [True, False])
    def test_scoring_all_items_is_scoring_all_pairs(self, model: RecommenderModel, predicts_ratings: bool) -> None:
        if predicts_ratings or not model.config.output_range:
            model.predicts_ratings = predicts_ratings
        model.eval()
        users, items = self.pairs(model)
        table = model.score_items(torch.arange(model.num_users))
        assert table.shape == (model.num_users, model.num_items)
        assert table.dtype == torch.float32
        torch.testing.assert_close(table.reshape(-1), model(users, items).detach())
        torch.testing.assert_close(model.score_items(np.array([5, 0, 5])), table[[5, 0, 5]])

    @pytest.mark.parametrize("training", [True, False])
    def test_scoring_leaves_the_mode_alone(self, model: RecommenderModel, training: bool) -> None:
        model.train(training)
        index = torch.tensor([0, 1])
        model.score_items(index)
        model.predict(index, index)
        assert all(module.training is training for module in model.modules())

    def test_predict_is_forward_in_eval_mode(self, model: RecommenderModel) -> None:
        users, items = self.pairs(model)
        predicted = model.train().predict(users.numpy(), items.numpy())
        torch.testing.assert_close(predicted, model.eval()(users, items).detach())
        assert not predicted.requires_grad

    def test_gradient_reaches_every_parameter(self, model: RecommenderModel) -> None:
        model.train()(*self.pairs(model)).square().sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert (parameter.grad != 0).any(), name

    def test_parameter_groups_hold_every_parameter_once(self, model: RecommenderModel) -> None:
        groups = model.parameter_groups()
        assert sorted(groups) == ["biases", "factors", "mlp"]
        assert {kind for kind, held in groups.items() if held} == set(MODELS[self.name].groups)
        listed = [id(parameter) for group in groups.values() for parameter in group]
        assert sorted(listed) == sorted(id(parameter) for parameter in model.parameters())

    def test_vectors_and_biases_have_a_row_each(self, model: RecommenderModel) -> None:
        for size, vectors, biases in (
            (model.num_users, model.user_vectors(), model.user_biases()),
            (model.num_items, model.item_vectors(), model.item_biases()),
        ):
            assert vectors.shape[0] == size
            assert vectors.dim() == 2
            assert not vectors.requires_grad
            assert biases is None or biases.shape == (size,)

    def test_l2_counts_each_occurrence(self, model: RecommenderModel) -> None:
        users, items = torch.tensor([0, 0, 1]), torch.tensor([2, 2, 3])
        by_hand = (
            sum(
                model.gather(u[None], i[None])[part].square().sum()
                for u, i in zip(users, items, strict=True)
                for part in range(len(model.gather(users, items)))
            )
            / 3
        )
        torch.testing.assert_close(model.penalty(model.gather(users, items)), by_hand)

    def test_same_seed_same_weights(self, small: Interactions) -> None:
        one, two, other = (build_model(self.name, small, seed=seed, **self.fields) for seed in (0, 0, 1))
        for name, weights in one.state_dict().items():
            assert torch.equal(weights, two.state_dict()[name])
        assert any(not torch.equal(w, other.state_dict()[n]) for n, w in one.state_dict().items())

    def test_building_leaves_the_global_generator_alone(self, small: Interactions) -> None:
        before = torch.random.get_rng_state()
        build_model(self.name, small, **self.fields)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_weights_survive_a_round_trip(self, model: RecommenderModel, small: Interactions) -> None:
        model.predicts_ratings = bool(model.config.output_range)
        again = build_model(model.config, small, seed=99)
        again.load_state_dict(model.state_dict())
        everyone = torch.arange(model.num_users)
        assert torch.equal(model.score_items(everyone), again.score_items(everyone))

    def test_parameters_are_counted_without_building(self, model: RecommenderModel) -> None:
        assert count_parameters(model.config, model.num_users, model.num_items) == model.num_parameters


class TestMF(ModelContract):
    name = "mf"


class TestBiasedMF(ModelContract):
    name = "biased-mf"


class TestBiasedMFInRange(ModelContract):
    name = "biased-mf"
    fields: ClassVar[dict[str, Any]] = {"output_range": True}


class TestGMF(ModelContract):
    name = "gmf"


class TestMLP(ModelContract):
    name = "mlp"
    fields: ClassVar[dict[str, Any]] = {"mlp_layers": (8, 6, 4), "dropout": 0.3}


class TestMLPWithoutHiddenLayers(ModelContract):
    name = "mlp"
    fields: ClassVar[dict[str, Any]] = {"mlp_layers": (8,)}


class TestNeuMF(ModelContract):
    name = "neumf"
    fields: ClassVar[dict[str, Any]] = {"mlp_layers": (8, 6, 4), "dropout": 0.3}


class TestNeuMFInRange(ModelContract):
    name = "neumf"
    fields: ClassVar[dict[str, Any]] = {"output_range": True}


def test_every_registered_model_is_under_contract() -> None:
    assert {contract.name for contract in ModelContract.__subclasses__()} == set(MODELS)
    for spec in MODELS.values():
        assert issubclass(load(spec.implementation), RecommenderModel)
    assert ModelConfig().name in MODELS
