"""Every chart of every page says what it shows, and has its numbers behind it; a new one has that by being drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.reading import OpenPage
from ui.charts import BEHIND, SERIES, chart_table, contrast, csv_of, new_chart, visible_scale
from ui.theme import colour

ROOT = Path(__file__).resolve().parents[2]
PLACES: list[tuple[str, dict[str, str]]] = [
    *[("evaluate", {"show": show}) for show in ("Rivals", "List length", "Deciles", "Errors", "Lists", "Compare", "Run card")],
    *[("embeddings", {"closer": closer}) for closer in ("Lengths", "Spectrum", "Recovery")],
    ("data", {"dataset": "planted"}),
    *[("data", {"dataset": "planted", "corner": corner}) for corner in ("Busiest corner", "Random part", "Mixed")],
    ("recommend", {}),
    ("home", {}),
    ("train", {}),
    ("runs", {}),
]
"""Where charts are, or might come to be."""


def keys(app: AppTest) -> list[str]:
    """The key of each still chart on the page."""
    return [re.sub(r"^\$\$ID-[^-]+-", "", chart.proto.id) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize(("page", "query"), PLACES)
def test_every_chart_has_title_axes_words_table_and_csv(
    page: str, query: dict[str, str], runs: dict[str, str], open_page: OpenPage
) -> None:
    chosen = {"run": runs["rating"]} if page != "runs" else {"runs": f"{runs['rating']},{runs['interrupted']}"}
    app = open_page(page, **chosen, **query)
    for chart, key in zip(app.get("plotly_chart"), keys(app), strict=True):
        layout = json.loads(chart.proto.spec)["layout"]
        assert layout["title"]["text"] and layout["xaxis"]["title"]["text"], key
        assert layout["yaxis"]["title"]["text"], key
        assert chart.proto.alt, key
    for key in keys(app):
        app.session_state[f"{key}_behind"] = True  # its button is pressed
    app.run()
    assert not app.exception
    tables = {frame.proto.alt: len(frame.value) for frame in app.dataframe}
    for chart, key in zip(app.get("plotly_chart"), keys(app), strict=True):
        assert tables[f"{chart.proto.alt}, as a table"], key
        assert any(button.proto.id.endswith(f"{key}_csv") for button in app.get("download_button")), key


def test_pages_with_charts_are_walked_and_nothing_else_draws_any(runs: dict[str, str], open_page: OpenPage) -> None:
    drawing = [path for folder in ("ui", "pages") for path in (ROOT / folder).rglob("*.py") if _draws(path)]
    assert [path.relative_to(ROOT).as_posix() for path in drawing] == ["ui/charts.py"]


def _draws(path: Path) -> bool:
    return bool(re.search(r"st\.(plotly_chart|vega_lite_chart|altair_chart|\w+_chart)\(", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("is_dark", [False, True])
def test_every_cell_of_a_heat_map_can_be_told_from_a_gap(is_dark: bool) -> None:
    scale = visible_scale(is_dark)
    assert [place for place, _ in scale][:: len(scale) - 1] == [0.0, 1.0] and len(scale) >= 5
    assert min(contrast(shade, colour("background", is_dark)) for _, shade in scale) >= 3.0
    assert (round(contrast("#000000", "#ffffff"), 6), contrast("#8b8178", "#8b8178")) == (21.0, 1.0)


def test_lines_that_share_their_x_are_columns_and_the_widest_comes_first() -> None:
    figure = new_chart("T", "epoch", "loss")
    figure.add_scatter(x=[1, 2], y=[0.1, 0.2], name="other", line={"width": 1})
    figure.add_scatter(x=[1, 3], y=[0.3, 0.4], name="this run", line={"width": 3})
    figure.add_scatter(x=[0, 9], y=[0, 9], name="guide", hoverinfo="skip")
    table = chart_table(figure)
    assert table.columns.tolist() == ["epoch", "this run", "other"]
    assert table["epoch"].tolist() == [1, 3, 2]
    assert table["other"].isna().tolist() == [False, True, False]


def test_points_keep_their_names_and_intervals_and_cells_their_places() -> None:
    figure = new_chart("T", "difference", "metric")
    for place in range(2):
        reach = {"array": [0.2], "arrayminus": [0.1]}
        figure.add_scatter(x=[float(place)], y=[f"m{place}"], error_x=reach, customdata=["said"], mode="markers")
    table = chart_table(figure)
    assert table["metric"].tolist() == ["m0", "m1"] and table["about"].tolist() == ["said", "said"]
    assert table["low"].tolist() == pytest.approx([-0.1, 0.9]) and table["high"].tolist() == pytest.approx([0.2, 1.2])
    cells = new_chart("T", "item", "user")
    cells.add_heatmap(z=np.array([[1.0, np.nan], [np.nan, 4.0]]))
    assert chart_table(cells).values.tolist() == [[1, 1, 1], [2, 2, 4]]
    boxes = new_chart("T", "true", "predicted")
    boxes.add_box(x=[3.0], lowerfence=[1.0], q1=[2.0], median=[3.0], q3=[4.0], upperfence=[5.0])
    assert chart_table(boxes).iloc[0].tolist() == [3, 1, 2, 3, 4, 5]


def test_different_things_on_one_chart_are_told_apart_and_nothing_is_an_empty_table() -> None:
    figure = new_chart("T", "x", "y")
    figure.add_bar(x=["a", "b"], y=[1, 2], name="bars", customdata=["p", "q"])
    figure.add_scatter(x=["a"], y=[3], name="marks")
    table = chart_table(figure)
    assert table[SERIES].tolist() == ["bars", "bars", "marks"]
    assert pd.isna(table["about"].iloc[2])
    assert chart_table(go.Figure(layout=figure.layout)).empty
    assert BEHIND


def test_no_text_is_a_formula_to_a_spreadsheet() -> None:
    table = pd.DataFrame(
        {
            "=title": ["=1+1", "+SUM(A1)", "-2+3", "@x", "\tx", "Alien", "-1.5", "+2e-3", None],
            "value": [-1.5, 0.0, 1.0, -2.0, 3.0, float("nan"), 1e-9, 5.0, 6.0],
        }
    )
    assert csv_of(table).splitlines() == [
        "'=title,value",
        *("'=1+1,-1.5", "'+SUM(A1),0.0", "'-2+3,1.0", "'@x,-2.0", "'\tx,3.0", "Alien,", "-1.5,1e-09", "+2e-3,5.0", ",6.0"),
    ]
