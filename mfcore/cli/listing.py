"""Commands on what there is to choose from: datasets, fetch, presets."""

from __future__ import annotations

import argparse

from mfcore.cli.output import complain, print_json, print_table, say
from mfcore.cli.progress import TrainingProgress


def datasets(options: argparse.Namespace) -> int:
    """What can be loaded."""
    from mfcore.data import dataset_status
    from mfcore.registry import DATASETS

    entries = [
        {
            "name": entry.name,
            "title": entry.title,
            "status": dataset_status(entry.name, options.home),
            "size": entry.size,
            "licence": entry.licence,
            "description": entry.description,
            "citation": entry.citation,
            "url": entry.url,
            "options": {name: {"default": o.default, "low": o.low, "high": o.high} for name, o in entry.options.items()},
        }
        for entry in DATASETS.values()
    ]
    if options.json:
        print_json({"datasets": entries})
        return 0
    columns = ("name", "status", "title", "size", "licence")
    print_table(columns, [[entry[column] for column in columns] for entry in entries])
    return 0


def fetch(options: argparse.Namespace) -> int:
    """Download, check and keep a dataset."""
    from mfcore.data import fetch as fetch_dataset
    from mfcore.errors import DataUnavailable
    from mfcore.registry import DATASETS

    try:
        with TrainingProgress() as progress:
            path = fetch_dataset(options.dataset, options.home, progress.fetching)
    except DataUnavailable as error:
        complain(str(error))
        return 1
    entry = DATASETS[options.dataset]
    if options.json:
        print_json({"dataset": options.dataset, "path": None if path is None else str(path)})
        return 0
    say(f"{entry.title} is generated when needed" if path is None else f"{entry.title} is here: {path}")
    say(f"licence: {entry.licence}")
    if entry.citation:
        say(f"please cite: {entry.citation}")
    return 0


def presets(options: argparse.Namespace) -> int:
    """Recipes for ``train --preset``."""
    from mfcore.runs.presets import KINDS, PRESETS

    if options.json:
        print_json(
            {"presets": [{"name": p.name, "kind": p.kind, "title": p.title, "sentence": p.sentence} for p in PRESETS.values()]}
        )
        return 0
    rows = [[p.name, KINDS[p.kind], p.title, p.sentence] for p in PRESETS.values()]
    print_table(["preset", "kind", "title", "what to watch for"], rows)
    return 0
