"""A run as a short Python script that uses mfcore and prints the same test numbers."""

from __future__ import annotations

import dataclasses
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mfcore.data.config import DatasetConfig, SplitConfig
from mfcore.evaluation.protocol import Protocol
from mfcore.models.config import ModelConfig
from mfcore.registry import MODELS, SPLITS, SplitSpec
from mfcore.runs.config import RunConfig
from mfcore.runs.history import RunHistory
from mfcore.settings import STOP, planned
from mfcore.training.config import Stage, TrainConfig

_ALWAYS = ("optimizer", "learning_rate", "num_epochs")

_SCRIPT = '''"""{title} on {dataset}: trains it, chooses the best epoch on validation, scores test once.{remarks}"""

import json

from mfcore import {names}
{imports}
data = load_dataset({dataset_arguments})
split = {split_call}
{settings}
protocol = Protocol({protocol})

model = {model}
{pretrained}{measured}{trainer}
for epoch in trainer.fit():
    print(epoch.number, epoch.train_loss, epoch.metrics.get(trainer.selection_metric)){remember}
trainer.load_best()
{refit}
print(json.dumps(evaluate(model, split, "test", protocol)))
'''

_REFIT = """
# Validation has chosen the number of epochs; now its ratings are trained on as well.
together = split.with_validation_in_train()
model = {model}
{pretrained}refit(model, together, {line}, trainer.best_epoch, protocol=protocol{measured})
"""

_UNKNOWN_PARENT = """

The run this was made from is a branch: it went on from epoch {epoch} of run {run_id}, which is not known any more.
This script trains with the branch's settings from the beginning, so its figures are others.
"""

_HAPPENED = """

What was changed on the way is in it as a plan:
{changes}
"""

_PRETRAINED = "model.load_pretrained(load_run({gmf!r}).model, load_run({mlp!r}).model)\n"


def run_script(config: RunConfig, history: RunHistory | None = None) -> str:
    """Stand-alone Python source that trains this run and prints its test metrics as JSON on the last line.

    ``history``: of a run that has been trained: what was changed on the way, and the runs it branched from, are repeated.

    Whatever a configuration holds, also one that came in a zip file, is in it as a value or as words, never as code.
    """
    line = (None if history is None else history.line) or (Stage(config.training),)
    begun_with = config if history is None else history.begun_with
    script = _Script(config, begun_with, line)
    return script.write(_remarks(config, history))


