"""Refusals in the words of a form: the library and the command line name a setting by its key, a page by its label."""

from __future__ import annotations

import re

from mfcore.settings.table import SETTINGS

_LIMITS = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
_LISTING = re.compile(r" must be one of |known: ")
_BOUND = re.compile(r"\bmust be (>=|<=|>|<) ")
# Keys of several words are no words of ours anywhere else; the others are, so they count only where a sentence is about them.
_LONG = "|".join(sorted((re.escape(key) for key in SETTINGS if "_" in key), key=len, reverse=True))
_SHORT = "|".join(re.escape(key) for key in SETTINGS if "_" not in key)
_KEY = re.compile(
    rf"(?<![\w/.=\-'\"])(?:{_LONG})(?![\w/=])|(?:(?<=^)|(?<=: )|(?<=; ))(?:{_SHORT})(?= must |$)|dataset\.\w+(?= must )"
)


def in_labels(message: str) -> str:
    """``learning_rate must be > 0, got 0`` → ``Learning rate must be above 0, got 0``; all else stays as it is."""
    listing = _LISTING.search(message)  # what may be written stays as it is written
    end = listing.start() if listing else len(message)
    with_labels, count = _KEY.subn(lambda found: _label(found[0]), message[:end])
    said = _BOUND.sub(lambda found: f"must be {_LIMITS[found[1]]} ", with_labels + message[end:])
    return said[:1].upper() + said[1:] if count else said


def _label(key: str) -> str:
    option = key.removeprefix("dataset.")
    return SETTINGS[key].in_sentence if option == key else option.replace("_", " ")
