"""Which runs were tested on the same cases: only their figures may be set side by side."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from itertools import product

from mfcore.evaluation.metrics import read_key
from mfcore.evaluation.words import split_facts
from mfcore.registry import DATASETS, SPLITS
from mfcore.runs.summary import RunSummary
from mfcore.settings import SETTINGS

Fact = Callable[[RunSummary], str]


def differing_cases(a: RunSummary, b: RunSummary) -> list[str]:
    """Why no figure of one run can be set beside that of another, as "what: a against b"; empty where cases are the same."""
    return _differing_rows(a, b) + _apart({"what counts as relevant": _relevant}, a, b)


def _differing_rows(a: RunSummary, b: RunSummary) -> list[str]:
    """Why the held-out ratings are not the same."""
    facts: dict[str, Fact] = {
        "dataset": _dataset,
        "shape of the data": _shape,
        "split": lambda run: split_facts(run.config.split),
    }
    found = _apart(facts, a, b)
    rows_differ = a.split_hash and b.split_hash and a.split_hash != b.split_hash  # early versions did not say
    if not found and _divided(a) == _divided(b) and rows_differ:
        return ["the data: it has changed between the two"]
    return found


def differing_tests(a: RunSummary, b: RunSummary, metric: str = "") -> list[str]:
    """Why one figure of a run cannot be set beside that of another, as "what: a against b"; empty where it can.

    ``metric``: which figure, by default the selection metric of ``a``. Errors of predicted ratings know no rivals and no lists.
    """
    spec = read_key(metric or a.selection_metric).spec
    if spec is not None and spec.of_errors is not None:
        return _differing_rows(a, b)
    facts: dict[str, Fact] = {
        "rivals in sampled ranking": lambda run: f"{run.config.protocol.sampled_negatives:,}",
        "length of lists": lambda run: str(run.config.protocol.k),
        "ties": lambda run: run.config.protocol.ties,
    }
    return [*differing_cases(a, b), *_apart(facts, a, b)]


def letters_of_tests(runs: Iterable[RunSummary]) -> dict[str, str]:
    """Run → a letter, the same for runs whose headlines compare; A is that of the first. Empty where all compare.

    Runs whose test is not scored, and those that cannot be read here, have none.
    """
    firsts: list[RunSummary] = []
    letters: dict[str, str] = {}
    for run in runs:
        if run.unread is None and run.test:
            alike = (n for n, first in enumerate(firsts) if _same_headline(first, run))
            number = next(alike, len(firsts))
            if number == len(firsts):
                firsts.append(run)
            letters[run.run_id] = _letter(number)
    return letters if len(firsts) > 1 else {}


def marks_of_tests(runs: Iterable[RunSummary], metric_of: Callable[[RunSummary], str]) -> dict[str, tuple[str, list[str]]]:
    """Run → the letter of its test, and why its figure stands beside no other of the same metric in the list; for those only.

    ``metric_of``: the figure that a run is shown with; runs shown with different metrics are not confused anyway.
    """
    shown = list(runs)
    letters, found = letters_of_tests(shown), {}
    for run in (run for run in shown if run.run_id in letters):
        peers = [other for other in shown if other.run_id in letters and metric_of(other) == metric_of(run)]
        other = next((peer for peer in peers if letters[peer.run_id] != letters[run.run_id]), None)
        if other is not None:
            found[run.run_id] = (letters[run.run_id], differing_tests(run, other, metric_of(run)))
    return {run_id: (letter, reasons) for run_id, (letter, reasons) in found.items() if reasons}


def _same_headline(a: RunSummary, b: RunSummary) -> bool:
    return a.selection_metric == b.selection_metric and not differing_tests(a, b)


def _apart(facts: dict[str, Fact], a: RunSummary, b: RunSummary) -> list[str]:
    told = {what: (fact(a), fact(b)) for what, fact in facts.items()}
    return [f"{what}: {one} against {other}" for what, (one, other) in told.items() if one != other]


def _dataset(run: RunSummary) -> str:
    spec = DATASETS.get(run.dataset)
    return spec.title if spec is not None else run.dataset


def _shape(run: RunSummary) -> str:
    options, how = run.config.dataset.options, run.config.dataset.transform
    shape = [f"{name.replace('_', ' ')} {value:g}" for name, value in options.items()]
    return ", ".join(shape + ([f"transform {how}"] if how != "none" else [])) or "as usual"


def _relevant(run: RunSummary) -> str:
    return run.config.relevance_words or "everything held out"


def _divided(run: RunSummary) -> dict[str, object]:
    """The settings that decide who is in test."""
    split = run.config.split
    return {"kind": split.kind, **{key: getattr(split, SETTINGS[key].attribute) for key in sorted(SPLITS[split.kind].uses)}}


def _letter(number: int) -> str:
    """A … Z, AA, AB …"""
    letters = [*string.ascii_uppercase, *("".join(pair) for pair in product(string.ascii_uppercase, repeat=2))]
    return letters[number] if number < len(letters) else str(number)
