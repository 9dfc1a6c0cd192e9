"""What a run is called: the name people gave it, else its model with the settings that set it apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from mfcore.runs import PRESETS, RunSummary, preset_config
from mfcore.runs.comparability import differing_tests
from mfcore.runs.history import Change
from mfcore.settings import SETTINGS
from ui.format import when
from ui.train.draft import usual_preset
from ui.words import STAR, choice_word

MOST = 3
"""Settings named in a title."""
_TITLED = {key: setting for key, setting in sorted(SETTINGS.items(), key=lambda item: item[1].title_rank) if setting.title}
"""The dataset has a column of its own wherever titles are listed."""


def run_title(run: RunSummary) -> str:
    """Its name, else for example "Biased MF · lr 0.05": the model and how it differs from the model's preset; a preset goes by
    its own name. What was changed while it trained is told: "Biased MF · lr 0.02 → 0.002 at epoch 20". Plain text.
    """
    if run.name or run.unread:
        return run.name or choice_word("model", run.model)
    if run.config.preset in PRESETS:
        return " · ".join([PRESETS[run.config.preset].title, *_on_the_way(run).values()])
    return " · ".join([choice_word("model", run.model), *_apart(run)])


def run_label(run: RunSummary) -> str:
    """A run where several are to choose from: star, title, dataset if it has no name, and the time of its id. Plain text."""
    title = run.name or f"{run_title(run)} on {run.dataset}"
    return f"{STAR + ' ' if run.starred else ''}{title} · {_day_and_clock(run)}"


def distinct_titles(runs: Sequence[RunSummary]) -> dict[str, str]:
    """Run → its title; those that would be called the same name what else sets them apart, then the time of their id, and its
    end if need be. Plain text.
    """
    titles = {run.run_id: run_title(run) for run in runs}
    for title in set(titles.values()):
        alike = [run for run in runs if titles[run.run_id] == title]
        if len(alike) > 1:
            titles |= {run_id: " · ".join([title, *more]) for run_id, more in _set_apart(alike).items()}
    for more in (_day_and_clock, _end_of_id):
        times = Counter(titles.values())
        shared = [run for run in runs if times[titles[run.run_id]] > 1]
        titles |= {run.run_id: f"{titles[run.run_id]} · {more(run)}" for run in shared}
    return titles


def _set_apart(alike: Sequence[RunSummary]) -> dict[str, list[str]]:
    """Run → at most :data:`MOST` settings in which runs of one title differ all the same."""
    flats = {run.run_id: run.config.to_flat(defaults=True) for run in alike}
    differing = [
        setting
        for key, setting in SETTINGS.items()
        if setting.effect != "none" and len({flat.get(key) for flat in flats.values()}) > 1
    ][:MOST]
    return {
        run_id: [(one.title or f"{one.in_sentence}: {{}}").format(_value(one.key, flat.get(one.key))) for one in differing]
        for run_id, flat in flats.items()
    }


def run_in_legend(run: RunSummary) -> str:
    """A run beside others on a chart: its name, else its model and the time of its id. Plain text."""
    return run.name or f"{choice_word('model', run.model)} {_clock(run)}"


def _day_and_clock(run: RunSummary) -> str:
    return f"{run.run_id[4:6]}-{run.run_id[6:8]} {_clock(run)}"


def _end_of_id(run: RunSummary) -> str:
    return run.run_id.rpartition("-")[2]


def _clock(run: RunSummary) -> str:
    return f"{run.run_id[9:11]}:{run.run_id[11:13]}"


def lineage(run: RunSummary, runs: Mapping[str, RunSummary]) -> str:
    """Where a branch comes from, "⤷ epoch 7 of Biased MF · lr 0.05"; empty for a run of its own. ``runs``: all runs by id."""
    parent = run.config.parent
    if not parent:
        return ""
    origin = runs.get(parent["run_id"])
    return f"⤷ epoch {parent['epoch']} of {run_title(origin) if origin else 'a run that is not here'}"


def runs_to_compare(runs: list[RunSummary], most: int = 60, beside: RunSummary | None = None) -> list[dict[str, str]]:
    """Runs that have learned something, newest first, as the live view offers them to be laid over another (``beside``): those
    measured on something else say so."""
    return [
        {
            "id": run.run_id,
            "title": run_title(run),
            "model": run.model,
            "loss": run.config.training.loss,
            "when": " · ".join([when(run.created), *(differing_tests(beside, run) if beside is not None else [])]),
        }
        for run in runs
        if run.epochs_done
    ][:most]


def _apart(run: RunSummary) -> list[str]:
    """At most :data:`MOST` settings: what was changed on the way, what a branch changed, where a run differs from its preset,
    or else its learning rate."""
    flat, on_the_way = run.config.to_flat(defaults=True), _on_the_way(run)
    usual = _usual(run.model, run.config.training.loss)
    differing = [key for key in _TITLED if flat.get(key) != usual.get(key)]
    # Of a branch, what was changed in it says more than what it shares with its parent.
    changed = [key for key in _TITLED if key in run.config.parent.get("changes", {})]
    named = list(dict.fromkeys([*on_the_way, *changed, *differing]))[:MOST] or ["learning_rate"]
    return [on_the_way.get(key) or _TITLED[key].title.format(_value(key, flat.get(key))) for key in named]


def _on_the_way(run: RunSummary) -> dict[str, str]:
    """Setting → what became of it while the run itself was trained, from the first to the last value; and where, if once."""
    told: dict[str, list[Change]] = {}
    for change in run.changes:
        if change.in_flight:
            told.setdefault(change.name, []).append(change)
    return {name: _became(changes) for name, changes in list(told.items())[:MOST]}


def _became(changes: list[Change]) -> str:
    first, last = changes[0], changes[-1]
    values = f"{first.shown_before} → {last.shown_after}".removeprefix(" → ")
    title = SETTINGS[first.name].title or f"{SETTINGS[first.name].brief} {{}}"
    inside = last.at > last.epoch
    place = (f" in epoch {last.epoch + 1}" if inside else f" at epoch {last.epoch}") if len(changes) == 1 else ""
    return f"{title.format(values)}{place}"


def _value(key: str, value: Any) -> str:
    if key in ("loss", "optimizer"):
        return choice_word(key, value)
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return shown if SETTINGS[key].title else (SETTINGS[key].options() or {}).get(shown.lower(), shown)


@cache
def _usual(model: str, loss: str) -> dict[str, Any]:
    """Settings of the preset for such runs."""
    return preset_config(usual_preset(model, loss)).to_flat(defaults=True)
