"""A run as a short Python script that uses mfcore and prints the same test numbers."""

from __future__ import annotations

import dataclasses
import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mfcore.data.config import SplitConfig
from mfcore.evaluation.protocol import Protocol
from mfcore.models.config import ModelConfig
from mfcore.registry import MODELS, SPLITS, SplitSpec
from mfcore.runs.config import RunConfig
from mfcore.runs.history import Change
from mfcore.training.config import TrainConfig

_SCRIPT = '''"""{title} on {dataset}: trains it, chooses the best epoch on validation, scores test once.{branch}{changed}"""

import json

from mfcore import Protocol, TrainConfig, Trainer, build_model, evaluate, load_dataset{split_function}
{imports}
data = load_dataset({dataset_arguments})
split = {split_call}
config = TrainConfig({training})
protocol = Protocol({protocol})

model = {model}
{pretrained}trainer = Trainer(model, split, config, protocol)
for epoch in trainer.fit():
    print(epoch.number, epoch.train_loss, epoch.metrics.get(trainer.selection_metric))
trainer.load_best()
{refit}
print(json.dumps(evaluate(model, split, "test", protocol)))
'''

_REFIT = """
# Validation has chosen the number of epochs; now its ratings are trained on as well.
together = split.with_validation_in_train()
model = {model}
{pretrained}refit = Trainer(model, together, config, protocol)
for _ in range(trainer.best_epoch):
    refit.train_epoch()
"""

_BRANCH = """

The run this was made from is a branch: it went on from epoch {epoch} of run {run_id}.
This script trains with the branch's settings from the beginning, so its figures are others.
"""

_CHANGED = """

While the run this was made from was trained, settings were changed, which this script does not, so its figures are others:
{changes}
"""

_PRETRAINED = "model.load_pretrained(load_run({gmf!r}).model, load_run({mlp!r}).model)\n"


def run_script(config: RunConfig, changes: Iterable[Change] = ()) -> str:
    """Stand-alone Python source that trains this run and prints its test metrics as JSON on the last line.

    ``changes``: those in flight (see :class:`RunHistory`), which it only tells of.

    Whatever a configuration holds, also one that came in a zip file, is in it as a value or as words, never as code.
    """
    split = SPLITS[config.split.kind]
    model, imports = config.model, ""
    if model.pretrained_gmf:
        imports += "from mfcore.runs import load_run\n"
    if not split.function:
        imports += "from mfcore.data.config import SplitConfig\nfrom mfcore.data.split import make_split\n"
    pretrained = _PRETRAINED.format(gmf=model.pretrained_gmf, mlp=model.pretrained_mlp) if model.pretrained_gmf else ""
    refit = _REFIT.format(model=_build(config, "together"), pretrained=pretrained) if config.training.refit else ""
    return _SCRIPT.format(
        title=MODELS[model.name].title,
        branch=_branch(config.parent) if config.parent else "",
        changed=_changes(changes),
        dataset=_harmless(config.dataset.name),
        imports=imports,
        split_function=f", {split.function}" if split.function else "",
        dataset_arguments=", ".join([repr(config.dataset.name), *_keywords(config.dataset.options)]),
        split_call=_split_call(config.split, split),
        training=", ".join(
            _keywords(_changed(config.training, TrainConfig(), always=("optimizer", "learning_rate", "num_epochs")))
        ),
        protocol=", ".join(_keywords(_changed(config.protocol, Protocol()))),
        model=_build(config, "split"),
        pretrained=pretrained,
        refit=refit,
    )


def _branch(parent: Mapping[str, Any]) -> str:
    return _BRANCH.format(epoch=int(parent["epoch"]), run_id=_harmless(parent["run_id"]))


def _changes(changes: Iterable[Change]) -> str:
    lines = [f"- {_harmless(change.words)}" for change in changes]
    return _CHANGED.format(changes="\n".join(lines)) if lines else ""


def _harmless(text: object) -> str:
    """For a docstring: nothing in it can end that, or be read as code behind it."""
    return re.sub(r"[^\w .,→-]", "?", str(text))[:200]


def _build(config: RunConfig, split: str) -> str:
    changed = _changed(config.model, ModelConfig(), always=("embedding_dim",))
    for name in ("name", "pretrained_gmf", "pretrained_mlp"):
        changed.pop(name, None)
    arguments = [repr(config.model.name), f"{split}.train", *_keywords(changed), f"seed={config.training.seed}"]
    return f"build_model({', '.join(arguments)})"


def _split_call(split: SplitConfig, spec: SplitSpec) -> str:
    if not spec.function:
        return f"make_split(data, SplitConfig({', '.join(_keywords(_changed(split, SplitConfig(), always=('kind',))))}))"
    arguments = _keywords({argument: getattr(split, name) for argument, name in spec.arguments.items()})
    return f"{spec.function}({', '.join(['data', *arguments])})"


def _keywords(values: dict[str, Any]) -> list[str]:
    plain = {name: value for name, value in values.items() if name.isidentifier() and not keyword.iskeyword(name)}
    odd = {name: value for name, value in values.items() if name not in plain}  # of a dataset that nobody here knows
    return [*(f"{name}={value!r}" for name, value in plain.items()), *([f"**{odd!r}"] if odd else [])]


def _changed(config: Any, default: Any, *, always: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields that differ from the default, and those worth reading anyway."""
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if name in always or value != getattr(default, name)}
