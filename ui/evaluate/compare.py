"""Two runs on the same held-out interactions: which is better, or can't one tell?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.evaluation import Comparison, EvaluationDetails, compare
from mfcore.evaluation.comparison import A_IS_BETTER, B_IS_BETTER, CANNOT_TELL, identical
from mfcore.evaluation.metrics import headline_key, lower_is_better, selection_key
from mfcore.runs import RunSummary
from mfcore.runs.comparability import differing_tests
from mfcore.runs.history import RunHistory
from mfcore.settings import SETTINGS
from ui.address import linked_choice
from ui.charts import new_chart, show_chart
from ui.controls import error_line, link_to
from ui.evaluate.contestants import scored_run
from ui.evaluate.store import peers, scored_elsewhere
from ui.format import NOTHING, count, escape_markdown, headline_metrics, metric, metric_name
from ui.run_colours import run_colours
from ui.run_titles import run_label
from ui.runbar import retry_link
from ui.state import manager
from ui.theme import colour

OTHER_TEST = "≠ other test"
"""Marks a run whose figures cannot be set beside this one's."""
BADGES = {
    A_IS_BETTER: ":green-badge[A is better]",
    B_IS_BETTER: ":red-badge[B is better]",
    CANNOT_TELL: ":gray-badge[can't tell]",
}


def compare_section(run: RunSummary, details: EvaluationDetails, ties: str) -> None:
    """Choice of the other run, the verdict in words, and every difference with its interval."""
    st.header("Is another run better?", anchor=False)
    same_test = {other.run_id: other for other in peers(run)}
    others = same_test | {other.run_id: other for other in scored_elsewhere(run)}
    if not same_test:
        st.markdown("No other finished run was scored on the same held-out interactions. Train another model on this split:")
        retry_link(run, "Change this run's settings and train again")
        if not others:
            return
    newest = next((name for name, other in same_test.items() if other.model != run.model), next(iter(others)))
    marked = {name for name, other in others.items() if name not in same_test and shared_figure(run, other)[1]}
    chosen = linked_choice(
        "Compare this run (A) with (B)",
        list(others),
        "with",
        text=lambda name: run_label(others[name]) + (f" · {OTHER_TEST}" if name in marked else ""),
        default=newest,
        follow=True,
    )
    if chosen not in same_test:
        different_tests(run, others[chosen])
        return
    try:
        a, b = scored_run(run, ties), scored_run(others[chosen], ties)
        found = paired(a.key, b.key, details.k, a.details, b.details)
    except UnusableRequest as error:
        error_line(error)
        return
    key = headline_key({name: pair.a for name, pair in found.items()}, details.k)
    if key is None:
        st.markdown("These two runs share no metric.")
        return
    same, apart = identical(a.details, b.details), what_differs(run, others[chosen])
    if same:
        st.markdown(f":gray-badge[the same] {same_words(apart)}")
    else:
        st.markdown(f"{BADGES[found[key].verdict]} {verdict_words(found[key])}")
    if not same:
        figure = difference_chart(found, headline_metrics(found, details.k), [run.run_id, chosen])
        show_chart(figure, key="differences", alt="Difference A − B with its 95 % interval")
        st.caption(
            "Paired: the same users are drawn again for both runs, 2,000 times, so that what is hard about a user cancels out. "
            "The interval says how other users would change the difference, not how other seeds would."
        )
    show_differences(apart)
    link_to("evaluate", "Look at B instead", icon=":material/swap_horiz:", run=chosen, show="Compare", **{"with": run.run_id})


def shared_figure(a: RunSummary, b: RunSummary) -> tuple[str | None, list[str]]:
    """The figure by which two runs would be compared, None where they share none; and why it cannot be."""
    k = a.config.protocol.k
    key = headline_key({name: value for name, value in a.test.items() if name in b.test}, k)
    return key, differing_tests(a, b, key or selection_key(k, ranks=True))


def different_tests(a: RunSummary, b: RunSummary) -> None:
    """Two runs that cannot be compared user by user: why not, what of them can be set side by side, and what would help."""
    key, reasons = shared_figure(a, b)
    if reasons or key is None:
        st.warning(
            "**These two were scored on different tests**, so a better figure of one does not make it the better run.",
            icon=":material/difference:",
        )
    else:
        values = f"{metric_name(key)} {metric(a.test[key])} (A) and {metric(b.test[key])} (B)"
        said = f"{values} are of the same test ratings, but the two cannot be compared user by user."
        st.info(said, icon=":material/difference:")
        reasons = differing_tests(a, b, selection_key(a.config.protocol.k, ranks=True))
    reasons = reasons or ["one of them was stored by an earlier version, without what is needed"]
    st.markdown("\n".join(f"- {escape_markdown(reason[:1].upper() + reason[1:])}" for reason in reasons))
    with suppress(UnusableRequest):  # not every model can be trained on every split
        config = dataclasses.replace(b.config, dataset=a.config.dataset, split=a.config.split)
        if config.all_relevant == a.config.all_relevant:
            retry_link(dataclasses.replace(b, config=config), "Train B's model on the data and split of A")


