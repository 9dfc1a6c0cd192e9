"""What a run is called: the name people gave it, else its model with the settings that set it apart."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mfcore.runs import RunSummary, preset_config
from mfcore.settings import SETTINGS
from ui.format import when
from ui.train.draft import usual_preset
from ui.words import STAR, choice_word

MOST = 3
"""Settings named in a title."""
_TITLED = {key: setting for key, setting in sorted(SETTINGS.items(), key=lambda item: item[1].title_rank) if setting.title}
"""The dataset has a column of its own wherever titles are listed."""


def run_title(run: RunSummary) -> str:
    """Its name, else for example "Biased MF · lr 0.05": the model and how it differs from the model's preset. Plain text."""
    return run.name or " · ".join([choice_word("model", run.model), *([] if run.unread else _apart(run))])


def run_label(run: RunSummary) -> str:
    """A run where several are to choose from: star, title, dataset if it has no name, and the time of its id. Plain text."""
    title = run.name or f"{run_title(run)} on {run.dataset}"
    return f"{STAR + ' ' if run.starred else ''}{title} · {run.run_id[4:6]}-{run.run_id[6:8]} {_clock(run)}"


def run_in_legend(run: RunSummary) -> str:
    """A run beside others on a chart: its name, else its model and the time of its id. Plain text."""
    return run.name or f"{choice_word('model', run.model)} {_clock(run)}"


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
    usual = _usual(run.model, run.config.training.loss)
    differing = [key for key in _TITLED if flat.get(key) != usual.get(key)]
    # Of a branch, what was changed in it says more than what it shares with its parent.
    changed = [key for key in _TITLED if key in run.config.parent.get("changes", {})]
    named = list(dict.fromkeys([*changed, *differing]))[:MOST] or ["learning_rate"]
    return [_TITLED[key].title.format(_value(key, flat.get(key))) for key in named]


def _value(key: str, value: Any) -> str:
    if key in ("loss", "optimizer"):
        return choice_word(key, value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _usual(model: str, loss: str) -> dict[str, Any]:
    """Settings of the preset for such runs."""
    return preset_config(usual_preset(model, loss)).to_flat(defaults=True)
