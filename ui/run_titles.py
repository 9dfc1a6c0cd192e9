"""What a run is called: the name people gave it, else its model with the settings that set it apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mfcore.registry import MODELS, Registry
from mfcore.runs import preset_config
from mfcore.settings import SETTINGS, Choice, Setting
from ui.format import when

if TYPE_CHECKING:
    from mfcore.runs.manager.manager import RunSummary

MOST = 3
"""Settings named in a title."""
_TITLED = sorted((setting for setting in SETTINGS.values() if setting.title), key=lambda setting: setting.title_rank)
"""The dataset has a column of its own wherever titles are listed."""


def run_title(run: RunSummary) -> str:
    """Its name, else for example "Biased MF · lr 0.05": the model and how it differs from the model's preset. Plain text."""
    return run.name or " · ".join([model_words(run.model), *_apart(run)])


def lineage(run: RunSummary, runs: Mapping[str, RunSummary]) -> str:
    """Where a branch comes from, "⤷ epoch 7 of Biased MF · lr 0.05"; empty for a run of its own. ``runs``: all runs by id."""
    parent = run.config.parent
    if not parent:
        return ""
    origin = runs.get(parent["run_id"])
    return f"⤷ epoch {parent['epoch']} of {run_title(origin) if origin else 'a run that is not here'}"


def runs_to_compare(runs: list[RunSummary], most: int = 60) -> list[dict[str, str]]:
    """Runs that have learned something, newest first, as the live view offers them to be laid over another."""
    return [
        {
            "id": run.run_id,
            "title": run_title(run),
            "model": run.model,
            "loss": run.config.training.loss,
            "when": when(run.created),
        }
        for run in runs
        if run.epochs_done
    ][:most]


def _apart(run: RunSummary) -> list[str]:
    """At most :data:`MOST` settings: what a branch changed, where a run differs from its preset, or else its learning rate."""
    flat = run.config.to_flat(defaults=True)
    usual = _usual(run.model, run.config.training.loss)
    differing = [setting for setting in _TITLED if flat.get(setting.key) != usual.get(setting.key)]
    # Of a branch, what was changed in it says more than what it shares with its parent.
    changes = run.config.parent.get("changes", {})
    changed = [setting for setting in _TITLED if setting.key in changes]
    named = list(dict.fromkeys(setting.key for setting in [*changed, *differing]))[:MOST]
    return [_words(SETTINGS[key], flat.get(key)) for key in named or ["learning_rate"]]


def _words(setting: Setting, value: Any) -> str:
    options = setting.kind.options if isinstance(setting.kind, Choice) else None
    spec = options.get(str(value)) if isinstance(options, Registry) and setting.title == "{}" else None
    text = spec.label if spec is not None else f"{value:g}" if isinstance(value, float) else str(value)
    return setting.title.format(text)


@cache
def _usual(model: str, loss: str) -> dict[str, Any]:
    """Settings of the preset for such runs."""
    spec = MODELS.get(model)
    starts = spec.starts if spec is not None else {}
    name = starts.get(loss) or next(iter(starts.values()), "mf")
    return preset_config(name).to_flat(defaults=True)


def model_words(name: str) -> str:
    """A model's short words; the bare name where nobody registered it."""
    spec = MODELS.get(name)
    return spec.label if spec is not None else name


def model_title(name: str) -> str:
    """A model's full words; the bare name where nobody registered it."""
    spec = MODELS.get(name)
    return spec.title if spec is not None else name
