"""The experiment on the Train page before it is trained: text for every setting, kept in the address.

A draft is ``{flat key: text}``, complete, and possibly unusable ("abc" as learning rate is kept as typed). It becomes a
``RunConfig`` only when asked, and the core's refusal is what the page shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.registry import DATASETS, LOSSES, MODELS, OPTIMIZERS, SPLITS, Registry
from mfcore.runs import PRESETS, RunConfig, preset_config
from mfcore.runs.presets import FIRST, FIRST_RANKING
from mfcore.settings import SETTINGS, Setting
from mfcore.settings import chosen as choices_of
from mfcore.settings.table import MAIN, MEASURING, MODEL, TASK, TRAINING
from mfcore.training.device import resolve_device
from mfcore.training.schedule import rate_path
from mfcore.validate import choice
from ui.address import of_browser
from ui.datasets import STAND_IN

Draft = dict[str, str]

PAGE_PACE = "5"  # epochs a second: what is started here is meant to be watched
DESCRIBES = frozenset(key for key, setting in SETTINGS.items() if setting.effect == "none")
"""Settings that describe or show a run, and change nothing in it."""


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
    draft = draft_of(preset_config(FIRST))
    return draft if data_here else change(draft, "dataset", STAND_IN)


def to_config(draft: Draft) -> RunConfig:
    """The run a draft stands for.

    Raises:
        UnusableRequest: in the words of whichever part refuses; with what would be accepted.
    """
    if draft["preset"]:
        choice("preset", draft["preset"], PRESETS)
    DATASETS[draft["dataset"]]
    config = RunConfig().with_flat(draft)
    if config.training.device not in ("auto", "cpu"):  # these are everywhere; to ask for others loads torch
        resolve_device(config.training.device)
    return config


def from_query(query: Mapping[str, str]) -> tuple[Draft | None, list[str]]:
    """The draft an address describes (None if it describes none), and the parameters nobody knows.

    As on the command line: ``preset`` first, then the other keys over it; what is absent has its default.
    """
    known = {key: value for key, value in query.items() if key in SETTINGS or key.startswith("dataset.")}
    strangers = [
        key for key in query if key not in known and key != "run" and not of_browser(key) and not key.startswith("embed")
    ]
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
    if key == "model" and draft["loss"] == _natural_loss(draft["model"]):
        chosen["loss"] = _natural_loss(value)
    chosen = _solvable(chosen, key)
    if key != "optimizer" and draft["optimizer"] == _preset_for(draft)["optimizer"]:
        chosen["optimizer"] = _preset_for(chosen)["optimizer"]
    if key == "dataset":
        chosen = {name: text for name, text in chosen.items() if not name.startswith("dataset.")}
    after = good_start(chosen)
    follow = {name: after[name] for name in after if draft.get(name) == before.get(name) and name != key}
    return _labelled({**chosen, **follow})


def also_changed(before: Draft, after: Draft, key: str) -> dict[str, tuple[str, str]]:
    """What followed a change of ``key``: setting → its words before and after. Only what matters before or after."""
    asked = choices_of(before), choices_of(after)
    found = {}
    for name, setting in SETTINGS.items():
        old, new = before[name], after[name]
        if name != key and name not in DESCRIBES and old != new and not all(setting.idle(choices) for choices in asked):
            found[name] = (_shown(setting, old), _shown(setting, new))
    return found


def also_changed_words(followed: Mapping[str, tuple[str, str]], most: int | None = None) -> str:
    """For example "Also changed: batch size 1,024 → 1, schedule Constant → One cycle."; empty where nothing did.

    Beyond ``most`` settings, what decides on the test and the task comes first, and the rest is counted.
    """
    order = (TASK, MAIN, TRAINING, MODEL, MEASURING)
    names = sorted(followed, key=lambda name: order.index(SETTINGS[name].group))
    parts = [f"{SETTINGS[name].in_sentence} {' → '.join(followed[name])}" for name in names]
    rest = len(parts) - most if most is not None else 0
    said = ", ".join(parts[:most]) + (f" and {rest} more" if rest > 0 else "")
    return f"Also changed: {said}." if parts else ""


def rate_words(draft: Draft) -> tuple[str, str]:
    """What the field of the learning rate is called under the draft's schedule, and what becomes of the rate."""
    try:
        return rate_path(to_config(draft).training)
    except UnusableRequest:
        return SETTINGS["learning_rate"].label, ""


def without_followers(before: Draft, after: Draft, key: str) -> Draft:
    """``before`` with nothing but ``key`` changed; ``before`` itself where that cannot be trained."""
    gone = {name for name in before if name not in after}  # options of another dataset
    alone = _labelled({name: text for name, text in {**before, key: after[key]}.items() if name not in gone})
    try:
        to_config(alone)
    except UnusableRequest:
        return before
    return alone


def _shown(setting: Setting, text: str) -> str:
    options = setting.options()
    if options is not None:
        return options.get(text, text)
    return f"{int(text):,}" if text.lstrip("-").isdigit() else text or "none"


