"""The model a run starts from."""

from __future__ import annotations

from pathlib import Path

from mfcore.data import Split
from mfcore.errors import UnusableRequest
from mfcore.models import RecommenderModel, build_model
from mfcore.runs.config import RunConfig
from mfcore.runs.loaded import load_run


def start_model(config: RunConfig, split: Split, home: Path) -> RecommenderModel:
    """The untrained model of a run; a NeuMF may start from the weights of two earlier runs.

    Raises:
        UnusableRequest: such a run does not exist, is of another model, or has another shape.
    """
    model = build_model(config.model, split.train, seed=config.training.seed)
    if config.model.pretrained_gmf:
        from mfcore.models import GMF, MLP, NeuMF

        gmf, mlp = (load_run(run, home).model for run in (config.model.pretrained_gmf, config.model.pretrained_mlp))
        if not isinstance(gmf, GMF) or not isinstance(mlp, MLP) or isinstance(mlp, NeuMF):
            raise UnusableRequest("pretrained_gmf must be a run of model gmf and pretrained_mlp a run of model mlp")
        assert isinstance(model, NeuMF)
        model.load_pretrained(gmf, mlp)
    return model
