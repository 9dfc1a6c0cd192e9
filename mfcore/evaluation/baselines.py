"""The floor under every chart: what untrained predictions score on the same held-out part."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
from pathlib import Path

import numpy as np

from mfcore.data import Split
from mfcore.data.files import write_atomically
from mfcore.evaluation import ranking
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.evaluator import Evaluator
from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.summary import summarise
from mfcore.models.baselines import BiasOnly, GlobalMean, ItemMean, Popularity, UserMean
from mfcore.validate import UnusableRequest

FORMAT_VERSION = 2
RATING_BASELINES = {"global mean": GlobalMean, "user mean": UserMean, "item mean": ItemMean, "bias only": BiasOnly}
RATING_METRICS = ("rmse", "mae")

BaselineMetrics = dict[str, dict[str, float]]


def baseline_metrics(
    split: Split,
    on: str = "test",
    protocol: Protocol | None = None,
    all_relevant: bool = False,
    cache_dir: str | Path | None = None,
) -> BaselineMetrics:
    """Baseline → metric → value: rmse and mae of global mean, user mean, item mean and bias only; ranking metrics of
    popularity and random. Random is the exact expectation of a ranking drawn by lot (hr and ndcg), not one draw. Undefined
    metrics are absent.

    With ``cache_dir`` the result is kept there as JSON, one file per split, part and protocol; a damaged file is made anew, and
    a directory that cannot be written to costs only the caching.
    """
    protocol = protocol or Protocol()
    path = None if cache_dir is None else Path(cache_dir) / _file_name(split, on, protocol, all_relevant)
    known = None if path is None else _read(path)
    if known is not None:
        return known
    found = _compute(split, on, protocol, all_relevant)
    if path is not None:
        content = json.dumps({"format_version": FORMAT_VERSION, "baselines": found}, indent=1, allow_nan=False)
        with contextlib.suppress(UnusableRequest):  # the figures are right all the same
            write_atomically(path, content.encode())
    return found


def _compute(split: Split, on: str, protocol: Protocol, all_relevant: bool) -> BaselineMetrics:
    evaluator = Evaluator(split, on, protocol, all_relevant)
    found: BaselineMetrics = {}
    for name, kind in RATING_BASELINES.items():
        metrics = evaluator.metrics(kind(split.train))
        found[name] = {metric: metrics[metric] for metric in RATING_METRICS if metric in metrics}
    details = evaluator.details(Popularity(split.train))
    found["popularity"] = summarise(details)
    found["random"] = _by_lot(details)
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


def _file_name(split: Split, on: str, protocol: Protocol, all_relevant: bool) -> str:
    decides = repr((FORMAT_VERSION, split.hash, on, sorted(dataclasses.asdict(protocol).items()), bool(all_relevant)))
    return f"baselines-{on}-{hashlib.sha256(decides.encode()).hexdigest()[:24]}.json"


def _read(path: Path) -> BaselineMetrics | None:
    try:
        stored = json.loads(path.read_bytes())
        if stored["format_version"] != FORMAT_VERSION:
            return None
        return {str(name): {str(k): float(v) for k, v in metrics.items()} for name, metrics in stored["baselines"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
