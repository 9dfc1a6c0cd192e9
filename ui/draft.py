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
from mfcore.training.device import resolve_device
from mfcore.validate import choice

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
# Steps that suit each optimizer on MovieLens 100K; the presets use Adam. SGD needs a far larger rate here because the
# gradient is averaged over the batch, and any one user is in it only a few times.
_STEPS_FOR: dict[str, Mapping[str, str]] = {
    "sgd": {"learning_rate": "0.3", "batch_size": "64"},
    "adagrad": {"learning_rate": "0.05"},
    "rmsprop": {"learning_rate": "0.002"},
}


def as_text(value: object) -> str:
    """A setting as it stands in a field and in the address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def draft_of(config: RunConfig) -> Draft:
    """A configuration as a draft. The name of the run it comes from, and its pace, are left behind."""
    return _labelled({**_plain(config), "name": "", "pace": PAGE_PACE})


def first_draft(*, data_here: bool) -> Draft:
    """What the page opens with: a good preset, on planted ratings as long as the real ones are not here."""
    draft = draft_of(preset_config(FIRST_PRESET))
    return draft if data_here else change(draft, "dataset", "planted")


def to_config(draft: Draft) -> RunConfig:
    """The run a draft stands for.

    Raises:
        UnusableRequest: in the words of whichever part refuses; with what would be accepted.
    """
    if draft["preset"]:
        choice("preset", draft["preset"], PRESETS)
    choice("dataset", draft["dataset"], DATASETS)
    config = RunConfig().with_flat(draft)
    resolve_device(config.training.device)
    return config


def from_query(query: Mapping[str, str]) -> tuple[Draft | None, list[str]]:
    """The draft an address describes (None if it describes none), and the parameters nobody knows.

    As on the command line: ``preset`` first, then the other keys over it; what is absent has its default.
    """
    known = {key: value for key, value in query.items() if key in FLAT_KEYS or key.startswith("dataset.")}
    strangers = [key for key in query if key not in known and key != "run" and not key.startswith("embed")]
    if not known:
        return None, strangers
    base = preset_config(known["preset"]) if known.get("preset") in PRESETS else RunConfig()
    return _labelled({**_plain(base), "pace": PAGE_PACE, **known}), strangers


def to_query(draft: Draft) -> dict[str, str]:
    """The shortest address of a draft: a preset by name, else every setting that differs from its default."""
    pace = {"pace": draft["pace"]} if draft["pace"] != PAGE_PACE else {}
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
    before = good_start(draft)
    after_choice = {**draft, key: value}
    if key == "model" and draft["loss"] == before["loss"]:
        after_choice["loss"] = _NATURAL_LOSS.get(value, "bce")
    if key == "dataset":
        after_choice = {name: text for name, text in after_choice.items() if not name.startswith("dataset.")}
    after = good_start(after_choice, natural=False)
    follow = {name: after[name] for name in after if draft.get(name) == before.get(name) and name != key}
    return _labelled({**after_choice, **follow})


def good_start(draft: Draft, *, natural: bool = True) -> Draft:
    """Settings that suit a draft's dataset, model, loss and optimizer on MovieLens 100K; complete.

    ``natural``: with the loss its model is usually trained with where the draft's own loss belongs to the same task.
    """
    model = draft["model"] if draft["model"] in MODELS else "biased-mf"
    ranking = draft["loss"] != "mse"
    name = _PRESET_FOR.get((model, ranking), "neumf" if model not in _NATURAL_LOSS else "mf")
    start = _plain(preset_config(name))
    start.update({key: draft[key] for key in ("dataset", "optimizer", *WITHOUT_EFFECT)} | {"model": model})
    usual = _NATURAL_LOSS.get(model, "bce")
    start["loss"] = usual if natural and (usual != "mse") == ranking else draft["loss"]
    if not ranking and model not in _NATURAL_LOSS:  # a ranking model asked to predict ratings
        start["split"] = "random"
    start.update(_STEPS_FOR.get(draft["optimizer"], {}))
    if draft["optimizer"] == "sgd" and ranking and model in _NATURAL_LOSS:
        start["learning_rate"] = "3"  # the logistic loss has smaller gradients than squared stars
    entry = DATASETS.get(draft["dataset"])
    no_dates = entry is not None and not entry.has_timestamps
    if no_dates or (start["split"] == "official" and draft["dataset"] != "ml-100k"):
        start["split"] = "random"
    return start


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
