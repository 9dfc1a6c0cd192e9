"""The words of pages: models, states, baselines, splits, protocol. What run cards say too is in mfcore.evaluation.words."""

from __future__ import annotations

from mfcore.evaluation.metrics import metric_help
from mfcore.evaluation.words import protocol_sentence as ranking_sentence
from mfcore.evaluation.words import rivals_words, split_sentence
from mfcore.registry import Registry, Spec
from mfcore.runs import RunConfig
from mfcore.runs.status import STATES
from mfcore.settings import SETTINGS, Choice
from ui.datasets import Nouns, nouns

STAR = "★"
"""Marks a starred run."""


def metric_tip(key: str, config: RunConfig) -> str | None:
    """What a metric of a run says, with the data's unit and the number of rivals; None for one that nobody registered."""
    return metric_help(key, units=nouns(config.dataset).units, sampled=rivals_words(config.protocol)) or None


_BASELINES = {
    "global mean": "always predicting the mean rating",
    "user mean": "predicting each {user}'s mean",
    "item mean": "predicting each {item}'s mean",
    "bias only": "predicting from each {user}'s and {item}'s average alone",
    "popularity": "recommending what is most popular",
    "random": "drawing by lot",
    "item-kNN": "comparing {items} by who chose them (item-kNN)",
    "EASE": "a linear model in closed form (EASE)",
}


def choice_title(setting: str, value: object) -> str:
    """What is chosen for a setting, in full: model "mf" → "Matrix factorization"; itself where nobody named it."""
    spec = _spec(setting, value)
    return str(value) if spec is None else spec.title


def choice_word(setting: str, value: object) -> str:
    """The same in short: optimizer "als" → "ALS"."""
    spec = _spec(setting, value)
    return str(value) if spec is None else spec.label


def _spec(setting: str, value: object) -> Spec | None:
    kind = SETTINGS[setting].kind
    options = kind.options if isinstance(kind, Choice) else None
    return options.get(str(value)) if isinstance(options, Registry) else None


def state_word(state: str) -> str:
    """A run's state as people say it."""
    return STATES[state].word if state in STATES else state


def baseline_words(name: str, called: Nouns) -> str:
    """What a baseline does, as the subject of a sentence; its name where nobody described it."""
    return _BASELINES[name].format_map(vars(called)) if name in _BASELINES else name


def protocol_sentence(config: RunConfig) -> str:
    """Split, candidates and ties: everything one must know to compare a run's numbers with others."""
    called = nouns(config.dataset)
    ranking = ranking_sentence(config.protocol, relevant=config.relevance_words, item=called.item, items=called.items)
    return f"{split_sentence(config.split, called.item)} {ranking}"


def rating_error_words(error: float, called: Nouns) -> str:
    """An error of predicted ratings as people say it: "about half a star"."""
    if error < 0.1:
        return f"less than a tenth of {called.one_unit}"
    for limit, words in ((0.6, f"about half {called.one_unit}"), (0.85, f"about three quarters of {called.one_unit}")):
        if error < limit:
            return words
    if error < 1.0:
        return f"less than one {called.unit}"
    return f"about one {called.unit}" if error < 1.25 else f"{error:.1f} {called.units}"
