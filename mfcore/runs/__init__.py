"""Runs: a folder each, trained by a worker process. Importing this does not import torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcore.runs.card import card_facts as card_facts
    from mfcore.runs.card import run_card as run_card
    from mfcore.runs.command import command_line as command_line
    from mfcore.runs.config import RunConfig as RunConfig
    from mfcore.runs.folder import RunFolder as RunFolder
    from mfcore.runs.folder import RunStatus as RunStatus
    from mfcore.runs.loaded import LoadedRun as LoadedRun
    from mfcore.runs.loaded import load_run as load_run
    from mfcore.runs.manager import RunManager as RunManager
    from mfcore.runs.manager import manager_for as manager_for
    from mfcore.runs.presets import PRESETS as PRESETS
    from mfcore.runs.presets import Preset as Preset
    from mfcore.runs.presets import preset_config as preset_config
    from mfcore.runs.script import run_script as run_script
    from mfcore.runs.store import RunStore as RunStore
    from mfcore.runs.summary import RunSummary as RunSummary

_HOME_OF = {
    "card": ("card_facts", "run_card"),
    "command": ("command_line",),
    "config": ("RunConfig",),
    "folder": ("RunFolder", "RunStatus"),
    "loaded": ("LoadedRun", "load_run"),
    "manager": ("RunManager", "manager_for"),
    "presets": ("PRESETS", "Preset", "preset_config"),
    "script": ("run_script",),
    "store": ("RunStore",),
    "summary": ("RunSummary",),
}
_MODULE_OF = {name: f"mfcore.runs.{module}" for module, names in _HOME_OF.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore.runs' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)
