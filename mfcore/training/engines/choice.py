"""What trains: PyTorch's autograd, or code that computes the same faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.contradictions import refuse_contradictions
from mfcore.training.device import resolve_device
from mfcore.training.engines.als.engine import AlsEngine, Sweep
from mfcore.training.engines.autograd import AutogradEngine
from mfcore.training.engines.base import Engine, EngineKind, TrainingContext
from mfcore.training.engines.sgd_compiled.engine import CompiledSgdEngine
from mfcore.training.samples import SampleSource, Source

if TYPE_CHECKING:
    from mfcore.data import Interactions

ENGINES: tuple[EngineKind, ...] = (AlsEngine, CompiledSgdEngine, AutogradEngine)
"""Asked in this order. The last one can take everything."""


def choose_device(model: RecommenderModel, config: TrainConfig) -> torch.device:
    """As :func:`resolve_device`, but ``auto`` stays on the CPU for what is compiled there: steps of one rating starve a GPU."""
    refuse_contradictions(model.config, config)
    cpu = torch.device("cpu")
    if config.device.strip().lower() == "auto" and not CompiledSgdEngine.why_not(model, config, cpu):
        return cpu
    device = resolve_device(config.device)
    return cpu if config.solves and device.type == "mps" else device  # mps has no float64


def choose_engine(context: TrainingContext, engines: Sequence[EngineKind] = ENGINES) -> tuple[Engine, str]:
    """The first engine that computes exactly this, and one line on why it is that one."""
    why_not = ""
    for kind in engines:
        declined, why_not = why_not, kind.why_not(context.model, context.config, context.model.device)
        if not why_not:
            engine = kind(context)
            return engine, engine.reason(declined)
    raise ValueError(f"no engine can train this: {why_not}")


def epoch_source(data: Interactions, config: TrainConfig, device: torch.device) -> Source:
    """Where the samples of an epoch come from, for any optimizer."""
    return Sweep(data, device) if config.solves else SampleSource(data, config, device)
