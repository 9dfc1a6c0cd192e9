"""Items and users in words: titles, genres, facts. Titles come from data and are escaped where something would read them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mfcore.data.interactions import item_title


def without_year(title: str, year: Any) -> str:
    """ "Toy Story (1995)" → "Toy Story", for where the year stands beside it."""
    return title.removesuffix(f" ({year})") or title


def year_text(year: Any) -> str:
    """A year, or nothing where it is unknown."""
    return "" if pd.isna(year) else str(int(year))


def genre_text(genres: Sequence[str]) -> str:
    """Animation, Children's, Comedy."""
    return ", ".join(genres)


def with_titles(frame: pd.DataFrame) -> pd.DataFrame:
    """A recommender's answer with every title filled in and the year as text."""
    named = [item_title(title, item_id) for title, item_id in zip(frame["title"], frame["item_id"], strict=True)]
    return frame.assign(title=named, year=[year_text(year) for year in frame["year"]])


LIST_STYLE = """<style>
.mf-frame{container-type:inline-size}
.mf-list{display:grid;gap:.1rem;font-size:.95rem}
.mf-row{display:grid;grid-template-columns:1.6rem minmax(0,1fr) minmax(3rem,22%) auto;gap:.7rem;align-items:center;
 padding:.32rem .4rem;border-bottom:1px solid color-mix(in srgb,currentColor 12%,transparent)}
.mf-row:last-child{border-bottom:0}
.mf-row.mf-known{color:var(--mfx-muted)}
.mf-row.mf-known .mf-bar{opacity:.45}
.mf-rank,.mf-soft{color:var(--mfx-muted);font-size:.82rem}
.mf-rank{text-align:right;font-variant-numeric:tabular-nums}
.mf-item{overflow-wrap:anywhere;line-height:1.3}
.mf-track{height:.5rem;border-radius:.25rem;background:color-mix(in srgb,currentColor 12%,transparent);overflow:hidden}
.mf-bar{display:block;height:100%;border-radius:.25rem}
.mf-value{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}
.mf-value:not(:empty){min-width:3.4rem}
@container (max-width:22rem){.mf-row{grid-template-columns:1.2rem minmax(0,1fr) auto}.mf-track{display:none}}
</style>"""


def item_list(rows: Sequence[dict[str, Any]], *, colour: str, name: str) -> str:
    """HTML of a ranked list: place, title with year and genres, a bar, a value.

    Each row has title, year, genres, note (a line below), share (bar, 0 to 1), value (words beside it), known (fainter bar).
    """
    inside = "".join(_row(place, row, colour) for place, row in enumerate(rows, 1))
    label = html.escape(name)
    return f'{LIST_STYLE}<div class="mf-frame"><div class="mf-list" role="list" aria-label="{label}">{inside}</div></div>'


def _row(place: int, row: dict[str, Any], colour: str) -> str:
    title = html.escape(without_year(row["title"], row["year"]))
    soft = " · ".join(html.escape(part) for part in (genre_text(row["genres"]), row.get("note", "")) if part)
    width = round(100 * float(np.clip(row["share"], 0.0, 1.0)), 1)
    return (
        f'<div class="mf-row{" mf-known" if row.get("known") else ""}" role="listitem"><span class="mf-rank">{place}</span>'
        f'<div class="mf-item"><b>{title}</b> <span class="mf-soft">{html.escape(row["year"])}</span>'
        f"{f'<br><span class=mf-soft>{soft}</span>' if soft else ''}</div>"
        f'<span class="mf-track"><span class="mf-bar" style="width:{width}%;background:{colour}"></span></span>'
        f'<span class="mf-value">{html.escape(row["value"])}</span></div>'
    )
