"""Nothing is mistaken for another: it is asked what a name stands for, and what nobody foresaw is refused in words."""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model
from mfcore.models.config import ModelConfig
from mfcore.registry import LOSSES, MODELS, OPTIMIZERS, LossSpec, ModelSpec, OptimizerSpec
from mfcore.runs import RunConfig
from mfcore.training import TrainConfig, Trainer
from mfcore.training.divergence import worst_sample
from mfcore.training.engines.base import load_kernels
from mfcore.training.losses import Loss
from mfcore.training.optimizers import Groups
from mfcore.training.samples import Samples
from mfcore.training.validation import Shape, training_seconds

ONE_BY_ONE: dict[str, Any] = {"batch_size": 1, "num_epochs": 1, "learning_rate": 0.01, "device": "cpu", "threads": 1}


def nadam(groups: Groups, config: TrainConfig, fused: dict[str, Any]) -> list[torch.optim.Optimizer]:
    return [torch.optim.NAdam(groups, lr=config.learning_rate)]


class Absolute(Loss):
    def each(self, scores: Tensor, batch: Samples) -> Tensor:
        return (scores - batch.target).abs()


def trained(split: Split, **changes: Any) -> Trainer:
    """After one epoch, one rating at a time, which is compiled for some."""
    model = build_model("biased-mf", split.train, embedding_dim=3, seed=0)
    trainer = Trainer(model, split, TrainConfig(**{**ONE_BY_ONE, **changes}))
    trainer.train_epoch()
    return trainer


def test_the_name_of_a_compiled_optimizer_may_stand_for_something_else(planted: Split) -> None:
    with OPTIMIZERS.temporarily(OptimizerSpec(name="sgd", title="Not SGD", build=nadam)):
        theirs = trained(planted, optimizer="sgd")
    with OPTIMIZERS.temporarily(OptimizerSpec(name="nadam", title="NAdam", build=nadam)):
        named = trained(planted, optimizer="nadam")
    assert theirs.engine == named.engine == "autograd"
    assert torch.equal(theirs.model.user_vectors(), named.model.user_vectors())
    assert not torch.equal(theirs.model.user_vectors(), trained(planted, optimizer="sgd").model.user_vectors())


def test_a_compiled_optimizer_is_one_under_any_name(planted: Split) -> None:
    pytest.importorskip("numba")
    again = OptimizerSpec(name="own", title="Own", build="mfcore.training.optimizers:adagrad", states=1)
    with OPTIMIZERS.temporarily(again):
        theirs = trained(planted, optimizer="own")
    ours = trained(planted, optimizer="adagrad")
    assert theirs.engine == ours.engine == "native"
    assert torch.equal(theirs.model.user_vectors(), ours.model.user_vectors())


def test_a_new_loss_is_neither_compiled_nor_taken_for_pairs(planted: Split) -> None:
    for name in ("absolute", "mse"):
        with LOSSES.temporarily(LossSpec(name=name, title="Absolute", implementation=Absolute, ranks=False)):
            trainer = trained(planted, loss=name, optimizer="sgd")
            assert trainer.engine == "autograd"
            batch = Samples(*(torch.tensor(index) for index in ([0, 1], [2, 3])), torch.tensor([1.0, 900.0]), torch.tensor([]))
            worst = worst_sample(trainer.model, name, batch)
            assert (worst.user_idx, worst.item_idx, worst.rating) == (1, 3, 900.0)


def test_what_solves_is_not_als_unless_it_is() -> None:
    newton = OptimizerSpec(name="newton", title="Newton", build=nadam, solves=True, losses=("mse", "all-cells"))
    cells = LossSpec(name="all-cells", title="All cells", implementation=Absolute, ranks=True, solved=True)
    als = OptimizerSpec(name="sweeps", title="Sweeps", build=OPTIMIZERS["als"].build, solves=True, losses=("mse", "all-cells"))
    with OPTIMIZERS.temporarily(newton, als), LOSSES.temporarily(cells):
        with pytest.raises(UnusableRequest, match="optimizer newton solves, and no engine knows how"):
            RunConfig().with_flat({"optimizer": "newton"})
        with pytest.raises(UnusableRequest, match="sweeps cannot solve loss all-cells"):
            RunConfig().with_flat({"optimizer": "sweeps", "loss": "all-cells"})
        with pytest.raises(UnusableRequest, match="only optimizer newton or sweeps minimises loss all-cells, got adam"):
            RunConfig().with_flat({"loss": "all-cells"})
        with pytest.raises(UnusableRequest, match=r"newton needs loss mse \(ratings\) or all-cells \(ranking\), got bpr"):
            RunConfig().with_flat({"optimizer": "newton", "loss": "bpr"})
        assert RunConfig().with_flat({"optimizer": "sweeps"}).training.solves


def test_nobody_guesses_what_an_unknown_engine_costs() -> None:
    shape = Shape(samples=100, weights=100, users=10, items=10, held=10, candidates=5)
    with pytest.raises(ValueError, match="engine warp"):
        training_seconds(shape, ModelConfig(), TrainConfig(), "warp")


def test_which_models_start_from_others_is_asked_of_their_specs(planted: Split) -> None:
    started = {"pretrained_gmf": "a", "pretrained_mlp": "b"}
    spec = ModelSpec(
        name="twin", title="Twin", implementation="mfcore.models.neural:NeuMF", uses=MODELS["neumf"].uses, groups=("factors",)
    )
    with MODELS.temporarily(spec):
        config = ModelConfig(name="twin", **started)  # type: ignore[arg-type]
        with pytest.raises(UnusableRequest, match="pretrained_gmf must be a run of model gmf"):
            build_model(config, planted.train).load_pretrained(*(build_model("mf", planted.train) for _ in range(2)))
        with pytest.raises(UnusableRequest, match="pretrained_gmf and pretrained_mlp are for neumf and twin only"):
            ModelConfig(name="mf", **started)  # type: ignore[arg-type]


class Gone:
    """Stands for a class that has been renamed since."""


def test_kept_code_that_names_a_class_of_yesterday_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    package = tmp_path / "moved"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "kernels.py").write_text(
        "from mfcore.training.engines.compiling import kernel\n\n\n@kernel\ndef double(x):\n    return 2 * x\n\n\n"
        "def load_kernels():\n    assert double(2) == 4\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_kernels("moved.kernels") == ""
    (index,) = (package / "__pycache__").glob("*.nbi")
    sound = index.read_bytes()
    version = pickle.dumps(pickle.loads(sound))
    for place, name in ((b"tests.training.test_unforeseen", b"Gone"), (b"moved.elsewhere", b"Gone")):
        index.write_bytes(version + b"c" + place + b"\n" + name + b"\n.")
        for module in [module for module in sys.modules if module.startswith("moved")]:
            del sys.modules[module]
        importlib.invalidate_caches()
        with monkeypatch.context() as later:
            later.delattr(sys.modules[__name__], "Gone")
            assert load_kernels("moved.kernels") == ""
        assert len(pickle.loads(index.read_bytes()[len(version) :])) == 2, "written anew"
