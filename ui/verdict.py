"""What a run's numbers mean, in words: against the baselines, and after which epoch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from mfcore.evaluation.comparison import CANNOT_TELL
from mfcore.evaluation.metrics import best_baseline, headline_key, lower_is_better
from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.words import Candidates
from mfcore.runs import RunConfig, RunSummary
from ui.datasets import Nouns
from ui.format import metric, metric_name, percent
from ui.words import baseline_words, rating_error_words

Metrics = Mapping[str, float]
Baselines = Mapping[str, Metrics]


@dataclass(frozen=True)
class Verdict:
    """One metric of a run beside the best baseline. ``gain``: relative improvement, negative when the baseline is better.

    ``chance``: whether other users might turn the order of the two; None where nobody knows.
    """

    metric: str
    value: float
    baseline_name: str = ""
    baseline: float = math.nan
    chance: bool | None = None

    @property
    def gain(self) -> float:
        if not self.baseline:
            return math.nan
        change = (self.value - self.baseline) / abs(self.baseline)
        return -change if lower_is_better(self.metric) else change


def judge(metrics: Metrics, baselines: Baselines, k: int) -> Verdict | None:
    """The headline metric against the best baseline; None when nothing is measured yet."""
    key = headline_key(metrics, k)
    if key is None:
        return None
    best = best_baseline(key, baselines)
    return Verdict(key, metrics[key], best, baselines[best][key]) if best else Verdict(key, metrics[key])


def headline(
    metrics: Metrics, baselines: Baselines, protocol: Protocol, called: Nouns, candidates: Candidates | None = None
) -> str:
    """The answer in one Markdown sentence: the headline metric, what it means, and what the best baseline reaches.

    ``candidates``: the fewest and the most items ranked for anybody in sampled ranking, where that is known.
    """
    verdict = judge(metrics, baselines, protocol.k)
    if verdict is None:
        return "Nothing has been measured yet."
    means = meaning(verdict.metric, metrics, protocol, called, candidates)
    start = f"**{metric_name(verdict.metric)} {metric(verdict.value)}**: {means}"
    if not verdict.baseline_name:
        return f"{start}."
    words = baseline_words(verdict.baseline_name, called)
    hits = baselines[verdict.baseline_name].get(verdict.metric.replace("ndcg", "hr"))
    if verdict.metric.startswith("ndcg") and hits is not None:
        return f"{start}; {words} manages {percent(hits, 0)} and an NDCG of {metric(verdict.baseline)}."
    return f"{start}; {words} gives {metric(verdict.baseline)}."


def verdict_on_test(run: RunSummary) -> Verdict | None:
    """The run's one number on test against the best baseline; None while test is not scored."""
    found = judge(run.test, run.baselines.get("test", {}), run.config.protocol.k)
    same = found is not None and (run.against.get("metric"), run.against.get("baseline")) == (found.metric, found.baseline_name)
    return dataclasses.replace(found, chance=run.against["verdict"] == CANNOT_TELL) if found is not None and same else found


def headline_of(run: RunSummary) -> str:
    """The metric that stands for a run on test; empty while test is not scored."""
    return headline_key(run.test, run.config.protocol.k) or ""


def comparison(verdict: Verdict) -> tuple[str, str]:
    """How run and best baseline compare, in a few words, with the colour of the badge: good, level or bad."""
    if math.isnan(verdict.gain):
        return "no baseline", "gray"
    if abs(verdict.gain) < 0.0005:
        return "level with the best baseline", "orange"
    better = "better" if verdict.gain > 0 else "worse"
    gain = abs(verdict.gain)
    share = percent(gain, 1 if gain < 0.1 else 0) if gain < 2 else f"{1 + gain:.0f} times"
    words = f"{share} {better} than the best baseline"
    if verdict.chance:
        return f"{words}, but that may be chance", "orange"
    return words, "green" if verdict.gain > 0 else "red"


def meaning(key: str, metrics: Metrics, protocol: Protocol, called: Nouns, candidates: Candidates | None = None) -> str:
    """What the value of a metric says about predictions or lists."""
    if key in ("rmse", "mae"):
        return f"predictions are off by {rating_error_words(metrics.get('mae', metrics[key]), called)} on average"
    among = _among(protocol, candidates)
    if key.endswith("/full"):
        among = f"all {called.items} not seen in training"
    hits = metrics.get(key.replace("ndcg", "hr"))
    if key.startswith(("hr", "ndcg")) and hits is not None:
        return f"in {percent(hits, 0)} of cases the held-out {called.item} is among the first {protocol.k} of {among}"
    return f"lists of {protocol.k} {called.items}, chosen from {among}"


def candidates_of(run: RunSummary, part: str) -> Candidates | None:
    """How many items were ranked in a part; None where the run does not say."""
    least, most = run.candidates.get(part, (0, 0))
    return (int(least), int(most)) if most else None


def _among(protocol: Protocol, candidates: Candidates | None) -> str:
    """How many are ranked in sampled ranking: "a hundred", "10 to 22", or "up to 100" where nobody knows."""
    if candidates is None or not candidates[1]:
        return f"up to {protocol.sampled_negatives + 1:,}"
    least, most = candidates
    return f"{least:,} to {most:,}" if least != most else "a hundred" if most == 100 else f"{most:,}"


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
