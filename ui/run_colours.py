"""The colour of a run where several are on one chart: it belongs to the run, not to its model, in light and in dark alike."""

from __future__ import annotations

from collections.abc import Sequence

from ui.theme import RUN_COLOURS


def run_colours(run_ids: Sequence[str]) -> dict[str, str]:
    """A colour for each run, by the order in which they were chosen: one more run changes none of those before it.

    From the eighth on colours come again. A run named twice counts once.
    """
    return {run_id: RUN_COLOURS[place % len(RUN_COLOURS)] for place, run_id in enumerate(dict.fromkeys(run_ids))}
