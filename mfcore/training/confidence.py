"""Counts as confidence: who did something often has chosen it more surely (Hu, Koren & Volinsky 2008).

A chosen cell with count r weighs c = 1 + α·r, or 1 + α·ln(1 + r). In squared error over all cells it weighs that beside
``unobserved_weight`` for the rest. In the losses that draw negatives each positive weighs c over the mean of c over all
training positives, so that a learning rate keeps its meaning; a drawn negative weighs 1, and a pair what its positive does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfcore.registry import LOSSES
from mfcore.training.config import TrainConfig
from mfcore.typing import Float32, Float64
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.data import Interactions

_LARGEST = 1e18
"""Of a confidence: squares of it must still be numbers of float32."""


def confidence(config: TrainConfig, data: Interactions) -> Float32 | None:
    """c of every interaction, (n,) float32 ≥ 1; None where all weigh alike because nobody asked for more.

    Raises:
        UnusableRequest: a rating is below 0, which no count is, or a confidence has no use as a number.
    """
    if not weighs(config) or len(data) == 0:
        return None
    return _confidence(config, data).astype(np.float32)


def sample_weights(config: TrainConfig, data: Interactions, train: Interactions) -> Float32 | None:
    """c of every interaction of ``data`` over its mean over ``train``, (n,) float32; None where every weight is 1.

    Raises:
        UnusableRequest: as :func:`confidence`.
    """
    if not weighs(config) or len(data) == 0:
        return None
    own, reference = _confidence(config, data), _confidence(config, train)
    # The mean of equal numbers may differ from them in its last digit; equal counts are to weigh exactly 1.
    alike = bool((reference == reference[0]).all())
    weights = (own / (reference[0] if alike else reference.mean())).astype(np.float32)
    return None if bool((weights == 1.0).all()) else weights


def weighs(config: TrainConfig) -> bool:
    """Whether counts decide what an interaction weighs."""
    return config.confidence != "none" and LOSSES[config.loss].ranks


def _confidence(config: TrainConfig, data: Interactions) -> Float64:
    counts = data.rating.astype(np.float64)
    lowest = int(counts.argmin())
    require(
        counts[lowest] >= 0,
        f"confidence {config.confidence} reads ratings as counts, but user {data.users.ids[data.user_idx[lowest]]} rates item "
        f"{data.items.ids[data.item_idx[lowest]]} {counts[lowest]:g}, which is below 0; choose confidence none",
    )
    made: Float64 = 1.0 + config.confidence_alpha * (counts if config.confidence == "linear" else np.log1p(counts))
    require(
        float(made.max()) <= _LARGEST,
        f"confidence_alpha {config.confidence_alpha:g} makes a count of {counts.max():g} weigh {made.max():.3g}; "
        "choose a smaller one, or confidence log",
    )
    return made
