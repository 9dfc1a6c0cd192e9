"""A run on one line: what lists, cards and sparklines show, read from its folder a piece at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfcore.errors import UnusableRequest
from mfcore.files import read_json
from mfcore.paths import reason
from mfcore.registry import DATASETS, MODELS
from mfcore.runs.config import RunConfig
from mfcore.runs.events import CommandEvent, EndEvent, EpochEvent, ResumeEvent, StartEvent, still_counts
from mfcore.runs.history import Change, RunHistory
from mfcore.runs.layout import LABELS, SWITCHES, UNKNOWN_OWNER, RunFolder
from mfcore.runs.status import DAMAGED, LIVE_STATES, RunStatus, over
from mfcore.validate import registered_name


@dataclass(frozen=True)
class RunSummary:
    """Everything a table of runs needs. Times are seconds since 1970 (UTC); metrics are keyed as in events (``ndcg@10``).

    ``valid``: metrics of the best epoch so far. ``test``: empty until the end. ``baselines``: ``{"valid": {name: {metric:
    value}}, "test": …}``. ``against``: the headline metric on test beside the best baseline, user by user, as
    :func:`mfcore.runs.worker.finish.against` says; empty for runs of early versions. ``curve``: the selection metric per epoch,
    the untrained model first. ``headline``: name and value of the selection metric, on test once that is scored
    (``headline_part`` says which), None before the first epoch. ``changes``: what was changed on the way, its ancestors
    included. ``split_hash``: names the very rows of train, validation and test; empty before the data was opened.
    ``inherited_seconds``: of ``train_seconds``, those of the run it branched from.
    ``queued``: since when it waits, ``place``: its place in the queue, the smallest is the next.
    ``silent_since``: of a run that trains or is paused, when its worker gave the last sign of life, if that is too long ago.
    ``parent_run_id``, ``parent_epoch``: where a branch comes from; the parent may have been deleted. ``unread``: what
    config.json calls dataset and model where it cannot be used, because they are not registered (any more); ``config`` means
    nothing then. ``owner``, ``shared``, ``shared_by``: whose it is and whether others may look, as :meth:`RunFolder.meta` says.
    ``asked_by``: the browser it was asked for from. ``candidates``: part → the fewest and the most items ranked for anybody in
    sampled ranking; empty for runs of early versions. ``cold``: ``{"warm": {"cases", "ratings", "metrics"}, "cold": …}`` of
    test; empty where all of it was known.
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
    queued: float = 0.0
    place: float = 0.0
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
    inherited_seconds: float = 0.0
    samples_per_second: float = 0.0
    device: str = ""
    against: dict[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    split_hash: str = ""
    silent_since: float | None = None
    parent_run_id: str = ""
    parent_epoch: int | None = None
    unread: dict[str, str] | None = None
    owner: str = ""
    asked_by: str = ""
    shared: bool = False
    shared_by: str = ""
    candidates: dict[str, list[int]] = field(default_factory=dict)
    cold: dict[str, dict[str, Any]] = field(default_factory=dict)

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
    def own_seconds(self) -> float:
        """Seconds this run itself was trained, without those of the run it branched from."""
        return max(0.0, self.train_seconds - self.inherited_seconds)

    @property
    def over(self) -> bool:
        return over(self.state)

    @property
    def went_wrong(self) -> bool:
        """Whether there is nothing to look at but the reason, and the epochs before it."""
        return self.state in ("failed", DAMAGED)


def damaged_summary(
    run_id: str, why: str, config: RunConfig | None = None, created: float = 0.0, owner: str = UNKNOWN_OWNER
) -> RunSummary:
    """What stands in a list for a run that cannot be shown; it is nobody's secret but its owner's, if that one is known."""
    return RunSummary(run_id, "", "", False, config or RunConfig(), DAMAGED, why, created, owner=owner)


class RunReader:
    """Keeps the summary of one run up to date: unchanged files are not read again, events only from where it left off."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._path = str(folder.path)
        self._stamps: dict[str, tuple[int, int]] = {}
        self._config = RunConfig()
        self._config_error = self._config_state = ""
        self._split_hash = ""
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
        owner = self._meta.get("owner", UNKNOWN_OWNER)
        owner = owner if _is_label("owner", owner) else UNKNOWN_OWNER
        self._summary = damaged_summary(self.folder.run_id, why, self._config, self._status.created, owner)
        return self._summary

    def _read(self) -> RunSummary:
        # Status before events: a reader that sees "finished" then also sees the last event.
        files = ("config.json", "status.json", "meta.json", "result.json", "events.jsonl")
        changed = [name for name in files if self._changed(name)]
        if not self.folder.exists():
            raise FileNotFoundError(self._path)
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

    def _changed(self, name: str) -> bool:
        try:
            stat = os.stat(f"{self._path}/{name}")  # noqa: PTH116 - a list of a thousand runs does this 5,000 times
            stamp = (stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            stamp = (-1, 0)
        changed = self._stamps.get(name) != stamp
        self._stamps[name] = stamp
        return changed

    def _read_config(self) -> None:
        try:
            stored = self.folder.stored()
            self._config, self._config_error, self._config_state, self._unread = stored.config, "", "", None
            self._split_hash = str(stored.provenance.get("split_hash", ""))
        except UnusableRequest as error:
            self._config, self._config_error = RunConfig(), str(error)
            self._unread = _names(self.folder.path / "config.json")
            # Whole, and of what is not registered here (any more): it may come back. Else nothing can be done with it.
            known = self._unread["dataset"] in DATASETS and self._unread["model"] in MODELS
            self._config_state = DAMAGED if known or "?" in self._unread.values() else "failed"

    def _forget_events(self) -> None:
        self._offset = 0
        self._start = StartEvent()
        self._end: EndEvent | None = None
        self._epochs: list[EpochEvent] = []
        self._extended = 0
        self._changes: tuple[Change, ...] = ()

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
            elif isinstance(event, CommandEvent):
                self._extended = self._extended if event.num_epochs is None else event.num_epochs
            elif isinstance(event, ResumeEvent):
                self._end = None
                self._epochs = [epoch for epoch in self._epochs if still_counts(epoch, event.step)]
        if any(isinstance(event, CommandEvent) or (isinstance(event, StartEvent) and event.parent) for event in events):
            self._changes = RunHistory.read(self.folder).on_the_way if not self._config_error else ()

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
            state=self._config_state or state,
            reason=self._config_error or reason,
            created=status.created,
            started=status.started,
            ended=status.ended,
            queued=status.queued or status.created,
            place=status.place or status.created,
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
            against=dict(result.get("against", {})),
            changes=self._changes,
            split_hash=self._split_hash,
            curve=[e.metrics[metric] for e in self._epochs if metric in e.metrics],
            train_seconds=result.get("train_seconds", seconds),
            inherited_seconds=sum(e.seconds for e in self._epochs if e.inherited),
            samples_per_second=result.get("samples_per_second", samples / seconds if seconds > 0 else 0.0),
            device=self._start.device,
            parent_run_id=str(self._config.parent.get("run_id", "")),
            parent_epoch=self._config.parent.get("epoch"),
            unread=self._unread,
            owner=self._meta["owner"],
            asked_by=status.asked_by,
            shared=self._meta["shared"],
            shared_by=self._meta["shared_by"],
            cold={name: dict(result[name]) for name in ("warm", "cold") if name in result},
            candidates={**(self._start.candidates or {}), **result.get("candidates", {})},
        )


def _names(path: Path) -> dict[str, str]:
    """What a configuration that cannot be used calls its dataset and its model; a question mark where it does not say."""
    try:
        found = read_json(path) or {}
        return {part: registered_name(part, found[part]["name"]) for part in ("dataset", "model")}
    except (TypeError, KeyError, UnusableRequest):
        return {"dataset": "?", "model": "?"}


def _check_labels(meta: dict[str, Any]) -> None:
    """Name, note and owner are text of a length that people write, and a star is there or not.

    Raises:
        TypeError: they are not.
    """
    whole = all(_is_label(name, meta.get(name, "")) for name in LABELS)
    if not whole or not all(isinstance(meta.get(name, False), bool) for name in SWITCHES):
        raise TypeError("meta.json")


def _is_label(name: str, value: object) -> bool:
    return isinstance(value, str) and len(value) <= LABELS[name]


def _check_result(result: dict[str, Any]) -> None:
    """Metrics are numbers by name, and so is all else that pages calculate with.

    Raises:
        TypeError, AttributeError: they are not.
    """
    tables = [result.get(name, {}) for name in ("test", "valid", "test_before_refit")]
    tables += list(result.get("baselines", {}).values())
    against = result.get("against", {})
    tables += [{name: against.get(name, 0) for name in ("difference", "low", "high")}]
    for part in (result.get(name, {}) for name in ("warm", "cold")):
        tables += [part.get("metrics", {}), {name: part.get(name, 0) for name in ("cases", "ratings")}]
    tables += [dict(enumerate(pair)) for pair in result.get("candidates", {}).values()]
    tables += [{name: result.get(name) or 0 for name in ("best_epoch", "train_seconds", "samples_per_second")}]
    if not all(_is_number(value) for table in tables for value in table.values()):
        raise TypeError("result.json")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
