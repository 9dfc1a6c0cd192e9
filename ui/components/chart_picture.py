"""Two buttons below a chart that take it along as a picture, made in the browser of what is on the page."""

from __future__ import annotations

from ui.api.assets import plotly_url
from ui.components.mounting import mounted
from ui.theme import colour

_COMPONENT = mounted("chart_picture")


def picture_buttons(chart: str, file: str) -> None:
    """PNG and SVG of the chart that was drawn with the key ``chart``, saved under the name ``file``."""
    data = {"chart": chart, "file": file, "plotly": plotly_url(), "ground": colour("background")}
    _COMPONENT(data=data, key=f"{chart}_picture")
