"""What a model must beat: untrained predictions as the floor, and closed-form models as the strong line."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfcore.data import Interactions, Split
from mfcore.errors import UnusableRequest
from mfcore.evaluation import ranking
from mfcore.evaluation.comparison import Comparison, compare
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.evaluator import Evaluator
from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.rating import clipped, rating_errors
from mfcore.evaluation.summary import summarise
from mfcore.evaluation.uncertainty import REPLICATES
from mfcore.files import loads, write_atomically
from mfcore.models.baselines import BiasOnly, GlobalMean, ItemMean, Popularity, UserMean
from mfcore.models.item_to_item import EASE, MOST_ITEMS, ItemKNN
from mfcore.typing import Int64
from mfcore.validate import choice

FORMAT_VERSION = 3
RATING_BASELINES = {"global mean": GlobalMean, "user mean": UserMean, "item mean": ItemMean, "bias only": BiasOnly}
STRONG_BASELINES = {"item-kNN": ItemKNN, "EASE": EASE}
RANKING_BASELINES = {"popularity": Popularity, **STRONG_BASELINES}

_DRAWS_AFFORDED, _FEWEST_REPLICATES = 40_000_000, 200
"""Of users, in all resamples together: a second or two."""

BaselineMetrics = dict[str, dict[str, float]]


def baseline_metrics(
    split: Split,
    on: str = "test",
    protocol: Protocol | None = None,
    all_relevant: bool = False,
    cache_dir: str | Path | None = None,
    *,
    strong: bool | None = False,
    users: Int64 | None = None,
) -> BaselineMetrics:
    """Baseline → metric → value: rmse and mae of global mean, user mean, item mean and bias only; ranking metrics of
    popularity and random, and with ``strong`` of item-kNN and EASE (a second or two on MovieLens 100K; left out above 12,000
    items). Random is the exact expectation of a ranking drawn by lot (hr and ndcg), not one draw. Undefined metrics are absent.

    Having nothing to choose on validation, baselines learn from train + validation when test is scored, as a refitted run does.

    With ``cache_dir`` the result is kept there as JSON, one file per split, part and protocol (the strong ones in a file of
    their own); a damaged file is made anew, and a directory that cannot be written to costs only the caching.
    ``strong=None``: the strong ones only if they are in the cache already. ``users``: measure these alone, as
    :class:`Evaluator` does; None: everyone.
    """
    ask = _Ask(split, on, protocol or Protocol(), all_relevant, users)
    found = _cached(ask, cache_dir, "cheap")
    if strong or strong is None:
        found |= _cached(ask, cache_dir, "strong", look_only=strong is None)
    return found


def against_baseline(
    name: str, metric: str, details: EvaluationDetails, split: Split, cache_dir: str | Path | None = None
) -> Comparison | None:
    """One metric of a test evaluation (``details``) beside a baseline, user by user on the very same cases.

    None where that cannot be said: the metric is undefined for one of them, the baseline is the line called random, or there
    are too many items for it. What a baseline that ranks got is kept in ``cache_dir``, for all runs on the split.
    """
    if name in RATING_BASELINES:
        if not len(details.predicted):
            return None
        model = RATING_BASELINES[name](_known(split, "test"))
        predicted = clipped(model.predict(details.rating_user, details.rating_item), split.data.rating_scale).astype(np.float32)
        other = dataclasses.replace(details, predicted=predicted)
    elif name in RANKING_BASELINES and not (name in STRONG_BASELINES and split.data.num_items > MOST_ITEMS):
        about = details.about
        protocol = Protocol(**{field.name: about[field.name] for field in dataclasses.fields(Protocol)})
        other = _ranked(_Ask(split, "test", protocol, bool(about["all_relevant"]), None), name, cache_dir)
    else:
        return None
    users = len(np.unique(details.case_user)) + len(np.unique(details.rating_user))
    replicates = max(_FEWEST_REPLICATES, min(REPLICATES, _DRAWS_AFFORDED // max(users, 1)))
    return compare(details, other, replicates=replicates).get(metric)


def fit_baseline(name: str, split: Split, on: str = "test") -> Any:
    """A baseline that ranks (popularity, item-kNN, EASE), fitted on what it may know when ``on`` is scored.

    Raises:
        UnusableRequest: unknown name, or too many items for this one.
    """
    return RANKING_BASELINES[choice("baseline", name, RANKING_BASELINES)](_known(split, on))


def _known(split: Split, on: str) -> Interactions:
    return split.with_validation_in_train().train if on == "test" else split.train


@dataclass(frozen=True)
class _Ask:
    split: Split
    on: str
    protocol: Protocol
    all_relevant: bool
    users: Int64 | None

    def evaluator(self) -> Evaluator:
        return Evaluator(self.split, self.on, self.protocol, self.all_relevant, users=self.users)

    def known(self) -> Interactions:
        return _known(self.split, self.on)

    def held_out(self) -> Interactions:
        part: Interactions = self.split.test if self.on == "test" else self.split.valid
        return part if self.users is None else part.of_users(self.users)

    def file_name(self, which: str) -> str:
        what = sorted(dataclasses.asdict(self.protocol).items())
        decides: tuple[Any, ...] = (FORMAT_VERSION, self.split.hash, self.on, what, bool(self.all_relevant), which)
        if self.users is not None:
            decides += (self.users.tolist(),)
        return f"baselines-{self.on}-{hashlib.sha256(repr(decides).encode()).hexdigest()[:24]}.json"


def _cached(ask: _Ask, cache_dir: str | Path | None, which: str, look_only: bool = False) -> BaselineMetrics:
    path = None if cache_dir is None else Path(cache_dir) / ask.file_name(which)
    known = None if path is None else _read(path)
    if known is not None or look_only:
        return known or {}
    found = (_strong if which == "strong" else _cheap)(ask, cache_dir)
    if path is not None:
        content = json.dumps({"format_version": FORMAT_VERSION, "baselines": found}, indent=1, allow_nan=False)
        with contextlib.suppress(UnusableRequest):  # the figures are right all the same
            write_atomically(path, content.encode())
    return found


def _cheap(ask: _Ask, cache_dir: str | Path | None) -> BaselineMetrics:
    found: BaselineMetrics = {}
    known, held = ask.known(), ask.held_out()
    for name, kind in RATING_BASELINES.items():
        predicted = kind(known).predict(held.user_idx, held.item_idx)
        found[name] = rating_errors(clipped(predicted, held.rating_scale), held.rating)
    details = _ranked(ask, "popularity", cache_dir)
    found["popularity"] = summarise(details)
    found["random"] = _by_lot(details)
    return found


def _strong(ask: _Ask, cache_dir: str | Path | None) -> BaselineMetrics:
    if ask.split.data.num_items > MOST_ITEMS:
        return {}
    if ask.evaluator().num_cases == 0:
        return {name: {} for name in STRONG_BASELINES}
    return {name: summarise(_ranked(ask, name, cache_dir)) for name in STRONG_BASELINES}


def _ranked(ask: _Ask, name: str, cache_dir: str | Path | None) -> EvaluationDetails:
    """What a baseline that ranks got, case by case; kept, of the test part, beside the figures."""
    keep = cache_dir is not None and ask.on == "test" and ask.users is None
    path = Path(cache_dir or "") / ask.file_name(name).replace(".json", ".npz")
    if keep:
        with contextlib.suppress(UnusableRequest):
            return EvaluationDetails.load(path)
    found = ask.evaluator().ranks(RANKING_BASELINES[name](ask.known()))
    if keep:
        with contextlib.suppress(UnusableRequest):
            found.save(path)
    return found


def _by_lot(details: EvaluationDetails) -> dict[str, float]:
    """Sampled: each case alone among its negatives. Full: one list a user."""
    alone = np.ones_like(details.num_sampled)
    _, one_per_user = np.unique(details.case_user, return_index=True)
    sampled = ranking.expected_random(details.num_sampled, alone, details.k)
    full = ranking.expected_random(details.num_full[one_per_user], details.num_relevant[one_per_user], details.k)
    expected = {f"{name}@{details.k}": value for name, value in sampled.items()}
    expected |= {f"{name}@{details.k}/full": value for name, value in full.items()}
    return {name: value for name, value in expected.items() if math.isfinite(value)}


def _read(path: Path) -> BaselineMetrics | None:
    try:
        stored = loads(path.read_bytes())
        if stored["format_version"] != FORMAT_VERSION:
            return None
        return {str(name): {str(k): float(v) for k, v in metrics.items()} for name, metrics in stored["baselines"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