def good_start(draft: Draft) -> Draft:
    """Settings that suit a draft's dataset, model, loss and optimizer on MovieLens 100K; complete."""
    preset, ranking = _preset_for(draft), _ranks(draft)
    start = {**preset, **{key: draft[key] for key in ("dataset", "model", "loss", "optimizer", *DESCRIBES)}}
    if not ranking and _ranks(preset):  # a ranking model asked to predict ratings
        start["split"] = "random"
    if draft["optimizer"] != preset["optimizer"]:
        start |= _rates(draft, ranking)
    entry = DATASETS.get(draft["dataset"])
    split = SPLITS[start["split"]]
    if not split.suits(entry) if entry is not None else split.needs_folds:
        start["split"] = "random"
    return start


def _rates(draft: Draft, ranking: bool) -> Draft:
    """What suits an optimizer that is not the preset's, on MovieLens 100K at a constant schedule."""
    optimizer, model = OPTIMIZERS.get(draft["optimizer"]), MODELS.get(draft["model"])
    if optimizer is None or optimizer.rates is None:
        return {}
    suits = {"schedule": "constant", "weight_decay_scaling": "none", "learning_rate": as_text(optimizer.rates[ranking])}
    if optimizer.one_by_one is not None and model is not None and model.dot_product:
        return {**suits, "batch_size": "1", "learning_rate": as_text(optimizer.one_by_one)}
    if optimizer.batch_size is not None:
        return {**suits, "batch_size": as_text(optimizer.batch_size)}
    if not ranking:
        suits["batch_size"] = "1024"
        if model is not None and model.weight_decay is not None:
            suits["weight_decay"] = as_text(model.weight_decay)
    return suits


def _ranks(draft: Draft) -> bool:
    loss = LOSSES.get(draft["loss"])
    return loss is None or loss.ranks


def _natural_loss(model: str) -> str:
    spec = MODELS.get(model)
    return spec.natural_loss if spec is not None else _first(LOSSES, lambda one: one.ranks)


def _first(registry: Registry[Any], fits: Callable[[Any], bool]) -> str:
    return next(name for name, spec in registry.items() if fits(spec))


def _solvable(chosen: Draft, key: str) -> Draft:
    """Where what solves and the rest do not go together, what was chosen last (``key``) stays and the other gives way."""
    optimizer, loss, model = OPTIMIZERS.get(chosen["optimizer"]), LOSSES.get(chosen["loss"]), MODELS.get(chosen["model"])
    if optimizer is None or loss is None or model is None:
        return chosen
    if (key == "optimizer" and optimizer.solves) or (key == "loss" and loss.solved):
        solver = optimizer if optimizer.solves else OPTIMIZERS[_first(OPTIMIZERS, lambda spec: spec.takes(loss))]
        fits = chosen["loss"] if solver.takes(loss) else _first(LOSSES, lambda spec: spec.solved)
        linear = chosen["model"] if model.dot_product else _first(MODELS, lambda spec: spec.dot_product)
        return {**chosen, "optimizer": solver.name, "loss": fits, "model": linear, "output_range": "false"}
    stays = optimizer.takes(loss) and (model.dot_product or not optimizer.solves)
    if stays:
        return chosen
    chosen = {**chosen, "loss": _first(LOSSES, lambda one: one.ranks) if loss.solved else chosen["loss"]}
    usual = _preset_for({**chosen, "optimizer": ""})["optimizer"]
    return {**chosen, "optimizer": usual if optimizer.solves else chosen["optimizer"]}


def _preset_for(draft: Draft) -> Draft:
    """The preset nearest to a draft's model and loss, and to what solves where that trains it."""
    optimizer = OPTIMIZERS.get(draft["optimizer"])
    if optimizer is not None and optimizer.solves:
        alike = (it for it in _PRESET_DRAFTS.values() if it["optimizer"] == optimizer.name and _ranks(it) == _ranks(draft))
        return next(alike, _PRESET_DRAFTS[usual_preset(draft["model"], draft["loss"])])
    return _PRESET_DRAFTS[usual_preset(draft["model"], draft["loss"])]


def usual_preset(model: str, loss: str) -> str:
    """The preset whose settings are usual for a model and a loss, one that nobody foresaw included."""
    spec, ranks = MODELS.get(model), loss not in LOSSES or LOSSES[loss].ranks
    starts = spec.starts if spec is not None else {}
    alike = next((name for other, name in starts.items() if LOSSES[other].ranks == ranks), "")
    return starts.get(loss) or alike or (FIRST_RANKING if ranks else FIRST)


def _labelled(draft: Draft) -> Draft:
    """With ``preset`` naming the preset that the draft equals, and empty otherwise. An unknown name is kept, to be refused."""
    if draft["preset"] and draft["preset"] not in PRESETS:
        return draft
    return {**draft, "preset": next((name for name, flat in _PRESET_DRAFTS.items() if _same(draft, flat)), "")}


def _same(one: Draft, other: Draft) -> bool:
    return all(one.get(key, "") == other.get(key, "") for key in {*one, *other} if key not in DESCRIBES)


def _plain(config: RunConfig) -> Draft:
    return {key: as_text(value) for key, value in config.to_flat(defaults=True).items()}


_DEFAULTS: Draft = _plain(RunConfig())
_PRESET_DRAFTS: dict[str, Draft] = {name: _plain(preset_config(name)) for name in PRESETS}
