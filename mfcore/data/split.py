"""Train, validation and test: which rows each model may see, and when.

Validation steers every choice made while training; test is scored once, at the end.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mfcore.data.config import SplitConfig
from mfcore.data.interactions import Interactions
from mfcore.errors import UnusableRequest
from mfcore.files import loads, read_arrays, write_atomically
from mfcore.registry import DATASETS, SPLITS, SplitSpec
from mfcore.typing import Bool, Int64
from mfcore.validate import require

_FEWEST = 3
"""Interactions of a user from whom something is held out: one is left to learn from."""
COMPRESSED_UP_TO = 2_000_000
"""Rows: compressing takes half a second per million."""


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint sets of rows of ``data``.

    Attributes:
        train_rows, valid_rows, test_rows: int64 row positions, ascending. A part may be empty.
        config: how they were chosen.

    Raises:
        UnusableRequest: a row is out of range or in two parts, or train is empty.
    """

    data: Interactions
    train_rows: Int64
    valid_rows: Int64
    test_rows: Int64
    config: SplitConfig

    def __post_init__(self) -> None:
        for part in ("train_rows", "valid_rows", "test_rows"):
            object.__setattr__(self, part, np.sort(np.asarray(getattr(self, part), dtype=np.int64)))
        require(len(self.train_rows) > 0, f"split {self.config.kind} leaves nothing to train on; hold out less")
        within = all(len(rows) == 0 or (rows[0] >= 0 and rows[-1] < len(self.data)) for rows in self.rows.values())
        require(within, f"split rows must lie within 0 to {len(self.data) - 1}")
        taken = np.zeros(len(self.data), np.bool_)
        for rows in self.rows.values():
            taken[rows] = True
        require(int(taken.sum()) == sum(map(len, self.rows.values())), "split rows must be in one part only")

    @property
    def rows(self) -> dict[str, Int64]:
        """Row positions by part: train, valid, test."""
        return {"train": self.train_rows, "valid": self.valid_rows, "test": self.test_rows}

    @cached_property
    def train(self) -> Interactions:
        """What the model learns from."""
        return self.data.select(self.train_rows)

    @cached_property
    def valid(self) -> Interactions:
        """What steers choices during training."""
        return self.data.select(self.valid_rows)

    @cached_property
    def test(self) -> Interactions:
        """What is scored once, at the end."""
        return self.data.select(self.test_rows)

    @cached_property
    def left_out(self) -> Interactions:
        """What is in no part: rated too low to be a positive."""
        rest = np.ones(len(self.data), np.bool_)
        for rows in self.rows.values():
            rest[rows] = False
        return self.data.select(rest)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the data's fingerprint and the rows of each part: equal splits, equal hash."""
        digest = hashlib.sha256(self.data.fingerprint.encode())
        for rows in self.rows.values():
            digest.update(b"rows")
            digest.update(np.ascontiguousarray(rows, "<i8").data)
        return digest.hexdigest()

    def with_validation_in_train(self) -> Split:
        """The split to refit on once the choices are made: train + validation, no validation, the same test."""
        rows = np.concatenate([self.train_rows, self.valid_rows])
        return Split(self.data, rows, np.zeros(0, dtype=np.int64), self.test_rows, self.config)

    def save(self, path: str | Path) -> None:
        """Write the rows to ``path`` (npz), atomically."""
        buffer = io.BytesIO()
        about = {"fingerprint": self.data.fingerprint, "hash": self.hash, "config": dataclasses.asdict(self.config)}
        large = len(self.data) > COMPRESSED_UP_TO
        train, valid, test = (rows.astype(np.int32 if large else np.int64) for rows in self.rows.values())
        save = np.savez if large else np.savez_compressed
        save(buffer, train=train, valid=valid, test=test, about=np.array(json.dumps(about)))
        write_atomically(Path(path), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path, data: Interactions) -> Split:
        """Read what :meth:`save` wrote.

        Raises:
            UnusableRequest: the file cannot be read, or belongs to other data.
        """
        try:
            stored = read_arrays(Path(path))
            about = loads(str(stored["about"]))
            rows = [_rows(stored[part]) for part in ("train", "valid", "test")]
            config = SplitConfig(**about["config"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise UnusableRequest(f"the stored split {path} cannot be read ({error}); make it anew") from error
        require(about.get("fingerprint") == data.fingerprint, f"the stored split {path} belongs to other data than {data.name}")
        split = cls(data, rows[0], rows[1], rows[2], config)
        require(split.hash == about.get("hash"), f"the stored split {path} is damaged (its hash differs); make it anew")
        return split


def _rows(stored: npt.NDArray[Any]) -> Int64:
    """Raises ValueError: what is stored is no list of rows."""
    if stored.ndim != 1 or stored.dtype.kind not in "iu":
        raise ValueError("its rows are no whole numbers")
    return stored.astype(np.int64)


def make_split(data: Interactions, config: SplitConfig) -> Split:
    """Divide ``data`` as ``config`` says.

    Raises:
        UnusableRequest: the data cannot be divided this way (no timestamps, not ML-100K, too few interactions).
    """
    spec, wanted = SPLITS[config.kind], _positives(data, config)
    if wanted is None:
        train, valid, test = spec.divide(data, config)
    elif spec.needs_folds:  # they are rows of the whole file
        train, valid, test = (rows[wanted[rows]] for rows in spec.divide(data, config))
    else:
        rows = np.flatnonzero(wanted)
        train, valid, test = (rows[part] for part in spec.divide(data.select(rows), config))
    return Split(data, train, valid, test, config)


def _positives(data: Interactions, config: SplitConfig) -> Bool | None:
    """(n,) bool: which rows are positives; None where all are."""
    least = config.positive_threshold
    if isinstance(least, str):
        return None
    positive: Bool = data.rating >= np.float32(least)
    require(bool(positive.any()), f"no rating of {data.name} is {least:g} or more; choose a lower positive_threshold, or all")
    return positive


def tied_last(data: Interactions) -> tuple[int, int]:
    """Of the users that leave-last-out takes something from (three interactions or more): for how many a draw decides what is
    the last, because several share the latest moment; and how many they are in all. (0, 0) without timestamps."""
    if data.timestamp is None:
        return 0, 0
    latest = np.full(data.num_users, np.iinfo(np.int64).min)
    np.maximum.at(latest, data.user_idx, data.timestamp)
    at_last = np.bincount(data.user_idx[data.timestamp == latest[data.user_idx]], minlength=data.num_users)
    enough = data.activity() >= _FEWEST
    return int((enough & (at_last > 1)).sum()), int(enough.sum())


def random_split(data: Interactions, test: float = 0.2, valid: float = 0.1, seed: int = 0) -> Split:
    """Hold out interactions at random; ``test`` and ``valid`` are shares of all interactions."""
    return make_split(data, SplitConfig("random", test_fraction=test, valid_fraction=valid, seed=seed))


def leave_last_out(data: Interactions, seed: int = 0) -> Split:
    """Each user's latest interaction is test and the one before it validation; of interactions at the same moment a draw with
    ``seed`` decides. Users with fewer than three interactions stay in train, whole."""
    return make_split(data, SplitConfig("leave-last-out", seed=seed))


def leave_one_out(data: Interactions, seed: int = 0) -> Split:
    """One interaction of each user, drawn with ``seed``, is test and another one validation: for data without timestamps.
    Users with fewer than three interactions stay in train, whole."""
    return make_split(data, SplitConfig("leave-one-out", seed=seed))


def time_split(data: Interactions, test: float = 0.2, valid: float = 0.1, seed: int = 0) -> Split:
    """The latest share ``test`` of all interactions is test, the share ``valid`` before it validation; of interactions at the
    same moment a draw with ``seed`` decides."""
    return make_split(data, SplitConfig("time", test_fraction=test, valid_fraction=valid, seed=seed))


def official_split(data: Interactions, fold: int = 1, valid: float = 0.1, seed: int = 0) -> Split:
    """ML-100K's u1 … u5: fold i tests rows (i−1)·20000+1 … i·20000 of u.data; validation is drawn from the rest."""
    return make_split(data, SplitConfig("official", fold=fold, valid_fraction=valid, seed=seed))


def given_split(data: Interactions, valid: float = 0.1, seed: int = 0) -> Split:
    """The division that came with the data (``data.part``); where it has no validation, the share ``valid`` of all interactions
    is drawn from what is there to train on."""
    return make_split(data, SplitConfig("given", valid_fraction=valid, seed=seed))


Rows = tuple[Int64, Int64, Int64]


def _random(data: Interactions, config: SplitConfig) -> Rows:
    shuffled = np.random.default_rng(config.seed).permutation(len(data))
    num_test, num_valid = _sizes(data, config)
    return shuffled[num_test + num_valid :], shuffled[num_test : num_test + num_valid], shuffled[:num_test]


def _by_time(data: Interactions, config: SplitConfig) -> Rows:
    order = np.lexsort((_by_lot(data, config), _timestamps(data, config)))
    num_test, num_valid = _sizes(data, config)
    first_test = len(data) - num_test
    return order[: first_test - num_valid], order[first_test - num_valid : first_test], order[first_test:]


def _leave_last_out(data: Interactions, config: SplitConfig) -> Rows:
    return _last_two_out(data, config, np.lexsort((_by_lot(data, config), _timestamps(data, config), data.user_idx)))


def _leave_one_out(data: Interactions, config: SplitConfig) -> Rows:
    return _last_two_out(data, config, np.lexsort((_by_lot(data, config), data.user_idx)))


def _by_lot(data: Interactions, config: SplitConfig) -> Int64:
    """(n,) the place of each interaction among those of the same moment: the order of a file is nobody's order of time."""
    return np.random.default_rng(config.seed).permutation(len(data))


def _last_two_out(data: Interactions, config: SplitConfig, order: Int64) -> Rows:
    """``order``: rows by user, and within a user in the order in which the last is test and the one before it validation."""
    user = data.user_idx[order]
    size = np.bincount(user, minlength=data.num_users)
    end = np.cumsum(size)
    from_end = end[user] - 1 - np.arange(len(data))
    from_end[size[user] < _FEWEST] = len(data)
    need = f"split {config.kind} needs a user with three interactions"
    require(bool((from_end == 0).any()), f"{need}; {data.name} has none")
    return order[from_end > 1], order[from_end == 1], order[from_end == 0]


def _official(data: Interactions, config: SplitConfig) -> Rows:
    spec = DATASETS.get(data.name)
    folds, size = (spec.num_folds, spec.fold_rows) if spec is not None else (0, 0)
    require(
        folds > 0 and len(data) == folds * size,
        f"split official exists for {with_folds()} only, not for {data.name}; use random, leave-last-out or time",
    )
    require(config.fold <= folds, f"fold must be <= {folds}, got {config.fold}")
    rows = np.arange(len(data))
    is_test = rows // size == config.fold - 1
    rest = np.random.default_rng(config.seed).permutation(rows[~is_test])
    num_valid = max(1, round(config.valid_fraction * len(data)))
    most = 1 - 1 / folds
    require(num_valid < len(rest), f"valid_fraction must be below {most:g} with split official, got {config.valid_fraction:g}")
    return rest[num_valid:], rest[:num_valid], rows[is_test]


def _given(data: Interactions, config: SplitConfig) -> Rows:
    if data.part is None:
        raise UnusableRequest(f"split given needs a division that came with the data, which {data.name} has not; use random")
    train, valid, test = (np.flatnonzero(data.part == number) for number in range(3))
    require(len(test) > 0, f"the division that came with {data.name} has nothing to test on; use split random")
    if len(valid):
        return train, valid, test
    num_valid = max(1, round(config.valid_fraction * len(data)))
    require(num_valid < len(train), f"valid_fraction must leave something of the {len(train)} given to train on; lower it")
    drawn = np.random.default_rng(config.seed).permutation(train)
    return drawn[num_valid:], drawn[:num_valid], test


def with_folds() -> str:
    """The datasets that brought folds of their own, as a sentence has them."""
    return " and ".join(name for name, spec in DATASETS.items() if spec.num_folds) or "no dataset"


def _sizes(data: Interactions, config: SplitConfig) -> tuple[int, int]:
    num_test = max(1, round(config.test_fraction * len(data)))
    num_valid = max(1, round(config.valid_fraction * len(data)))
    require(
        num_test + num_valid < len(data),
        f"split {config.kind} would leave nothing of {data.name}'s {len(data)} interactions to train on; hold out less",
    )
    return num_test, num_valid


def _timestamps(data: Interactions, config: SplitConfig) -> Int64:
    if data.timestamp is None:
        raise UnusableRequest(f"split {config.kind} needs timestamps, which {data.name} has not; use split random")
    return data.timestamp


SPLITS.register(
    SplitSpec(
        name="random",
        title="Random",
        help="Ratings are dealt out at random. Easy to compare with published figures, but a model may learn from the future "
        "to predict the past.",
        divide=_random,
        uses=frozenset({"test_fraction", "valid_fraction", "split_seed"}),
        function="random_split",
        arguments={"test": "test_fraction", "valid": "valid_fraction", "seed": "seed"},
        sentence=lambda split, item: (
            f"Random split: {100 * split.test_fraction:.3g} % of ratings are test, "
            f"{100 * split.valid_fraction:.3g} % validation (seed {split.seed})."
        ),
        words=lambda split: f"{split.test_fraction:g} test, {split.valid_fraction:g} validation, seed {split.seed}",
    )
)
SPLITS.register(
    SplitSpec(
        name="leave-last-out",
        title="Leave last out",
        help="Each user's latest rating is the test, the one before it validation, all earlier ones train: "
        "“what will this person choose next?”",
        divide=_leave_last_out,
        uses=frozenset({"split_seed"}),
        needs_timestamps=True,
        holds_out_one=True,
        function="leave_last_out",
        arguments={"seed": "seed"},
        sentence=lambda split, item: (
            f"Leave last out: each user's latest {item} is test, the one before it validation; of those at the same moment "
            f"a draw decides (seed {split.seed})."
        ),
        words=lambda split: f"each user's latest is test, the one before validation, ties by lot, seed {split.seed}",
    )
)
SPLITS.register(
    SplitSpec(
        name="leave-one-out",
        title="Leave one out",
        help="One rating of each user, drawn by lot, is the test, another one validation: for data that does not say when.",
        divide=_leave_one_out,
        uses=frozenset({"split_seed"}),
        holds_out_one=True,
        function="leave_one_out",
        arguments={"seed": "seed"},
        sentence=lambda split, item: (
            f"Leave one out: one {item} of each user, drawn by lot, is test, another one validation (seed {split.seed})."
        ),
        words=lambda split: f"one of each user is test, another validation, seed {split.seed}",
    )
)
SPLITS.register(
    SplitSpec(
        name="time",
        title="By time",
        help="One date divides all ratings: what came before trains, what came after tests. Closest to real life and the "
        "hardest, because new users and new items appear that nobody could learn.",
        divide=_by_time,
        uses=frozenset({"test_fraction", "valid_fraction", "split_seed"}),
        needs_timestamps=True,
        function="time_split",
        arguments={"test": "test_fraction", "valid": "valid_fraction", "seed": "seed"},
        sentence=lambda split, item: (
            f"By time: the latest {100 * split.test_fraction:.3g} % of ratings are test, "
            f"the {100 * split.valid_fraction:.3g} % before them validation."
        ),
        words=lambda split: f"latest {split.test_fraction:g} test, {split.valid_fraction:g} before it validation",
    )
)
SPLITS.register(
    SplitSpec(
        name="official",
        title="Official folds",
        help="The divisions that came with the data, each with its own part of the ratings as test. "
        "Published figures often use them; validation is drawn from the rest.",
        divide=_official,
        uses=frozenset({"fold", "valid_fraction", "split_seed"}),
        needs_folds=True,
        function="official_split",
        arguments={"fold": "fold", "valid": "valid_fraction", "seed": "seed"},
        sentence=lambda split, item: (
            f"Official fold {split.fold} is test; {100 * split.valid_fraction:.3g} % of all ratings, "
            "drawn from the rest, is validation."
        ),
        words=lambda split: f"fold {split.fold}, {split.valid_fraction:g} validation, seed {split.seed}",
    )
)
SPLITS.register(
    SplitSpec(
        name="given",
        title="As it came",
        help="The division that its publishers made, which their figures go by. Where they left nothing for validation, "
        "it is drawn from what trains.",
        divide=_given,
        uses=frozenset({"valid_fraction", "split_seed"}),
        needs_parts=True,
        function="given_split",
        arguments={"valid": "valid_fraction", "seed": "seed"},
        sentence=lambda split, item: (
            f"The division that came with the data; where it has no validation, {100 * split.valid_fraction:.3g} % of all "
            f"ratings are drawn from train for it (seed {split.seed})."
        ),
        words=lambda split: f"as it came, {split.valid_fraction:g} validation where it has none, seed {split.seed}",
    )
)
