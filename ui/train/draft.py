"""The experiment on the Train page before it is trained: text for every setting, kept in the address.

A draft is ``{flat key: text}``, complete, and possibly unusable ("abc" as learning rate is kept as typed). It becomes a
``RunConfig`` only when asked, and the core's refusal is what the page shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from mfcore.data import DATASETS
from mfcore.models.config import MODELS
from mfcore.runs import PRESETS, RunConfig, preset_config
from mfcore.runs.config import FLAT_KEYS
from mfcore.training.config import ALS_LOSSES
from mfcore.training.device import resolve_device
from mfcore.training.engines.als.limits import ALS_MODELS
from mfcore.validate import choice
from ui.datasets import STAND_IN, num_folds

Draft = dict[str, str]

FIRST_PRESET = "biased-mf"
WITHOUT_EFFECT = ("preset", "name", "pace")  # they describe or show a run, and change nothing in it
PAGE_PACE = "5"  # epochs a second: what is started here is meant to be watched
_NATURAL_LOSS = {"mf": "mse", "biased-mf": "mse"}  # the others are made for ranking
_PRESET_FOR = {
    ("mf", False): "mf",
    ("biased-mf", False): "biased-mf",
    ("mf", True): "mf-implicit",
    ("biased-mf", True): "mf-implicit",
}
# Learning rates that suit each optimizer on MovieLens 100K where the preset uses another, at a constant schedule: for
# predicting ratings, for ranking. SGD's are large because the gradient is averaged over a batch of 64, which has any one
# user in it only a few times; MF and biased MF take one rating at a time, which is compiled.
_RATES_FOR = {
    "sgd": ("0.3", "3"),
    "adagrad": ("0.05", "0.05"),
    "adam": ("0.005", "0.002"),
    "adamw": ("0.005", "0.002"),
    "rmsprop": ("0.003", "0.002"),
    "sparse-adam": ("0.005", "0.002"),
}
_RATE_ONE_BY_ONE = "0.05"
_DECAY_FOR = {"mf": "0.02", "biased-mf": "0.05"}  # adaptive optimizers, predicting ratings


def as_text(value: object) -> str:
    """A setting as it stands in a field and in the address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def draft_of(config: RunConfig) -> Draft:
    """A configuration as a draft. The name of the run it comes from is left behind, and a pace given if it had none."""
    return _labelled({**_plain(config), "name": "", "pace": as_text(config.pace) if config.pace else PAGE_PACE})


def first_draft(*, data_here: bool) -> Draft:
    """What the page opens with: a good preset, on planted ratings as long as the real ones are not here."""
    draft = draft_of(preset_config(FIRST_PRESET))
    return draft if data_here else change(draft, "dataset", STAND_IN)


def to_config(draft: Draft) -> RunConfig:
    """The run a draft stands for.

    Raises:
        UnusableRequest: in the words of whichever part refuses; with what would be accepted.
    """
    if draft["preset"]:
        choice("preset", draft["preset"], PRESETS)
    choice("dataset", draft["dataset"], DATASETS)
    config = RunConfig().with_flat(draft)
    if config.training.device not in ("auto", "cpu"):  # these are everywhere; to ask for others loads torch
        resolve_device(config.training.device)
    return config


def from_query(query: Mapping[str, str]) -> tuple[Draft | None, list[str]]:
    """The draft an address describes (None if it describes none), and the parameters nobody knows.

    As on the command line: ``preset`` first, then the other keys over it; what is absent has its default.
    """
    known = {key: value for key, value in query.items() if key in FLAT_KEYS or key.startswith("dataset.")}
    strangers = [key for key in query if key not in known and key not in ("run", "projector") and not key.startswith("embed")]
    if not known:
        return None, strangers
    base = preset_config(known["preset"]) if known.get("preset") in PRESETS else RunConfig()
    return _labelled({**draft_of(base), **known}), strangers


def to_query(draft: Draft) -> dict[str, str]:
    """The shortest address of a draft: a preset by name, else every setting that differs from its default."""
    usual = _PRESET_DRAFTS[draft["preset"]]["pace"] if draft["preset"] in PRESETS else PAGE_PACE
    pace = {"pace": draft["pace"]} if draft["pace"] != usual else {}
    if draft["preset"] in PRESETS:
        return {"preset": draft["preset"], **pace}
    return {key: value for key, value in draft.items() if key != "pace" and value != _DEFAULTS.get(key, "")} | pace


def hint(preset: str) -> str:
    """What to watch for in a run of a preset; empty for own settings."""
    return PRESETS[preset].sentence if preset in PRESETS else ""


