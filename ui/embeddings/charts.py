"""Still views of learned vectors: lengths against popularity, the spectrum, and how much of a planted space was found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ui.charts import new_chart
from ui.theme import colour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mfcore.embeddings.shape import NormsByPopularity, Recovery, Spectrum


def lengths_figure(found: NormsByPopularity, names: Sequence[str], epoch: int, thing: str) -> go.Figure:
    """Every vector's length against how often it was rated, with a line of medians. ``names``: one per point."""
    known = found.popularity > 0
    note = f"Rank correlation {found.rho:.2f}. {_lengths_words(found.rho)}" if math.isfinite(found.rho) else ""
    figure = new_chart(f"Length of the vector against popularity, epoch {epoch}", "ratings", "length", note=note, height=380)
    figure.add_scattergl(
        x=found.popularity[known],
        y=found.norm[known],
        mode="markers",
        name=thing,
        marker={"size": 5, "color": colour("mf"), "opacity": 0.45},
        customdata=np.asarray(names, dtype=object)[known],
        hovertemplate="%{customdata}<br>%{x:,} ratings, length %{y:.2f}<extra></extra>",
    )
    line = found.bin_popularity > 0
    figure.add_scatter(
        x=found.bin_popularity[line],
        y=found.bin_norm[line],
        mode="lines+markers",
        name="median",
        line={"color": colour("primary"), "width": 2.5},
        hovertemplate="median of those around %{x:,} ratings: %{y:.2f}<extra></extra>",
    )
    return figure.update_xaxes(type="log")


def _lengths_words(rho: float) -> str:
    if rho > 0.3:
        return "What is rated often has a long vector: it was pulled often, and weight decay keeps the rest short."
    if rho < -0.3:
        return "What is rated often has a short vector: the many tastes that meet there cancel out."
    return "Length says little about popularity here."


def spectrum_figure(spectra: Mapping[int, Spectrum]) -> go.Figure:
    """Singular values of the item vectors at a few epochs, each as a share of the largest."""
    epochs = [epoch for epoch, one in spectra.items() if one.singular_values.max(initial=0.0) > 0]
    last = spectra[epochs[-1]] if epochs else None
    width = len(last.singular_values) if last is not None else 0
    note = (
        f"Effective rank {last.effective_rank:.1f} of {width} at epoch {epochs[-1]}: about so many directions are in use."
        if last is not None
        else ""
    )
    figure = new_chart("Singular values of the item vectors", "direction, strongest first", "share of the largest", note=note)
    chosen = sorted({epochs[round(share * (len(epochs) - 1))] for share in (0, 1 / 3, 2 / 3, 1)}) if epochs else []
    for place, epoch in enumerate(chosen):
        values = spectra[epoch].singular_values
        newest = epoch == chosen[-1]
        figure.add_scatter(
            x=np.arange(1, len(values) + 1),
            y=values / values.max(),
            mode="lines",
            name=f"epoch {epoch}",
            line={"color": colour("primary" if newest else "mf"), "width": 2.5 if newest else 1.5},
            opacity=1.0 if newest else 0.3 + 0.5 * place / len(chosen),
            hovertemplate=f"epoch {epoch}, direction %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    return figure.update_yaxes(rangemode="tozero")


def rank_figure(spectra: Mapping[int, Spectrum]) -> go.Figure:
    """The effective rank by epoch."""
    figure = new_chart(
        "Effective rank by epoch", "epoch", "directions in use", note="It falls as the model finds what ratings share."
    )
    epochs = list(spectra)
    figure.add_scatter(
        x=epochs,
        y=[spectra[epoch].effective_rank for epoch in epochs],
        mode="lines+markers",
        line={"color": colour("valid")},
        hovertemplate="epoch %{x}: %{y:.1f}<extra></extra>",
    )
    return figure.update_yaxes(rangemode="tozero")


def recovery_figure(found: Mapping[int, Recovery]) -> go.Figure:
    """How much of the planted space the learned one holds, by epoch, beside what chance would give."""
    epochs = list(found)
    last = found[epochs[-1]]
    angles = ", ".join(f"{angle:.0f}°" for angle in last.angles.tolist())
    note = (
        f"Epoch {epochs[-1]}: {100 * last.score:.0f} % found; angles between the planted directions and the learned: {angles}."
    )
    figure = new_chart("How much of the planted space was found", "epoch", "share found (mean cos²)", note=note)
    figure.add_scatter(
        x=epochs,
        y=[found[epoch].score for epoch in epochs],
        mode="lines+markers",
        name="learned",
        line={"color": colour("valid")},
        hovertemplate="epoch %{x}: %{y:.3f}<extra></extra>",
    )
    figure.add_hline(y=last.chance, line={"color": colour("baseline"), "dash": "dash"}, annotation_text="by chance")
    return figure.update_yaxes(range=[0, 1.02])
