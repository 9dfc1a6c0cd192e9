"""Ourselves, through the public interface: Trainer and TrainConfig."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from bench.speed import data
from bench.speed.contestants import Absent, Contestants, Measure
from mfcore.data import Split, load_dataset
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.training import TrainConfig, Trainer

Fields = dict[str, Any]
SGD: Fields = {"optimizer": "sgd", "batch_size": 1, "learning_rate": 0.01, "weight_decay": 0.02, "device": "cpu", "threads": 1}
ADAM: Fields = {"optimizer": "adam", "learning_rate": 2e-3, "weight_decay": 0.02, "device": "cpu", "threads": 1}
NEUMF: Fields = {"embedding_dim": 8, "mlp_layers": (64, 32, 16, 8)}
"""The shape Cornac calls NeuMF-8 by default."""
RANKING: Fields = {"loss": "bce", "optimizer": "adam", "learning_rate": 1e-3, "negatives": 4, "device": "cpu", "threads": 1}
TO_RMSE: Fields = {
    **SGD, "learning_rate": 0.05, "schedule": "one-cycle", "weight_decay": 0.8, "weight_decay_scaling": "sqrt-count"
}  # fmt: skip
TO_RMSE_SHAPE: Fields = {"embedding_dim": 32, "init_std": 0.05}
TO_RMSE_EPOCHS = 6
IALS: Fields = {"loss": "weighted-mse", "optimizer": "als", "weight_decay": 0.01, "device": "cpu", "threads": 1}
TO_NDCG: Fields = {**IALS, "weight_decay": 0.009, "unobserved_weight": 0.2}
TO_NDCG_SHAPE: Fields = {"embedding_dim": 28}
TO_NDCG_EPOCHS = 10
SWEEPS = 5


def fit(split: Split, model: str, shape: Fields, fields: Fields, epochs: int) -> tuple[float, int, Trainer]:
    """(seconds of all epochs together, samples trained, the trainer): everything between the first step and the last."""
    config = TrainConfig(**{**fields, "num_epochs": epochs})
    trainer = Trainer(build_model(model, split.train, seed=0, **shape), split, config)
    _wait(trainer.device)
    started = perf_counter()
    samples = sum(end.samples for end in trainer.fit())
    _wait(trainer.device)
    return perf_counter() - started, samples, trainer


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def throughput(make: Callable[[], Split], model: str, shape: Fields, fields: Fields, epochs: int, folder: Path) -> Measure:
    """Samples and seconds of a few epochs."""
    split = make()

    def measure() -> dict[str, Any]:
        seconds, samples, trainer = fit(split, model, shape, fields, epochs)
        return {"seconds": seconds, "samples": samples, "engine": trainer.engine_reason}

    return measure


def to_rmse(shape: Fields, fields: Fields, epochs: int, folder: Path) -> Measure:
    """Seconds of a whole training, and the test RMSE it ends with."""
    split = data.official()
    users, items = (torch.as_tensor(index) for index in (split.test.user_idx, split.test.item_idx))

    def measure() -> dict[str, Any]:
        seconds, samples, trainer = fit(split, "biased-mf", shape, fields, epochs)
        predicted = trainer.model.predict(users, items).numpy().clip(*split.data.rating_scale)
        return {"seconds": seconds, "samples": samples, "rmse": float(np.sqrt(np.mean((predicted - split.test.rating) ** 2)))}

    return measure


def to_ndcg(name: str, shape: Fields, fields: Fields, epochs: int, folder: Path) -> Measure:
    """Seconds of a whole training, and the vectors it ends with, for the judge."""
    split = data.last_out()

    def measure() -> dict[str, Any]:
        seconds, samples, trainer = fit(split, "mf", shape, fields, epochs)
        path = folder / f"{name}.npz"
        np.savez(path, users=trainer.model.user_vectors().numpy(), items=trainer.model.item_vectors().numpy())
        return {"seconds": seconds, "samples": samples, "vectors": str(path)}

    return measure


def sweep(folder: Path) -> Measure:
    """Seconds of iALS: users solved, then items. Samples are sweeps."""
    split = data.last_out()

    def measure() -> dict[str, Any]:
        seconds, _, _ = fit(split, "mf", {"embedding_dim": 64}, IALS, SWEEPS)
        return {"seconds": seconds, "samples": SWEEPS}

    try:
        measure()
    except UnusableRequest as error:
        raise Absent(f"not in this version: {error}") from error
    return measure


def large(folder: Path) -> Measure:
    """One epoch of NeuMF over random interactions in the shape of MovieLens 1M, the setting that is fastest per sample."""
    everything = load_dataset(
        "planted", num_users=data.ML1M["num_users"], num_items=data.ML1M["num_items"], density=0.0455, rank=2, seed=0
    )
    rows = np.random.default_rng(0).permutation(len(everything))[: data.ML1M["num_positives"]]
    none, config = np.zeros(0, dtype=np.int64), data.last_out().config
    return throughput(
        lambda: Split(everything, np.sort(rows), none, none, config),
        "neumf",
        NEUMF,
        {**RANKING, "batch_size": 16384},
        1,
        folder,
    )


def on_cuda(model: str, shape: Fields, fields: Fields, folder: Path) -> Measure:
    """As on the CPU, on the first GPU."""
    if not torch.cuda.is_available():
        raise Absent("no CUDA device")
    return throughput(data.last_out, model, shape, {**fields, "device": "cuda"}, 3, folder)


BIASED: Fields = {"embedding_dim": 64}
CONTESTANTS: Contestants = {
    "one-rating": partial(throughput, data.official, "biased-mf", BIASED, SGD, 100),
    "one-rating-2": partial(throughput, data.official, "biased-mf", BIASED, {**SGD, "hogwild": True, "threads": 2}, 100),
    "to-rmse": partial(to_rmse, TO_RMSE_SHAPE, TO_RMSE, TO_RMSE_EPOCHS),
    "adam-1024": partial(throughput, data.official, "biased-mf", BIASED, {**ADAM, "batch_size": 1024}, 10),
    "neumf-256": partial(throughput, data.last_out, "neumf", NEUMF, {**RANKING, "batch_size": 256}, 1),
    "neumf-16384": partial(throughput, data.last_out, "neumf", NEUMF, {**RANKING, "batch_size": 16384}, 2),
    "neumf-ml1m": large,
    "to-ndcg": partial(to_ndcg, "to-ndcg", TO_NDCG_SHAPE, TO_NDCG, TO_NDCG_EPOCHS),
    "ials-sweep": sweep,
    "cuda-neumf": partial(on_cuda, "neumf", NEUMF, {**RANKING, "batch_size": 65536}),
    "cuda-mf": partial(on_cuda, "mf", BIASED, {**RANKING, "batch_size": 65536}),
}
