"""How a run was measured: protocol, leak meter, and the card to copy."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.evaluation import Leak, leak_meter
from mfcore.runs import RunSummary, run_card
from ui.charts import new_chart, show_chart
from ui.controls import error_line, link_to
from ui.datasets import Nouns, nouns
from ui.evaluate.store import stored_split
from ui.format import percent
from ui.state import manager
from ui.theme import colour
from ui.words import protocol_sentence


def method_section(run: RunSummary) -> None:
    """What one needs to compare these numbers with others, to doubt them, and to get them again."""
    st.header("How this was measured", anchor=False)
    st.markdown(protocol_sentence(run.config))
    left, right = st.columns([3, 2], gap="large")
    with right:
        if run.test:
            leak(run)
    with left:
        st.markdown("**Run card**: everything behind these numbers, to copy")
        try:
            st.code(run_card(manager().folder(run.run_id)), language=None, wrap_lines=True)
        except UnusableRequest as error:
            error_line(error)
        link_to("runs", "Repeat it: Python script and command", icon=":material/code:", run=run.run_id)
        with st.expander("Settings that differ from the defaults"):
            flat = run.config.to_flat()
            st.table({key.replace("_", " "): str(value) for key, value in flat.items()}, border="horizontal", width="content")


def leak(run: RunSummary) -> None:
    """How much of what the model learned from lies in the future of what it is tested on."""
    st.markdown("**Leak meter**: how much of training lies in the future")
    try:
        split = stored_split(run.run_id)
        found = leak_meter(split.with_validation_in_train() if refitted(run) else split)
    except (UnusableRequest, DataUnavailable) as error:
        error_line(error)
        return
    if math.isnan(found.everyone):
        st.markdown("This data has no timestamps, so there is no before and after.")
        return
    st.markdown(leak_words(found))
    show_chart(
        leak_chart(found, nouns(run.dataset)),
        key="leak",
        alt="Share of training that lies after each user's first test interaction",
    )


def refitted(run: RunSummary) -> bool:
    """Whether test was scored by a model trained on train + validation."""
    return "test_before_refit" in manager().folder(run.run_id).result()


def leak_words(found: Leak) -> str:
    """Both shares, and what they mean."""
    own = (
        f"None of a user's own training ratings are later than their first test rating; **{percent(found.everyone, 0)}** of "
        "everybody's are."
        if not found.own
        else f"On average **{percent(found.own, 0)}** of a user's own training ratings are later than their first test rating, "
        f"and **{percent(found.everyone, 0)}** of everybody's."
    )
    return (
        f"{own} A model in service could have known none of those, so these numbers flatter a little. Split *By time* has none."
    )


def leak_chart(found: Leak, called: Nouns) -> go.Figure:
    """Users by the share of all training interactions that come after their first test interaction."""
    edges = np.linspace(0, 1, 11)
    share = np.histogram(found.per_user, edges)[0] / max(len(found.per_user), 1)
    figure = new_chart(
        f"On average {percent(found.everyone, 0)} of training is from the future",
        f"training ratings later than the {called.user}'s first test rating (%)",
        f"share of {called.users} (%)",
        note="dotted: mean",
        height=280,
        showlegend=False,
        bargap=0.06,
    )
    figure.add_bar(
        x=100 * (edges[:-1] + edges[1:]) / 2,
        y=100 * share,
        marker={"color": colour("test")},
        customdata=[f"{100 * low:.0f} to {100 * high:.0f} %" for low, high in pairwise(edges)],
        hovertemplate=f"%{{y:.1f}} % of {called.users} have<br>%{{customdata}} of training after their test<extra></extra>",
    )
    figure.add_vline(x=100 * found.everyone, line={"color": colour("text"), "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0, 100], ticksuffix=" %")
    return figure.update_yaxes(ticksuffix=" %")
