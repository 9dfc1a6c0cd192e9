"""What a model is, before it meets data: its name and its shape."""

from __future__ import annotations

from dataclasses import dataclass, field

from mfcore.errors import UnusableRequest
from mfcore.validate import boolean, choice, integer, number, require

MODELS: dict[str, str] = {
    "mf": "Matrix factorization",
    "biased-mf": "Biased MF",
    "gmf": "Generalized MF",
    "mlp": "Multi-layer perceptron",
    "neumf": "NeuMF",
}
"""Every model a run can train: name → the words shown on screen."""
INITS: dict[str, str] = {"normal": "Normal, around 0", "uniform": "Uniform, 0 to 1"}
"""How the starting vectors are drawn: name → the words shown on screen."""


@dataclass(frozen=True)
class ModelConfig:
    """Name and shape of a model. Numbers of users and items come from the training data.

    Raises:
        UnusableRequest: a field is outside what its ``help`` allows.
    """

    name: str = field(default="biased-mf", metadata={"help": "Which model predicts the rating or ranks the items."})
    embedding_dim: int = field(
        default=64, metadata={"help": "Numbers learned per user and per item. 16 to 128 suits MovieLens 100K."}
    )
    init: str = field(
        default="normal",
        metadata={
            "help": "How starting vectors are drawn: around 0, or between 0 and 1 (first guesses then average a quarter "
            "of embedding_dim)."
        },
    )
    init_std: float = field(
        default=0.1,
        metadata={"help": "Spread of the random starting vectors. 0.1 is safe; 1 starts with wild guesses. Not for uniform."},
    )
    bias_std: float = field(
        default=0.0,
        metadata={"help": "Biased MF: spread of the random starting biases. 0, the usual choice, starts from none."},
    )
    global_mean: bool = field(
        default=True, metadata={"help": "Biased MF: start every prediction from the mean rating of the training data."}
    )
    output_range: bool = field(
        default=False, metadata={"help": "Squeeze predictions into the rating scale with a sigmoid (rating prediction only)."}
    )
    mlp_layers: tuple[int, ...] = field(
        default=(32, 16, 8), metadata={"help": "Widths of the MLP tower; the first is user plus item embedding, so it is even."}
    )
    dropout: float = field(
        default=0.0, metadata={"help": "Share of MLP inputs switched off at random in each training step; 0 to 0.5 is usual."}
    )
    pretrained_gmf: str = field(default="", metadata={"help": "NeuMF: run whose GMF weights it starts from; empty for none."})
    pretrained_mlp: str = field(default="", metadata={"help": "NeuMF: run whose MLP weights it starts from; empty for none."})

    def __post_init__(self) -> None:
        choice("model", self.name, MODELS)
        fix = object.__setattr__
        fix(self, "embedding_dim", integer("embedding_dim", self.embedding_dim, low=1))
        choice("init", self.init, INITS)
        fix(self, "init_std", number("init_std", self.init_std, low=0.0))
        fix(self, "bias_std", number("bias_std", self.bias_std, low=0.0))
        fix(self, "global_mean", boolean("global_mean", self.global_mean))
        fix(self, "output_range", boolean("output_range", self.output_range))
        fix(self, "mlp_layers", _layer_widths(self.mlp_layers))
        fix(self, "dropout", number("dropout", self.dropout, low=0.0, below=1.0))
        both = bool(self.pretrained_gmf) == bool(self.pretrained_mlp)
        require(both, "pretrained_gmf and pretrained_mlp go together: give both runs or neither")
        require(not self.pretrained_gmf or self.name == "neumf", "pretrained_gmf and pretrained_mlp are for neumf only")


def _layer_widths(value: object) -> tuple[int, ...]:
    if isinstance(value, str):
        value = [part for part in value.replace("-", ",").split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) or not value:
        raise UnusableRequest(f"mlp_layers must be whole numbers such as 32,16,8; got {value!r}")
    widths = tuple(integer("mlp_layers", width, low=1) for width in value)
    require(widths[0] % 2 == 0, f"mlp_layers must begin with an even number (half user, half item), got {widths[0]}")
    return widths
