"""The command that repeats a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from mfcore.registry import SPLITS
from mfcore.runs.config import RunConfig
from mfcore.runs.history import RunHistory
from mfcore.settings import SETTINGS

FLAGS: dict[str, str] = {key: setting.flag for key, setting in SETTINGS.items() if setting.flag}
"""Flat keys that have a flag of their own; ``--set KEY=VALUE`` reaches the others."""

_ALWAYS = ("dataset", "model", "loss", "optimizer", "learning_rate", "num_epochs", "split", "seed")


def command_line(config: RunConfig) -> str:
    """``python -m mfcore train …`` for this configuration. It spells the values out, so that it means the same when a preset
    changes.

    A branch is repeated from its parent: ``python -m mfcore branch PARENT --epoch …``.
    """
    if config.parent:
        return _branch_line(config.parent)
    flat, everything = config.to_flat(), config.to_flat(defaults=True)
    words = ["python", "-m", "mfcore", "train"]
    for key, flag in FLAGS.items():
        refused = key == "fold" and key not in SPLITS[config.split.kind].uses
        if (key in flat or key in _ALWAYS) and not refused:
            words += [flag, _text(everything[key])]
    return shlex.join([*words, *_set({key: value for key, value in flat.items() if key not in FLAGS})])


def repeating_command(history: RunHistory) -> str:
    """The command that trains this run again, with all that was changed while it was trained: the same weights on a CPU.

    Of a branch whose parent is gone, a line which says so: its script repeats it.
    """
    again = history.repeated
    if not again.parent:
        return command_line(again)
    if not history.ancestry[0].present:
        return f"# its parent {history.ancestry[0].run_id} is not here any more; the Python script repeats it without"
    before, after = history.config.to_flat(defaults=True), again.to_flat(defaults=True)
    since = {key: value for key, value in after.items() if value != before[key]}
    return _branch_line({**again.parent, "changes": {**again.parent.get("changes", {}), **since}})


def _branch_line(parent: Mapping[str, Any]) -> str:
    words = ["python", "-m", "mfcore", "branch", str(parent["run_id"]), "--epoch", str(parent["epoch"])]
    return shlex.join([*words, *_set(parent.get("changes", {}))])


def _set(flat: Mapping[str, Any]) -> list[str]:
    return [word for key, value in flat.items() if not _idle(key) for word in ("--set", f"{key}={_text(value)}")]


def _text(value: object) -> str:
    """Booleans as people write them; floats in full, so that nothing is rounded."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _idle(key: str) -> bool:
    """Whether a flat key describes or shows a run, and changes nothing in it."""
    return key in SETTINGS and SETTINGS[key].effect == "none"
