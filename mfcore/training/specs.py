"""The losses and optimizers there are. A new one is a function or a class, a spec here, and a line in the contract test."""

from __future__ import annotations

from mfcore.registry import LOSSES, OPTIMIZERS, LossSpec, OptimizerSpec

_LOSSES = "mfcore.training.losses"
_OPTIMIZERS = "mfcore.training.optimizers"

LOSSES.register(
    LossSpec(
        name="mse",
        title="Squared error (predict ratings)",
        short="Squared error",
        implementation=f"{_LOSSES}:SquaredError",
        ranks=False,
        sample="ratings",
    )
)
LOSSES.register(
    LossSpec(
        name="bce",
        title="Logistic, with negatives (rank items)",
        short="Logistic, with negatives",
        implementation=f"{_LOSSES}:Logistic",
        ranks=True,
        draws_negatives=True,
    )
)
LOSSES.register(
    LossSpec(
        name="bpr",
        title="BPR, pairs (rank items)",
        short="BPR, pairs",
        implementation=f"{_LOSSES}:BPR",
        ranks=True,
        draws_negatives=True,
        pairs=True,
        sample="pairs",
    )
)
LOSSES.register(
    LossSpec(
        name="weighted-mse",
        title="Squared error over all cells, weighted (rank items; ALS)",
        short="Squared error over all cells, weighted",
        implementation="mfcore.training.engines.als.whole_matrix:HeldOutLoss",
        ranks=True,
        solved=True,
        sample="ratings",
    )
)

OPTIMIZERS.register(
    OptimizerSpec(
        name="sgd",
        title="SGD",
        build=f"{_OPTIMIZERS}:sgd",
        uses=frozenset({"momentum", "nesterov"}),
        sparse="optional",
        states=1,
        step_cost=0.12,
        fused_on=("cpu", "cuda"),
        recordable=True,
        # Large because the gradient is averaged over a batch of 64, which has any one user in it only a few times.
        rates=(0.3, 3.0),
        batch_size=64,
        one_by_one=0.05,
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="adagrad",
        title="Adagrad",
        build=f"{_OPTIMIZERS}:adagrad",
        sparse="optional",
        states=1,
        step_cost=0.3,
        fused_on=("cpu",),
        rates=(0.05, 0.05),
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="adam",
        title="Adam",
        build=f"{_OPTIMIZERS}:adam",
        fused_on=("cpu", "cuda"),
        recordable=True,
        rates=(0.005, 0.002),
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="adamw",
        title="AdamW",
        build=f"{_OPTIMIZERS}:adamw",
        decays_weights=True,
        fused_on=("cpu", "cuda"),
        recordable=True,
        rates=(0.005, 0.002),
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="rmsprop",
        title="RMSprop",
        build=f"{_OPTIMIZERS}:rmsprop",
        uses=frozenset({"momentum"}),
        step_cost=0.35,
        rates=(0.003, 0.002),
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="sparse-adam",
        title="SparseAdam",
        build=f"{_OPTIMIZERS}:sparse_adam",
        sparse="always",
        step_cost=0.0,
        fused_on=("cpu", "cuda"),
        rates=(0.005, 0.002),
    )
)
OPTIMIZERS.register(
    OptimizerSpec(
        name="als",
        title="ALS (exact, no learning rate)",
        short="ALS",
        build=f"{_OPTIMIZERS}:als",
        solves=True,
        losses=("mse", "weighted-mse"),
    )
)
