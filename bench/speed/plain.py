"""Loops as people write them, in NumPy and PyTorch: what the tutorials do, and the same without their slowest part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from bench.seeds.takuti import by_hand
from bench.speed.contestants import Contestants, Measure
from bench.speed.data import RATINGS

FACTORS, HIS_FACTORS, HIS_RATE = 64, 20, 1e-2
NUMPY_RATINGS, PYTORCH_RATINGS = 40_000, 3_000


class Factors(nn.Module):
    """takuti's model: two embeddings and their dot product."""

    def __init__(self, num_users: int, num_items: int, factors: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(num_users, factors), nn.Embedding(num_items, factors)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        product: Tensor = (self.users(user) * self.items(item)).sum(1)
        return product


class BiasedFactors(Factors):
    """The same with a bias for each user and item and the mean rating."""

    def __init__(self, num_users: int, num_items: int, factors: int, mean: float) -> None:
        super().__init__(num_users, num_items, factors)
        self.user_bias, self.item_bias, self.mean = nn.Embedding(num_users, 1), nn.Embedding(num_items, 1), mean

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        biases: Tensor = self.mean + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]
        return biases + super().forward(user, item)


def takuti_numpy(folder: Path) -> Measure:
    """One rating at a time by hand, 20 factors."""
    users, items, ratings, shape = _ratings(folder)

    def measure() -> dict[str, Any]:
        rng = np.random.default_rng(0)
        p, q = rng.random((shape[0], HIS_FACTORS)), rng.random((shape[1], HIS_FACTORS))
        part = slice(NUMPY_RATINGS)
        started = perf_counter()
        by_hand(p, q, users[part], items[part], ratings[part], 1e-3)
        return {"seconds": perf_counter() - started, "samples": NUMPY_RATINGS}

    return measure


def takuti_pytorch(folder: Path) -> Measure:
    """One rating at a time through autograd and an optimizer over all weights, 20 factors."""
    users, items, ratings, shape = _ratings(folder)
    triples = list(zip(users.tolist(), items.tolist(), ratings.tolist(), strict=True))[:PYTORCH_RATINGS]

    def measure() -> dict[str, Any]:
        torch.manual_seed(0)
        model, criterion = Factors(*shape, HIS_FACTORS), nn.MSELoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=HIS_RATE)
        total = 0.0
        started = perf_counter()
        for user, item, rating in triples:
            optimizer.zero_grad()
            predicted = model(torch.LongTensor([user]), torch.LongTensor([item]))
            loss = criterion(predicted, torch.FloatTensor([rating]))
            loss.backward()
            optimizer.step()
            total += loss.item()
        return {"seconds": perf_counter() - started, "samples": len(triples)}

    return measure


def with_loader(folder: Path) -> Measure:
    """Adam in batches of 1,024 from a DataLoader."""
    users, items, ratings, shape = _ratings(folder)
    columns = [torch.as_tensor(users), torch.as_tensor(items), torch.as_tensor(ratings)]
    loader = DataLoader(TensorDataset(*columns), batch_size=1024, shuffle=True)
    return _adam(shape, float(ratings.mean()), lambda: iter(loader))


def on_tensors(folder: Path) -> Measure:
    """Adam in batches of 1,024 cut from shuffled tensors."""
    users, items, ratings, shape = _ratings(folder)
    columns = [torch.as_tensor(users), torch.as_tensor(items), torch.as_tensor(ratings)]

    def batches() -> Any:
        order = torch.randperm(len(users))
        return zip(*(torch.split(column[order], 1024) for column in columns), strict=True)

    return _adam(shape, float(ratings.mean()), batches)


def _adam(shape: tuple[int, int], mean: float, batches: Callable[[], Any]) -> Measure:
    def measure() -> dict[str, Any]:
        torch.manual_seed(0)
        model, criterion, samples = BiasedFactors(*shape, FACTORS, mean), nn.MSELoss(), 0
        for table in (model.users, model.items, model.user_bias, model.item_bias):
            nn.init.normal_(table.weight, std=0.1)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        started = perf_counter()
        for user, item, rating in batches():
            optimizer.zero_grad()
            criterion(model(user, item), rating).backward()
            optimizer.step()
            samples += len(user)
        return {"seconds": perf_counter() - started, "samples": samples}

    return measure


def _ratings(folder: Path) -> tuple[Any, Any, Any, tuple[int, int]]:
    with np.load(folder / RATINGS) as found:
        num_users, num_items = found["shape"].tolist()
        return found["train_user"], found["train_item"], found["train_rating"], (num_users, num_items)


CONTESTANTS: Contestants = {
    "takuti-numpy": takuti_numpy,
    "takuti-pytorch": takuti_pytorch,
    "plain-loader": with_loader,
    "plain-tensors": on_tensors,
}
