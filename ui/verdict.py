"""What a run's numbers mean, in words: against the baselines, under which protocol, after which epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.format import lower_is_better, metric, metric_name, percent

if TYPE_CHECKING:
    from mfcore.runs import RunConfig
    from mfcore.runs.summary import RunSummary

Metrics = Mapping[str, float]
Baselines = Mapping[str, Metrics]
Nouns = tuple[str, str]
FILM: Nouns = ("film", "films")

BASELINE_WORDS: dict[str, str] = {
    "global mean": "always predicting the mean rating",
    "user mean": "predicting each user's mean",
    "item mean": "predicting each film's mean",
    "bias only": "predicting from each user's and film's average alone",
    "popularity": "recommending what is most popular",
    "random": "drawing by lot",
    "item-kNN": "comparing films by who chose them (item-kNN)",
    "EASE": "a linear model in closed form (EASE)",
}
TIE_WORDS: dict[str, str] = {
    "half": "Ties count half.",
    "optimistic": "Ties count as won, which flatters.",
    "pessimistic": "Ties count as lost.",
}
PART_WORDS: dict[str, str] = {"test": "test", "valid": "validation"}


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
    wanted = ("rmse", f"ndcg@{k}", f"ndcg@{k}/full")
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


def headline(metrics: Metrics, baselines: Baselines, k: int, thing: Nouns = FILM) -> str:
    """The answer in one Markdown sentence: the headline metric, what it means, and what the best baseline reaches."""
    verdict = judge(metrics, baselines, k)
    if verdict is None:
        return "Nothing has been measured yet."
    start = f"**{metric_name(verdict.metric)} {metric(verdict.value)}**: {meaning(verdict.metric, metrics, thing)}"
    if not verdict.baseline_name:
        return f"{start}."
    words = BASELINE_WORDS.get(verdict.baseline_name, verdict.baseline_name).replace(FILM[0], thing[0])
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


def meaning(key: str, metrics: Metrics, thing: Nouns = FILM) -> str:
    """What the value of a metric says about predictions or lists."""
    stem, _, rest = key.partition("@")
    k, _, variant = rest.partition("/")
    among = f"all {thing[1]} not seen in training" if variant == "full" else "a hundred"
    if stem == "rmse":
        return f"predictions are off by {_stars(metrics.get('mae', metrics['rmse']))} on average"
    if stem == "mae":
        return f"predictions are off by {_stars(metrics[key])} on average"
    hits = metrics.get(key.replace("ndcg", "hr"))
    if stem in ("hr", "ndcg") and hits is not None:
        return f"in {percent(hits, 0)} of cases the held-out {thing[0]} is among the first {k} of {among}"
    return f"lists of {k} {thing[1]}, chosen from {among}"


def _stars(error: float) -> str:
    if error < 0.1:
        return "less than a tenth of a star"
    for limit, words in ((0.6, "about half a star"), (0.85, "about three quarters of a star"), (1.0, "less than one star")):
        if error < limit:
            return words
    return "about one star" if error < 1.25 else f"{error:.1f} stars"


def protocol_sentence(config: RunConfig, thing: Nouns = FILM) -> str:
    """Split, candidates and ties: everything one must know to compare these numbers with others."""
    split, protocol = config.split, config.protocol
    threshold = f" with a rating of {protocol.relevance_threshold:g} or more"
    drawn = f", drawn {protocol.draws} times" if protocol.draws > 1 else ""
    everything = split.kind == "leave-last-out" or config.training.implicit
    sampled = f"{protocol.sampled_negatives} {thing[1]} the user never touched, the same for every model{drawn} (sampled)"
    return (
        f"{_split_words(config, thing[0])} Ranking asks where each held-out {thing[0]}{'' if everything else threshold} would "
        f"stand: among {sampled}, and among all {thing[1]} the user has not met in training or validation (full). "
        f"{TIE_WORDS[protocol.ties]}"
    )


def _split_words(config: RunConfig, thing: str) -> str:
    split = config.split
    valid = percent(split.valid_fraction, 0)
    if split.kind == "leave-last-out":
        return f"Leave last out: each user's latest {thing} is test, the one before it validation."
    if split.kind == "official":
        rest = f"{valid} of all ratings, drawn from the rest, is validation"
        return f"Official fold {split.fold} of MovieLens 100K is test; {rest}."
    if split.kind == "time":
        return f"By time: the latest {percent(split.test_fraction, 0)} of ratings are test, the {valid} before them validation."
    return f"Random split: {percent(split.test_fraction, 0)} of ratings are test, {valid} validation (seed {split.seed})."


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
