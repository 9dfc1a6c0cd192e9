"""A start that teaches something: what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS: dict[str, str] = {"good": "good", "bad": "bad on purpose", "seed": "from the literature"}
"""Kind of a preset → the words for it."""


@dataclass(frozen=True)
class Preset:
    """A complete choice of model, loss, split and training, in flat keys (see ``RunConfig.with_flat``).

    ``sentence`` says what to watch for. ``kind``: ``good``, ``bad`` (bad on purpose) or ``seed`` (what a document that this
    project grew from did; ``figures`` then sets what it published beside what we measure, and says what differs).
    """

    name: str
    title: str
    sentence: str
    kind: str
    flat: dict[str, Any] = field(default_factory=dict)
    figures: str = ""
