"""Commands on what is there: datasets, presets, and runs that have been trained."""

from __future__ import annotations

import argparse
import time
from typing import Any

from mfcore.cli.output import TrainingProgress, duration, metric, print_json, print_metrics, print_table, say
from mfcore.cli.remarks import complain, note
from mfcore.embeddings.export import export_tables, vector_tables
from mfcore.errors import DataUnavailable
from mfcore.runs.embedding_space import run_space
from mfcore.runs.manager.queue import Queue, line_up
from mfcore.runs.store import RunStore
from mfcore.runs.summary import RunSummary
from mfcore.validate import integer


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
    from mfcore.registry import DATASETS

    try:
        with TrainingProgress() as progress:
            path = fetch_dataset(options.dataset, options.home, progress.fetching)
    except DataUnavailable as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("stopped; what has arrived is kept, and the same command goes on from there")
        return 130
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


def evaluate(options: argparse.Namespace) -> int:
    """Every metric of a stored run, computed anew from its weights. Test only once the run is over: it is not for choosing."""
    from mfcore.runs.loaded import load_run

    store = RunStore(options.home)
    summary = store.get(store.find(options.run_id))
    loaded = load_run(summary.run_id, store.home)
    # Weights that were trained on validation too would flatter themselves there: the figure of the choice is kept instead.
    valid = summary.valid if loaded.checkpoint == "refit" else loaded.evaluate("valid")
    found: dict[str, Any] = {
        "run_id": summary.run_id,
        "dataset": summary.dataset,
        "model": summary.model,
        "checkpoint": loaded.checkpoint,
        "checkpoint_epoch": loaded.checkpoint_epoch,
        "valid": valid,
        "test": loaded.evaluate("test") if summary.test else {},
        **({name: dict(part) for name, part in summary.cold.items()} if summary.test else {}),
        "baselines": summary.baselines.get("test" if summary.test else "valid", {}),
    }
    if summary.over and summary.test and loaded.repair_evaluation():
        note(f"the stored evaluation of run {summary.run_id} was damaged, and has been made anew")
    if not summary.test:
        note(f"run {summary.run_id} is {summary.state}; test is scored when a run has ended, so here is validation")
    if options.json:
        print_json(found)
        return 0
    say(
        f"{summary.title}: {summary.model} on {summary.dataset}, weights {loaded.checkpoint} of epoch {loaded.checkpoint_epoch}"
    )
    print_metrics(found["test"], valid, found["baselines"])
    if summary.cold and summary.test:
        _print_known_apart(summary.cold)
    return 0


def _print_known_apart(parts: dict[str, dict[str, Any]]) -> None:
    say("of test: warm is what both the user and the item had training rows of, cold the rest")
    keys = list(dict.fromkeys(key for part in parts.values() for key in part["metrics"]))
    rows = [[key, *(metric(part["metrics"].get(key)) for part in parts.values())] for key in keys]
    counts = [[what, *(f"{part[what]:,}" for part in parts.values())] for what in ("cases", "ratings")]
    print_table(["metric", *parts], counts + rows, numbers=list(parts))


def recommend(options: argparse.Namespace) -> int:
    """Top-N for one user of a stored run's dataset."""
    from mfcore.runs.loaded import load_run

    count = integer("n", options.n, low=1)
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    recommender = load_run(run_id, store.home).recommender()
    table = recommender.recommend(options.user, count, include_seen=options.include_seen)
    items = [
        {
            "item_id": row.item_id,
            "title": row.title,
            "year": _whole(row.year),
            "genres": list(row.genres),
            "score": float(row.score),
            "raw_score": float(row.raw_score),
            "seen": bool(row.seen),
            "known": bool(row.known),
        }
        for row in table.itertuples()
    ]
    known = recommender.knows(options.user)
    if options.json:
        print_json({"run_id": run_id, "user": options.user, "known": known, "items": items})
        return 0
    if not known:
        note(f"training had nothing of user {options.user}: this is what is best known or liked by everybody")
    rows = [
        [
            place,
            item["item_id"],
            item["title"],
            ", ".join(item["genres"]),
            f"{item['score']:.3f}",
            "" if item["known"] else "no",
        ]
        for place, item in enumerate(items, 1)
    ]
    print_table(["", "item", "title", "genres", "score", "known"], rows, numbers=["", "item", "score"])
    return 0


