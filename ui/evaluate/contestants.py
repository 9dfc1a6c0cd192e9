"""Who is drawn on a chart of Evaluate: the run, others on the same split beside it, and the baselines; each with its look."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.evaluation import EvaluationDetails
from mfcore.runs import RunSummary
from mfcore.settings.ties import TIES
from ui.address import write_param
from ui.datasets import Nouns
from ui.evaluate.store import RANKERS, baseline_details, evaluated_at, split_hash, stored_details, with_ties
from ui.format import escape_plotly
from ui.run_colours import run_colours
from ui.run_titles import run_in_legend, run_label
from ui.theme import colour
from ui.words import baseline_words

OURS = "this run"  # the line that every chart is about
BASELINE_DASHES = {"popularity": "dash", "item-kNN": "dashdot", "EASE": "longdash", "random": "dot", "bias only": "dash"}
RUN_DASHES = ("solid", "dash", "dot")
STROKES = {"solid": (30,), "dash": (7, 4), "dot": (2, 3), "dashdot": (7, 3, 2, 3), "longdash": (13, 4)}
"""Lengths of ink and gap by turns, in pixels."""
LEGEND_STYLE = """<style>
.mf-keys{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.9rem}
.mf-key{display:inline-flex;align-items:center;gap:.45rem;white-space:nowrap}
.mf-piece{display:inline-block;width:30px}
</style>"""
MOST_BESIDE = 2
TRAIN_AGAIN = "This run was stored by an earlier version, without what is shown here. Train it again to see this."


@dataclass(frozen=True, eq=False)
class Scored:
    """One line on a chart. ``key``: names the evaluation, for caches; ``name``: safe in Plotly; ``line``: Plotly's look."""

    name: str
    key: str
    details: EvaluationDetails
    line: dict[str, Any]
    ours: bool = False


def scored_run(run: RunSummary, ties: str, *, name: str = "", nth: int = 0, ours: bool = False, shade: str = "") -> Scored:
    """A run's own line, under a tie policy. ``nth``: how many runs are drawn already. ``shade``: its colour, where runs stand
    beside each other; else its model's.

    Raises:
        UnusableRequest: it has no test evaluation, or one without what the policy needs.
    """
    details = stored_details(run.run_id)
    if details is None:
        raise UnusableRequest(f"run {run.run_id} has not been scored on test")
    line = {"color": shade or colour(run.model), "width": 3 if ours else 2, "dash": RUN_DASHES[nth % len(RUN_DASHES)]}
    key = f"{run.run_id}:{evaluated_at(run.run_id)}:{ties}"
    return Scored(name or escape_plotly(run_in_legend(run)), key, with_ties(details, ties), line, ours)


def scored_baseline(run: RunSummary, name: str, ties: str) -> Scored | None:
    """A baseline's line on the cases of ``run``; None where it has too many items for it."""
    details = baseline_details(run, name)
    if details is None:
        return None
    key = f"{name}:{split_hash(run.run_id) or run.run_id}:{run.config.protocol!r}:{details.about.get('all_relevant')}:{ties}"
    return Scored(name, key, with_ties(details, ties), baseline_line(name))


def contestants(run: RunSummary, beside: Sequence[RunSummary], ties: str) -> list[Scored]:
    """The run, the runs beside it, the baselines that rank. Those without what is needed are left out, the run itself never."""
    shades = run_colours([run.run_id, *(other.run_id for other in beside)])
    found = [scored_run(run, ties, name=OURS, ours=True, shade=shades[run.run_id])]
    taken = [OURS, *RANKERS, "random"]
    for other in beside:
        name = escape_plotly(run_in_legend(other))
        name += f" ({taken.count(name) + 1})" if name in taken else ""
        try:
            found.append(scored_run(other, ties, name=name, nth=len(found), shade=shades[other.run_id]))
        except UnusableRequest:
            continue
        taken.append(name)
    return found + [line for line in (scored_baseline(run, name, ties) for name in RANKERS) if line is not None]


def baseline_line(name: str) -> dict[str, Any]:
    """Grey, each baseline with a dash of its own; one that nobody foresaw gets one by its name."""
    spare = list(STROKES)[1:]
    dash = BASELINE_DASHES.get(name) or spare[crc32(name.encode()) % len(spare)]
    return {"color": colour("baseline"), "width": 1.5, "dash": dash}


def legend(looks: Mapping[str, Mapping[str, Any]], called: Nouns) -> None:
    """One legend for several charts: a piece of each line with its name; what a baseline does is its tooltip."""
    pieces = [_key(name, look, called) for name, look in looks.items()]
    st.html(f"{LEGEND_STYLE}<div class='mf-keys'>{''.join(pieces)}</div>")


def _key(name: str, look: Mapping[str, Any], called: Nouns) -> str:
    what, shown = html.escape(baseline_words(name, called)), f"<b>{OURS}</b>" if name == OURS else name
    piece = f'<span class="mf-piece" style="height:{look["width"]}px;background:{_strokes(look)}"></span>'
    return f'<span class="mf-key" title="{what}">{piece}{shown}</span>'


def _strokes(look: Mapping[str, Any]) -> str:
    """A dashed line as a CSS background: strokes and gaps by turns."""
    shade, stops, at = look["color"], [], 0
    for place, length in enumerate(STROKES[look["dash"]]):
        ink = shade if place % 2 == 0 else "transparent"
        stops.append(f"{ink} {at}px {at + length}px")
        at += length
    return f"repeating-linear-gradient(90deg,{','.join(stops)})"


def runs_beside(run: RunSummary, others: Sequence[RunSummary], param: str = "beside") -> list[RunSummary]:
    """Up to two other runs to draw beside this one, kept in the address; by default the newest of each other model."""
    if not others:
        return []
    known = {other.run_id: other for other in others}
    asked = st.query_params.get(param)
    default = _newest_of_each_model(run, others) if asked is None else [name for name in asked.split(",") if name in known]
    chosen = st.multiselect(
        "Beside it",
        list(known),
        default=default[:MOST_BESIDE],
        format_func=lambda run_id: run_label(known[run_id]),
        max_selections=MOST_BESIDE,
        placeholder="Other runs on the same split",
        help="Other finished runs that were scored on exactly the same held-out interactions; two at most.",
    )
    if chosen != default[:MOST_BESIDE]:
        write_param(param, ",".join(chosen))
        st.rerun()  # drawn anew from the address, like every linked choice
    return [known[run_id] for run_id in chosen]


def _newest_of_each_model(run: RunSummary, others: Sequence[RunSummary]) -> list[str]:
    return list({other.model: other.run_id for other in reversed(others) if other.model != run.model}.values())[::-1]


def tie_choice(details: EvaluationDetails) -> str:
    """Half, optimistic or pessimistic; the evaluation's own where it was stored without its ties."""
    if not details.ties_known:
        st.caption("Ties as they were counted; an earlier version stored this run without them. Train it again to choose.")
        return details.ties
    chosen = st.segmented_control(
        "Ties",
        list(TIES),
        default=details.ties,
        format_func=lambda policy: TIES[policy].title,
        key="ties",
        bind="query-params",
        required=True,
        help="Where items with the same score as the held-out one stand: half above it (fair), none (flatters), or all.",
    )
    return str(chosen or details.ties)
