"""Quality as a curve: against the number of rivals each held-out item competes with, and against the length of the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation import EvaluationDetails, ranking, sampled_curve, summarise
from mfcore.evaluation.metrics import metric_help
from mfcore.registry import METRICS
from mfcore.runs import RunSummary
from mfcore.typing import Float64
from ui.charts import new_chart, show_chart
from ui.datasets import Nouns, nouns
from ui.evaluate.contestants import OURS, TRAIN_AGAIN, Scored, baseline_line, contestants, legend, runs_beside
from ui.evaluate.store import peers
from ui.format import count, escape_markdown, in_its_unit, metric, unit_of
from ui.theme import colour

Curves = dict[str, Float64]
"""Metric → its values along the axis, (n,); ``hr`` is sampled ranking, ``hr_full`` full."""
Look = Mapping[str, Any]

LOTTERY = "random"  # what drawing by lot attains, exactly; drawn like a baseline
FIRST = ("hr", "ndcg")  # drawn side by side unless another is chosen
LONGEST_LIST = 50
STOPS = (10, 15, 20, 30, 40, 50, 75, 99, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 20_000, 50_000)
CUSTOMARY = 99


def title_of(name: str) -> str:
    """A metric in the title of a chart or on a button: Hit rate, NDCG, Recall."""
    return "Hit rate" if name == "hr" else METRICS[name].title


def drawable() -> list[str]:
    """Metrics with a curve against K."""
    return [name for name, spec in METRICS.items() if spec.of_lists is not None and spec.at_k and "@" not in name]


# --- against the number of rivals ------------------------------------------------------------------------------------


def rivals_section(run: RunSummary, details: EvaluationDetails, ties: str) -> None:
    """The same rankings against ten rivals, a hundred, or all items: slider, what it means, and two curves with a marker."""
    st.header("How much do the sampled rivals flatter?", anchor=False)
    called, k = nouns(run.config.dataset), details.k
    if details.num_free is None or not len(details.num_free):
        st.markdown(TRAIN_AGAIN if len(details.case_user) else f"No held-out {called.item} counts as relevant here.")
        return
    numbers = stops(details)
    left, right = st.columns([3, 2], gap="large")
    with left:
        chosen = _slider(numbers, called)
    with right:
        beside = runs_beside(run, peers(run))
    shown = [line for line in contestants(run, beside, ties) if line.details.num_free is not None]
    curves = {line.name: rivals_curves(line.key, k, tuple(numbers), line.details) for line in shown}
    curves[LOTTERY] = rivals_lottery(details, k, numbers)
    looks = _looks(shown)
    measured = summarise(shown[0].details).get(f"hr@{k}") if chosen == run.config.protocol.sampled_negatives else None
    told = in_words(curves[OURS], numbers, chosen, k, called.items, measured, draws=run.config.protocol.draws)
    st.markdown(f"{told} {order_words(curves, numbers, chosen, shown)}")
    legend(looks, called)
    with st.grid(2, min_column_width=360):
        for name in ("hr", "ndcg"):
            alt = f"{title_of(name)} in the first {k} against the number of negatives, with other runs and baselines"
            show_chart(rivals_chart(name, curves, looks, numbers, chosen, k, called.items), key=f"honesty_{name}", alt=alt)
    st.caption(
        f"Exact: what all possible draws of that many {called.items} the {called.user} never touched come to on average, so it "
        "may differ a little from Results, where some were drawn. Worked out from the stored ranks; nothing is scored again."
    )


def stops(details: EvaluationDetails) -> list[int]:
    """Numbers of negatives on the slider: round ones, and last the most any user has."""
    assert details.num_free is not None
    most = int(details.num_free.max(initial=1))
    return [number for number in STOPS if number < most] + [most]


def _slider(numbers: list[int], called: Nouns) -> int:
    most = numbers[-1]
    return int(
        st.select_slider(
            f"Negatives: how many other {called.items} each held-out one competes with",
            numbers,
            value=CUSTOMARY if CUSTOMARY in numbers else most,
            format_func=lambda number: f"all {number:,}" if number == most else f"{number:,}",
            key="negatives",
            bind="query-params",
            help="99 is customary in papers. The fewer, the easier it is to look good.",
        )
    )


@st.cache_data(max_entries=64, show_spinner=False)
def rivals_curves(key: str, k: int, numbers: tuple[int, ...], _details: EvaluationDetails) -> Curves:
    """Expected hr and ndcg at K against each number of negatives."""
    frame = sampled_curve(_details, numbers, k)
    return {name: frame[name].to_numpy() for name in ("hr", "ndcg")}


def rivals_lottery(details: EvaluationDetails, k: int, numbers: Sequence[int]) -> Curves:
    """The same, of a ranking drawn by lot."""
    assert details.num_free is not None
    alone = np.ones(len(details.num_free), np.int64)
    rows = [ranking.expected_random(np.minimum(number, details.num_free) + 1, alone, k) for number in numbers]
    return {name: np.array([row[name] for row in rows]) for name in ("hr", "ndcg")}


def in_words(
    ours: Curves, numbers: list[int], chosen: int, k: int, items: str, measured: float | None = None, *, draws: int = 1
) -> str:
    """With 99 negatives HR@10 is .69; against all 1,600 films it is .15. ``measured``: what Results says for as many, from
    so many ``draws``, which the mean over all possible draws need not be to the last digit."""
    here, last = numbers.index(chosen), len(numbers) - 1
    all_of_them = f"against all {count(numbers[last])} {items} they never touched"
    if here == last:
        return f"{all_of_them[0].upper()}{all_of_them[1:]}, **HR@{k} is {metric(ours['hr'][last])}**: nothing flatters here."
    start = f"With {count(chosen)} negatives **HR@{k} is {metric(ours['hr'][here])}**"
    if measured is not None and metric(measured) != metric(ours["hr"][here]):
        drawn = "one draw" if draws == 1 else f"{draws} draws"
        start += f" over all possible draws (Results has {metric(measured)}, from {drawn})"
    return f"{start}; {all_of_them} it is **{metric(ours['hr'][last])}**."


def order_words(curves: Mapping[str, Curves], numbers: list[int], chosen: int, shown: Sequence[Scored]) -> str:
    """Whether the contestants change places between here and all items, by HR."""
    names = [line.name for line in shown]
    here, last = (sorted(names, key=lambda name: -curves[name]["hr"][at]) for at in (numbers.index(chosen), len(numbers) - 1))
    if len(shown) < 2 or chosen == numbers[-1]:
        return ""
    if here == last:
        return f"By hit rate the order stays the same: {_first_four(here)}."
    return f"By hit rate they change places: here {_first_four(here)}; against all {_first_four(last)}."


def _first_four(names: list[str]) -> str:
    first = ", ".join(names[:4])
    if OURS not in names[:4]:
        first += f" …, {OURS} in place {names.index(OURS) + 1}"
    return escape_markdown(first).replace(OURS, f"**{OURS}**")


def rivals_chart(
    name: str,
    curves: Mapping[str, Curves],
    looks: Mapping[str, Look],
    numbers: list[int],
    chosen: int,
    k: int,
    items: str,
) -> go.Figure:
    """One metric over the number of negatives, on a logarithmic axis, with a marker at the chosen number."""
    values = curves[OURS][name]
    at, last = values[numbers.index(chosen)], values[-1]
    figure = _line_chart(
        f"{title_of(name)}: {in_its_unit(name, at)} with {count(chosen)} negatives, {in_its_unit(name, last)} with all",
        f"negatives ({items}, logarithmic)",
        f"first {k} of the list, mean over all possible draws; grey: baselines",
        name,
        numbers,
        curves,
        looks,
    )
    figure.add_vline(x=chosen, line={"color": colour("text"), "width": 1, "dash": "dot"})
    marker = {"size": 9, "color": colour("text")}
    figure.add_scatter(x=[chosen], y=[unit_of(name)[0] * at], mode="markers", marker=marker, hoverinfo="skip")
    ticks = [number for number in (10, 30, 100, 300, 1000, 3000, 10_000, 30_000) if number < 0.8 * numbers[-1]]
    return figure.update_xaxes(type="log", tickvals=[*ticks, numbers[-1]], ticktext=[*[f"{t:,}" for t in ticks], "all"])


# --- against the length of the list ----------------------------------------------------------------------------------


def list_length_section(run: RunSummary, details: EvaluationDetails, ties: str) -> None:
    """Choice of metric, and its curves against K: sampled where that is defined, and full."""
    st.header("How long must the list be?", anchor=False)
    called = nouns(run.config.dataset)
    if not len(details.case_user):
        st.markdown(f"No held-out {called.item} counts as relevant here, so there is nothing to find.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        stems = _chosen_metrics()
    with right:
        beside = runs_beside(run, peers(run))
    if not run.config.training.implicit:
        st.caption("This run was trained to predict ratings, not to rank; against popularity, that alone is seldom enough.")
    shown = contestants(run, beside, ties)
    ks = list_lengths(details)
    curves = {line.name: length_curves(line.key, tuple(ks), line.details) for line in shown}
    curves[LOTTERY] = length_lottery(details, ks)
    notes = {
        "": f"among {run.config.protocol.sampled_negatives} other {called.items} (sampled)",
        "_full": f"among all {called.items} not seen in training (full)",
    }
    drawn = [(stem, variant) for stem in stems for variant in notes if variant or METRICS[stem].of_cases]
    looks = {name: look for name, look in _looks(shown).items() if any(stem + kind in curves[name] for stem, kind in drawn)}
    legend(looks, called)
    with st.grid(min(2, len(drawn)), min_column_width=360):
        for stem, variant in drawn:
            figure = length_chart(stem + variant, notes[variant], ks, curves, looks, details.k, called.items)
            show_chart(
                figure, key=f"curve_{stem}{variant}", alt=f"{title_of(stem)} against K, {notes[variant]}, with baselines"
            )


def _chosen_metrics() -> list[str]:
    pair, single = " and ".join(title_of(stem) for stem in FIRST), {title_of(s): s for s in drawable() if s not in FIRST}
    told = " ".join(f"{title_of(stem)}: {metric_help(stem).split('. On ')[0].rstrip('.')}." for stem in drawable())
    chosen = st.segmented_control(
        "Metric", [pair, *single], default=pair, key="metric", bind="query-params", required=True, help=told
    )
    return [single[chosen]] if chosen in single else list(FIRST)


def list_lengths(details: EvaluationDetails) -> list[int]:
    """K = 1 … 50, or fewer where there are not so many candidates."""
    return list(range(1, min(LONGEST_LIST, int(details.num_full.max(initial=1))) + 1))


@st.cache_data(max_entries=64, show_spinner=False)
def length_curves(key: str, ks: tuple[int, ...], _details: EvaluationDetails) -> Curves:
    """Each drawable metric against K: ``hr`` … in sampled ranking, ``hr_full`` … in full."""
    drawn, whole = _details.places_draws, _details.tied_full
    sampled = [ranking.per_case(drawn, k) for k in ks]
    full = [ranking.per_user(_details.case_user, whole, k, _details.ties) for k in ks]
    found = {name: np.array([row[name] for row in sampled]) for name in drawable() if METRICS[name].of_cases}
    return found | {f"{name}_full": np.array([row[name] for row in full]) for name in drawable()}


def length_lottery(details: EvaluationDetails, ks: Sequence[int]) -> Curves:
    """hr, ndcg (sampled and full), recall and precision (full) as drawing by lot attains them in expectation (exact)."""
    _, first, relevant = np.unique(details.case_user, return_index=True, return_counts=True)
    alone = np.ones(len(details.case_user), np.int64)
    sampled = [ranking.expected_random(details.num_sampled, alone, k) for k in ks]
    candidates = details.num_full[first]
    full = [ranking.expected_random(candidates, relevant, k) for k in ks]
    found = {stem: np.array([row[stem] for row in sampled]) for stem in ("hr", "ndcg")}
    found |= {f"{stem}_full": np.array([row[stem] for row in full]) for stem in ("hr", "ndcg")}
    contested = candidates > 1
    n, m = candidates[contested], relevant[contested]
    if len(n):
        found["recall_full"] = np.array([np.mean(np.minimum(k, n) / n) for k in ks])
        found["precision_full"] = np.array([np.mean(np.minimum(k, n) / n * m / k) for k in ks])
    return found


def length_chart(
    name: str, note: str, ks: list[int], curves: Mapping[str, Curves], looks: Mapping[str, Look], k: int, items: str
) -> go.Figure:
    """One metric for lists of 1 … K items; the dotted line marks the headline's ``k``."""
    title, values = title_of(name.removesuffix("_full")), curves[OURS][name]
    if k in ks:
        title = f"{title}: {in_its_unit(name, values[ks.index(k)])} in lists of {k}"
    figure = _line_chart(title, f"length of the list (K, {items})", note, name, ks, curves, looks)
    figure.add_vline(x=k, line={"color": colour("muted"), "width": 1, "dash": "dot"})
    return figure.update_xaxes(range=[1, ks[-1]])


# --- what both draw --------------------------------------------------------------------------------------------------


def _looks(shown: Sequence[Scored]) -> dict[str, Look]:
    """Name → how its line is drawn, the lottery included."""
    return {line.name: line.line for line in shown} | {LOTTERY: baseline_line(LOTTERY)}


def _line_chart(
    title: str, x: str, note: str, name: str, at: Sequence[int], curves: Mapping[str, Curves], looks: Mapping[str, Look]
) -> go.Figure:
    """The metric ``name`` of everybody who has it, shares in percent; the run itself on top of the others."""
    scale, unit, digits = unit_of(name)
    number = f"%{{y:{digits}}}{unit}"
    what = title_of(name.removesuffix("_full")) + (f" ({unit.strip()})" if unit else "")
    figure = new_chart(title, x, what, note=note, hovermode="x unified", showlegend=False)
    for who in [*[other for other in curves if other != OURS][::-1], OURS]:
        if name in curves[who]:
            hover = f"<b>{number}</b>" if who == OURS else number
            y = scale * curves[who][name]
            figure.add_scatter(x=at, y=y, name=who, mode="lines", line=looks[who], hovertemplate=hover)
    return figure.update_yaxes(rangemode="tozero", ticksuffix=unit)