def export_vectors(options: argparse.Namespace) -> int:
    """Vectors of a stored run and what they stand for, as two tables, and what else its predictions are made of."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    epoch = None if options.epoch is None else integer("epoch", options.epoch, low=0)
    tables = vector_tables(run_space(run_id, store.home), what=options.what, epoch=epoch)
    vectors, metadata, model = export_tables(*tables, options.out)
    if options.json:
        print_json({"run_id": run_id, "vectors": str(vectors), "metadata": str(metadata), "model": str(model)})
    else:
        say(
            f"wrote {vectors} and {metadata}; load both at an Embedding Projector, or import them on the page Embeddings; "
            f"{model} says what else a prediction is made of"
        )
    return 0


def list_runs(options: argparse.Namespace) -> int:
    """All runs, newest first."""
    summaries = RunStore(options.home).list()
    line = line_up(summaries)
    if options.json:
        print_json({"runs": [_plain(summary) | {"position": line.position(summary.run_id)} for summary in summaries]})
        return 0
    if not summaries:
        say("no runs yet; train one with: python -m mfcore train --preset biased-mf")
        return 0
    rows = [
        [
            s.run_id,
            ("★ " if s.starred else "") + s.name,
            s.model,
            s.dataset,
            _state(s, line.position(s.run_id)),
            f"{s.epochs_done}/{s.num_epochs}",
            f"{s.headline_part} {s.headline[0]} {metric(s.headline[1])}" if s.headline else "–",
        ]
        for s in summaries
    ]
    print_table(["run", "name", "model", "dataset", "state", "epochs", "metric"], rows, numbers=["epochs"])
    return 0


def _state(run: RunSummary, position: int) -> str:
    if run.silent_since is not None:
        return f"{run.state}, not answering since {_clock(run.silent_since)}"
    return f"{run.state}, number {position}" if position else run.state


def _clock(moment: float) -> str:
    return time.strftime("%H:%M", time.localtime(moment))


def put_next(options: argparse.Namespace) -> int:
    """Let a queued run begin before the others that wait."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    Queue(store).move(run_id, 1)
    if options.json:
        print_json({"run_id": run_id, "position": line_up(store.list()).position(run_id)})
    else:
        say(f"run {run_id} is the next to begin")
    return 0


def show(options: argparse.Namespace) -> int:
    """One run: what it was, what came of it, and the command that repeats it."""
    from mfcore.runs.export.command import repeating_command
    from mfcore.runs.history import RunHistory

    store = RunStore(options.home)
    summary = store.get(store.find(options.run_id))
    if options.json:
        config = {} if summary.unread else {"config": summary.config.to_dict()}
        print_json(_plain(summary) | config | {"baselines": summary.baselines})
        return 0
    history = None if summary.unread else RunHistory.read(store.folder(summary.run_id))
    state = f"{summary.state}: {summary.reason}" if summary.reason else summary.state
    if summary.silent_since is not None:
        state += f", not answering since {_clock(summary.silent_since)}; to end it: python -m mfcore tell {summary.run_id} kill"
    facts = [
        ("run", summary.run_id),
        ("name", summary.name or "–"),
        ("state", state),
        ("created", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(summary.created))),
        ("epochs", f"{summary.epochs_done} of {summary.num_epochs}, best {summary.best_epoch or '–'}"),
        (
            "training",
            f"{duration(summary.train_seconds)}, {summary.samples_per_second:,.0f} samples/s on {summary.device or '–'}",
        ),
        *((f"test {name}", metric(value)) for name, value in summary.test.items()),
        *((f"validation {name}", metric(value)) for name, value in summary.valid.items()),
        *([] if history is None else [("repeat", repeating_command(history))]),
        *(("changed on the way", change.words) for change in (history.on_the_way if history else ())),
    ]
    print_table(["", ""], facts)
    return 0


def delete(options: argparse.Namespace) -> int:
    """Remove runs, with all their files."""
    store = RunStore(options.home)
    run_ids = [store.find(name) for name in options.run_ids]  # all are found before any is deleted
    for run_id in run_ids:
        store.delete(run_id)
    if options.json:
        print_json({"deleted": run_ids})
    else:
        say(f"deleted {', '.join(run_ids)}")
    return 0


def _plain(summary: RunSummary) -> dict[str, Any]:
    names = ("run_id", "name", "note", "starred", "state", "reason", "dataset", "model", "created", "started", "ended")
    figures = ("epochs_done", "num_epochs", "best_epoch", "selection_metric", "test", "valid", "train_seconds", "device")
    return {name: getattr(summary, name) for name in (*names, *figures, "samples_per_second", "curve")}


def _whole(value: Any) -> int | None:
    """A year as an int; None where the table has none (None, NaN or pandas' NA)."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
