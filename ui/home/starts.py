"""Starting a run from a preset with one click."""

from __future__ import annotations

from mfcore.errors import UnusableRequest
from mfcore.runs import PRESETS, RunConfig, preset_config
from ui.controls import error_line
from ui.state import data_at_hand, manager, open_run

FIRST = "biased-mf"  # what the one big button starts


def with_data_at_hand(config: RunConfig) -> RunConfig:
    """``config``, or the same on planted ratings while MovieLens 100K is not on this machine."""
    if config.dataset.name != "ml-100k" or data_at_hand():
        return config
    return config.with_flat({"dataset": "planted", "split": "random"})


def start(preset: str) -> None:
    """Submit a run of ``preset`` and go and watch it; what stands in the way is said in one line."""
    try:
        config = with_data_at_hand(preset_config(preset)).with_flat({"name": PRESETS[preset].title})
        run_id = manager().submit(config)
    except (UnusableRequest, OSError) as error:
        error_line(error)
    else:
        open_run(run_id, "train")
