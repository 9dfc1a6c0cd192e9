"""The training loop, one epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from mfcore.data.split import Split
from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.training.config import TrainConfig
from mfcore.training.diagnostics import Watch
from mfcore.training.divergence import diverged, unfinite_weight
from mfcore.training.events import EpochEnd, StepEnd, TrainingDiverged, TrainingStopped
from mfcore.training.samples import Samples
from mfcore.training.steering import SteeredTraining
from mfcore.typing import Int64
from mfcore.validate import instance

if TYPE_CHECKING:
    from mfcore.data import Split


class Trainer(SteeredTraining):
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
        instance("model", model, RecommenderModel, 'build_model("mf", split.train)')
        instance("split", split, Split, "random_split(interactions)")
        super().__init__(model, split, config or TrainConfig(), protocol or Protocol())
        self.on_step, self.should_stop = on_step, should_stop
        self._watch = Watch(self.model, self.config.loss)
        self._single = False

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
        samples = self._pass.samples()
        self._meter.start_clock()
        while self._pass.done < len(samples):
            self._poll()
            single, self._single = self._single, False
            self._train(1 if single else None)
            self._report(due=single)
        self._read_losses()
        return self._end_epoch(len(samples))

    def take_one_step(self) -> None:
        """To be called by ``should_stop``: train a single batch, report it, and ask ``should_stop`` again at once."""
        self._report(due=True)
        self._single = True

    def advance(self, steps: int) -> Samples:
        """Train ``steps`` steps of this epoch without asking or telling anybody; returns the samples of the one after them.

        Raises:
            TrainingDiverged: on the way.
        """
        self.model.train()
        goal = self.step + steps
        while self.step < goal:
            self._train(goal - self.step)
        size = self.config.samples_per_step(self._pass.size)
        return self._pass.samples().slice(self._pass.done, self._pass.done + size)

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
        """What computes the steps: ``autograd``, ``native`` or ``als``; ``engine_reason`` says why, in words."""
        return self._engine.name

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch at the present batch size."""
        return self.rates.steps_per_epoch

    @property
    def train_seconds_in_epoch(self) -> float:
        """Time spent training the epoch that is not finished yet."""
        return self._pass.seconds

    @property
    def validation_words(self) -> str:
        """Who is left out of validation to keep it short, and when; empty if nobody is."""
        return self._validation.words

    @property
    def validation_users(self) -> Int64 | None:
        """The users measured after an epoch; None: everyone."""
        return None if self._validation.plan.share == 1 else self._validation.chosen()

    @property
    def selection_metric(self) -> str:
        return self._selection.metric

    @property
    def best_epoch(self) -> int:
        return self._selection.best_epoch

    # Inside an epoch

    def _train(self, most_steps: int | None) -> None:
        """One stretch, of at most so many steps."""
        started, done = perf_counter(), self._pass.done
        size = self.config.samples_per_step(self._pass.size)
        stretch = self._engine.stretch if most_steps is None else min(self._engine.stretch, most_steps * size)
        part = self._pass.samples().slice(done, done + stretch)
        steps = math.ceil(len(part) / size)
        bad_loss = self._engine.train(part, self.rates.of(self.step, steps, self._selection.cuts))
        self.step += steps
        self._pass.done += len(part)
        self._check(bad_loss)
        self._pass.seconds += perf_counter() - started

    def _read_losses(self) -> None:
        self._check(self._meter.read())

    def _check(self, bad_loss: tuple[int, float] | None) -> None:
        if bad_loss is not None:
            steps_ago, value = bad_loss
            raise self._diverged(value, self.step - steps_ago)

    def _diverged(self, value: float, step: int, what: str = "loss") -> TrainingDiverged:
        return diverged(value, epoch=self.epoch + 1, step=step, rate=self.learning_rate, config=self.config, what=what)

    def _poll(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise TrainingStopped(f"stopped in epoch {self.epoch + 1} after step {self.step}")

    def _report(self, *, due: bool = False) -> None:
        if self.on_step is None or not (due or self._meter.report_due()):
            return
        self._read_losses()
        step, epoch, send = self.step, self.epoch + self._pass.share, self.on_step
        seen = self._watch.look(self._pass.last(self.config.batch_size if self.config.optimizer != "als" else 0), step)
        self._meter.report(lambda loss: send(StepEnd(step, epoch, loss, **seen)))

    def _end_epoch(self, num_samples: int) -> EpochEnd:
        weight = unfinite_weight(self.model)
        if weight is not None:
            raise self._diverged(weight, self.step, "a weight")
        groups = [group for group in self._optimizers[0].param_groups if group["multiplier"]]
        rate = float(groups[0]["lr"] / groups[0]["multiplier"]) if groups and self.engine != "als" else self.learning_rate
        self.epoch += 1
        train_loss, seconds = self._meter.total / num_samples, self._pass.seconds
        self.train_seconds += seconds
        self._begin_epoch()
        self.rates.settle(self.epoch, 0, self.step)
        measured = self._validation.run(self.model, self.epoch)
        value = measured.metrics.get(self.selection_metric, math.nan)
        best = self._selection.update(self.epoch, value, train_loss, self.config, measured=measured.share > 0)
        if measured.share < 1 and self._selection.reason_to_stop(self.epoch, self.config):
            measured = self._validation.everyone(self.model)  # epochs are compared on the same users; the last is told of all
        if best:
            self._best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        valid_loss, metrics, share = measured
        return EpochEnd(self.epoch, self.step, train_loss, valid_loss, metrics, rate, seconds, num_samples, best, share)
