"""The live view of a run: curves, headline and messages that follow its events in the browser, without page reruns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from mfcore.errors import UnusableRequest
from ui.api.assets import plotly_url
from ui.api.steering import steering_token
from ui.components.mounting import mounted, shared_data
from ui.state import manager, recall
from ui.visitors import me, why_not_change

_COMPONENT = mounted("live")


def live_run(
    run_id: str | None,
    *,
    height: int = 300,
    key: str = "live",
    compact: bool = False,
    going: bool = False,
    num_epochs: int = 20,
    metric: str = "rmse",
    idle: str = "",
    hint: str = "",
    runs: Sequence[dict[str, str]] = (),
    on_open: Callable[[str], None] = lambda run_id: None,
) -> bool:
    """Show a run as it trains, or as it went.

    Keep ``key`` the same when ``run_id`` changes: the charts stay where they are and only their content changes.

    Args:
        run_id: the run; None draws empty axes (and loads plotly.js ahead of the first run).
        height: of each chart, in pixels.
        going: whether the page was drawn for a run that is not over. Should the browser find it over, the page is drawn again;
            should it have been over and gone on since, it is followed again.
        compact: one chart (the validation metric) instead of two, and no messages.
        num_epochs, metric, idle: what the empty axes and the headline show while there is no run.
        hint: one sentence under the charts on what to watch for.
        runs: those that may be laid over this one, newest first: id, title, model, loss and when, all as text.
        on_open: called before the page is drawn again when another run is to be shown: a new branch, a branch's parent.

    Returns:
        True in the one rerun that follows the end of a run that was going, there or on the page; never for a run opened after
        its end.
    """
    data = {
        **shared_data(),
        "run_id": run_id or "",
        "height": height,
        "compact": compact,
        "going": time.time() if going else 0,  # another number for each drawing of the page: the browser answers each once
        "num_epochs": num_epochs,
        "metric": metric,
        "idle": idle,
        "hint": hint,
        "plotly": plotly_url(),
        "token": steering_token(),
        **_rights(run_id),
        "runs": list(runs),
    }
    result = _COMPONENT(
        data=data,
        key=key,
        on_ended_change=lambda: None,
        on_opened_change=lambda: _open(key, on_open),
        on_renew_change=lambda: None,
    )
    return result.ended is not None


def _rights(run_id: str | None) -> dict[str, Any]:
    """``locked``: why whoever looks may not steer the run, empty where they may. ``branches``: whether they may branch."""
    locked = ""
    with suppress(UnusableRequest, OSError):  # a run that is gone: the browser finds that out
        locked = why_not_change(me(), manager().get(run_id)) if run_id else ""
    return {"locked": locked, "branches": me().may_write}


def _open(key: str, on_open: Callable[[str], None]) -> None:
    run_id = getattr(recall(key), "opened", None)
    if run_id:
        on_open(str(run_id))
