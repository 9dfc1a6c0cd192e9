"""What a run is called: the name people gave it, else its model with the settings that set it apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mfcore.runs import RunSummary, preset_config
from ui.format import when
from ui.train.draft import usual_preset
from ui.words import STAR, choice_word, model_word

MOST = 3
"""Settings named in a title."""
# In the order of what people vary first. The dataset has a column of its own wherever titles are listed.
_WORDS: dict[str, str] = {
    "loss": "{}",
    "optimizer": "{}",
    "learning_rate": "lr {}",
    "embedding_dim": "{} dim",
    "weight_decay": "decay {}",
    "batch_size": "batch {}",
    "num_epochs": "{} epochs",
    "mlp_layers": "layers {}",
    "dropout": "dropout {}",
    "negatives": "{} negatives",
    "schedule": "{} schedule",
    "momentum": "momentum {}",
    "init": "{} start",
    "init_std": "start ± {}",
    "patience": "patience {}",
    "split": "{} split",
    "fold": "fold {}",
    "seed": "seed {}",
    "split_seed": "split seed {}",
}


def run_title(run: RunSummary) -> str:
    """Its name, else for example "Biased MF · lr 0.05": the model and how it differs from the model's preset. Plain text."""
    return run.name or " · ".join([model_word(run.model), *_apart(run)])


def run_label(run: RunSummary) -> str:
    """A run where several are to choose from: star, title, dataset if it has no name, and the time of its id. Plain text."""
    title = run.name or f"{run_title(run)} on {run.dataset}"
    return f"{STAR + ' ' if run.starred else ''}{title} · {run.run_id[4:6]}-{run.run_id[6:8]} {_clock(run)}"


def run_in_legend(run: RunSummary) -> str:
    """A run beside others on a chart: its name, else its model and the time of its id. Plain text."""
    return run.name or f"{model_word(run.model)} {_clock(run)}"


def _clock(run: RunSummary) -> str:
    return f"{run.run_id[9:11]}:{run.run_id[11:13]}"


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
    usual = _usual(run.model, run.config.training.loss == "mse")
    differing = [key for key in _WORDS if flat.get(key) != usual.get(key)]
    # Of a branch, what was changed in it says more than what it shares with its parent.
    changed = [key for key in _WORDS if key in run.config.parent.get("changes", {})]
    named = list(dict.fromkeys([*changed, *differing]))[:MOST] or ["learning_rate"]
    return [_WORDS[key].format(_value(key, flat.get(key))) for key in named]


def _value(key: str, value: Any) -> str:
    if key in ("loss", "optimizer"):
        return choice_word(key, value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _usual(model: str, explicit: bool) -> dict[str, Any]:
    """Settings of the preset for such runs."""
    return preset_config(usual_preset(model, ranking=not explicit)).to_flat(defaults=True)
