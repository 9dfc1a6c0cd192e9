"""Starting a run from a preset with one click."""

from __future__ import annotations

from mfcore.data import dataset_status
from mfcore.runs import PRESETS, RunConfig, preset_config
from ui.session import manager, open_run

FIRST = "biased-mf"  # what the one big button starts


def with_data_at_hand(config: RunConfig) -> RunConfig:
    """``config``, or the same on planted ratings while MovieLens 100K is not on this machine."""
    if config.dataset.name != "ml-100k" or dataset_status("ml-100k") == "here":
        return config
    return config.with_flat({"dataset": "planted", "split": "random"})


def start(preset: str) -> None:
    """Submit a run of ``preset`` and go and watch it."""
    config = with_data_at_hand(preset_config(preset)).with_flat({"name": PRESETS[preset].title})
    open_run(manager().submit(config), "train")
