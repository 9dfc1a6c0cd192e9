"""The training loop, one epoch at a time."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.models.neural import Dropout
from mfcore.training.als.sweep import epoch_source
from mfcore.training.config import TrainConfig
from mfcore.training.device import default_threads
from mfcore.training.divergence import diverged, unfinite_weight
from mfcore.training.engine import choose_device, choose_engine
from mfcore.training.events import EpochEnd, StepEnd, TrainingStopped
from mfcore.training.meter import LossMeter
from mfcore.training.optimizers import (
    build_optimizers,
    gradients_are_sparse,
    load_optimizer_state,
    optimizer_state,
)
from mfcore.training.samples import Samples
from mfcore.training.schedule import rate_factor, rate_factors
from mfcore.training.selection import Selection
from mfcore.training.validation import Validation
from mfcore.training.workbench import Workbench
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.data import Split


class Trainer:
    """Trains ``model`` in place; after every epoch the model is usable.

    ``batch_size`` counts samples: ratings for mse, positives and negatives for bce, pairs for bpr.

    Attributes:
        epoch, step: epochs and steps done. steps_per_epoch, device, threads: as resolved. engine, engine_reason: what
            computes the steps, and why that.
        selection_metric: the validation metric that chooses the best epoch. best_epoch: 0 before the first.
        stop_reason: why :meth:`fit` ended, in words; empty while there is more to do.
        train_seconds: time spent training, without validation and without waiting in callbacks.

    Raises:
        UnusableRequest: the device is absent, there is nothing to train on, or model and loss contradict each other.
    """

    def __init__(
        self,
        model: RecommenderModel,
        split: Split,
        config: TrainConfig | None = None,
        protocol: Protocol | None = None,
        *,
        on_step: Callable[[StepEnd], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        self.config = config = config or TrainConfig()
        self.protocol = protocol or Protocol()
        require(len(split.train) > 0, "there is nothing to train on: the training part of the split is empty")
        squeezed = model.config.output_range and config.implicit
        require(not squeezed, f"output_range squeezes ratings, so it needs loss mse, got {config.loss}")
        self.device = choose_device(model, config)
        self.threads = config.threads or default_threads()
        torch.set_num_threads(self.threads)
        self.model = model.to(self.device)
        model.predicts_ratings = not config.implicit
        model.sparse_gradients = gradients_are_sparse(config)
        self.on_step, self.should_stop = on_step, should_stop
        self.epoch = self.step = 0
        self.train_seconds = 0.0
        self.stop_reason = ""
        self.base_rate = config.learning_rate
        self._optimizers = build_optimizers(model, config)
        self._source = epoch_source(split.train, config, self.device)
        self.steps_per_epoch = math.ceil(self._source.num_samples / config.samples_per_step(self._source.num_samples))
        self._best: dict[str, Tensor] | None = None
        self._shuffler = torch.Generator(self.device).manual_seed(config.seed)
        self._dropper = torch.Generator(self.device).manual_seed(config.seed + 1)
        for module in model.modules():
            if isinstance(module, Dropout):
                module.generator = self._dropper
        self._meter = LossMeter(self.device)
        self._engine, self.engine_reason = choose_engine(
            Workbench(model, config, self._optimizers, self._meter, split.train, self.threads)
        )
        samples, engine = self._source.num_samples, self._engine.name
        self._validation = Validation(split, config, self.protocol, self.device, model=model, samples=samples, engine=engine)
        self._selection = Selection(self._validation.metric, higher_is_better=config.implicit)
        self._begin_epoch()

    # Going through epochs

    def fit(self) -> Iterator[EpochEnd]:
        """Train epoch after epoch until the end, early stopping, convergence, or ``should_stop``."""
        self.stop_reason = self._selection.reason_to_stop(self.epoch, self.config)
        while not self.stop_reason:
            try:
                end = self.train_epoch()
            except TrainingStopped:
                self.stop_reason = "stopped"
                return
            self.stop_reason = self._selection.reason_to_stop(self.epoch, self.config)
            yield end

    def train_epoch(self) -> EpochEnd:
        """Train one epoch (or what is left of an interrupted one), then validate.

        Raises:
            TrainingStopped: ``should_stop`` said so between two steps. Calling again goes on from there.
            TrainingDiverged: the loss or a weight became NaN or infinite.
        """
        self.model.train()
        samples = self._samples()
        self._meter.start_clock()
        while self._done < len(samples):
            self._poll()
            started = perf_counter()
            self._train(samples.slice(self._done, self._done + self._engine.stretch))
            self._seconds += perf_counter() - started
            self._report()
        self._check(self._meter.read())
        return self._end_epoch(len(samples))

    def validate(self, *, complete: bool = False) -> EpochEnd:
        """Validate the model as it is, without training; before the first epoch, number 0. ``complete``: on every user."""
        valid_loss, metrics, share = self._validation.everyone(self.model) if complete else self._validation.run(self.model, 0)
        return EpochEnd(self.epoch, self.step, math.nan, valid_loss, metrics, self.learning_rate, validated=share)

    def load_best(self) -> None:
        """Put the best epoch's weights into the model; without a finished epoch nothing changes."""
        if self._best is not None:
            self.model.load_state_dict(self._best)

    @property
    def engine(self) -> str:
        """What computes the steps: ``autograd`` or ``native``; ``engine_reason`` says why, in words."""
        return self._engine.name

    @property
    def validation_words(self) -> str:
        """Who is left out of validation to keep it short, and when; empty if nobody is."""
        return self._validation.words

    @property
    def selection_metric(self) -> str:
        return self._selection.metric

    @property
    def best_epoch(self) -> int:
        return self._selection.best_epoch

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, before multipliers."""
        return self.base_rate * rate_factor(self.config, self.step, self.steps_per_epoch, self._selection.cuts)

    def set_learning_rate(self, rate: float) -> None:
        """Continue with ``rate`` from the next step on; a schedule goes on from there in proportion."""
        require(math.isfinite(rate) and rate > 0, f"learning_rate must be > 0, got {rate:g}")
        factor = rate_factor(self.config, self.step, self.steps_per_epoch, self._selection.cuts)
        self.base_rate = rate / factor if factor > 1e-6 else rate

    # Inside an epoch

    def _begin_epoch(self) -> None:
        self._shuffler_at_start = self._shuffler.get_state()
        self._drawn: Samples | None = None
        self._done = 0
        self._seconds = 0.0
        self._meter.reset()

    def _samples(self) -> Samples:
        if self._drawn is None:
            started = perf_counter()
            self._drawn = self._source.draw(self._shuffler)
            self._seconds += perf_counter() - started
        return self._drawn

    def _train(self, part: Samples) -> None:
        steps = math.ceil(len(part) / self.config.samples_per_step(self._source.num_samples))
        bad_loss = self._engine.train(part, self._rates(steps))
        self.step += steps
        self._done += len(part)
        self._check(bad_loss)

    def _rates(self, steps: int) -> npt.NDArray[np.float64]:
        if steps == 1:
            return np.array([self.learning_rate])
        return self.base_rate * rate_factors(self.config, self.step, steps, self.steps_per_epoch, self._selection.cuts)

    def _check(self, bad_loss: tuple[int, float] | None) -> None:
        if bad_loss is not None:
            steps_ago, value = bad_loss
            raise self._diverged(value, self.step - steps_ago)

    def _diverged(self, value: float, step: int, what: str = "loss") -> Exception:
        return diverged(value, epoch=self.epoch + 1, step=step, rate=self.learning_rate, config=self.config, what=what)

    def _poll(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise TrainingStopped(f"stopped in epoch {self.epoch + 1} after step {self.step}")

    def _report(self) -> None:
        if self.on_step is None or not self._meter.report_due():
            return
        self._check(self._meter.read())
        step, epoch, send = self.step, self.epoch + self._done / self._source.num_samples, self.on_step
        self._meter.report(lambda loss: send(StepEnd(step, epoch, loss)))

    def _end_epoch(self, num_samples: int) -> EpochEnd:
        weight = unfinite_weight(self.model)
        if weight is not None:
            raise self._diverged(weight, self.step, "a weight")
        rate = float(self._optimizers[0].param_groups[0]["lr"] / (self._optimizers[0].param_groups[0]["multiplier"] or 1.0))
        self.epoch += 1
        train_loss, seconds = self._meter.total / num_samples, self._seconds
        self.train_seconds += seconds
        self._begin_epoch()
        measured = self._validation.run(self.model, self.epoch)
        value = measured.metrics.get(self.selection_metric, math.nan)
        best = self._selection.update(self.epoch, value, train_loss, self.config, measured=measured.share > 0)
        if measured.share < 1 and self._selection.reason_to_stop(self.epoch, self.config):
            measured = self._validation.everyone(self.model)  # epochs are compared on the same users; the last is told of all
        if best:
            self._best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        valid_loss, metrics, share = measured
        return EpochEnd(self.epoch, self.step, train_loss, valid_loss, metrics, rate, seconds, num_samples, best, share)

    # Putting training away and taking it up again

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly, a copy: tensors, numbers and text in dicts and lists."""
        self._check(self._meter.read())
        state = {
            "model": self.model.state_dict(),
            "best": self._best,
            "optimizers": optimizer_state(self._optimizers),
            "selection": self._selection.state_dict(),
            "shuffler_at_start": self._shuffler_at_start,
            "dropper": self._dropper.get_state(),
            "counters": {name: getattr(self, name) for name in _COUNTERS} | {"loss_sum": self._meter.total},
        }
        return copy.deepcopy(state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken, in the middle of an epoch too. Bit for bit on the CPU."""
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        best = state["best"]
        self._best = None if best is None else {name: tensor.to(self.device) for name, tensor in best.items()}
        load_optimizer_state(self._optimizers, state["optimizers"])
        self._selection.load_state_dict(state["selection"])
        # The epoch's samples are drawn again from the state they were drawn from.
        self._shuffler.set_state(state["shuffler_at_start"])
        self._begin_epoch()
        self._dropper.set_state(state["dropper"])
        self._meter.total = state["counters"]["loss_sum"]
        for name in _COUNTERS:
            setattr(self, name, state["counters"][name])
        self.stop_reason = ""


_COUNTERS = ("epoch", "step", "base_rate", "train_seconds", "_done", "_seconds")
