"""Everything needed to repeat a run, and its flat form for links and flags."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.data.config import DatasetConfig, SplitConfig
from mfcore.data.split import with_folds
from mfcore.data.transform import scale_after
from mfcore.evaluation.protocol import Protocol, all_relevant, threshold_words
from mfcore.models.config import ModelConfig
from mfcore.registry import DATASETS, SPLITS
from mfcore.settings import MOST_EPOCHS, SETTINGS, Setting, check, default, known
from mfcore.training.config import TrainConfig
from mfcore.training.contradictions import refuse_contradictions
from mfcore.validate import integer, number, require

FORMAT_VERSION = 1
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def check_run_id(run_id: object) -> str:
    """``run_id`` if it can be one; anything else, such as ``../x``, never reaches the file system.

    Raises:
        UnusableRequest: it is not the name of a run.
    """
    require(isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) is not None, f"{str(run_id)[:80]!r} is not the name of a run")
    return str(run_id)


@dataclass(frozen=True)
class RunConfig:
    """A run, as a person chose it.

    ``pace``: epochs a second a watched run keeps to, 0 for full speed; waiting is not training time. ``checkpoint_every``:
    epochs between those that are kept to branch from. ``parent``: where a branch comes from, ``{"run_id", "epoch",
    "changes"}``, the changes as flat keys; empty for a run of its own.

    Raises:
        UnusableRequest: a section is invalid, or two sections contradict each other.
    """

    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainConfig = field(default_factory=TrainConfig)
    protocol: Protocol = field(default_factory=Protocol)
    preset: str = default("preset")
    name: str = default("name")
    pace: float = default("pace")
    checkpoint_every: int = default("checkpoint_every")
    parent: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self)
        _check_parent(self.parent)
        data, split = DATASETS.get(self.dataset.name), SPLITS[self.split.kind]
        require(
            not split.needs_folds or (data is not None and data.num_folds > 0),
            f"split {self.split.kind} exists for {with_folds()} only, not for {self.dataset.name}; "
            "use random, leave-last-out or time",
        )
        require(
            not split.needs_parts or data is None or data.has_parts,
            f"split {self.split.kind} needs a division that came with the data, which {self.dataset.name} has not; use random",
        )
        if split.needs_folds and data is not None:
            require(self.split.fold <= data.num_folds, f"fold must be <= {data.num_folds}, got {self.split.fold}")
        refuse_contradictions(self.model, self.training)
        least = self.split.positive_threshold
        require(
            isinstance(least, str) or self.training.implicit,
            f"positive_threshold {least} leaves out lower ratings, which loss {self.training.loss} has to learn from; "
            "choose all, or a loss that ranks",
        )

    @property
    def all_relevant(self) -> bool:
        """Whether every held-out interaction counts as relevant: so after leave-last-out, and with ranking losses."""
        return all_relevant(self.split.kind, ranks=self.training.implicit)

    @property
    def relevance_words(self) -> str:
        """What makes a held-out interaction relevant; empty where everything is."""
        if self.all_relevant:
            return ""
        spec = DATASETS.get(self.dataset.name)
        asked = self.protocol.relevance_threshold
        if spec is None:
            return threshold_words(asked)
        return threshold_words(asked, *scale_after(self.dataset.transform, spec.scale, spec.feedback))

    def to_dict(self) -> dict[str, Any]:
        """Nested plain data, JSON-ready."""
        return {"format_version": FORMAT_VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """The inverse of :meth:`to_dict`. Keys it does not know are refused by name."""
        values = dict(values)
        version = values.pop("format_version", FORMAT_VERSION)
        require(version == FORMAT_VERSION, f"this run was written in format {version}; this version reads {FORMAT_VERSION}")
        for section, kind in _SECTIONS.items():
            if section in values:
                entries = values[section]
                require(isinstance(entries, Mapping), f"{section} must be an object of settings, got {entries!r}")
                _refuse_unknown(entries, [f.name for f in dataclasses.fields(kind)], section)
                values[section] = kind(**entries)
        _refuse_unknown(values, [f.name for f in dataclasses.fields(cls)], "run")
        return cls(**values)

    def to_flat(self, *, defaults: bool = False) -> dict[str, Any]:
        """``{"model": "mf", "learning_rate": 0.01, …}``: only what differs from the default unless ``defaults``."""
        baseline = RunConfig()
        flat: dict[str, Any] = {}
        for key, setting in SETTINGS.items():
            value = _read(self, setting)
            if defaults or value != _read(baseline, setting):
                flat[key] = ",".join(map(str, value)) if isinstance(value, tuple) else value
        flat.update({f"dataset.{name}": value for name, value in self.dataset.options.items()})
        return flat

    def with_flat(self, changes: Mapping[str, Any]) -> RunConfig:
        """A copy with flat keys replaced. Values may be text (from a link or a flag).

        Raises:
            UnusableRequest: a key is unknown or a value unusable.
        """
        sections: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
        own: dict[str, Any] = {}
        options = dict(self.dataset.options)
        for key, value in changes.items():
            if key.startswith("dataset."):
                options[key.removeprefix("dataset.")] = number(key, value)
                continue
            setting = known(key)
            if key == "dataset" and value != self.dataset.name:
                options = {k: v for k, v in options.items() if f"dataset.{k}" in changes}
            target = sections[setting.section] if setting.section else own
            target[setting.attribute] = setting.read(value)
        parts = {section: dataclasses.replace(getattr(self, section), **new) for section, new in sections.items()}
        parts["dataset"] = dataclasses.replace(parts["dataset"], options=options)
        return dataclasses.replace(self, **parts, **own)


_SECTIONS: dict[str, Any] = {
    "dataset": DatasetConfig,
    "split": SplitConfig,
    "model": ModelConfig,
    "training": TrainConfig,
    "protocol": Protocol,
}


def _read(config: RunConfig, setting: Setting) -> Any:
    return getattr(getattr(config, setting.section) if setting.section else config, setting.attribute)


def _check_parent(parent: Any) -> None:
    require(isinstance(parent, Mapping), f"parent must be an object, got {parent!r}")
    if parent:
        _refuse_unknown(parent, ["run_id", "epoch", "changes"], "parent")
        check_run_id(parent.get("run_id"))
        integer("epoch of the parent", parent.get("epoch"), low=0, high=MOST_EPOCHS)
        changes = parent.get("changes", {})
        require(isinstance(changes, Mapping), "changes of the parent must be an object of settings")
        for key, value in changes.items():
            known(key).read(value)


def _refuse_unknown(values: Mapping[str, Any], known: list[str], where: str) -> None:
    unknown = [key for key in values if key not in known]
    require(not unknown, f"unknown {where} setting {', '.join(map(repr, unknown))}; known: {', '.join(known)}")
