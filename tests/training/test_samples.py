"""What an epoch is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.training.config import TrainConfig
from mfcore.training.samples import Samples, SampleSource

from .conftest import make_interactions

CPU = torch.device("cpu")


def keys(samples: Samples, items: torch.Tensor, num_items: int) -> list[int]:
    return sorted((samples.user_idx * num_items + items).tolist())


def test_ratings_come_once_each_in_a_new_order(planted: Split) -> None:
    source = SampleSource(planted.train, TrainConfig(loss="mse"), CPU)
    generator = torch.Generator().manual_seed(0)
    one, two = source.draw(generator), source.draw(generator)
    train = planted.train
    expected = sorted(zip(train.user_idx.tolist(), train.item_idx.tolist(), train.rating.tolist(), strict=True))
    for samples in (one, two):
        assert sorted(zip(*(c.tolist() for c in (samples.user_idx, samples.item_idx, samples.target)), strict=True)) == expected
    assert not torch.equal(one.user_idx, two.user_idx)


@pytest.mark.parametrize("sampling", ["uniform", "popularity"])
def test_logistic_samples_are_every_positive_and_new_negatives(planted: Split, sampling: str) -> None:
    train = planted.train
    source = SampleSource(train, TrainConfig(loss="bce", negatives=3, negative_sampling=sampling), CPU)
    generator = torch.Generator().manual_seed(0)
    one, two = source.draw(generator), source.draw(generator)
    assert source.num_samples == len(one) == 4 * len(train)
    positives = np.sort(train.user_idx * train.num_items + train.item_idx).tolist()
    negatives = []
    for samples in (one, two):
        chosen = samples.target == 1
        pairs = samples.user_idx * train.num_items + samples.item_idx
        assert sorted(pairs[chosen].tolist()) == positives
        assert not set(pairs[~chosen].tolist()) & set(positives)
        assert torch.equal(torch.bincount(samples.user_idx[~chosen]), 3 * torch.bincount(samples.user_idx[chosen]))
        negatives.append(sorted(pairs[~chosen].tolist()))
    assert negatives[0] != negatives[1]


def test_bpr_samples_pair_each_positive_with_negatives_of_its_user(planted: Split) -> None:
    train = planted.train
    source = SampleSource(train, TrainConfig(loss="bpr", negatives=2), CPU)
    samples = source.draw(torch.Generator().manual_seed(0))
    positives = np.sort(train.user_idx * train.num_items + train.item_idx)
    assert source.num_samples == len(samples) == 2 * len(train)
    assert keys(samples, samples.item_idx, train.num_items) == np.repeat(positives, 2).tolist()
    assert not set(keys(samples, samples.negative_idx, train.num_items)) & set(positives.tolist())


def test_a_user_who_chose_everything_gives_positives_only() -> None:
    data = make_interactions(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]), 2, 3)
    samples = SampleSource(data, TrainConfig(loss="bce", negatives=2), CPU).draw(torch.Generator())
    assert len(samples) == 4 + 2
    assert (samples.user_idx[samples.target == 0] == 1).all()
    assert len(SampleSource(data, TrainConfig(loss="bpr", negatives=2), CPU).draw(torch.Generator())) == 2


def test_no_negatives_at_all_is_refused() -> None:
    data = make_interactions(np.array([0, 0]), np.array([0, 1]), 1, 2)
    with pytest.raises(UnusableRequest, match="every user has chosen every item"):
        SampleSource(data, TrainConfig(loss="bpr"), CPU)


def test_validation_negatives_avoid_training_items(planted: Split) -> None:
    source = SampleSource(planted.valid, TrainConfig(loss="bce", negatives=8), CPU, avoid=planted.train)
    samples = source.draw(torch.Generator(), shuffle=False)
    train = planted.train
    pairs = samples.user_idx * train.num_items + samples.item_idx
    assert not set(pairs.tolist()) & set((train.user_idx * train.num_items + train.item_idx).tolist())
