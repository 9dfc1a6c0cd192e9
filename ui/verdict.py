"""What a run's numbers mean, in words: against the baselines, and after which epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mfcore.evaluation.metrics import lower_is_better, selection_key
from mfcore.evaluation.protocol import Protocol
from mfcore.runs import RunConfig, RunSummary
from ui.datasets import Nouns
from ui.format import metric, metric_name, percent
from ui.words import baseline_words, rating_error_words

Metrics = Mapping[str, float]
Baselines = Mapping[str, Metrics]


@dataclass(frozen=True)
class Verdict:
    """One metric of a run beside the best baseline. ``gain``: relative improvement, negative when the baseline is better."""

    metric: str
    value: float
    baseline_name: str = ""
    baseline: float = math.nan

    @property
    def gain(self) -> float:
        if not self.baseline:
            return math.nan
        change = (self.value - self.baseline) / abs(self.baseline)
        return -change if lower_is_better(self.metric) else change


def headline_metric(metrics: Metrics, k: int) -> str | None:
    """The one metric that stands for a run: RMSE if it predicts ratings, else NDCG@K; None when neither is defined."""
    wanted = (selection_key(k, ranks=False), selection_key(k, ranks=True), f"{selection_key(k, ranks=True)}/full")
    return next((key for key in (*wanted, *metrics) if key in metrics), None)


def best_baseline(key: str, baselines: Baselines) -> tuple[str, float] | None:
    """Name and value of the baseline that is best at one metric; None when no baseline has it."""
    found = [(name, metrics[key]) for name, metrics in baselines.items() if key in metrics]
    if not found:
        return None
    return (min if lower_is_better(key) else max)(found, key=lambda entry: entry[1])


def judge(metrics: Metrics, baselines: Baselines, k: int) -> Verdict | None:
    """The headline metric against the best baseline; None when nothing is measured yet."""
    key = headline_metric(metrics, k)
    if key is None:
        return None
    best = best_baseline(key, baselines)
    return Verdict(key, metrics[key], *best) if best else Verdict(key, metrics[key])


def headline(metrics: Metrics, baselines: Baselines, protocol: Protocol, called: Nouns) -> str:
    """The answer in one Markdown sentence: the headline metric, what it means, and what the best baseline reaches."""
    verdict = judge(metrics, baselines, protocol.k)
    if verdict is None:
        return "Nothing has been measured yet."
    start = f"**{metric_name(verdict.metric)} {metric(verdict.value)}**: {meaning(verdict.metric, metrics, protocol, called)}"
    if not verdict.baseline_name:
        return f"{start}."
    words = baseline_words(verdict.baseline_name, called)
    hits = baselines[verdict.baseline_name].get(verdict.metric.replace("ndcg", "hr"))
    if verdict.metric.startswith("ndcg") and hits is not None:
        return f"{start}; {words} manages {percent(hits, 0)} and an NDCG of {metric(verdict.baseline)}."
    return f"{start}; {words} gives {metric(verdict.baseline)}."


def verdict_on_test(run: RunSummary) -> Verdict | None:
    """The run's one number on test against the best baseline; None while test is not scored."""
    return judge(run.test, run.baselines.get("test", {}), run.config.protocol.k)


def comparison(verdict: Verdict) -> tuple[str, str]:
    """How run and best baseline compare, in a few words, with the colour of the badge: good, level or bad."""
    if math.isnan(verdict.gain):
        return "no baseline", "gray"
    if abs(verdict.gain) < 0.0005:
        return "level with the best baseline", "orange"
    better = "better" if verdict.gain > 0 else "worse"
    gain = abs(verdict.gain)
    share = percent(gain, 1 if gain < 0.1 else 0) if gain < 2 else f"{1 + gain:.0f} times"
    return f"{share} {better} than the best baseline", "green" if verdict.gain > 0 else "red"


def meaning(key: str, metrics: Metrics, protocol: Protocol, called: Nouns) -> str:
    """What the value of a metric says about predictions or lists."""
    if key in ("rmse", "mae"):
        return f"predictions are off by {rating_error_words(metrics.get('mae', metrics[key]), called)} on average"
    rivals = protocol.sampled_negatives + 1
    among = "a hundred" if rivals == 100 else f"{rivals:,}"
    if key.endswith("/full"):
        among = f"all {called.items} not seen in training"
    hits = metrics.get(key.replace("ndcg", "hr"))
    if key.startswith(("hr", "ndcg")) and hits is not None:
        return f"in {percent(hits, 0)} of cases the held-out {called.item} is among the first {protocol.k} of {among}"
    return f"lists of {protocol.k} {called.items}, chosen from {among}"


def epoch_sentence(config: RunConfig, best_epoch: int | None, epochs: int, *, tested: bool) -> str:
    """Which epoch the numbers belong to, and how it was chosen."""
    if best_epoch is None:
        return ""
    chosen = f"Epoch {best_epoch} of {epochs} is best on validation" if best_epoch else "No epoch beats the untrained model"
    if not tested:
        return f"{chosen}."
    if config.training.refit:
        return f"{chosen}; a fresh model then trained that long on train + validation together, and test was scored once on it."
    return f"{chosen}; test was scored once, with the weights of that epoch."
