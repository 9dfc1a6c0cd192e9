"""What a model is, before it meets data: its name and its shape."""

from __future__ import annotations

from dataclasses import dataclass

from mfcore.registry import MODELS
from mfcore.settings import check, default
from mfcore.settings.when import who
from mfcore.validate import require


@dataclass(frozen=True)
class ModelConfig:
    """Name and shape of a model. Numbers of users and items come from the training data. Fields: :mod:`mfcore.settings.table`.

    Raises:
        UnusableRequest: a field is outside its range, or two contradict each other.
    """

    name: str = default("model")
    embedding_dim: int = default("embedding_dim")
    init: str = default("init")
    init_std: float = default("init_std")
    bias_std: float = default("bias_std")
    global_mean: bool = default("global_mean")
    output_range: bool = default("output_range")
    mlp_layers: tuple[int, ...] = default("mlp_layers")
    dropout: float = default("dropout")
    pretrained_gmf: str = default("pretrained_gmf")
    pretrained_mlp: str = default("pretrained_mlp")

    def __post_init__(self) -> None:
        check(self)
        both = bool(self.pretrained_gmf) == bool(self.pretrained_mlp)
        require(both, "pretrained_gmf and pretrained_mlp go together: give both runs or neither")
        able = "pretrained_gmf" in MODELS[self.name].uses
        only = who(MODELS, lambda spec: "pretrained_gmf" in spec.uses)
        require(able or not self.pretrained_gmf, f"pretrained_gmf and pretrained_mlp are for {only} only")