@st.cache_data(max_entries=32, show_spinner=False)
def paired(key_a: str, key_b: str, k: int, _a: EvaluationDetails, _b: EvaluationDetails) -> dict[str, Comparison]:
    """Every metric that both have, compared user by user."""
    return compare(_a, _b, k)


def what_differs(a: RunSummary, b: RunSummary) -> dict[str, tuple[str, str]]:
    """Setting → how it went in either run, from its first step to its last, for those that went differently.

    What was changed in flight, or by a branch, is told with its epoch; a configuration alone does not know of it.
    """
    told = [course(RunHistory.read(manager().folder(run.run_id))) for run in (a, b)]
    names = [name for name in dict.fromkeys([*told[0], *told[1]]) if told[0].get(name) != told[1].get(name)]
    return {name: (told[0].get(name, NOTHING), told[1].get(name, NOTHING)) for name in names}


def course(history: RunHistory) -> dict[str, str]:
    """Setting → its value over the whole line of training: "0.0069 → 0.00069 after epoch 20". None that only describe."""
    values = history.begun_with.to_flat(defaults=True)
    found = {name: plain_value(value) for name, value in values.items() if _matters(name)}
    for change in history.changes:
        if _matters(change.name):
            begun = found.get(change.name, NOTHING)
            found[change.name] = f"{begun} → {plain_value(change.after)} after epoch {change.epoch}"
    return found


def _matters(name: str) -> bool:
    return name not in SETTINGS or SETTINGS[name].effect != "none"


def plain_value(value: object) -> str:
    """A setting's value in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_label(name: str) -> str:
    """A setting as the form calls it."""
    return SETTINGS[name].label if name in SETTINGS else name.replace("_", " ").replace(".", ": ").capitalize()


def same_words(apart: Mapping[str, tuple[str, str]]) -> str:
    """Two runs whose every prediction agrees: that it is so, and what that tells of their settings."""
    start = "**The same to the last digit**: both runs give every held-out case the very same place and prediction."
    if not apart:
        return (
            f"{start} They went through the same settings from the same seed, and the same training on the same kind of device "
            "gives the same model. Another seed would show how much is luck."
        )
    names = ", ".join(setting_label(name) for name in apart)
    return f"{start} They differ in {escape_markdown(names)}, which made no difference to the result."


def show_differences(apart: Mapping[str, tuple[str, str]]) -> None:
    """The settings that set A and B apart, as a table; that there are none, where there are none."""
    st.markdown("**What sets them apart**")
    if not apart:
        st.caption("Nothing that was set: the same settings from the first step to the last, and nothing changed on the way.")
        return
    rows = {setting_label(name): values for name, values in apart.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["A (this run)", "B"]).rename_axis("Setting")
    st.dataframe(table, height="content", key="apart", alt="Settings in which the two runs differ, with changes on the way")


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


def difference_chart(found: Mapping[str, Comparison], wanted: list[str], runs: Sequence[str]) -> go.Figure:
    """One row a metric: the difference with its interval, turned so that right of zero A is better.

    ``runs``: the ids of A and B; what is clear is in the colour of the better one.
    """
    clear = [name for name in wanted if found[name].verdict != CANNOT_TELL]
    better = sum(found[name].verdict == A_IS_BETTER for name in wanted)
    level = len(wanted) - len(clear)
    title = f"A is better at {better}, B at {len(clear) - better}; can't tell at {level} of {len(wanted)} metrics"
    figure = new_chart(
        title,
        "← B better · difference · A better →",
        "metric",
        note="bar: 95 % interval; if it crosses zero, it may be chance",
        height=130 + 40 * len(wanted),
        showlegend=False,
    )
    of_a, of_b = run_colours(runs).values()
    shades = {A_IS_BETTER: of_a, B_IS_BETTER: of_b, CANNOT_TELL: colour("baseline")}
    for name in wanted[::-1]:
        entry = found[name]
        sign = -1.0 if lower_is_better(name) else 1.0
        value, ends = sign * entry.difference, sorted((sign * entry.low, sign * entry.high))
        known = all(map(math.isfinite, ends))
        reached = f", 95 % interval {ends[0]:+.3f} to {ends[1]:+.3f}" if known else ", no interval"
        reach = {"array": [ends[1] - value], "arrayminus": [value - ends[0]], "thickness": 3, "width": 6} if known else {}
        figure.add_scatter(
            x=[value],
            y=[metric_name(name)],
            mode="markers",
            marker={"size": 11, "color": shades[entry.verdict]},
            error_x={"type": "data", "symmetric": False, "color": shades[entry.verdict], **reach} if known else None,
            hovertemplate=f"{metric_name(name)}: A {entry.a:.3f}, B {entry.b:.3f}<br>%{{x:+.3f}}{reached}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": colour("text"), "width": 1, "dash": "dot"})
    return figure.update_xaxes(tickformat="+.3~f", zeroline=False)
