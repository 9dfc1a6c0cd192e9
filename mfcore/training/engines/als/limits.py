"""What alternating least squares can solve, without torch, so that a form can ask."""

from __future__ import annotations

from mfcore.models.config import ModelConfig
from mfcore.registry import MODELS
from mfcore.training.config import TrainConfig
from mfcore.validate import require


def refuse_unsolvable(model: ModelConfig, training: TrainConfig) -> None:
    """Nothing, or the reason why ``als`` cannot train this model.

    Raises:
        UnusableRequest: the model is not linear in each side, or squeezed through a sigmoid, or the device lacks float64.
    """
    if not training.solves:
        return
    solvable = [name for name, spec in MODELS.items() if spec.dot_product]
    require(model.name in solvable, f"als trains {' and '.join(solvable)}, not {model.name}: try optimizer adam")
    require(not model.output_range, "als solves linear equations, and output_range bends them: turn one of the two off")
    require(
        not training.device.strip().lower().startswith("mps"), "als needs float64, which mps does not have: use cpu or auto"
    )
