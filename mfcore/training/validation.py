"""What is measured on the validation part after every epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.losses import loss_on
from mfcore.training.samples import SampleSource

if TYPE_CHECKING:
    from mfcore.data import Split


class Validation:
    """Loss and metrics of a model on ``split.valid``. Ranking losses use negatives drawn once, with the seed.

    Those negatives are items of neither the user's training nor validation interactions. ``metric``: the one that chooses
    the best epoch, ``rmse`` or ``ndcg@K``.
    """

    def __init__(self, split: Split, config: TrainConfig, protocol: Protocol, device: torch.device) -> None:
        self.config = config
        self.metric = f"ndcg@{protocol.k}" if config.implicit else "rmse"
        self._samples = None
        self._evaluator = None
        if len(split.valid) > 0:
            from mfcore.evaluation import Evaluator  # refitting, without validation data, does without

            source = SampleSource(split.valid, config, device, avoid=split.train)
            self._samples = source.draw(torch.Generator(device).manual_seed(config.seed), shuffle=False)
            all_relevant = config.implicit or split.config.kind == "leave-last-out"
            self._evaluator = Evaluator(split, "valid", protocol, all_relevant)

    def run(self, model: RecommenderModel) -> tuple[float, dict[str, float]]:
        """(loss without L2, metrics by name); NaN and nothing where the validation part is empty."""
        if self._samples is None or self._evaluator is None:
            return math.nan, {}
        return loss_on(model, self.config.loss, self._samples), self._evaluator.metrics(model)
