"""The route that live views poll: events of a run from an offset, its state, and how often to ask."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.errors import UnusableRequest
from mfcore.registry import LOSSES
from mfcore.runs.events import EpochEvent
from mfcore.runs.history import RunHistory
from mfcore.runs.layout import RunFolder, open_folder
from mfcore.runs.rates import planned_rates
from mfcore.runs.summary import RunSummary
from mfcore.settings import SETTINGS, live_settings
from mfcore.training.schedule import schedule_words
from ui.api.answers import for_visitors, json_answer, refusal
from ui.datasets import nouns
from ui.run_titles import run_title
from ui.visitor_runs import VisitorRuns, runs_of
from ui.visitors import asking

_BRANCHED = [key for key, one in SETTINGS.items() if one.in_branch and 0 < one.title_rank <= 7]
"""What the form of a branch has room for: of all that may change there, what people vary first."""


_REPLAN = ("start", "command", "resume")
"""Events after which the learning rate may be planned otherwise."""


class Watchers:
    """How many live views ask, so that each can be told how often to: sixty of them must not cost what they watch.

    One view asks five times a second, sixty every one and a half seconds: together at most about forty questions a second.
    """

    EACH, SHORTEST, LONGEST = 0.025, 0.2, 1.5
    _FORGET = 6.0
    _MOST = 1000

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._guard = threading.Lock()

    def every(self, watcher: str, now: float) -> float:
        """Seconds that this watcher should wait before it asks again. ``now``: a monotonic time in seconds."""
        with self._guard:
            if len(self._seen) < self._MOST or watcher in self._seen:
                self._seen[watcher] = now
            gone = [name for name, last in self._seen.items() if now - last > self._FORGET]
            for name in gone:
                del self._seen[name]
            return min(self.LONGEST, max(self.SHORTEST, self.EACH * len(self._seen)))


_watchers = Watchers()


def run_events(request: Request) -> Response:
    """``GET /api/runs/<id>/events?from=<offset>&watcher=<any short word>``: what happened since, where to read on, the state.

    Plain ``def``: Starlette runs it in a thread, so a slow disk never holds the event loop.
    """
    run_id, text = request.path_params["run_id"], request.query_params.get("from", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        return refusal(400, f"from must be a whole number >= 0, got {text!r}")
    try:
        answer = _events_since(runs_of(asking(request)), run_id, int(text))
    except UnusableRequest as error:  # no such run; names that could leave the runs folder are refused there too
        return refusal(404, str(error))
    watcher = request.query_params.get("watcher", "")[:16]
    answer["every_ms"] = round(1000 * _watchers.every(watcher, time.monotonic()))
    return json_answer(request, answer)


def _events_since(runs: VisitorRuns, run_id: str, offset: int) -> dict[str, Any]:
    # The state is read before the events: were it the other way round, a run that ends in between would say
    # "finished" while its last events are still unread, and the reader would stop too early. The manager is asked
    # rather than the folder because it notices a worker that died without a word.
    run = runs.get(run_id)
    folder = open_folder(run_id)
    events, following = folder.events.lines(offset)
    answer: dict[str, Any] = {"events": events, "next": following, "state": run.state, "kept": folder.kept_epochs()}
    if run.reason:
        answer["reason"] = run.reason
    if run.silent_since is not None:
        answer["silent_since"] = round(run.silent_since)
    if offset == 0:
        answer["config"] = _settings(run, runs)
    if (offset == 0 or any(event["kind"] in _REPLAN for event in events)) and not run.unread:
        answer["rates"] = _rates(folder)
    if run.state == "queued":
        answer["waiting_for"] = _runs_before(runs, run_id)
    return answer


def _rates(folder: RunFolder) -> dict[str, Any]:
    """The schedule in words, and (epoch, learning rate) to the last planned epoch."""
    history = RunHistory.read(folder)
    line = planned_rates(history, folder.events.of(EpochEvent))
    words = schedule_words(history.config.training) if line else ""
    return {"words": words, "line": [[round(epoch, 4), float(f"{rate:.5g}")] for epoch, rate in line]}


def _settings(run: RunSummary, runs: VisitorRuns) -> dict[str, Any]:
    """What the live view shows of a configuration, what of it can be changed, and where a branch comes from."""
    flat, parent = run.config.to_flat(defaults=True), run.config.parent
    settings: dict[str, Any] = {
        "model": run.model,
        "title": run_title(run),
        "k": run.config.protocol.k,
        "pace": run.config.pace,
        "loss": run.config.training.loss,
        "ranks": run.config.training.implicit,
        "sample": LOSSES[run.config.training.loss].sample,
        "nouns": asdict(nouns(run.config.dataset)),
        "controls": [one.to_browser(flat[one.key]) for one in live_settings(flat)],
        "branch": [SETTINGS[key].to_browser(flat[key]) for key in _BRANCHED],
        **{key: flat[key] for key in _BRANCHED},
    }
    if parent:
        settings["parent"] = {"changes": {}, **parent}
        settings["parent_title"] = _title_of(parent["run_id"], runs)
    return settings


def _title_of(run_id: str, runs: VisitorRuns) -> str:
    try:
        return run_title(runs.get(run_id))
    except UnusableRequest:
        return "a run that is not here any more"


def _runs_before(runs: VisitorRuns, run_id: str) -> int:
    """How many runs are being trained, or wait before this one; none that is paused."""
    line = runs.line()
    return len(line.running) + max(0, line.position(run_id) - 1)


ROUTES = [Route("/api/runs/{run_id}/events", for_visitors(run_events), methods=["GET"])]
