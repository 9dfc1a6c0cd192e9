"""Titles as people say them, from titles as libraries sort them: "Saint, The (1997)" → "The Saint (1997)"."""

from __future__ import annotations

import re

ARTICLES = (
    "The", "A", "An",
    "Le", "La", "Les", "L'", "Un", "Une",
    "Der", "Die", "Das", "Ein", "Eine",
    "Il", "Lo", "Gli", "Uno", "Una",
    "El", "Los", "Las",
    "O", "Os", "As", "Um", "Uma",
    "De", "Het", "Een", "Det", "Den", "Et", "En", "Ett",
)  # fmt: skip
"""English, French, German, Italian, Spanish, Portuguese, Dutch and Scandinavian; only what stands last, behind a comma."""

_LAST = re.compile(rf"(.+), ({'|'.join(ARTICLES)})")
_PARTS = re.compile(r"(?P<main>[^()]*?)(?P<rest>(?:\s*\([^()]*\))*)\s*")
_INSIDE = re.compile(r"\(([^()]*)\)")


def spoken_title(title: str) -> str:
    """The article in front, in the title and in each other title in brackets behind it; a year in brackets stays.

    "City of Lost Children, The (Cité des enfants perdus, La) (1995)" → "The City of Lost Children (La Cité des enfants perdus)
    (1995)". What is not written so is left as it is.
    """
    parts = _PARTS.fullmatch(title)
    if parts is None:  # brackets within brackets: nobody knows where which title ends
        return title
    return _in_front(parts["main"]) + _INSIDE.sub(lambda found: f"({_in_front(found[1])})", parts["rest"])


def _in_front(text: str) -> str:
    found = _LAST.fullmatch(text.rstrip())
    if found is None:
        return text
    return f"{found[2]}{'' if found[2].endswith(chr(39)) else ' '}{found[1]}"
