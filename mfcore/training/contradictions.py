"""Which models cannot be trained so, without torch, so that a form can ask."""

from __future__ import annotations

from mfcore.models.config import ModelConfig
from mfcore.registry import LOSSES, MODELS, OPTIMIZERS
from mfcore.training.config import TrainConfig
from mfcore.validate import require

_SOLVER = "mfcore.training.optimizers:als"
_LOSSES = ("mfcore.training.losses:SquaredError", "mfcore.training.engines.als.whole_matrix:HeldOutLoss")
"""What ALS minimises, by what implements it: a name may come to stand for something else."""


def refuse_contradictions(model: ModelConfig, training: TrainConfig) -> None:
    """Nothing, or the reason why this model cannot be trained so.

    Raises:
        UnusableRequest: scores for ranking are to be squeezed into the range of ratings. Of what solves: the model is not
            linear in each side, or squeezed, or the device lacks float64; or it is not ALS, or a loss that ALS does not know.
    """
    require(
        not (model.output_range and training.implicit),
        f"output_range squeezes ratings, so it needs loss mse, got {training.loss}",
    )
    if not training.solves:
        return
    solvable = [name for name, spec in MODELS.items() if spec.dot_product]
    name, mps = training.optimizer, training.device.strip().lower().startswith("mps")
    require(OPTIMIZERS[name].build == _SOLVER, f"optimizer {name} solves, and no engine knows how: try optimizer als")
    require(LOSSES[training.loss].implementation in _LOSSES, f"{name} cannot solve loss {training.loss}: try loss mse")
    require(model.name in solvable, f"{name} trains {' and '.join(solvable)}, not {model.name}: try optimizer adam")
    require(not model.output_range, f"{name} solves linear equations, and output_range bends them: turn one of the two off")
    require(not mps, f"{name} needs float64, which mps does not have: use cpu or auto")
