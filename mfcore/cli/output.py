"""What commands print: tables and one JSON object on standard output; remarks and progress on standard error."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mfcore.files import dumps
from mfcore.runs.events import EpochEvent, Event, MessageEvent, RefitEvent, ResumeEvent, StartEvent, StepEvent


def say(text: str) -> None:
    """A line for people, on standard output, as it is (nothing in it is markup)."""
    print(text)


def print_json(value: Any) -> None:
    """One strict JSON object on a line of its own."""
    text = dumps(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # JSON has a spelling of its own for every letter
        text = dumps(value, plain=True)
    print(text, flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """A plain table; ``numbers`` are aligned right. Cells are shown as they are, whole when the output is no terminal."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(markup=False, highlight=False, emoji=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = 10_000
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip()))


def print_metrics(test: Mapping[str, float], valid: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]) -> None:
    """One row a metric: what a run got on test and validation, and what baselines get."""
    names = [name for name, values in baselines.items() if values]
    rows = [
        [key, metric(test.get(key)), metric(valid.get(key)), *(metric(baselines[name].get(key)) for name in names)]
        for key in (test or valid)
    ]
    print_table(["metric", "test", "validation", *names], rows, numbers=["test", "validation", *names])


def metric(value: float | None) -> str:
    """Three decimals, or a dash for what is undefined."""
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def duration(seconds: float) -> str:
    """0.4 s, 12 s, 3 min 20 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


class TrainingProgress:
    """Shows a run's events as they come: bars on a terminal, a line per epoch elsewhere; and how its data is fetched."""

    def __init__(self) -> None:
        console = Console(stderr=True, markup=False, highlight=False)
        self._live = console.is_terminal
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._bars = Progress(*columns, console=console, disable=not self._live, transient=False)
        self._epochs: TaskID | None = None
        self._fetch: TaskID | None = None
        self._refit: TaskID | None = None
        self._metric, self._num_epochs = "", 0

    def __enter__(self) -> TrainingProgress:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def fetching(self, text: str, fraction: float | None) -> None:
        """As the ``progress`` of ``load_dataset``."""
        if not self._live:
            return
        if self._fetch is None:
            self._fetch = self._bars.add_task("data", total=100, note="")
        total = None if fraction is None else 100
        self._bars.update(self._fetch, total=total, completed=0 if fraction is None else round(100 * fraction), note=text)

    def event(self, event: Event) -> None:
        """As the ``listen`` of ``train_run``."""
        if isinstance(event, StartEvent):
            self._metric, self._num_epochs = event.selection_metric, event.num_epochs or 0
            self._epochs = self._bars.add_task("epochs", total=self._num_epochs, note="")
        elif isinstance(event, ResumeEvent):
            self._epochs = self._epochs if self._epochs is not None else self._bars.add_task("epochs", total=None, note="")
            self._bars.update(self._epochs, completed=event.epoch)
        elif isinstance(event, StepEvent) and self._epochs is not None:
            self._bars.update(self._epochs, note=f"train loss {metric(event.train_loss)}")
        elif isinstance(event, EpochEvent):
            self._epoch(event)
        elif isinstance(event, RefitEvent):
            self._once_more(event)
        elif isinstance(event, MessageEvent):
            self._line(event.text)

    def _epoch(self, event: EpochEvent) -> None:
        name = self._metric or next(iter(event.metrics), "")
        shown = f"train loss {metric(event.train_loss)}, {name} {metric(event.metrics.get(name))}"
        if self._epochs is not None:
            self._bars.update(self._epochs, completed=event.epoch, note=shown)
        if not self._live:
            self._line(f"epoch {event.epoch} of {self._num_epochs or '?'}: {shown}")

    def _once_more(self, event: RefitEvent) -> None:
        if self._refit is None:
            self._refit = self._bars.add_task("train + validation", total=event.epochs, note="")
        self._bars.update(self._refit, completed=event.epoch)

    def _line(self, text: str) -> None:
        if self._live:
            self._bars.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)
