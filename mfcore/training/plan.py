"""How far a training has come in its plan (:mod:`mfcore.settings.plan`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mfcore.settings import PlannedChange, planned


class PlanProgress:
    """The changes of a plan, and how many of them have been made.

    A change is due at the first step boundary at or after its moment. Positions are given as whole epochs, and samples
    ``done`` of the ``size`` of an epoch.
    """

    def __init__(self, text: str) -> None:
        self._text, self._changes, self._made = text, planned(text), 0

    def take(self, epoch: int, done: int, size: int) -> PlannedChange | None:
        """The next change that is due; it counts as made."""
        if self._pending is None or self._place(self._pending, size) > (epoch, done):
            return None
        self._made += 1
        return self._changes[self._made - 1]

    def samples_until_next(self, epoch: int, done: int, size: int) -> int | None:
        """Samples to train until the next change of this epoch is due; None if there is none."""
        place = None if self._pending is None else self._place(self._pending, size)
        return place[1] - done if place is not None and place[0] == epoch and place[1] > done else None

    def extends(self, epoch: int) -> bool:
        """Whether more epochs are planned for right after ``epoch`` epochs."""
        return any(change.name == "num_epochs" for change in self._changes[self._made :] if change.at == epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"text": self._text, "made": self._made}

    def load_state_dict(self, state: Mapping[str, Any], epoch: int) -> None:
        """Go on where :meth:`state_dict` was taken; if that was of another plan, with what is due after ``epoch`` epochs."""
        if state.get("text", "") == self._text:
            self._made = int(state.get("made", 0))
        else:
            self._made = sum(change.at < epoch for change in self._changes)

    @property
    def _pending(self) -> PlannedChange | None:
        return self._changes[self._made] if self._made < len(self._changes) else None

    def _place(self, change: PlannedChange, size: int) -> tuple[int, int]:
        """Whole epochs, and samples of the next one."""
        whole = math.floor(change.at)
        return whole, round((change.at - whole) * size)
