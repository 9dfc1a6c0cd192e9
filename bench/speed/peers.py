"""Other libraries, in their own environment: nothing of ours is imported here but the protocol."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.speed.contestants import Contestants, Measure

TARGET_RMSE = 0.925


def _load(folder: Path, name: str) -> dict[str, Any]:
    with np.load(folder / f"{name}.npz") as found:
        return dict(found)


def _timed(work: Any) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _rmse(predicted: Any, found: dict[str, Any]) -> float:
    return float(np.sqrt(np.mean((np.clip(predicted, 1, 5) - found["test_rating"]) ** 2)))


# Surprise


def surprise_svd(folder: Path) -> Measure:
    """Its SVD is biased matrix factorization; Cython, one thread."""
    trainset, _ = _surprise_data(folder)
    return lambda: {"seconds": _timed(lambda: _surprise(64, 20, 0.01, 0.02).fit(trainset)), "samples": 20 * trainset.n_ratings}


def surprise_to_rmse(folder: Path) -> Measure:
    """The best setting known for this fold: 200 factors, 50 epochs, L2 0.1."""
    trainset, found = _surprise_data(folder)
    users, items = found["test_user"].tolist(), found["test_item"].tolist()

    def measure() -> dict[str, Any]:
        model = _surprise(200, 50, 0.005, 0.1)
        seconds = _timed(lambda: model.fit(trainset))
        predicted = [model.predict(user, item).est for user, item in zip(users, items, strict=True)]
        return {"seconds": seconds, "samples": 50 * trainset.n_ratings, "rmse": _rmse(predicted, found)}

    return measure


def _surprise(factors: int, epochs: int, rate: float, decay: float) -> Any:
    from surprise import SVD

    return SVD(n_factors=factors, n_epochs=epochs, lr_all=rate, reg_all=decay, random_state=0)


def _surprise_data(folder: Path) -> tuple[Any, dict[str, Any]]:
    import pandas as pd
    from surprise import Dataset, Reader

    found = _load(folder, "ratings")
    frame = pd.DataFrame({name: found[f"train_{name}"] for name in ("user", "item", "rating")})
    return Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset(), found


# Cornac


def cornac_mf(threads: int, folder: Path) -> Measure:
    """Cython and OpenMP, ratings in the order of the file."""
    dataset, found = _cornac_data(folder, "ratings")
    samples = 100 * len(found["train_user"])
    return lambda: {
        "seconds": _timed(lambda: _cornac(64, 100, 0.01, 0.02, threads).fit(dataset)),
        "samples": samples,
    }


def cornac_to_rmse(folder: Path) -> Measure:
    """100 factors, L2 0.1, and the fewest epochs that reach the goal on this fold (looked up here, not timed)."""
    dataset, found = _cornac_data(folder, "ratings")
    epochs = next((n for n in range(10, 80, 2) if _cornac_rmse(_fitted(dataset, n), found) <= TARGET_RMSE), 80)

    def measure() -> dict[str, Any]:
        model = _cornac(100, epochs, 0.01, 0.1, 2)
        seconds = _timed(lambda: model.fit(dataset))
        return {
            "seconds": seconds,
            "samples": epochs * dataset.num_ratings,
            "rmse": _cornac_rmse(model, found),
            "epochs": epochs,
        }

    return measure


def _fitted(dataset: Any, epochs: int) -> Any:
    return _cornac(100, epochs, 0.01, 0.1, 2).fit(dataset)


def _cornac(factors: int, epochs: int, rate: float, decay: float, threads: int) -> Any:
    from cornac.models import MF

    return MF(k=factors, max_iter=epochs, learning_rate=rate, lambda_reg=decay, num_threads=threads, seed=0)


def _cornac_rmse(model: Any, found: dict[str, Any]) -> float:
    # Indices of a dataset of our making are ours: every user and item was named in order of its first rating.
    known_users, known_items = model.uid_map, model.iid_map
    predicted = []
    for user, item in zip(found["test_user"].tolist(), found["test_item"].tolist(), strict=True):
        u, i = known_users.get(user, -1), known_items.get(item, -1)
        score = model.global_mean + (model.u_biases[u] if u >= 0 else 0.0) + (model.i_biases[i] if i >= 0 else 0.0)
        predicted.append(score + (model.u_factors[u] @ model.i_factors[i] if u >= 0 and i >= 0 else 0.0))
    return _rmse(np.array(predicted), found)


def cornac_neumf(batch_size: int, folder: Path) -> Measure:
    """NeuMF-8 as it comes (layers 64-32-16-8), in PyTorch, 4 negatives, one epoch."""
    from cornac.models import NeuMF

    dataset, found = _cornac_data(folder, "ranking")
    make = partial(
        NeuMF, num_factors=8, num_epochs=1, batch_size=batch_size, num_neg=4, backend="pytorch", verbose=False, seed=0
    )
    return lambda: {"seconds": _timed(lambda: make().fit(dataset)), "samples": 5 * len(found["train_user"])}


def cornac_bpr(folder: Path) -> Measure:
    """64 factors, 200 epochs: its best here."""
    from cornac.models import BPR

    dataset, found = _cornac_data(folder, "ranking")

    def measure() -> dict[str, Any]:
        model = BPR(k=64, max_iter=200, learning_rate=0.01, lambda_reg=0.01, num_threads=2, seed=0)
        seconds = _timed(lambda: model.fit(dataset))
        users = np.zeros((int(found["shape"][0]), 65), dtype=np.float32)
        items = np.zeros((int(found["shape"][1]), 65), dtype=np.float32)
        for user, index in model.uid_map.items():
            users[user] = [*model.u_factors[index], 1.0]
        for item, index in model.iid_map.items():
            items[item] = [*model.i_factors[index], model.i_biases[index]]
        return {"seconds": seconds, "vectors": _saved(folder, "cornac-bpr", users, items)}

    return measure


def _cornac_data(folder: Path, name: str) -> tuple[Any, dict[str, Any]]:
    from cornac.data import Dataset

    found = _load(folder, name)
    triples = zip(found["train_user"].tolist(), found["train_item"].tolist(), found["train_rating"].tolist(), strict=True)
    return Dataset.from_uir(list(triples), seed=0), found


def _saved(folder: Path, name: str, users: Any, items: Any) -> str:
    path = folder / f"{name}.npz"
    np.savez(path, users=users, items=items)
    return str(path)


# implicit


def implicit_to_ndcg(folder: Path) -> Measure:
    """16 factors, α = 5: its best here."""
    matrix, make = _implicit(folder, 5.0, factors=16)

    def measure() -> dict[str, Any]:
        model = make(iterations=15)
        seconds = _timed(lambda: model.fit(matrix, show_progress=False))
        return {"seconds": seconds, "vectors": _saved(folder, "implicit-als", model.user_factors, model.item_factors)}

    return measure


def implicit_sweep(conjugate: bool, folder: Path) -> Measure:
    """64 factors; three steps of conjugate gradients for each row as it comes, or solved exactly."""
    matrix, make = _implicit(folder, 5.0, factors=64, use_cg=conjugate)
    return lambda: {"seconds": _timed(lambda: make(iterations=10).fit(matrix, show_progress=False)), "samples": 10}


def _implicit(folder: Path, alpha: float, **fields: Any) -> tuple[Any, Any]:
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    found = _load(folder, "ranking")
    ones = np.ones(len(found["train_user"]), dtype=np.float32)
    matrix = csr_matrix((ones, (found["train_user"], found["train_item"])), shape=tuple(found["shape"]))
    return matrix, partial(AlternatingLeastSquares, alpha=alpha, regularization=0.01, num_threads=1, random_state=0, **fields)


# LensKit


def flexmf(fields: dict[str, Any], folder: Path) -> Measure:
    """FlexMF, biased MF in PyTorch, 64 factors; its own batch size is 8,192."""
    import pandas as pd
    from lenskit.data import from_interactions_df
    from lenskit.flexmf import FlexMFExplicitConfig, FlexMFExplicitScorer
    from lenskit.training import TrainingOptions

    found = _load(folder, "ratings")
    frame = pd.DataFrame(
        {f"{name}_id": found[f"train_{name}"] for name in ("user", "item")} | {"rating": found["train_rating"]}
    )
    dataset, count = from_interactions_df(frame), len(frame)

    def measure() -> dict[str, Any]:
        scorer = FlexMFExplicitScorer(FlexMFExplicitConfig(embedding_size=64, **fields))
        trainer = scorer.create_trainer(dataset, TrainingOptions(rng=0))
        trainer.train_epoch()  # what is compiled lazily is compiled here
        return {"seconds": _timed(lambda: [trainer.train_epoch() for _ in range(5)]), "samples": 5 * count}

    return measure


CONTESTANTS: Contestants = {
    "surprise-svd": surprise_svd,
    "surprise-to-rmse": surprise_to_rmse,
    "cornac-mf": partial(cornac_mf, 1),
    "cornac-mf-2": partial(cornac_mf, 2),
    "cornac-to-rmse": cornac_to_rmse,
    "cornac-neumf-256": partial(cornac_neumf, 256),
    "cornac-neumf-2048": partial(cornac_neumf, 2048),
    "cornac-bpr": cornac_bpr,
    "implicit-als": implicit_to_ndcg,
    "implicit-sweep": partial(implicit_sweep, True),
    "implicit-exact-sweep": partial(implicit_sweep, False),
    "lenskit-flexmf": partial(flexmf, {}),
    "lenskit-flexmf-1024": partial(flexmf, {"batch_size": 1024}),
}
