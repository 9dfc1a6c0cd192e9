"""The words of pages: models, states, baselines, splits, protocol. What run cards say too is in mfcore.evaluation.words."""

from __future__ import annotations

from mfcore.data.config import SPLITS
from mfcore.evaluation.words import protocol_sentence as ranking_sentence
from mfcore.evaluation.words import split_sentence
from mfcore.models.config import MODELS
from mfcore.runs import RunConfig
from mfcore.runs.status import STATES
from mfcore.training.config import LOSSES, OPTIMIZERS
from ui.datasets import Nouns, dataset_title, nouns, num_folds

STAR = "★"
"""Marks a starred run."""

_CHOICES = {"model": MODELS, "loss": LOSSES, "optimizer": OPTIMIZERS, "split": SPLITS}
_SHORT_MODELS = {"mf": "MF", "gmf": "GMF", "mlp": "MLP"}

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


def model_word(name: str) -> str:
    """A model in a table or title: "MF", "Biased MF"."""
    return _SHORT_MODELS.get(name) or choice_title("model", name)


def choice_title(setting: str, value: object) -> str:
    """What is chosen for a setting, in full: model "mf" → "Matrix factorization"; itself where nobody named it."""
    return str(_CHOICES.get(setting, {}).get(str(value), value))


def choice_word(setting: str, value: object) -> str:
    """The same in short, without what stands in brackets or after a colon: optimizer "als" → "ALS"."""
    return choice_title(setting, value).partition(" (")[0].partition(":")[0]


def state_word(state: str) -> str:
    """A run's state as people say it."""
    return STATES[state].word if state in STATES else state


def baseline_words(name: str, called: Nouns) -> str:
    """What a baseline does, as the subject of a sentence; its name where nobody described it."""
    return _BASELINES[name].format_map(vars(called)) if name in _BASELINES else name


def protocol_sentence(config: RunConfig) -> str:
    """Split, candidates and ties: everything one must know to compare a run's numbers with others."""
    called = nouns(config.dataset)
    everything = config.split.kind == "leave-last-out" or config.training.implicit
    ranking = ranking_sentence(config.protocol, all_relevant=everything, item=called.item, items=called.items)
    return f"{split_sentence(config.split, called.item)} {ranking}"


def split_lesson(kind: str, dataset: str) -> str:
    """What a kind of split asks of a model, and what to make of figures on it."""
    called = nouns(dataset)
    return {
        "random": "Ratings are dealt out at random. Easy to compare with published figures, but a model may learn from the "
        "future to predict the past.",
        "leave-last-out": f"Each {called.user}'s latest rating is the test, the one before it validation, all earlier ones "
        f"train: “which {called.item} will this person choose next?”",
        "time": "One date divides all ratings: what came before trains, what came after tests. Closest to real life and the "
        f"hardest, because new {called.users} and new {called.items} appear that nobody could learn.",
        "official": f"The {num_folds(dataset)} divisions that came with {dataset_title(dataset)}, each with another part as "
        "test. Published figures often use them; validation is drawn from the rest.",
    }[kind]


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
