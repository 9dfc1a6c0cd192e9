"""Everything needed to repeat a run, and its flat form for links and flags."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mfcore.data.config import DatasetConfig, SplitConfig
from mfcore.errors import UnusableRequest
from mfcore.evaluation.protocol import Protocol
from mfcore.models.config import ModelConfig
from mfcore.training.config import TrainConfig
from mfcore.training.engines.als.limits import refuse_unsolvable
from mfcore.validate import boolean, integer, number, require, text

FORMAT_VERSION = 1


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
    preset: str = ""
    name: str = ""
    pace: float = field(default=0.0, metadata={"help": "Epochs a second to show; 0 is full speed."})
    checkpoint_every: int = field(
        default=0, metadata={"help": "Keep every so many epochs to branch from; 0 keeps as many as have room, evenly."}
    )
    parent: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text("name", self.name)
        object.__setattr__(self, "pace", number("pace", self.pace, low=0.0))
        object.__setattr__(self, "checkpoint_every", integer("checkpoint_every", self.checkpoint_every, low=0))
        _check_parent(self.parent)
        require(
            self.split.kind != "official" or self.dataset.name == "ml-100k",
            f"split official exists for ml-100k only, not for {self.dataset.name}; use random, leave-last-out or time",
        )
        require(
            not self.model.output_range or self.training.loss == "mse",
            f"output_range squeezes ratings, so it needs loss mse, got {self.training.loss}",
        )
        refuse_unsolvable(self.model, self.training)

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
        for key, (section, name) in FLAT_KEYS.items():
            value = _read(self, section, name)
            if defaults or value != _read(baseline, section, name):
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
            require(key in FLAT_KEYS, f"unknown setting {key!r}; known: {', '.join(sorted(FLAT_KEYS))}")
            section, name = FLAT_KEYS[key]
            if key == "dataset" and value != self.dataset.name:
                options = {k: v for k, v in options.items() if f"dataset.{k}" in changes}
            target = sections[section] if section else own
            target[name] = _parse(key, value, _FLAT_TYPES[key])
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


def _flat_keys() -> dict[str, tuple[str, str]]:
    """Flat key → (section, field). Section names stand for their ``name``/``kind``; the split's seed is ``split_seed``."""
    renamed = {
        ("dataset", "name"): "dataset",
        ("split", "kind"): "split",
        ("model", "name"): "model",
        ("split", "seed"): "split_seed",
    }
    keys: dict[str, tuple[str, str]] = {}
    for section, kind in _SECTIONS.items():
        for f in dataclasses.fields(kind):
            if (section, f.name) != ("dataset", "options"):
                keys[renamed.get((section, f.name), f.name)] = (section, f.name)
    keys.update({name: ("", name) for name in ("preset", "name", "pace", "checkpoint_every")})
    return keys


FLAT_KEYS: dict[str, tuple[str, str]] = _flat_keys()


def _field_type(section: str, name: str) -> Any:
    return typing.get_type_hints(_SECTIONS[section] if section else RunConfig)[name]


_FLAT_TYPES: dict[str, Any] = {key: _field_type(*where) for key, where in FLAT_KEYS.items()}


def help_for(key: str) -> str:
    """One sentence on a flat key, for a tooltip or ``--help``."""
    section, name = FLAT_KEYS[key]
    fields = {f.name: f for f in dataclasses.fields(_SECTIONS[section] if section else RunConfig)}
    return str(fields[name].metadata.get("help", ""))


def _read(config: RunConfig, section: str, name: str) -> Any:
    return getattr(getattr(config, section) if section else config, name)


def _parse(key: str, value: Any, kind: Any) -> Any:
    """Text → the field's type; what is not text passes through to the section's own validation."""
    if isinstance(kind, types.GenericAlias):
        return value
    if kind is int:
        return integer(key, value)
    if kind is float:
        return number(key, value)
    if kind is bool:
        return boolean(key, value)
    if not isinstance(value, str):
        raise UnusableRequest(f"{key} must be text, got {value!r}")
    return value


def _check_parent(parent: Any) -> None:
    require(isinstance(parent, Mapping), f"parent must be an object, got {parent!r}")
    if parent:
        _refuse_unknown(parent, ["run_id", "epoch", "changes"], "parent")
        require(isinstance(parent.get("run_id"), str), "parent must name its run_id")
        integer("epoch of the parent", parent.get("epoch"), low=0)
        require(isinstance(parent.get("changes", {}), Mapping), "changes of the parent must be an object of settings")


def _refuse_unknown(values: Mapping[str, Any], known: list[str], where: str) -> None:
    unknown = [key for key in values if key not in known]
    require(not unknown, f"unknown {where} setting {', '.join(map(repr, unknown))}; known: {', '.join(known)}")
