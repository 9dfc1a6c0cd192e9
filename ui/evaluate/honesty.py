"""The honesty slider: the same rankings against ten rivals, a hundred, or all items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.evaluation import ranking, sampled_curve
from mfcore.typing import Float64
from ui.charts import show, titled
from ui.evaluate.charts import OURS
from ui.evaluate.contest import TRAIN_AGAIN, Scored, baseline_line, contestants, legend, runs_beside
from ui.evaluate.store import peers
from ui.format import count, escape_markdown, in_its_unit, metric, unit_of
from ui.theme import colour

if TYPE_CHECKING:
    from mfcore.evaluation import EvaluationDetails
    from mfcore.runs.summary import RunSummary

Curve = dict[str, Float64]
STOPS = (10, 15, 20, 30, 40, 50, 75, 99, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 20_000, 50_000)
CUSTOMARY = 99
TITLES = {"hr": "Hit rate", "ndcg": "NDCG"}


def honesty(run: RunSummary, details: EvaluationDetails, ties: str, thing: tuple[str, str]) -> None:
    """Slider, what it means in words, and the two curves with their marker."""
    st.subheader("How much do the sampled rivals flatter?", anchor=False)
    if details.num_free is None or not len(details.num_free):
        st.markdown(TRAIN_AGAIN if len(details.case_user) else f"No held-out {thing[0]} counts as relevant here.")
        return
    numbers = stops(details)
    left, right = st.columns([3, 2], gap="large")
    with left:
        chosen = _slider(numbers, thing[1])
    with right:
        beside = runs_beside(run, peers(run))
    shown = [line for line in contestants(run, beside, ties) if line.details.num_free is not None]
    k = details.k
    curves = {line.name: honesty_curve(line.key, k, tuple(numbers), line.details) for line in shown}
    looks = {line.name: line.line for line in shown} | {"random": baseline_line("random")}
    curves["random"] = by_lot(details, k, numbers)
    st.markdown(in_words(curves[OURS], numbers, chosen, k, thing[1]) + " " + order_words(curves, numbers, chosen, shown))
    legend(looks)
    with st.grid(2, min_column_width=360):
        for name in TITLES:
            show(honesty_chart(name, curves, looks, numbers, chosen, k, thing[1]), key=f"honesty_{name}", alt=_alt(name, k))
    st.caption(
        f"Exact: what all possible draws of that many {thing[1]} the user never touched come to on average, so it may differ a "
        "little from Results, where some were drawn. Worked out from the stored ranks; nothing is scored again."
    )


def stops(details: EvaluationDetails) -> list[int]:
    """Numbers of negatives on the slider: round ones, and last the most any user has."""
    assert details.num_free is not None
    most = int(details.num_free.max(initial=1))
    return [number for number in STOPS if number < most] + [most]


def _slider(numbers: list[int], things: str) -> int:
    most = numbers[-1]
    return int(
        st.select_slider(
            f"Negatives: how many other {things} each held-out one competes with",
            numbers,
            value=CUSTOMARY if CUSTOMARY in numbers else most,
            format_func=lambda number: f"all {number:,}" if number == most else f"{number:,}",
            key="negatives",
            bind="query-params",
            help="99 is customary in papers. The fewer, the easier it is to look good.",
        )
    )


@st.cache_data(max_entries=64, show_spinner=False)
def honesty_curve(key: str, k: int, numbers: tuple[int, ...], _details: EvaluationDetails) -> Curve:
    """Expected hr and ndcg at K against each number of negatives, (n,) each."""
    frame = sampled_curve(_details, numbers, k)
    return {name: frame[name].to_numpy() for name in TITLES}


def by_lot(details: EvaluationDetails, k: int, numbers: Sequence[int]) -> Curve:
    """The same, of a ranking drawn by lot."""
    assert details.num_free is not None
    alone = np.ones(len(details.num_free), np.int64)
    rows = [ranking.expected_random(np.minimum(number, details.num_free) + 1, alone, k) for number in numbers]
    return {name: np.array([row[name] for row in rows]) for name in TITLES}


def in_words(ours: Curve, numbers: list[int], chosen: int, k: int, things: str) -> str:
    """With 99 negatives HR@10 is .69; against all 1,600 films it is .15."""
    here, last = numbers.index(chosen), len(numbers) - 1
    all_of_them = f"against all {count(numbers[last])} {things} they never touched"
    if here == last:
        return f"{all_of_them[0].upper()}{all_of_them[1:]}, **HR@{k} is {metric(ours['hr'][last])}**: nothing flatters here."
    start = f"With {count(chosen)} negatives **HR@{k} is {metric(ours['hr'][here])}**"
    return f"{start}; {all_of_them} it is **{metric(ours['hr'][last])}**."


def order_words(curves: dict[str, Curve], numbers: list[int], chosen: int, shown: Sequence[Scored]) -> str:
    """Whether the contestants change places between here and all items, by HR."""
    here, last = (_order(curves, [line.name for line in shown], at) for at in (numbers.index(chosen), len(numbers) - 1))
    if len(shown) < 2 or chosen == numbers[-1]:
        return ""
    if here == last:
        return f"By hit rate the order stays the same: {_list(here)}."
    return f"By hit rate they change places: here {_list(here)}; against all {_list(last)}."


def _order(curves: dict[str, Curve], names: list[str], at: int) -> list[str]:
    return sorted(names, key=lambda name: -curves[name]["hr"][at])


def _list(names: list[str]) -> str:
    return escape_markdown(", ".join(names[:4])).replace(OURS, f"**{OURS}**")


def honesty_chart(
    name: str,
    curves: dict[str, Curve],
    looks: dict[str, dict[str, object]],
    numbers: list[int],
    chosen: int,
    k: int,
    things: str,
) -> go.Figure:
    """One metric over the number of negatives, on a logarithmic axis, with a marker at the chosen number."""
    scale, unit, digits = unit_of(name)
    number = f"%{{y:{digits}}}{unit}"
    values = curves[OURS][name]
    at, last = values[numbers.index(chosen)], values[-1]
    figure = titled(
        f"{TITLES[name]}: {in_its_unit(name, at)} with {count(chosen)} negatives, {in_its_unit(name, last)} with all",
        f"negatives ({things}, logarithmic)",
        "",
        note=f"first {k} of the list; grey: baselines",
        hovermode="x unified",
        showlegend=False,
    )
    for other in [*[n for n in curves if n != OURS][::-1], OURS]:
        figure.add_scatter(
            x=numbers,
            y=scale * curves[other][name],
            name=other,
            mode="lines",
            line=looks[other],
            hovertemplate=f"<b>{number}</b>" if other == OURS else number,
        )
    figure.add_vline(x=chosen, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=[chosen],
        y=[scale * at],
        mode="markers",
        marker={"size": 9, "color": colour("text")},
        hoverinfo="skip",
    )
    ticks = [number for number in (10, 30, 100, 300, 1000, 3000, 10_000, 30_000) if number < 0.8 * numbers[-1]]
    figure.update_xaxes(type="log", tickvals=[*ticks, numbers[-1]], ticktext=[*[f"{t:,}" for t in ticks], "all"])
    return figure.update_yaxes(rangemode="tozero", ticksuffix=unit)


def _alt(name: str, k: int) -> str:
    return f"{TITLES[name]} in the first {k} against the number of negatives, with other runs and baselines"
