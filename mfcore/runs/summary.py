"""A run on one line: what lists, cards and sparklines show, read from its folder a piece at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.files import read_json
from mfcore.paths import reason
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, EndEvent, EpochEvent, ResumeEvent, StartEvent, still_counts
from mfcore.runs.layout import RunFolder
from mfcore.runs.status import LIVE_STATES, RunStatus, over

DAMAGED = "DamagedRun"
"""The ``error`` of a run whose files an import, or a hand, filled with what no run writes, or that cannot be read."""


@dataclass(frozen=True)
class RunSummary:
    """Everything a table of runs needs. Times are seconds since 1970 (UTC); metrics are keyed as in events (``ndcg@10``).

    ``valid``: metrics of the best epoch so far. ``test``: empty until the end. ``baselines``: ``{"valid": {name: {metric:
    value}}, "test": …}``. ``curve``: the selection metric per epoch, the untrained model first. ``headline``: name and value of
    the selection metric, on test once that is scored (``headline_part`` says which), None before the first epoch.
    ``parent_run_id``, ``parent_epoch``: where a branch comes from; the parent may have been deleted. ``unread``: what
    config.json calls dataset and model where it cannot be used, because they are not registered (any more); ``config`` means
    nothing then.
    """

    run_id: str
    name: str
    note: str
    starred: bool
    config: RunConfig
    state: str
    reason: str
    created: float
    started: float | None = None
    ended: float | None = None
    error: str = ""
    epochs_done: int = 0
    num_epochs: int = 0
    headline: tuple[str, float] | None = None
    headline_part: str = "valid"
    selection_metric: str = ""
    best_epoch: int | None = None
    test: dict[str, float] = field(default_factory=dict)
    valid: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    curve: list[float] = field(default_factory=list)
    train_seconds: float = 0.0
    samples_per_second: float = 0.0
    device: str = ""
    parent_run_id: str = ""
    parent_epoch: int | None = None
    unread: dict[str, str] | None = None

    @property
    def dataset(self) -> str:
        return self.config.dataset.name if self.unread is None else self.unread["dataset"]

    @property
    def model(self) -> str:
        return self.config.model.name if self.unread is None else self.unread["model"]

    @property
    def title(self) -> str:
        """The name people gave it, else its id."""
        return self.name or self.run_id

    @property
    def over(self) -> bool:
        return over(self.state)


def damaged_summary(run_id: str, why: str, config: RunConfig | None = None, created: float = 0.0) -> RunSummary:
    """What stands in a list for a run that cannot be shown."""
    return RunSummary(run_id, "", "", False, config or RunConfig(), "failed", why, created, error=DAMAGED)


class RunReader:
    """Keeps the summary of one run up to date: unchanged files are not read again, events only from where it left off."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._path = str(folder.path)
        self._stamps: dict[str, tuple[int, int]] = {}
        self._config = RunConfig()
        self._config_error = ""
        self._unread: dict[str, str] | None = None
        self._status = RunStatus("queued")
        self._meta: dict[str, Any] = {}
        self._result: dict[str, Any] = {}
        self._forget_events()
        self._summary: RunSummary | None = None

    def read(self) -> RunSummary:
        """The summary as of now; where something in the folder is damaged or unreadable, one that says so.

        Raises:
            FileNotFoundError: the folder is gone.
        """
        try:
            return self._read()
        except FileNotFoundError:
            raise
        except OSError as error:  # may be better next time: everything is looked at again then
            self._stamps.clear()
            self._forget_events()
            why = f"its files cannot be read ({reason(error)})"
        except Exception:  # an import, or a hand, put nonsense into a file: that must not take the other runs along
            why = "meta.json or result.json holds what no run writes; delete the run"
        self._summary = damaged_summary(self.folder.run_id, why, self._config, self._status.created)
        return self._summary

    def _read(self) -> RunSummary:
        # Status before events: a reader that sees "finished" then also sees the last event.
        files = ("config.json", "status.json", "meta.json", "result.json", "events.jsonl")
        changed = [name for name in files if self._changed(name, must_exist=name == "config.json")]
        if "config.json" in changed:
            self._read_config()
        if "status.json" in changed:
            self._status = self.folder.status()
        if "meta.json" in changed:
            self._meta = self.folder.meta()
        if "result.json" in changed:
            self._result = self.folder.result()
        if "events.jsonl" in changed:
            self._follow()
        if self._summary is None or changed:
            self._summary = self._build()
        return self._summary

    def _changed(self, name: str, *, must_exist: bool = False) -> bool:
        try:
            stat = os.stat(f"{self._path}/{name}")  # noqa: PTH116 - a list of a thousand runs does this 5,000 times
            stamp = (stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            if must_exist:
                raise
            stamp = (-1, 0)
        changed = self._stamps.get(name) != stamp
        self._stamps[name] = stamp
        return changed

    def _read_config(self) -> None:
        try:
            self._config, self._config_error, self._unread = self.folder.config(), "", None
        except UnusableRequest as error:
            self._config, self._config_error = RunConfig(), str(error)
            self._unread = _names(self.folder.path / "config.json")

    def _forget_events(self) -> None:
        self._offset = 0
        self._start = StartEvent()
        self._end: EndEvent | None = None
        self._epochs: list[EpochEvent] = []
        self._extended = 0

    def _follow(self) -> None:
        if self._stamps["events.jsonl"][1] < self._offset:  # replaced by an import or by hand
            self._forget_events()
        events, self._offset = self.folder.events.read(self._offset)
        for event in events:
            if isinstance(event, StartEvent):
                self._start, self._end, self._extended = event, None, 0
            elif isinstance(event, EndEvent):
                self._end = event
            elif isinstance(event, EpochEvent):
                self._epochs.append(event)
            elif isinstance(event, CommandEvent) and event.num_epochs is not None:
                self._extended = event.num_epochs
            elif isinstance(event, ResumeEvent):
                self._end = None
                self._epochs = [epoch for epoch in self._epochs if still_counts(epoch, event.step)]

    def _build(self) -> RunSummary:
        status, result = self._status, self._result
        state, reason = status.state, status.reason
        if self._end and state in LIVE_STATES:  # between its last event and its last status there are some milliseconds
            state, reason = self._end.state, self._end.reason
        _check_labels(self._meta)
        _check_result(result)
        metric, planned = self._start.selection_metric, self._start.num_epochs
        best = next((e for e in reversed(self._epochs) if e.best), self._epochs[-1] if self._epochs else None)
        valid = result.get("valid") or (best.metrics if best else {})
        test = result.get("test") or {}
        shown = test if metric in test else valid
        seconds = sum(e.seconds for e in self._epochs)
        samples = sum(e.seconds * (e.samples_per_second or 0.0) for e in self._epochs)
        return RunSummary(
            run_id=self.folder.run_id,
            name=self._meta.get("name", ""),
            note=self._meta.get("note", ""),
            starred=bool(self._meta.get("starred", False)),
            config=self._config,
            state="failed" if self._config_error else state,
            reason=self._config_error or reason,
            created=status.created,
            started=status.started,
            ended=status.ended,
            error=status.error,
            epochs_done=max((e.epoch for e in self._epochs), default=0),
            num_epochs=self._extended or (self._config.training.num_epochs if planned is None else planned),
            headline=(metric, shown[metric]) if metric in shown else None,
            headline_part="test" if metric in test else "valid",
            selection_metric=metric,
            best_epoch=result.get("best_epoch", best.epoch if best else None),
            test=test,
            valid=valid,
            baselines={"valid": (self._start.baselines or {}).get("valid", {}), "test": result.get("baselines", {})},
            curve=[e.metrics[metric] for e in self._epochs if metric in e.metrics],
            train_seconds=result.get("train_seconds", seconds),
            samples_per_second=result.get("samples_per_second", samples / seconds if seconds > 0 else 0.0),
            device=self._start.device,
            parent_run_id=str(self._config.parent.get("run_id", "")),
            parent_epoch=self._config.parent.get("epoch"),
            unread=self._unread,
        )


def _names(path: Path) -> dict[str, str]:
    """What a configuration that cannot be used calls its dataset and its model; a question mark where it does not say."""
    try:
        found = read_json(path) or {}
        return {part: str(found[part]["name"]) for part in ("dataset", "model")}
    except (TypeError, KeyError):
        return {"dataset": "?", "model": "?"}


def _check_labels(meta: dict[str, Any]) -> None:
    """Name and note are text.

    Raises:
        TypeError: they are not.
    """
    if not all(isinstance(meta.get(name, ""), str) for name in ("name", "note")):
        raise TypeError("meta.json")


def _check_result(result: dict[str, Any]) -> None:
    """Metrics are numbers by name, and so is all else that pages calculate with.

    Raises:
        TypeError, AttributeError: they are not.
    """
    tables = [result.get(name, {}) for name in ("test", "valid", "test_before_refit")]
    tables += list(result.get("baselines", {}).values())
    tables += [{name: result.get(name) or 0 for name in ("best_epoch", "train_seconds", "samples_per_second")}]
    if not all(_is_number(value) for table in tables for value in table.values()):
        raise TypeError("result.json")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
