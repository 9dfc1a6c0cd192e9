"""What may surprise about a run's figures, and why: only reasons measured on this very run, in the data's own words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import streamlit as st

from mfcore.evaluation import EvaluationDetails, Interval
from mfcore.evaluation.breakdown import Contrast
from mfcore.evaluation.metrics import best_baseline, lower_is_better, selection_key
from mfcore.evaluation.words import PARTS
from mfcore.registry import METRICS
from mfcore.runs import RunSummary
from ui.datasets import Nouns
from ui.format import count, escape_markdown, headline_metrics, metric, metric_name
from ui.verdict import Verdict

Figures = Mapping[str, float]
FEW_USERS = 30
"""With fewer, an interval is itself rather rough."""
CLEARLY = 0.002
"""Differences that no reader of three decimals would stumble over are not explained."""


def explain(sentences: Iterable[str]) -> None:
    """What is to be said, one line each; nothing where there is nothing to say."""
    for sentence in sentences:
        st.markdown(f":material/lightbulb: {sentence}")


def better(key: str, value: float, than: float) -> bool:
    """Whether a value of a metric is better than another by more than rounding shows."""
    gain = than - value if lower_is_better(key) else value - than
    return gain > CLEARLY


# --- the figures of one run ------------------------------------------------------------------------------------------------


def about_results(
    run: RunSummary,
    metrics: Figures,
    baselines: Mapping[str, Figures],
    found: Mapping[str, Interval],
    details: EvaluationDetails,
    verdict: Verdict | None,
    called: Nouns,
) -> list[str]:
    """Everything on Results that a reader may stumble over. ``metrics``, ``baselines``, ``found``: of test."""
    said = [
        trained_for_ratings(run, metrics, baselines, called),
        baseline_is_better(run, verdict),
        stopped_while_improving(run),
        validation_is_better(run, metrics, found, refitted=run.config.training.refit),
        all_rivals(metrics, details, called),
        what_is_missing(run, metrics, details, called),
        few_users(found),
    ]
    return [sentence for sentence in said if sentence]


def trained_for_ratings(run: RunSummary, metrics: Figures, baselines: Mapping[str, Figures], called: Nouns) -> str:
    """Red ranking tiles of a run that predicts ratings."""
    if run.config.training.implicit:
        return ""
    behind = [
        key
        for key in headline_metrics(metrics, run.config.protocol.k)
        if not _of_errors(key) and (best := best_baseline(key, baselines)) and better(key, baselines[best][key], metrics[key])
    ]
    if not behind:
        return ""
    names = " and ".join(dict.fromkeys(METRICS[key.split("@")[0]].title for key in behind))
    return (
        f"**{names} behind a baseline**: this run was trained to guess {called.units}, not to rank. It puts first what would "
        f"be rated high, not the {called.items} that people are most likely to choose."
    )


def baseline_is_better(run: RunSummary, verdict: Verdict | None) -> str:
    """The run behind the best baseline on its own headline metric: what its validation curve says about it."""
    if verdict is None or not verdict.baseline_name or not better(verdict.metric, verdict.baseline, verdict.value):
        return ""
    name = escape_markdown(verdict.baseline_name)
    start = f"**{name[:1].upper()}{name[1:]} is better** by {metric_name(verdict.metric)}"
    if run.best_epoch is None or not run.epochs_done:
        return f"{start}."
    if run.best_epoch == 0:
        return f"{start}: no epoch improved on the untrained model on validation, so try another learning rate."
    if _flat(run.curve):
        first, last = metric(run.curve[0]), metric(run.curve[-1])
        return (
            f"{start}: validation hardly moved in {run.epochs_done} epochs ({first} before, {last} after), so this model has "
            "learned next to nothing. A higher learning rate may."
        )
    if run.best_epoch == run.epochs_done:
        return f"{start}: validation was at its best in the last epoch, so more epochs, or larger steps, may still help."
    return f"{start}: validation was at its best in epoch {run.best_epoch} of {run.epochs_done} and did not improve after it."


def _flat(curve: list[float]) -> bool:
    """Whether a validation curve stayed within a hundredth of where it began."""
    known = [value for value in curve if math.isfinite(value)]
    return len(known) > 1 and max(known) - min(known) < 0.01 * abs(known[0])


def stopped_while_improving(run: RunSummary) -> str:
    """A run that ended before it was planned to, at its best so far."""
    early = run.over and 0 < run.epochs_done < run.num_epochs
    if not early or run.best_epoch != run.epochs_done:
        return ""
    return (
        f"**Stopped while still improving**: it ended after epoch {run.epochs_done} of {run.num_epochs}, and that was its "
        "best epoch on validation. Trained on, it may get better."
    )


def validation_is_better(run: RunSummary, test: Figures, found: Mapping[str, Interval], *, refitted: bool) -> str:
    """A validation figure that test does not reach, or the other way round."""
    key = run.selection_metric or selection_key(run.config.protocol.k, ranks=run.config.training.implicit)
    if key not in test or key not in run.valid or abs(test[key] - run.valid[key]) <= CLEARLY:
        return ""
    first, second = (run.valid[key], test[key])
    higher = better(key, first, second)
    start = (
        f"**{'Validation' if higher else 'Test'} looks better** ({metric_name(key)} {metric(first)} on {PARTS['valid']}, "
        f"{metric(second)} on {PARTS['test']})"
    )
    interval = found.get(key)
    if interval is not None and interval.low <= first <= interval.high:
        return f"{start}: they are of different ratings, and the gap is within the interval of test, so it may be chance."
    reasons = []
    if higher and run.epochs_done > 1:
        reasons.append(f"the epoch was chosen on validation, out of {count(run.epochs_done)}, which flatters it")
    if not higher and refitted:
        reasons.append("the model that test scores learned from validation too, so from more")
    parts = f": {'; '.join(reasons)}" if reasons else ""
    return f"{start}{parts}. The two are measured on different ratings, and these differ by more than the interval of test."


def all_rivals(metrics: Figures, details: EvaluationDetails, called: Nouns) -> str:
    """Full ranking gives lower figures than sampled ranking: how many rivals there are in each."""
    pair = next(((key, f"{key}/full") for key in headline_metrics(metrics, details.k) if f"{key}/full" in metrics), None)
    if pair is None or not better(pair[0], metrics[pair[0]], metrics[pair[1]]):
        return ""
    alone = len(np.unique(details.case_user)) == len(details.case_user)
    sampled, full = float(details.num_sampled.mean()) - 1, float(details.num_full.mean()) - 1
    if full <= sampled or not alone:  # with several to find, full ranking is a mean over users, and asks for any of them
        return ""
    return (
        f"**{metric_name(pair[0])} {metric(metrics[pair[0]])} among a few, {metric(metrics[pair[1]])} among all**: the same "
        f"model and the same {called.items} to find, but against {count(full)} others instead of {count(sampled)}."
    )


def what_is_missing(run: RunSummary, metrics: Figures, details: EvaluationDetails, called: Nouns) -> str:
    """Figures that a reader may look for in vain."""
    if not len(details.case_user):
        least = run.config.relevance_words
        return f"**No ranking figures**: nothing held out has {least}, so there is no {called.item} to be found."
    if len(details.predicted) and "rmse" not in metrics:
        return "**No rating errors**: some predictions are not numbers. The training has run away; try a lower learning rate."
    if run.config.training.implicit:
        return f"**No rating errors**: this run was trained to rank, and its scores are not {called.units}."
    return ""


def few_users(found: Mapping[str, Interval]) -> str:
    """Intervals that rest on a handful of users, or that nothing can be said about."""
    users = min((interval.num_users for interval in found.values()), default=0)
    if not found or users >= FEW_USERS:
        return ""
    if users < 2:
        return "**No interval** where only one user has the figure: what other users would change cannot be told from one."
    return f"**Rough intervals**: no more than {users} users stand behind some of these figures. Other users may change much."


def _of_errors(key: str) -> bool:
    spec = METRICS.get(key.split("@")[0])
    return spec is not None and spec.of_errors is not None


# --- the ends of a breakdown -------------------------------------------------------------------------------------------------


def about_ends(found: Contrast | None, key: str, called: Nouns, *, users: bool) -> str:
    """Why the group that a model knows least about does best, where it does; "" otherwise. ``key``: the metric."""
    if found is None or not better(key, found.least.value, found.most.value):
        return ""
    few, many = (f"least active {called.users}", "most active") if users else (f"least rated {called.items}", "most rated")
    start = f"**The {few} do best** ({metric(found.least.value)} against {metric(found.most.value)} for the {many})"
    if not found.told_apart:
        least, most = found.least, found.most
        if not math.isfinite(least.low + most.low):
            return f"{start}: there are too few to tell whether that is chance."
        return (
            f"{start}, but that may be chance: with other {called.users} the first might be {metric(least.low)} to "
            f"{metric(least.high)}, the second {metric(most.low)} to {metric(most.high)}."
        )
    reason = _error_reason(found, called) if _of_errors(key) else _popularity_reason(found, called)
    return f"{start}{reason}"


def _error_reason(found: Contrast, called: Nouns) -> str:
    least, most, reasons = found.least, found.most, []
    if abs(least.lean) < abs(most.lean) - 0.05 * most.value:
        side = [f"{abs(end.lean):.2f} {called.units} too {'high' if end.lean > 0 else 'low'}" for end in (least, most)]
        reasons.append(f"predictions there are {side[0]} on average, against {side[1]}")
    if least.spread < 0.97 * most.spread:
        reasons.append(
            f"their held-out ratings differ less from one another (standard deviation {least.spread:.2f} against "
            f"{most.spread:.2f} {called.units}), which makes them easier to guess"
        )
    if reasons:
        return f": {'; and '.join(reasons)}."
    return ". Neither how much their ratings differ nor a lean of the predictions to one side tells why."


def _popularity_reason(found: Contrast, called: Nouns) -> str:
    least, most = found.least, found.most
    rivals = ""
    if least.rivals < 0.9 * most.rivals:
        rivals = f"Among all {called.items} they compete with fewer: {count(least.rivals)} against {count(most.rivals)}. "
    if not least.held_popularity > 1.05 * most.held_popularity:
        return f". {rivals}What they held out is no better known than that of the others." if rivals else "."
    start = (
        f": the {called.items} they held out are better known, with {count(least.held_popularity)} training ratings on average "
        f"against {count(most.held_popularity)}. {rivals}"
    )
    gap, rest = most.value - least.value, found.at_equal_popularity
    if not math.isfinite(rest):
        return start.rstrip()
    if abs(rest) < 0.2 * abs(gap) or rest * gap < 0:
        return f"{start}Among {called.items} as well known as each other, the difference all but goes."
    part = "That is a part of it" if abs(rest) < 0.9 * abs(gap) else "That is little of it"
    return f"{start}{part}: among {called.items} as well known as each other, {metric(abs(rest))} of {metric(abs(gap))} remain."
