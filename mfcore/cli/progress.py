"""Progress on standard error: bars on a terminal, a line per epoch elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mfcore.cli.output import metric
from mfcore.runs.events import EpochEvent, Event, MessageEvent, ResumeEvent, StartEvent, StepEvent


class TrainingProgress:
    """Shows a run's events as they come, and the fetching of its data before."""

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
        elif isinstance(event, MessageEvent):
            self._line(event.text)

    def _epoch(self, event: EpochEvent) -> None:
        name = self._metric or next(iter(event.metrics), "")
        shown = f"train loss {metric(event.train_loss)}, {name} {metric(event.metrics.get(name))}"
        if self._epochs is not None:
            self._bars.update(self._epochs, completed=event.epoch, note=shown)
        if not self._live:
            self._line(f"epoch {event.epoch} of {self._num_epochs or '?'}: {shown}")

    def _line(self, text: str) -> None:
        if self._live:
            self._bars.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)
