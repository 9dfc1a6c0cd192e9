"""What bench.seeds rests on: the loop by hand is our trainer, defects are defects, and cards say what was measured."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.measured import read, under
from bench.seeds import neumf, rosenthal, takuti
from bench.seeds.table import lines
from mfcore.data import Split, load_dataset, random_split
from mfcore.evaluation import evaluate
from mfcore.models import build_model
from mfcore.runs import PRESETS, preset_config
from mfcore.training import Trainer
from mfcore.training.samples import SampleSource

SEEDS = [name for name, preset in PRESETS.items() if preset.kind == "seed"]
RESULT = read("seeds")


@pytest.fixture(scope="module")
def split() -> Split:
    return random_split(load_dataset("planted", num_users=60, num_items=50, density=0.3, seed=0), seed=0)


@pytest.mark.parametrize("start", takuti.STARTS)
def test_the_loop_by_hand_and_the_trainer_give_the_same_factors(split: Split, start: str) -> None:
    config = replace(takuti.CONFIG, seed=4)
    model = takuti.untrained(split, start, seed=4)
    p, q = takuti.factors(model)
    order = SampleSource(split.train, config, torch.device("cpu")).draw(torch.Generator().manual_seed(4))
    squares, _ = takuti.by_hand(p, q, order.user_idx, order.item_idx, order.target, config.learning_rate)
    end = Trainer(model, split, config).train_epoch()
    assert end.train_loss == pytest.approx(squares / len(split.train), rel=1e-4)
    for ours, by_hand in zip(takuti.factors(model), (p, q), strict=True):
        np.testing.assert_allclose(ours, by_hand, atol=1e-4)


def test_one_step_by_hand() -> None:
    p, q = np.array([[1.0, 2.0]]), np.array([[3.0, 0.5]])
    squares, total = takuti.by_hand(p, q, *(np.array([value]) for value in (0, 0, 5.0)), rate=0.1)
    # p·q = 4, so e = 1; both move by 2 · 0.1 · 1 of what the other was
    assert (squares, total) == (1.0, 1.0)
    np.testing.assert_allclose(p, [[1.6, 2.1]])
    np.testing.assert_allclose(q, [[3.2, 0.9]])


@pytest.mark.parametrize("preset", rosenthal.EXPECTED)
def test_one_pass_at_a_millionth_moves_nothing(preset: str) -> None:
    found = rosenthal.as_written(preset)
    assert found["untrained_rmse"] == pytest.approx(found["expected_untrained_rmse"], rel=0.05)
    assert abs(found["rmse"] - found["untrained_rmse"]) < 1e-3 > found["largest_change"]
    assert found["rmse"] > 4 * rosenthal.FLOOR


def test_seed_presets_are_as_the_documents_say() -> None:
    for name in ("rosenthal-mf", "rosenthal-biased-mf"):
        config = preset_config(name)
        assert (config.dataset.name, config.training.batch_size, config.training.num_epochs) == ("synthetic", 1, 1)
        assert (config.training.learning_rate, config.model.embedding_dim) == (1e-6, 20)
        data = load_dataset("synthetic")
        model = build_model(config.model, data)
        assert model.global_mean.item() == 0.0
        assert model.user_vectors().std().item() == pytest.approx(1.0, abs=0.02)
    assert model.user_biases().std().item() == pytest.approx(1.0, abs=0.1)  # type: ignore[union-attr]
    for name in ("takuti-numpy", "takuti-pytorch", "takuti-swapped"):
        config = preset_config(name)
        assert (config.model.embedding_dim, config.training.num_epochs, config.split.test_fraction) == (20, 10, 0.2)
        assert config.training.tolerance * takuti.NUM_RATINGS == pytest.approx(1e-3)
        assert (config.training.batch_size, config.training.optimizer, config.training.refit) == (1, "sgd", True)
    numpy, pytorch, swapped = (preset_config(f"takuti-{name}") for name in ("numpy", "pytorch", "swapped"))
    assert (numpy.model.init, numpy.training.learning_rate) == ("uniform", 1e-3)
    assert (pytorch.model.init, pytorch.model.init_std, pytorch.training.learning_rate) == ("normal", 1.0, 1e-2)
    assert swapped.model == numpy.model
    assert swapped.training == pytorch.training
    tutorial = preset_config("neumf-tutorial")
    assert (tutorial.model.embedding_dim, tutorial.model.mlp_layers) == (32, (64, 32, 16, 8))
    assert (tutorial.model.init_std, tutorial.model.dropout) == (0.01, 0.2)
    training = tutorial.training
    assert (training.optimizer, training.learning_rate, training.batch_size) == ("adam", 1e-3, 256)
    assert (training.negatives, training.num_epochs) == (4, 10)


def test_negatives_drawn_once_stay_and_spared_items_never_come_up(split: Split) -> None:
    config = replace(preset_config("neumf-tutorial").training, device="cpu")
    held_out = split.data.select(np.concatenate([split.valid_rows, split.test_rows]))
    source = neumf.DrawnOnce(split.train, config, torch.device("cpu"), held_out)
    generator = torch.Generator().manual_seed(0)
    one, two = (source.draw(generator) for _ in range(2))
    assert not torch.equal(one.item_idx, two.item_idx), "another order"
    keys = [torch.sort(draw.user_idx * 1000 + draw.item_idx).values for draw in (one, two)]
    assert torch.equal(*keys)
    negatives = {
        (u, i) for u, i, t in zip(*(c.tolist() for c in (one.user_idx, one.item_idx, one.target)), strict=True) if t == 0
    }
    assert not negatives & set(zip(split.data.user_idx.tolist(), split.data.item_idx.tolist(), strict=True))


@pytest.mark.parametrize("name", ["held-out items never a negative", "all three"])
def test_the_trainer_of_a_variant_has_its_defect(split: Split, name: str) -> None:
    trainer = neumf.trainer_for(neumf.VARIANTS[name], split, seed=0)
    samples = trainer.state.epoch_pass.samples()
    negative = samples.target == 0
    keys = samples.user_idx[negative] * split.data.num_items + samples.item_idx[negative]
    ever = split.data.user_idx * split.data.num_items + split.data.item_idx
    assert not set(keys.tolist()) & set(ever.tolist())


def test_a_constant_model_is_perfect_only_for_who_wants_it_to_be(split: Split) -> None:
    found = neumf.constant_model(split)
    assert found["hr@10_by_ties"] == pytest.approx({"optimistic": 1.0, "mean": 0.284, "pessimistic": 0.0}, abs=1e-3)
    assert found["test_item_listed_first_is_found_by"]["stable sort"] is True
    assert evaluate(neumf.GlobalMean(split.train), split, all_relevant=True)["hr@10"] == pytest.approx(0.284, abs=1e-3)


@pytest.mark.parametrize("name", SEEDS)
def test_a_card_quotes_what_was_published_and_what_was_measured(name: str) -> None:
    known = [one.value for one in under(RESULT, f"home/{name}").values()] + [RESULT["home/takuti-pytorch/rmse"].value]
    known += [figures["rmse"] for figures in takuti.PUBLISHED.values()]
    known += [RESULT[f"takuti/{takuti.case(takuti.NUMPY, rate)}/trainer/rmse"].value for rate in takuti.RATES]
    known += [RESULT[f"neumf/{neumf.AS_REPORTED}/hr@10"].value]
    quoted = re.findall(r"\d+\.\d+", PRESETS[name].figures)
    assert quoted
    for number in quoted:
        digits = len(number.partition(".")[2])
        assert any(f"{value:.{digits}f}" == number for value in known), number


def test_the_table_has_a_line_for_every_preset_and_names_what_differs() -> None:
    found = list(lines(RESULT))
    assert len(found) >= 18
    assert all(line.what and line.ours and line.differs for line in found)
    published = [line.published for line in found if line.published]
    assert published == ["RMSE 1.0049, MAE 0.7916", "RMSE 1.2695, MAE 0.9409"]
