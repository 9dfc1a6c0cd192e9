"""The queue as every page shows it: who trains, who holds still, who waits in which order."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mfcore.quantities import about
from mfcore.runs import RunManager, RunSummary
from mfcore.runs.estimate import expected_starts, time_left
from mfcore.runs.manager.queue import Line
from ui.api.answers import for_visitors, json_answer
from ui.run_titles import run_title
from ui.visitor_runs import runs_of
from ui.visitors import SOMEBODYS, Visitor, asking, may_change, may_see


def queue(request: Request) -> Response:
    """``GET /api/queue``: lists of runs under ``running``, ``paused``, and ``waiting``, the next one first.

    Runs that whoever asks may not see take their places without id and title. ``own``: whether they may steer it.
    """
    visitor = asking(request)
    line, now = runs_of(visitor).line(), time.time()
    told = {"running": line.running, "paused": line.paused, "waiting": line.order}
    begins = _starts(line, runs_of(visitor).manager)
    return json_answer(request, {name: [_row(run, visitor, now, begins) for run in runs] for name, runs in told.items()})


def _starts(line: Line, manager: RunManager) -> dict[str, float]:
    """Seconds until those that wait begin, where that can be told; nobody's secret, and so known of every run."""
    known = manager.list() if line.order else []
    left = {run.run_id: time_left(run, known, manager.home) for run in (*line.running, *line.order) if line.order}
    waiting = [(run.run_id, left[run.run_id]) for run in line.order]
    return expected_starts([left.get(run.run_id) for run in line.running], waiting, manager.watcher.max_concurrent)


def _row(run: RunSummary, visitor: Visitor, now: float, begins: dict[str, float]) -> dict[str, Any]:
    seen = may_see(visitor, run)
    return {
        "id": run.run_id if seen else "",
        "title": run_title(run) if seen else SOMEBODYS,
        "own": may_change(visitor, run),
        "state": run.state,
        "epoch": run.epochs_done,
        "epochs": run.num_epochs,
        "waited": max(0, round(now - run.queued)),
        "begins": about(begins[run.run_id]) if begins.get(run.run_id) else "",
        "silent_since": None if run.silent_since is None else time.strftime("%H:%M", time.localtime(run.silent_since)),
        "clock": time.strftime("%H:%M", time.localtime(run.created)),
    }


ROUTES = [Route("/api/queue", for_visitors(queue), methods=["GET"])]
