"""The common look of still charts: what they show as title, axes with units, nothing else."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ui.theme import colour, plotly_layout

HEIGHT = 340


def new_chart(title: str, x: str, y: str, *, note: str = "", height: int = HEIGHT, **layout: Any) -> go.Figure:
    """An empty chart: ``title`` says what it shows, ``note`` below it how to read it, ``x`` and ``y`` the axes with units."""
    return go.Figure(
        layout=plotly_layout(
            title={
                "text": title,
                "subtitle": {"text": note, "font": {"size": 13, "color": colour("muted")}},
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 6},
                "font": {"size": 16},
            },
            xaxis={"title": {"text": x, "standoff": 8}},
            yaxis={"title": {"text": y, "standoff": 8}},
            height=height,
            margin={"l": 8, "r": 8, "t": 84 if note else 64, "b": 8},
            **layout,
        )
    )


def show_chart(figure: go.Figure, *, key: str, alt: str, **options: Any) -> Any:
    """Draw a chart that changes only when a person chooses something else. ``alt``: what it shows, in words."""
    config = {"displaylogo": False, "displayModeBar": options.pop("bar", False), "scrollZoom": options.pop("scroll", False)}
    return st.plotly_chart(figure, theme=None, key=key, alt=alt, config=config, **options)
