"""What a person may ask of a run while it goes, and what a worker makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfcore.validate import choice, number, require

COMMANDS: dict[str, str] = {
    "stop": "End now; what has been learned is kept and tested.",
    "pause": "Wait at the next step.",
    "resume": "Go on after a pause.",
    "pace": "Epochs a second to keep to; 0 is full speed.",
    "learning_rate": "Learning rate from the next step on.",
}
_WITH_VALUE = ("pace", "learning_rate")


def check_command(kind: str, args: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The command in its one written form: ``("pace", {"value": 5.0})``.

    Raises:
        UnusableRequest: there is no such command, or its value is unusable.
    """
    kind = choice("command", "resume" if kind == "resume_training" else kind, COMMANDS)
    if kind not in _WITH_VALUE:
        require(not args, f"{kind} takes no value, got {', '.join(args)}")
        return kind, {}
    values = [args[name] for name in ("value", kind) if name in args]
    require(len(values) == 1 == len(args), f"{kind} takes one number as value")
    return kind, {"value": number(kind, values[0], low=0.0) if kind == "pace" else number(kind, values[0], above=0.0)}