@dataclass(frozen=True)
class _Script:
    """The parts of a script. ``line``: the trainings, one after the other; most runs are one alone."""

    config: RunConfig
    begun_with: RunConfig
    line: tuple[Stage, ...]

    def write(self, remarks: str) -> str:
        config, spec = self.config, SPLITS[self.config.split.kind]
        alone = len(self.line) == 1
        return _SCRIPT.format(
            title=MODELS[config.model.name].title,
            dataset=_harmless(config.dataset.name),
            remarks=remarks,
            names=", ".join(self._names(spec, alone=alone)),
            imports="".join(f"{line}\n" for line in self._imports(spec, alone=alone)),
            dataset_arguments=", ".join([repr(config.dataset.name), *_keywords(_dataset_arguments(config.dataset))]),
            split_call=_split_call(config.split, spec),
            settings=f"config = {_train_config(self.line[0].config)}" if alone else self._stages(),
            protocol=", ".join(_keywords(_changed(config.protocol, Protocol()))),
            model=self._build("split"),
            pretrained=self._pretrained(),
            measured="measured = {}\n" if self._follows_validation else "",
            trainer=self._trainer(alone=alone),
            remember="\n    measured[epoch.number] = epoch.metrics" if self._follows_validation else "",
            refit=self._refit(alone=alone) if self._refits else "",
        )

    @property
    def _refits(self) -> bool:
        stopped = any(change.name == STOP for change in planned(self.line[-1].config.plan))
        return self.config.training.refit and not stopped

    @property
    def _follows_validation(self) -> bool:
        """Whether training once more needs to know what was measured, epoch by epoch."""
        return self._refits and any(stage.config.schedule == "plateau" for stage in self.line)

    def _names(self, split: SplitSpec, *, alone: bool) -> list[str]:
        names = ["Protocol", "TrainConfig", *(["Trainer"] if alone else []), "build_model", "evaluate", "load_dataset"]
        return names + ([split.function] if split.function else [])

    def _imports(self, split: SplitSpec, *, alone: bool) -> Iterator[str]:
        if not split.function:
            yield "from mfcore.data.config import SplitConfig"
            yield "from mfcore.data.split import make_split"
        if self.config.model.pretrained_gmf:
            yield "from mfcore.runs import load_run"
        used = ([] if alone else ["Stage", "follow"]) + (["refit"] if self._refits else [])
        if used:
            yield f"from mfcore.training import {', '.join(used)}"

    def _stages(self) -> str:
        lines = []
        for stage in self.line:
            more = f", until={stage.until}" if stage.until is not None else ""
            more += f", changes={stage.changes!r}" if stage.changes else ""
            lines.append(f"    Stage({_train_config(stage.config)}{more}),")
        return "\n".join(
            ["# It went on from other runs: each stage from where the one before is left.", "line = [", *lines, "]"]
        )

    def _trainer(self, *, alone: bool) -> str:
        if alone:
            return "trainer = Trainer(model, split, config, protocol)"
        told = ", on_epoch=lambda end: measured.update({end.number: end.metrics})" if self._follows_validation else ""
        return f"trainer = follow(model, split, line, protocol{told})"

    def _refit(self, *, alone: bool) -> str:
        return _REFIT.format(
            model=self._build("together"),
            pretrained=self._pretrained(),
            line="config" if alone else "line",
            measured=", measured=measured" if self._follows_validation else "",
        )

    def _pretrained(self) -> str:
        model = self.config.model
        return _PRETRAINED.format(gmf=model.pretrained_gmf, mlp=model.pretrained_mlp) if model.pretrained_gmf else ""

    def _build(self, split: str) -> str:
        model = self.begun_with.model
        changed = _changed(model, ModelConfig(), always=("embedding_dim",))
        for name in ("name", "pretrained_gmf", "pretrained_mlp"):
            changed.pop(name, None)
        arguments = [repr(model.name), f"{split}.train", *_keywords(changed), f"seed={self.begun_with.training.seed}"]
        return f"build_model({', '.join(arguments)})"


def _train_config(config: TrainConfig) -> str:
    return f"TrainConfig({', '.join(_keywords(_changed(config, TrainConfig(), always=_ALWAYS)))})"


def _remarks(config: RunConfig, history: RunHistory | None) -> str:
    if config.parent and (history is None or not history.complete):
        return _UNKNOWN_PARENT.format(epoch=int(config.parent["epoch"]), run_id=_harmless(config.parent["run_id"]))
    changes = [] if history is None else history.on_the_way
    lines = [f"- {_harmless(change.words)}" for change in changes]
    return _HAPPENED.format(changes="\n".join(lines)) if lines else ""


def _harmless(text: object) -> str:
    """For a docstring: nothing in it can end that, or be read as code behind it."""
    return re.sub(r"[^\w .,→-]", "?", str(text))[:200]


def _split_call(split: SplitConfig, spec: SplitSpec) -> str:
    if not spec.function:
        return f"make_split(data, SplitConfig({', '.join(_keywords(_changed(split, SplitConfig(), always=('kind',))))}))"
    arguments = _keywords({argument: getattr(split, name) for argument, name in spec.arguments.items()})
    return f"{spec.function}({', '.join(['data', *arguments])})"


def _dataset_arguments(dataset: DatasetConfig) -> dict[str, Any]:
    return {**dataset.options, **({"transform": dataset.transform} if dataset.transform != "none" else {})}


def _keywords(values: dict[str, Any]) -> list[str]:
    plain = {name: value for name, value in values.items() if name.isidentifier() and not keyword.iskeyword(name)}
    odd = {name: value for name, value in values.items() if name not in plain}  # of a dataset that nobody here knows
    return [*(f"{name}={value!r}" for name, value in plain.items()), *([f"**{odd!r}"] if odd else [])]


def _changed(config: Any, default: Any, *, always: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields that differ from the default, and those worth reading anyway."""
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if name in always or value != getattr(default, name)}
