"""The metrics there are: what each is called, what it is computed from, and how it is read. A new one is a spec here.

A ranking metric is a mean over cases in sampled ranking (``of_cases``) and over users in full ranking (``of_lists``); formulas
stand in :mod:`mfcore.evaluation.ranking`. AUC also needs the numbers of candidates; :mod:`mfcore.evaluation.summary` adds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mfcore.evaluation import ranking
from mfcore.registry import METRICS, MetricSpec

RMSE = METRICS.register(
    MetricSpec(
        name="rmse",
        title="RMSE",
        help="Root mean squared error of predicted ratings, in {units}; lower is better. "
        "On MovieLens 100K the bias-only baseline has about 0.94 (random split) and a good factor model 0.91 to 0.93.",
        of_errors=np.square,
        finish=math.sqrt,
        lower_is_better=True,
        in_rating_units=True,
        at_k=False,
        headline=True,
    )
)
MAE = METRICS.register(
    MetricSpec(
        name="mae",
        title="MAE",
        help="Mean absolute error of predicted ratings, in {units}; lower is better. On MovieLens 100K 0.72 to 0.74 is good.",
        of_errors=np.abs,
        lower_is_better=True,
        in_rating_units=True,
        at_k=False,
        headline=True,
    )
)
METRICS.register(
    MetricSpec(
        name="hr",
        title="HR",
        help="Hit rate: share of held-out items found in the first K; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.40 and a good model 0.65 to 0.70 at K = 10.",
        of_cases=ranking.hit,
        of_lists=lambda found, k: ranking.of_first(found, lambda place: ranking.hit(place, k), k),
        share=True,
        headline=True,
    )
)
METRICS.register(
    MetricSpec(
        name="ndcg",
        title="NDCG",
        help="Like the hit rate, but a hit near the top counts more; higher is better. "
        "On MovieLens 100K, among 99 sampled items, popularity has about 0.23 and a good model 0.38 to 0.40 at K = 10.",
        of_cases=ranking.gain,
        of_lists=ranking.ndcg,
        headline=True,
    )
)
METRICS.register(
    MetricSpec(
        name="mrr",
        title="MRR",
        help="Mean of one over the position of the first held-out item; 1 would be always first. "
        "On MovieLens 100K, among 99 sampled items, about 0.3 is good.",
        of_cases=ranking.reciprocal_rank,
        of_lists=lambda found, k: ranking.of_first(found, lambda place: ranking.reciprocal_rank(place, k), k),
        live=False,
    )
)
METRICS.register(
    MetricSpec(
        name="map",
        title="MAP",
        help="Mean over users of the average precision in the first K; higher is better, and rarely above 0.3.",
        of_lists=ranking.average_precision,
        live=False,
    )
)
METRICS.register(
    MetricSpec(
        name="recall",
        title="Recall",
        help="Share of a user's held-out items found in the first K; higher is better. Good is like HR.",
        of_lists=lambda found, k: ranking.hits(found, k) / found.num_relevant,
        share=True,
        live=False,
    )
)
METRICS.register(
    MetricSpec(
        name="precision",
        title="Precision",
        short="Prec.",
        help="Share of the first K that the user really chose; at most 1/K with one held-out item.",
        of_lists=lambda found, k: ranking.hits(found, k) / k,
        share=True,
        live=False,
    )
)
METRICS.register(
    MetricSpec(
        name="auc",
        title="AUC",
        help="Chance that a held-out item is placed above a random other one: 0.5 is guessing, 1 perfect. "
        "On MovieLens 100K, with each user's latest film held out, popularity has about 0.80 and a good model 0.89; "
        "it says little about the top of the list.",
        at_k=False,
        live=False,
    )
)
_FULL = (
    " Here all items compete, not {sampled} sampled ones, so numbers are much smaller:"
    " on MovieLens 100K HR@10 of 0.13 to 0.15 and NDCG@10 of 0.07 to 0.08 are good."
)


class Read(NamedTuple):
    """A key among results, taken apart: its spec (None: nobody registered it), its K as text, and whether all items compete."""

    spec: MetricSpec | None
    k: str
    full: bool


def read_key(key: str) -> Read:
    """``ndcg@10/full`` (as among results) or ``ndcg_full`` (as in tables of curves) → the spec of ndcg, K as text, True."""
    base, _, variant = key.partition("/")
    stem, _, k = base.partition("@")
    full = variant == "full" or stem.endswith("_full")
    return Read(METRICS.get(base) or METRICS.get(stem.removesuffix("_full")), k, full)


def metric_title(key: str, *, short: bool = False) -> str:
    """``ndcg@10/full`` → "NDCG@10 (all items)", in short "NDCG@10 all"; ``rmse`` → "RMSE". A stranger goes by its name."""
    spec, k, full = read_key(key)
    stem = key.partition("/")[0].partition("@")[0].removesuffix("_full")
    title = (spec.label if short else spec.title) if spec is not None else stem.replace("_", " ").upper()
    return f"{title}{f'@{k}' if k and '@' not in title else ''}{(' all' if short else ' (all items)') if full else ''}"


def selection_key(k: int, *, ranks: bool) -> str:
    """The metric that chooses the best epoch and stands for a run: ``rmse``, or ``ndcg@K`` where training learns to rank."""
    return f"ndcg@{k}" if ranks else RMSE.name


def headline_key(metrics: Mapping[str, float], k: int) -> str | None:
    """The one metric that stands for a run: RMSE if it predicts ratings, else NDCG@K; None when nothing is defined."""
    ranking = selection_key(k, ranks=True)
    wanted = (selection_key(k, ranks=False), ranking, f"{ranking}/full", *metrics)
    return next((key for key in wanted if key in metrics), None)


def best_baseline(metric: str, baselines: Mapping[str, Mapping[str, float]]) -> str:
    """The baseline that is best at one metric; empty where none has it."""
    found = {name: metrics[metric] for name, metrics in baselines.items() if metric in metrics}
    return (min if lower_is_better(metric) else max)(found, key=lambda name: found[name]) if found else ""


def headline_keys(k: int) -> list[str]:
    """What is shown first and large, in reading order."""
    large = [spec for spec in METRICS.values() if spec.headline]
    keys = [key for spec in large for key in {spec.key(k), spec.key(k, full=spec.of_lists is not None)}]
    return sorted(keys, key=place)


def is_share(key: str) -> bool:
    """Whether it is a share of something, shown in percent."""
    spec = read_key(key).spec
    return spec is not None and spec.share


def metric_help(key: str, *, units: str = "rating units", sampled: str = "a few") -> str:
    """One sentence or two on a metric, with what a good value is on MovieLens 100K; empty for one that nobody registered.

    Args:
        units: what ratings are counted in. sampled: how many items compete in sampled ranking, in words.
    """
    spec, k, full = read_key(key)
    if spec is None:
        return ""
    # AUC has no K and is much the same against all items.
    return (spec.help + (_FULL if k and full and spec.help else "")).replace("{units}", units).replace("{sampled}", sampled)


def lower_is_better(key: str) -> bool:
    """Errors fall, ranking metrics rise."""
    spec = read_key(key).spec
    return spec is not None and spec.lower_is_better


def place(key: str) -> tuple[int, int, str]:
    """Reading order: rating errors, then sampled ranking, then full ranking; in each as registered, strangers last."""
    spec, _, full = read_key(key)
    family = 0 if spec is not None and spec.of_errors is not None else 2 if full else 1
    return family, list(METRICS).index(spec.name) if spec is not None else len(METRICS), key


def live_keys(k: int, *, ratings: bool) -> list[str]:
    """What is worth drawing while a run trains; rating errors only for what predicts ratings."""
    live = [spec for spec in METRICS.values() if spec.live]
    errors = [spec.key(k) for spec in live if spec.of_errors is not None and ratings]
    sampled = [spec.key(k) for spec in live if spec.of_cases is not None]
    return [*errors, *sampled, *(spec.key(k, full=True) for spec in live if spec.of_lists is not None)]


def described(keys: Iterable[str], *, units: str = "rating units", sampled: str = "a few") -> list[str | dict[str, Any]]:
    """Metrics as the start of a run tells them to whoever draws it: key, label, lower_is_better, share and help of each.
    ``units``, ``sampled``: as for :func:`metric_help`."""
    return [
        {
            "key": key,
            "label": metric_title(key),
            "lower_is_better": lower_is_better(key),
            "share": bool(spec is not None and spec.share),
            "help": metric_help(key, units=units, sampled=sampled),
        }
        for key, spec in ((key, read_key(key).spec) for key in keys)
    ]
