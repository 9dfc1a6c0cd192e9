"""Two runs on the same held-out interactions: which is better, or can't one tell?"""

from __future__ import annotations

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.evaluation import Comparison, EvaluationDetails, compare
from mfcore.evaluation.comparison import A_IS_BETTER, B_IS_BETTER, CANNOT_TELL
from mfcore.runs import RunSummary
from ui.address import linked_choice
from ui.charts import new_chart, show_chart
from ui.controls import error_line, link_to
from ui.evaluate.contestants import scored_run
from ui.evaluate.store import peers
from ui.format import count, headline_metrics, lower_is_better, metric, metric_name
from ui.run_titles import run_label
from ui.runbar import retry_link
from ui.theme import colour
from ui.verdict import headline_metric

BADGES = {
    A_IS_BETTER: ":green-badge[A is better]",
    B_IS_BETTER: ":red-badge[B is better]",
    CANNOT_TELL: ":gray-badge[can't tell]",
}


def compare_section(run: RunSummary, details: EvaluationDetails, ties: str) -> None:
    """Choice of the other run, the verdict in words, and every difference with its interval."""
    st.subheader("Is another run better?", anchor=False)
    others = {other.run_id: other for other in peers(run)}
    if not others:
        st.markdown("No other finished run was scored on the same held-out interactions. Train another model on this split:")
        retry_link(run, "Change this run's settings and train again")
        return
    newest = next((name for name, other in others.items() if other.model != run.model), next(iter(others)))
    chosen = linked_choice(
        "Compare this run (A) with (B)",
        list(others),
        "with",
        text=lambda name: run_label(others[name]),
        default=newest,
        follow=True,
    )
    try:
        a, b = scored_run(run, ties), scored_run(others[chosen], ties)
        found = paired(a.key, b.key, details.k, a.details, b.details)
    except UnusableRequest as error:
        error_line(error)
        return
    key = headline_metric({name: pair.a for name, pair in found.items()}, details.k)
    if key is None:
        st.markdown("These two runs share no metric.")
        return
    st.markdown(f"{BADGES[found[key].verdict]} {verdict_words(found[key])}")
    figure = difference_chart(found, headline_metrics(found, details.k), model=run.model)
    show_chart(figure, key="differences", alt="Difference A − B with its 95 % interval")
    st.caption(
        "Paired: the same users are drawn again for both runs, 2,000 times, so that what is hard about a user cancels out. "
        "The interval says how other users would change the difference, not how other seeds would."
    )
    link_to("evaluate", "Look at B instead", icon=":material/swap_horiz:", run=chosen, show="Compare", **{"with": run.run_id})


@st.cache_data(max_entries=32, show_spinner=False)
def paired(key_a: str, key_b: str, k: int, _a: EvaluationDetails, _b: EvaluationDetails) -> dict[str, Comparison]:
    """Every metric that both have, compared user by user."""
    return compare(_a, _b, k)


def verdict_words(found: Comparison) -> str:
    """The paired comparison of one metric in words, after the verdict's badge."""
    values = f"**{metric_name(found.metric)} {metric(found.a)} (A, this run) against {metric(found.b)} (B)**"
    alike = found.num_users - found.a_better - found.b_better
    users = (
        f"Of {count(found.num_users)} users A serves {count(found.a_better)} better, B {count(found.b_better)}, "
        f"and both serve {count(alike)} alike."
    )
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return f"{values}: too few users for an interval. {users}"
    might = "might be anything" if found.verdict == CANNOT_TELL else "would still lie"
    return f"{values}. With other users A − B {might} between {_signed(found.low)} and {_signed(found.high)}. {users}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def difference_chart(found: Mapping[str, Comparison], wanted: list[str], *, model: str) -> go.Figure:
    """One row a metric: the difference with its interval, turned so that right of zero A is better."""
    clear = [name for name in wanted if found[name].verdict != CANNOT_TELL]
    better = sum(found[name].verdict == A_IS_BETTER for name in wanted)
    level = len(wanted) - len(clear)
    title = f"A is better at {better}, B at {len(clear) - better}; can't tell at {level} of {len(wanted)} metrics"
    figure = new_chart(
        title,
        "← B better · difference · A better →",
        "",
        note="bar: 95 % interval; if it crosses zero, it may be chance",
        height=130 + 40 * len(wanted),
        showlegend=False,
    )
    shades = {A_IS_BETTER: colour(model), B_IS_BETTER: colour("bad"), CANNOT_TELL: colour("baseline")}
    for name in wanted[::-1]:
        entry = found[name]
        sign = -1.0 if lower_is_better(name) else 1.0
        value, ends = sign * entry.difference, sorted((sign * entry.low, sign * entry.high))
        known = all(map(math.isfinite, ends))
        reach = {"array": [ends[1] - value], "arrayminus": [value - ends[0]], "thickness": 3, "width": 6} if known else {}
        figure.add_scatter(
            x=[value],
            y=[metric_name(name)],
            mode="markers",
            marker={"size": 11, "color": shades[entry.verdict]},
            error_x={"type": "data", "symmetric": False, "color": shades[entry.verdict], **reach} if known else None,
            hovertemplate=f"{metric_name(name)}: A {entry.a:.3f}, B {entry.b:.3f}<br>%{{x:+.3f}}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": colour("text"), "width": 1, "dash": "dot"})
    return figure.update_xaxes(tickformat="+.3~f", zeroline=False)
