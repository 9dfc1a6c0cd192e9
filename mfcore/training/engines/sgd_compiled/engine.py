"""The compiled engine, as the trainer sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfcore.models.base import RecommenderModel
from mfcore.models.dot import MF
from mfcore.training.engines.sgd_compiled.hogwild import Shared, Together, Trained
from mfcore.training.engines.sgd_compiled.kernels import BCE, BPR, MSE, Rule, Tables, train_pairs, train_points
from mfcore.training.engines.sgd_compiled.partition import Columns, deal
from mfcore.training.engines.workbench import Workbench
from mfcore.training.optimizers import set_rate
from mfcore.training.samples import Samples
from mfcore.training.weight_decay_rows import decay_per_row
from mfcore.typing import Float64

_LOSSES = {"mse": MSE, "bce": BCE, "bpr": BPR}
_SECONDS = 0.02  # what a stretch should take
_FEWEST, _MOST = 256, 1 << 22
_TOGETHER = 1 << 17  # samples in one go, times threads: a few milliseconds
_FEWEST_TOGETHER = 150_000  # samples an epoch; fewer are trained sooner by one thread than dealt out to several
_NONE = np.zeros((0, 1), dtype=np.float32)


class NativeEngine:
    """One sample at a time, MF and BiasedMF, SGD and Adagrad, on the CPU.

    Weights and Adagrad's sums are those of model and optimizer, changed in place. With ``config.hogwild`` several threads
    train them without locks, see :class:`Together`, unless there is so little to train that one is faster.

    Attributes:
        note: who trains, in words, where several threads were asked for.
    """

    name = "native"

    def __init__(self, bench: Workbench) -> None:
        self.model, self.config, self.optimizers, self.meter = bench.model, bench.config, bench.optimizers, bench.meter
        self._decays = decay_per_row(self.config, bench.train)
        samples = len(bench.train) * (1 + self.config.negatives if self.config.implicit else 1)
        enough = samples >= _FEWEST_TOGETHER
        threads = bench.threads if self.config.hogwild and enough else 1
        self.note = _who(threads, samples, self.config.loss == "bpr") if self.config.hogwild else ""
        self._together = Together(threads, bench.train) if threads > 1 else None
        if self._together:
            torch.set_num_threads(1)  # or its own threads would wait for each other beside ours, while drawing and shuffling
        # What is trained in one go decides the order of several threads, so the clock must not have a say in it.
        self.stretch = _TOGETHER * threads if self._together else 4096

    def train(self, part: Samples, rates: Float64) -> tuple[int, float] | None:
        started = perf_counter()
        columns = self._columns(part, rates)
        shared = self._tables(), self._sums(), self._rule()
        trained, total, last = self._run(columns, shared)
        self.meter.set_total(total, trained)
        self._tell_optimizers(float(rates[-1]), trained)
        if not math.isfinite(last):
            return len(part) - trained, last
        if self._together is None:
            self.stretch = min(max(int(len(part) * _SECONDS / (perf_counter() - started)), _FEWEST), _MOST)
        return None

    def _run(self, columns: Columns, shared: Shared) -> Trained:
        kernel: Callable[..., Trained] = train_pairs if self.config.loss == "bpr" else train_points
        if self._together is not None:
            return self._together.train(kernel, columns, shared, self.meter.total)
        everything = np.array([[0, len(columns[0])]])
        return kernel(*columns, everything, *shared, self.meter.total)

    def _columns(self, part: Samples, rates: Float64) -> Columns:
        third = part.negative_idx if self.config.loss == "bpr" else part.target
        return part.user_idx.numpy(), part.item_idx.numpy(), third.numpy(), rates.astype(np.float32)

    # Read anew each time: taking up a checkpoint puts other tensors there.

    def _tables(self) -> Tables:
        return _as_tables(self.model, lambda parameter: parameter.detach())

    def _sums(self) -> Tables:
        if self.config.optimizer != "adagrad":
            return Tables(_NONE, _NONE, _NONE, _NONE)
        state = self.optimizers[0].state
        return _as_tables(self.model, lambda parameter: state[parameter]["sum"])

    def _rule(self) -> Rule:
        model, number = self.model, np.float32
        rates = {group["kind"]: number(group["multiplier"]) for group in self.optimizers[0].param_groups}
        squeezed = model.config.output_range
        return Rule(
            loss=_LOSSES[self.config.loss],
            biased=hasattr(model, "user_bias"),
            adagrad=self.config.optimizer == "adagrad",
            base=number(float(model.global_mean)),
            low=number(model.low),
            span=number(model.high - model.low if squeezed else 0.0),
            factor_rate=rates["factors"],
            bias_rate=rates.get("biases", number(1.0)),
            user_decay=self._decays[0],
            item_decay=self._decays[1],
        )

    def _tell_optimizers(self, rate: float, steps: int) -> None:
        set_rate(self.optimizers, rate)
        if self.config.optimizer == "adagrad":
            for state in self.optimizers[0].state.values():
                state["step"] += steps


def _who(threads: int, samples: int, pairs: bool) -> str:
    if threads == 1:
        return f"one thread, which is faster than several for {samples:,} samples an epoch"
    return f"{threads} threads at once without locks ({'not repeatable' if pairs else 'repeatable with as many'})"


def _as_tables(model: RecommenderModel, of: Any) -> Tables:
    assert isinstance(model, MF)
    names = ("user_factors", "item_factors", "user_bias", "item_bias")
    found: list[Tensor | None] = [getattr(model, name, None) for name in names]
    return Tables(*(_NONE if table is None else of(table).numpy() for table in found))


def load_kernels() -> None:
    """Compile all kernels, or load what an earlier process compiled, so that no training waits for it or is timed with it."""
    index, number, table = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), Tables(_NONE, _NONE, _NONE, _NONE)
    zero, nowhere = np.float32(0.0), np.zeros((0, 2), dtype=np.int64)
    rule = Rule(MSE, False, False, zero, zero, zero, zero, zero, number, number)
    train_points(index, index, number, number, nowhere, table, table, rule, 0.0)
    train_pairs(index, index, index, number, nowhere, table, table, rule, 0.0)
    for third in (number, index):
        columns = index, index, third, number
        deal(columns, columns, index, index, 1, np.zeros(2, dtype=np.int64))
