"""Every setting of a run, once: a table, the kinds of values in it, and when each matters."""

from mfcore.settings.kinds import Choice, Flag, Real, Text, Whole, Widths
from mfcore.settings.messages import in_labels
from mfcore.settings.plan import STOP, PlannedChange, write_plan
from mfcore.settings.table import (
    GROUPS,
    LARGEST_FACTOR,
    MOST_EPOCHS,
    MOST_SAMPLES,
    REFERENCE_BATCH,
    SETTINGS,
    Setting,
    check,
    chosen,
    default,
    in_section,
    known,
    live_settings,
    plannable,
    planned,
    without_effect,
)
from mfcore.settings.when import Choices

__all__ = [
    "GROUPS",
    "LARGEST_FACTOR",
    "MOST_EPOCHS",
    "MOST_SAMPLES",
    "REFERENCE_BATCH",
    "SETTINGS",
    "STOP",
    "Choice",
    "Choices",
    "Flag",
    "PlannedChange",
    "Real",
    "Setting",
    "Text",
    "Whole",
    "Widths",
    "check",
    "chosen",
    "default",
    "in_labels",
    "in_section",
    "known",
    "live_settings",
    "plannable",
    "planned",
    "without_effect",
    "write_plan",
]
