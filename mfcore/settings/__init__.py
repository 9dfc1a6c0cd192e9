"""Every setting of a run, once: a table, the kinds of values in it, and when each matters."""

from mfcore.settings.kinds import Choice, Flag, Real, Text, Whole, Widths
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
    "Choice",
    "Choices",
    "Flag",
    "Real",
    "Setting",
    "Text",
    "Whole",
    "Widths",
    "check",
    "chosen",
    "default",
    "in_section",
    "known",
    "live_settings",
    "without_effect",
]