def change(draft: Draft, key: str, value: str) -> Draft:
    """``draft`` with one setting changed. What nobody touched follows to what suits the new choice."""
    if key not in ("model", "loss", "dataset", "optimizer"):
        return _labelled({**draft, key: value})
    before, chosen = good_start(draft), {**draft, key: value}
    if key == "model" and draft["loss"] == _NATURAL_LOSS.get(draft["model"], "bce"):
        chosen["loss"] = _NATURAL_LOSS.get(value, "bce")
    chosen = _solvable(chosen, key)
    if key != "optimizer" and draft["optimizer"] == _preset_for(draft)["optimizer"]:
        chosen["optimizer"] = _preset_for(chosen)["optimizer"]
    if key == "dataset":
        chosen = {name: text for name, text in chosen.items() if not name.startswith("dataset.")}
    after = good_start(chosen)
    follow = {name: after[name] for name in after if draft.get(name) == before.get(name) and name != key}
    return _labelled({**chosen, **follow})


def good_start(draft: Draft) -> Draft:
    """Settings that suit a draft's dataset, model, loss and optimizer on MovieLens 100K; complete."""
    preset, ranking = _preset_for(draft), draft["loss"] != "mse"
    start = {**preset, **{key: draft[key] for key in ("dataset", "model", "loss", "optimizer", *WITHOUT_EFFECT)}}
    if not ranking and preset["loss"] != "mse":  # a ranking model asked to predict ratings
        start["split"] = "random"
    if draft["optimizer"] != preset["optimizer"] and draft["optimizer"] != "als":
        start.update(schedule="constant", learning_rate=_RATES_FOR.get(draft["optimizer"], _RATES_FOR["adam"])[ranking])
        start["weight_decay_scaling"] = "none"
        if draft["optimizer"] == "sgd" and draft["model"] in _DECAY_FOR:
            start.update(batch_size="1", learning_rate=_RATE_ONE_BY_ONE)
        elif draft["optimizer"] == "sgd":
            start["batch_size"] = "64"
        elif not ranking:
            start["batch_size"] = "1024"
            start["weight_decay"] = _DECAY_FOR.get(draft["model"], start["weight_decay"])
    entry = DATASETS.get(draft["dataset"])
    no_dates = entry is not None and not entry.has_timestamps
    if no_dates or (start["split"] == "official" and not num_folds(draft["dataset"])):
        start["split"] = "random"
    return start


def _solvable(chosen: Draft, key: str) -> Draft:
    """Where ALS and the rest do not go together, what was chosen last (``key``) stays and the other gives way."""
    als_loss, als = chosen["loss"] == "weighted-mse", chosen["optimizer"] == "als"
    if (key == "optimizer" and als) or (key == "loss" and als_loss):
        loss = chosen["loss"] if chosen["loss"] in ALS_LOSSES else "weighted-mse"
        model = chosen["model"] if chosen["model"] in ALS_MODELS else "mf"
        return {**chosen, "optimizer": "als", "loss": loss, "model": model, "output_range": "false"}
    stays = als and chosen["loss"] in ALS_LOSSES and chosen["model"] in ALS_MODELS
    if stays or not (als or als_loss):
        return chosen
    chosen = {**chosen, "loss": "bce" if als_loss else chosen["loss"]}
    return {**chosen, "optimizer": _preset_for({**chosen, "optimizer": ""})["optimizer"] if als else chosen["optimizer"]}


def _preset_for(draft: Draft) -> Draft:
    """The preset nearest to a draft's model and loss, and to ALS where that trains it."""
    if draft["optimizer"] == "als":
        return _PRESET_DRAFTS["als" if draft["loss"] == "mse" else "ials"]
    return _PRESET_DRAFTS[usual_preset(draft["model"], ranking=draft["loss"] != "mse")]


def usual_preset(model: str, *, ranking: bool) -> str:
    """The preset whose settings are usual for a model, one that nobody foresaw included."""
    return _PRESET_FOR.get((model, ranking), "neumf" if model in MODELS else FIRST_PRESET)


def _labelled(draft: Draft) -> Draft:
    """With ``preset`` naming the preset that the draft equals, and empty otherwise. An unknown name is kept, to be refused."""
    if draft["preset"] and draft["preset"] not in PRESETS:
        return draft
    return {**draft, "preset": next((name for name, flat in _PRESET_DRAFTS.items() if _same(draft, flat)), "")}


def _same(one: Draft, other: Draft) -> bool:
    return all(one.get(key, "") == other.get(key, "") for key in {*one, *other} if key not in WITHOUT_EFFECT)


def _plain(config: RunConfig) -> Draft:
    return {key: as_text(value) for key, value in config.to_flat(defaults=True).items()}


_DEFAULTS: Draft = _plain(RunConfig())
_PRESET_DRAFTS: dict[str, Draft] = {name: _plain(preset_config(name)) for name in PRESETS}
