"""Ratings on another scale: logarithms, cut off, or no more than that something was chosen; and when that is called for.

Numbers of plays or visits span five powers of ten. Squared error follows the few largest, and a step is as long as they are
large: no learning rate suits both ends.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mfcore.data.interactions import Interactions
from mfcore.typing import Float32
from mfcore.validate import choice, require

HEAVY = 50.0
"""Times the median: data whose largest number is further out has a heavy tail. Stars of 0.5 to 5 come to 10 at most."""
WIDE = 1000.0
"""As a standard deviation: beyond it a step of squared error is too long at any customary learning rate."""
CLIPPED_AT = 0.99
TRANSFORMS = ("none", "log", "clip", "binarise")
CURES = (
    "train on logarithms (transform=log) or cut the largest off (transform=clip); or learn only what was chosen "
    "(transform=binarise), or rank with counts as confidence (loss=bce, confidence=log)"
)


def transformed(data: Interactions, how: str) -> Interactions:
    """``data`` with other ratings and the scale that goes with them; everything else is shared.

    ``log``: ln(1 + r). ``clip``: nothing above the 99th percentile. ``binarise``: every one 1, as feedback "chosen". Data that
    only says what was chosen has nothing to change and comes back as it is.

    Raises:
        UnusableRequest: a rating is below 0 where its logarithm is asked for, or cutting off would leave all alike.
    """
    choice("transform", how, TRANSFORMS)
    if how == "none" or data.feedback == "chosen":
        return data
    rating, scale = {"log": _log, "clip": _clip, "binarise": _binarise}[how](data)
    columns = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    columns |= {"rating": rating, "rating_scale": scale, "planted": None, "transform": how}
    return Interactions.checked_before(**columns | ({"feedback": "chosen"} if how == "binarise" else {}))


def refuse_transform(how: str, scale: tuple[float, float] | None, whose: str) -> None:
    """Before the data is opened, where its scale is known.

    Raises:
        UnusableRequest: there are ratings below 0, and their logarithm is asked for.
    """
    low = 0.0 if scale is None else scale[0]
    require(how != "log" or low >= 0, f"transform log needs ratings of 0 or more, but {whose} has them from {low:g} up")


def scale_after(how: str, scale: tuple[float, float] | None, feedback: str) -> tuple[tuple[float, float] | None, str]:
    """Scale and feedback of transformed data, as far as they are known before it is opened."""
    if how == "none" or feedback == "chosen":
        return scale, feedback
    if how == "binarise":
        return (0.0, 1.0), "chosen"
    if how == "clip" or scale is None or scale[1] < 0:
        return None, feedback
    return _log_scale(scale), feedback


def heavy_tail(data: Interactions) -> str:
    """What is wrong with the scale of these ratings for squared error, as a sentence without a full stop; empty: nothing.

    They have a heavy tail (the largest is ``HEAVY`` times the median), or are spread over more than ``WIDE``.
    """
    if data.feedback == "chosen" or len(data) == 0:
        return ""
    sizes = np.abs(data.rating[data.rating != 0.0])
    if sizes.size == 0:
        return ""
    low, high, middle = float(data.rating.min()), float(data.rating.max()), float(np.median(sizes))
    if float(sizes.max()) <= HEAVY * middle and float(data.rating.std(dtype=np.float64)) <= WIDE:
        return ""
    far = f"ratings go from {low:,.6g} to {high:,.6g}, half of them no further than {middle:,.6g}"
    return f"{far}: squared error follows the few largest"


def _log(data: Interactions) -> tuple[Float32, tuple[float, float]]:
    lowest = int(data.rating.argmin())
    require(
        float(data.rating[lowest]) >= 0,
        f"transform log needs ratings of 0 or more, but user {data.users.ids[data.user_idx[lowest]]} rates item "
        f"{data.items.ids[data.item_idx[lowest]]} {data.rating[lowest]:g}; choose transform clip or none",
    )
    low, high = _log_scale(data.rating_scale)
    # Of the same numbers the logarithm in one precision may lie beyond the bound in another.
    return np.clip(np.log1p(data.rating.astype(np.float64)), low, high).astype(np.float32), (low, high)


def _log_scale(scale: tuple[float, float]) -> tuple[float, float]:
    return float(np.log1p(max(scale[0], 0.0))), float(np.log1p(scale[1]))


def _clip(data: Interactions) -> tuple[Float32, tuple[float, float]]:
    most, low = float(np.quantile(data.rating, CLIPPED_AT, method="higher")), data.rating_scale[0]
    require(
        most > float(data.rating.min()),
        f"transform clip would make all ratings of {data.name} {most:g}, for hardly any is more; choose binarise or log",
    )
    return np.minimum(data.rating, np.float32(most)), (low, most)


def _binarise(data: Interactions) -> tuple[Float32, tuple[float, float]]:
    return np.ones(len(data), np.float32), (0.0, 1.0)
