"""The training loop, one epoch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import torch

from mfcore.data.interactions import check_same_data
from mfcore.data.split import Split
from mfcore.evaluation.protocol import Protocol
from mfcore.models.base import RecommenderModel
from mfcore.settings import STOP, PlannedChange
from mfcore.training import steering
from mfcore.training.config import TrainConfig
from mfcore.training.device import default_threads
from mfcore.training.diagnostics import Diagnostics
from mfcore.training.divergence import diverged, nonfinite_weight, scale_to_blame
from mfcore.training.engines.base import EngineKind, TrainingContext
from mfcore.training.engines.choice import ENGINES, choose_device, choose_engine, epoch_source
from mfcore.training.events import EpochEnd, StepEnd, TrainingDiverged, TrainingStopped
from mfcore.training.limits import USUAL, Limits
from mfcore.training.optimizers import gradients_are_sparse
from mfcore.training.samples import Samples, Source
from mfcore.training.state import TrainingState
from mfcore.training.validation import Measuring, Validation, selection_metric
from mfcore.validate import instance, require


class Trainer:
    """Trains ``model`` in place; after every epoch the model is usable.

    ``batch_size`` counts samples: ratings for mse, positives and negatives for bce, pairs for bpr.

    Args:
        on_step: told of progress inside an epoch. should_stop: asked between steps, often. on_planned: told of every change
            that the configuration's plan made, and of the value before. validation: what measures an epoch, if not the
            validation part of ``split``. source: where an epoch's samples come from, if not as ``config`` says. engines: what
            may compute the steps, asked in this order. limits: how much is done in one go, and by which clock.

    Attributes:
        state: everything that a checkpoint holds. rates: learning rates of the steps to come. device, threads: as resolved.
        engine, engine_reason: what computes the steps (``autograd``, ``native`` or ``als``), and why that, in words.
        selection_metric: the validation metric that chooses the best epoch.
        validation_words, validation_users: who is measured after an epoch, to keep that short; empty and None: everyone.
        stop_reason: why :meth:`fit` ended, in words; empty while there is more to do.

    Raises:
        UnusableRequest: the device is absent, there is nothing to train on, model and split are of different data, or model
            and loss contradict each other.
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
        on_planned: Callable[[PlannedChange, Any], None] | None = None,
        validation: Measuring | None = None,
        source: Source | None = None,
        engines: Sequence[EngineKind] = ENGINES,
        limits: Limits = USUAL,
    ) -> None:
        instance("model", model, RecommenderModel, 'build_model("mf", split.train)')
        instance("split", split, Split, "random_split(interactions)")
        config, protocol = config or TrainConfig(), protocol or Protocol()
        check_same_data(model, split.data)
        require(len(split.train) > 0, "there is nothing to train on: the training part of the split is empty")
        self.on_step, self.should_stop, self.on_planned, self.limits = on_step, should_stop, on_planned, limits
        self.device = choose_device(model, config)
        self.threads = config.threads or default_threads()
        torch.set_num_threads(self.threads)
        self.model = model.to(self.device)
        model.predicts_ratings = not config.implicit
        model.sparse_gradients = gradients_are_sparse(config)
        source = source or epoch_source(split.train, config, self.device)
        self.selection_metric = selection_metric(config, protocol)
        self.state = TrainingState(model, config, source, self.selection_metric, limits)
        self.rates, self.stop_reason = self.state.rates, ""
        self._train_part, self._engines, self._single_step = split.train, engines, False
        self._choose_engine()
        measuring = validation or Validation(split, config, protocol, model, source.num_samples, self.engine, limits)
        self._validation: Measuring = measuring
        self.validation_words, self.validation_users = self._validation.words, self._validation.users
        self._diagnostics = Diagnostics(model, config.loss, limits)

    # Going through epochs

    def fit(self) -> Iterator[EpochEnd]:
        """Train epoch after epoch until the end, early stopping, convergence, or ``should_stop``."""
        self.stop_reason = self._reason_to_stop()
        while not self.stop_reason:
            try:
                end = self.train_epoch()
            except TrainingStopped:
                self.stop_reason = "stopped"
                return
            self.stop_reason = self._reason_to_stop()
            yield end

    def train_epoch(self) -> EpochEnd:
        """Train one epoch (or what is left of an interrupted one), then validate.

        Raises:
            TrainingStopped: ``should_stop`` or the plan said so between two steps. Calling again goes on from there.
            TrainingDiverged: the loss or a weight became NaN or infinite.
        """
        self.model.train()
        samples = self.state.epoch_pass.samples()
        self.state.meter.start_clock()
        while self.state.epoch_pass.done < len(samples):
            if self.should_stop is not None and self.should_stop():
                raise TrainingStopped(f"stopped in epoch {self.epoch + 1} after step {self.step}")
            self.follow_plan()
            single, self._single_step = self._single_step, False
            self._train(1 if single else self._steps_to_plan())
            self._report(due=single)
        self._check(self.state.meter.read())
        return self._end_epoch(len(samples))

    def take_one_step(self) -> None:
        """To be called by ``should_stop``: train a single batch, report it, and ask ``should_stop`` again at once."""
        self._report(due=True)
        self._single_step = True

    def advance(self, steps: int) -> Samples:
        """Train ``steps`` steps of this epoch without asking or telling anybody; returns the samples of the one after them.

        Raises:
            TrainingDiverged: on the way.
        """
        self.model.train()
        goal = self.step + steps
        while self.step < goal:
            self._train(goal - self.step)
        return self.state.epoch_pass.next(self.state.samples_per_step)

    def validate(self, *, complete: bool = False) -> EpochEnd:
        """Validate the model as it is, without training; before the first epoch, number 0. ``complete``: on every user."""
        valid_loss, metrics, share = self._validation.run(self.model, 0, complete=complete)
        return EpochEnd(self.epoch, self.step, math.nan, valid_loss, metrics, self.learning_rate, validated=share)

    def load_best(self) -> None:
        """Put the best epoch's weights into the model; without a finished epoch nothing changes."""
        if self.state.best is not None:
            self.model.load_state_dict(self.state.best)

    # Steering between two steps

    def set_learning_rate(self, rate: float) -> None:
        """Continue with ``rate`` from the next step on; a schedule goes on from there in proportion."""
        steering.set_learning_rate(self.state, rate)

    def change(self, **settings: Any) -> None:
        """Continue with other settings (``steering.CHANGEABLE``) from the next batch on.

        Another batch size slices what is left of the epoch anew; ``engine_reason`` says what trains now.

        Raises:
            UnusableRequest: such a setting cannot change, or not to this value.
        """
        self._check(self.state.meter.read())
        steering.change(self.state, **settings)
        self._choose_engine()

    def follow_plan(self) -> None:
        """Make the changes that are planned for here. Training does so by itself before each step.

        Raises:
            TrainingStopped: the end is planned for here.
        """
        done, size = self.state.epoch_pass.done, self.state.epoch_pass.size
        while (change := self.state.plan.take(self.epoch, done, size)) is not None:
            before = self.setting(change.name)
            if change.name == "learning_rate":
                self.set_learning_rate(change.value)
            elif change.name == "num_epochs":
                self.extend(change.value)
            elif change.name != STOP:
                self.change(**{change.name: change.value})
            if self.on_planned is not None:
                self.on_planned(change, before)
            if change.name == STOP:
                raise TrainingStopped(f"stopped as planned, in epoch {self.epoch + 1} after step {self.step}")

    def setting(self, name: str) -> Any:
        """What is in force under this name: of ``learning_rate`` that of the next step, None for what is no setting."""
        return self.learning_rate if name == "learning_rate" else getattr(self.config, name, None)

    def extend(self, num_epochs: int) -> None:
        """Train until ``num_epochs`` are done. Schedule and patience begin anew with this epoch, from the rate last set.

        Raises:
            UnusableRequest: so many are done already.
        """
        steering.extend(self.state, num_epochs)
        self.stop_reason = ""

    # Putting it away and taking it up again

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly, a copy: tensors, numbers and text in dicts and lists.

        Raises:
            TrainingDiverged: a loss that had not been read yet is no number.
        """
        self._check(self.state.meter.read())
        return self.state.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken, in the middle of an epoch too. Bit for bit on the CPU.

        Settings that were changed before then are changed here too.
        """
        before, self.stop_reason = self.config, ""
        self.state.load_state_dict(state)
        if self.config is not before:
            self._choose_engine()

    def branch_from(self, state: Mapping[str, Any], changes: Collection[str]) -> None:
        """Go on from another training's state at the end of an epoch, under our own configuration.

        ``changes``: names of the settings in which we differ from that training. None: the same weights as if it had gone on.

        Raises:
            UnusableRequest: the state was taken in the middle of an epoch.
        """
        self.state.branch_from(state, changes)
        self.stop_reason = ""

    # How it stands

    @property
    def config(self) -> TrainConfig:
        """The settings in force; ``changed``: those of them that were changed since the beginning, by name."""
        return self.state.config

    @property
    def changed(self) -> dict[str, Any]:
        return self.state.changed

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.state.epoch

    @property
    def progress(self) -> float:
        """Epochs done, with the share of the samples of the one in training."""
        return self.epoch + self.state.epoch_pass.share

    @property
    def step(self) -> int:
        """Steps done, in all epochs."""
        return self.state.step

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch at the present batch size."""
        return self.rates.steps_per_epoch

    @property
    def train_seconds(self) -> float:
        """Time spent training the epochs done, without validation and without waiting in callbacks."""
        return self.state.train_seconds

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, before multipliers; NaN for ALS, which has none."""
        return self.state.learning_rate

    @property
    def best_epoch(self) -> int:
        """0 before the first."""
        return self.state.selection.best_epoch

    # Inside an epoch

    def _choose_engine(self) -> None:
        state = self.state
        context = TrainingContext(
            self.model, state.config, state.optimizers, state.meter, self._train_part, self.threads, self.limits
        )
        self._engine, self.engine_reason = choose_engine(context, self._engines)
        self.engine = self._engine.name

    def _steps_to_plan(self) -> int | None:
        """Steps until something is planned; None: nothing in this epoch."""
        samples = self.state.plan.samples_until_next(self.epoch, self.state.epoch_pass.done, self.state.epoch_pass.size)
        return None if samples is None else math.ceil(samples / self.state.samples_per_step)

    def _reason_to_stop(self) -> str:
        state = self.state
        return "" if state.plan.extends(state.epoch) else state.selection.reason_to_stop(state.epoch, state.config)

    def _train(self, most_steps: int | None) -> None:
        """One stretch, of at most so many steps."""
        started, state, size = self.limits.clock(), self.state, self.state.samples_per_step
        stretch = self._engine.stretch if most_steps is None else min(self._engine.stretch, most_steps * size)
        part = state.epoch_pass.next(stretch)
        steps = math.ceil(len(part) / size)
        bad_loss = self._engine.train(part, state.rates.of(state.step, steps, state.selection.cuts))
        state.step += steps
        state.epoch_pass.done += len(part)
        self._check(bad_loss)
        state.epoch_pass.seconds += self.limits.clock() - started

    def _check(self, bad_loss: tuple[int, float] | None) -> None:
        """Raise TrainingDiverged if there is one: (steps ago, value)."""
        if bad_loss is not None:
            steps_ago, value = bad_loss
            raise self._diverged(value, self.step - steps_ago)

    def _diverged(self, value: float, step: int, what: str = "loss") -> TrainingDiverged:
        epoch, rate, scale = self.epoch + 1, self.rates.base, scale_to_blame(self.config, self._train_part)
        return diverged(value, epoch=epoch, step=step, rate=rate, config=self.config, what=what, scale=scale)

    def _report(self, *, due: bool = False) -> None:
        if self.on_step is None or not (due or self.state.meter.report_due()):
            return
        self._check(self.state.meter.read())
        step, epoch, send = self.step, self.progress, self.on_step
        last = self.state.epoch_pass.last(0 if self.config.solves else self.config.batch_size)
        seen = self._diagnostics.look(last, step)
        self.state.meter.report(lambda loss: send(StepEnd(step, epoch, loss, **seen)))

    def _end_epoch(self, num_samples: int) -> EpochEnd:
        weight = nonfinite_weight(self.model)
        if weight is not None:
            raise self._diverged(weight, self.step, "a weight")
        state = self.state
        groups = [group for group in state.optimizers[0].param_groups if group["multiplier"]]
        rate = float(groups[0]["lr"] / groups[0]["multiplier"]) if groups and not self.config.solves else self.learning_rate
        train_loss, seconds = state.meter.total / num_samples, state.epoch_pass.seconds
        state.epoch += 1
        state.train_seconds += seconds
        state.epoch_pass.begin()
        state.meter.reset()
        state.rates.settle(state.epoch, 0, state.step)
        measured = self._validation.run(self.model, state.epoch)
        value = measured.metrics.get(self.selection_metric, math.nan)
        best = state.selection.update(state.epoch, value, train_loss, state.config, measured=measured.share > 0)
        if measured.share < 1 and self._reason_to_stop():
            # Epochs are compared on the same users; the last is told of all.
            measured = self._validation.run(self.model, state.epoch, complete=True)
        if best:
            state.keep_best()
        valid_loss, metrics, share = measured
        return EpochEnd(state.epoch, state.step, train_loss, valid_loss, metrics, rate, seconds, num_samples, best, share)
