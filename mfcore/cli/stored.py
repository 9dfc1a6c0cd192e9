"""Commands on runs that exist: evaluate, recommend, runs."""

from __future__ import annotations

import argparse
import time
from typing import Any

from mfcore.cli.output import duration, metric, note, print_json, print_table, say
from mfcore.runs.store import RunStore
from mfcore.runs.summary import RunSummary
from mfcore.validate import integer


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
        "baselines": summary.baselines.get("test" if summary.test else "valid", {}),
    }
    if not summary.test:
        note(f"run {summary.run_id} is {summary.state}; test is scored when a run has ended, so here is validation")
    if options.json:
        print_json(found)
        return 0
    names = [name for name, values in found["baselines"].items() if values]
    rows = [
        [
            key,
            metric(found["test"].get(key)),
            metric(valid.get(key)),
            *(metric(found["baselines"][name].get(key)) for name in names),
        ]
        for key in (found["test"] or valid)
    ]
    say(
        f"{summary.title}: {summary.model} on {summary.dataset}, weights {loaded.checkpoint} of epoch {loaded.checkpoint_epoch}"
    )
    print_table(["metric", "test", "validation", *names], rows, numbers=["test", "validation", *names])
    return 0


def recommend(options: argparse.Namespace) -> int:
    """Top-N for one user of a stored run's dataset."""
    from mfcore.runs.loaded import load_run

    count = integer("n", options.n, low=1)
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    table = load_run(run_id, store.home).recommender().recommend(options.user, count, include_seen=options.include_seen)
    items = [
        {
            "item_id": row.item_id,
            "title": row.title,
            "year": _whole(row.year),
            "genres": list(row.genres),
            "score": float(row.score),
            "seen": bool(row.seen),
        }
        for row in table.itertuples()
    ]
    if options.json:
        print_json({"run_id": run_id, "user": options.user, "items": items})
        return 0
    rows = [
        [place, item["item_id"], item["title"], ", ".join(item["genres"]), f"{item['score']:.3f}"]
        for place, item in enumerate(items, 1)
    ]
    print_table(["", "item", "title", "genres", "score"], rows, numbers=["", "item", "score"])
    return 0


def list_runs(options: argparse.Namespace) -> int:
    """All runs, newest first."""
    summaries = RunStore(options.home).list()
    if options.json:
        print_json({"runs": [_plain(summary) for summary in summaries]})
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
            s.state,
            f"{s.epochs_done}/{s.num_epochs}",
            f"{s.headline_part} {s.headline[0]} {metric(s.headline[1])}" if s.headline else "–",
        ]
        for s in summaries
    ]
    print_table(["run", "name", "model", "dataset", "state", "epochs", "metric"], rows, numbers=["epochs"])
    return 0


def show(options: argparse.Namespace) -> int:
    """One run: what it was, what came of it, and the command that repeats it."""
    from mfcore.runs.export.command import command_line

    store = RunStore(options.home)
    summary = store.get(store.find(options.run_id))
    if options.json:
        print_json(_plain(summary) | {"config": summary.config.to_dict(), "baselines": summary.baselines})
        return 0
    state = f"{summary.state}: {summary.reason}" if summary.reason else summary.state
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
        ("repeat", command_line(summary.config)),
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
