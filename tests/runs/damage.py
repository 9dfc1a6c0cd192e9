"""What a hand, a failing disk or a hostile import can do to the folder of a run that has finished."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Damage = Callable[[Path], object]
LARGE = {"@large": "1" + "0" * 400, "@beyond": "1e999"}
"""Numbers that Python's own writer of JSON does not write."""


def put(file: str, *place: str, value: Any) -> Damage:
    """Another value at a place in a JSON file of the run."""

    def do(folder: Path) -> None:
        whole = json.loads((folder / file).read_text())
        part = whole
        for name in place[:-1]:
            part = part[name]
        part[place[-1]] = value
        text = json.dumps(whole)
        for word, number in LARGE.items():
            text = text.replace(f'"{word}"', number)
        (folder / file).write_text(text)

    return do


def tell(*lines: str) -> Damage:
    """More lines in the log of events."""

    def do(folder: Path) -> None:
        with (folder / "events.jsonl").open("a") as log:
            log.write("".join(f"{line}\n" for line in lines))

    return do


def instead(file: str, make: Callable[[Path], object]) -> Damage:
    """Something else in the place of a file."""

    def do(folder: Path) -> None:
        (folder / file).unlink()
        make(folder / file)

    return do


# What still can be shown is shown; the state is that of a run that has finished.
HARMLESS: dict[str, Damage] = {
    "a resume without a step": tell('{"kind": "resume", "step": "x"}'),
    "a line too deep": tell("[" * 100_000),
    "labels too deep": lambda folder: (folder / "meta.json").write_text('{"a":' * 100_000),
    "half a surrogate pair in the name": put("meta.json", "name", value="\ud800"),
    "baselines of another type": tell('{"kind": "start", "baselines": {"valid": {"random": {"RMSE": "x"}}}}'),
    "numbers of epochs below zero": tell(
        '{"kind": "start", "num_epochs": -4, "steps_per_epoch": 0, "metrics": [{"a": {"b": []}}]}'
    ),
    "epochs beyond all": tell(
        '{"kind": "epoch", "epoch": -4, "metrics": {"RMSE": 1e300}, "seconds": -1e300}',
        '{"kind": "epoch", "epoch": 9007199254740993, "seconds": 1e300}',
    ),
    "commands of nonsense": tell(
        '{"kind": "command", "name": "learning_rate", "value": [1], "at": 1e300, "step": 1}',
        '{"kind": "command", "name": "batch_size", "value": -1, "before": 0, "step": 2, "epoch": 1}',
        '{"kind": "command", "name": "nonsense", "value": 1e300, "step": 2, "epoch": 1, "at": -1}',
    ),
    "an evaluation that is none": lambda folder: (folder / "evaluation.npz").write_bytes(b"PK\x03\x04junk"),
    "a metric beyond every number": put("result.json", "test", value={"rmse": "@beyond"}),
    "a metric of nineteen digits": put("result.json", "test", value={"rmse": 10**19}),
    "a best epoch below zero": put("result.json", "best_epoch", value=-5),
    "a reason that is a list": put("result.json", "reason", value=[1]),
    "provenance that is a list": put("config.json", "provenance", value=[1]),
    "checkpoints that are a file": lambda folder: (
        shutil.rmtree(folder / "checkpoints"),
        (folder / "checkpoints").write_text(""),
    ),
}
if hasattr(os, "mkfifo"):
    HARMLESS["labels in a pipe"] = instead("meta.json", os.mkfifo)
    HARMLESS["events in a pipe"] = instead("events.jsonl", os.mkfifo)

# What an archive says of its owner is not looked at: alone in a folder does this make a run damaged.
WHOSE: dict[str, Damage] = {
    "an owner that is a number": put("meta.json", "owner", value=5),
    "an owner of a thousand letters": put("meta.json", "owner", value="x" * 1_000),
    "shared in a word": put("meta.json", "shared", value="yes"),
}
# What cannot be shown: the run is damaged, and says why.
DAMAGED: dict[str, Damage] = {
    "labels that lead to themselves": instead("meta.json", lambda path: path.symlink_to(path.name)),
    "a name of five million letters": put("meta.json", "name", value="x" * 5_000_000),
    "a note of a million letters": put("meta.json", "note", value="x" * 1_000_000),
    "no name": put("meta.json", "name", value=None),
    "a star that is a word": put("meta.json", "starred", value="x"),
    **WHOSE,
    "options that are a list": put("config.json", "dataset", "options", value=[]),
    "options of code": put("config.json", "dataset", "options", value={'a=__import__("os")': 1}),
    "options in options": put("config.json", "dataset", "options", value={"a": {"b": 1}}),
    "a dataset of code": put("config.json", "dataset", "name", value='a")\nimport os#'),
    "epochs beyond every number": put("config.json", "training", "num_epochs", value="@beyond"),
    "epochs of 400 digits": put("config.json", "training", "num_epochs", value="@large"),
    "a parent of code": put("config.json", "parent", value={"run_id": 'a"+b', "epoch": 1, "changes": {}}),
    "a parent with unknown changes": put("config.json", "parent", value={"run_id": "abc", "epoch": 1, "changes": {"zzz": 1}}),
    "a parent with a change of text": put(
        "config.json", "parent", value={"run_id": "abc", "epoch": 1, "changes": {"learning_rate": "x"}}
    ),
    "no configuration": lambda folder: (folder / "config.json").unlink(),
    "a configuration that is a folder": instead("config.json", Path.mkdir),
    "baselines in baselines": put("result.json", "baselines", value={"random": {"rmse": {"a": 1}}}),
    "baselines that are a list": put("result.json", "baselines", value=[1]),
    "metrics that are a list": put("result.json", "test", value=[]),
    "a best epoch that is a word": put("result.json", "best_epoch", value="x"),
}

# What a status file cannot say: nothing waits for such a run, and it can go on from its checkpoint.
STATUS: dict[str, Damage] = {
    f"{field} is {value!r}"[:40]: put("status.json", field, value=value)
    for field, value in (
        ("created", "@beyond"), ("created", "@large"), ("created", 1e18), ("created", -1e18), ("created", 2e11),
        ("created", -1), ("started", [1]), ("ended", 1e17), ("state", []), ("state", "damaged"), ("pid", -1),
        ("reason", "x" * 20_000), ("commands_seen", True), ("extend_to", 10**17),
    )
}  # fmt: skip
