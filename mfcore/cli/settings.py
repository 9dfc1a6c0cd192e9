"""From flags to a run: flags override ``--config``, which overrides ``--preset``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.files import MOST_JSON, loads
from mfcore.paths import reason
from mfcore.registry import SPLITS
from mfcore.runs.config import FORMAT_VERSION, RunConfig
from mfcore.runs.export.command import FLAGS
from mfcore.runs.presets import PRESETS
from mfcore.settings import SETTINGS
from mfcore.validate import choice, require

_SECTIONS = ("dataset", "split", "model", "training", "protocol")


def config_from(options: argparse.Namespace) -> RunConfig:
    """The run that was asked for.

    Raises:
        UnusableRequest: a flag, the file or the preset cannot be used, or no model was named anywhere.
    """
    flat: dict[str, Any] = {}
    if options.preset is not None:
        flat.update(PRESETS[choice("preset", options.preset, PRESETS)].flat, preset=options.preset)
    if options.config is not None:
        flat.update(flat_from_file(Path(options.config)))
    flat.pop("pace", None)  # for watching on a page; here it would only be waiting
    flat.update(pairs_from(options.set or []))
    flat.update({key: getattr(options, key) for key in FLAGS if getattr(options, key) is not None})
    require("model" in flat, "say which model to train with --model, or choose a whole recipe with --preset")
    config = RunConfig().with_flat(flat)
    require(
        options.fold is None or "fold" in SPLITS[config.split.kind].uses,
        f"--fold picks one of the official splits, but the split is {config.split.kind}; add --split official",
    )
    return config


def flat_from_file(path: Path) -> dict[str, Any]:
    """Flat keys from a JSON file: either flat itself, or nested like a run's config.json; what it leaves out stays open.

    Raises:
        UnusableRequest: the file cannot be read or is not such JSON.
    """
    try:
        with path.open("rb") as file:  # a pipe is fine; a device that never ends is not
            text = file.read(MOST_JSON + 1)
        require(len(text) <= MOST_JSON, f"--config {path} is larger than {MOST_JSON // 1024**2} MB: that is no configuration")
        values = loads(text)
    except UnusableRequest:
        raise
    except OSError as error:
        raise UnusableRequest(f"--config {path} cannot be read ({reason(error)})") from None
    except ValueError as error:
        raise UnusableRequest(f"--config {path} is not JSON ({error})") from None
    require(isinstance(values, dict), f"--config {path} must hold a JSON object of settings")
    flat: dict[str, Any] = {}
    names = {(setting.section, setting.attribute): key for key, setting in SETTINGS.items()}
    for key, value in values.items():
        if key == "format_version":
            known = f"this version reads {FORMAT_VERSION}"
            require(value == FORMAT_VERSION, f"--config {path} was written in format {value!r}; {known}")
            continue
        if key == "provenance":
            continue
        if key == "parent":
            require(not value, f"--config {path} is of a branch; `python -m mfcore branch` makes one")
            continue
        if not (key in _SECTIONS and isinstance(value, dict)):
            flat[key] = value
            continue
        for name, entry in value.items():
            if (key, name) == ("dataset", "options") and isinstance(entry, dict):
                flat.update({f"dataset.{option}": number for option, number in entry.items()})
            else:
                require((key, name) in names, f"--config {path} has an unknown setting {name!r} in {key}")
                flat[names[key, name]] = entry
    return flat


def pairs_from(pairs: list[str]) -> dict[str, str]:
    """``["momentum=0.9"]`` → ``{"momentum": "0.9"}``; dashes in a key are read as underscores."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        require(bool(equals) and bool(key), f"--set takes KEY=VALUE, got {pair!r}")
        key = key.strip()
        found[key if key in SETTINGS else key.replace("-", "_")] = value.strip()
    return found
