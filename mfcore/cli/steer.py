"""Commands on runs that exist: branch from an epoch, go on beyond the end, tell a running one something."""

from __future__ import annotations

import argparse

from mfcore.cli.output import print_json, say
from mfcore.cli.settings import pairs_from
from mfcore.cli.train import report, train_here
from mfcore.runs.branching import branch_config, branch_folder
from mfcore.runs.commands import Command
from mfcore.runs.export.command import FLAGS
from mfcore.runs.layout import RunFolder
from mfcore.runs.manager.queue import leave_command
from mfcore.runs.store import RunStore, check_config


def branch(options: argparse.Namespace) -> int:
    """Make a branch and train it in this process."""
    store = RunStore(options.home)
    parent = store.folder(store.find(options.run_id))
    changes = pairs_from(options.set or [])
    changes.update({key: getattr(options, key) for key in FLAGS if getattr(options, key, None) is not None})
    config = branch_config(parent, options.epoch, changes, options.name)
    check_config(config, store)
    folder = branch_folder(store.home, parent, config, claimed=True)
    return report(folder, train_here(folder, store), options.json)


def extend(options: argparse.Namespace) -> int:
    """More epochs: asked of the worker of a run that is going, trained in this process after its end."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    command = Command("extend", options.epochs)
    folder = store.folder(run_id)
    if not folder.status().over:
        return _tell(folder, command, options.json)
    store.requeue(run_id, claimed=True, epochs=int(command.value or 0))
    return report(folder, train_here(folder, store), options.json)


def tell(options: argparse.Namespace) -> int:
    """Leave a command for the worker."""
    store = RunStore(options.home)
    return _tell(store.folder(store.find(options.run_id)), Command(options.wish, options.value), options.json)


def _tell(folder: RunFolder, command: Command, as_json: bool) -> int:
    leave_command(folder, command)
    value = {} if command.value is None else {"value": command.value}
    if as_json:
        print_json({"run_id": folder.run_id, "command": command.kind, **value})
    else:
        said = " ".join([command.kind, *(f"{given:g}" for given in value.values())])
        say(f"run {folder.run_id} was told: {said}")
    return 0
