"""Who is in a decile: its users or items one by one, each a click away from Recommend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from mfcore.evaluation import by_item_popularity, by_user_activity, ranking, user_metrics
from ui.address import write_param
from ui.format import count, metric_help
from ui.state import page_path

if TYPE_CHECKING:
    from mfcore.data import Split
    from mfcore.evaluation import EvaluationDetails
    from mfcore.runs.summary import RunSummary
    from ui.evaluate.contest import Scored

USERS, ITEMS = "users", "items"
PARAM = "group"
"""Query parameter: ``users-3`` or ``items-10``."""


def open_group() -> str | None:
    """Whether the address opens a group of users or of items."""
    kind = st.query_params.get(PARAM, "").partition("-")[0]
    return kind if kind in (USERS, ITEMS) else None


def show_members(run: RunSummary, ours: Scored, split: Split, thing: tuple[str, str]) -> None:
    """The table of the decile in the address, if there is one. A click on a line leads to Recommend."""
    kind, _, number = st.query_params.get(PARAM, "").partition("-")
    if kind not in (USERS, ITEMS) or not number.isdigit():
        return
    found = by_user_activity(ours.details, split) if kind == USERS else by_item_popularity(ours.details, split)
    row = found[found["decile"] == int(number)]
    if row.empty:
        return
    members, low, high = row[kind].iloc[0], int(row["low"].iloc[0]), int(row["high"].iloc[0])
    word = "users" if kind == USERS else thing[1]
    between = f"{count(low)} training ratings" if low == high else f"{count(low)} to {count(high)} training ratings"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        then = "their recommendations" if kind == USERS else "what is like it"
        st.markdown(f"**{count(len(members))} {word} with {between}.** Click one to see {then}.")
        if st.button("Close", icon=":material/close:", type="tertiary"):
            write_param(PARAM, None)
            st.rerun()
    table = user_table(ours.details, split, members) if kind == USERS else item_table(ours.details, split, members)
    event = st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) < 8 else 320,
        column_config=_columns(ours.details.k, thing),
        key=f"members_{kind}_{number}",
        on_select="rerun",
        selection_mode="single-cell",
        alt=f"{word} of the chosen group",
    )
    cells = event.selection.cells if event else []
    if cells:
        chosen = str(table["id"].iloc[cells[0][0]])
        query = {"run": run.run_id, "user" if kind == USERS else "like": chosen}
        query[PARAM] = st.query_params[PARAM]  # the back button then finds this list again
        st.switch_page(page_path("recommend"), query_params=query)


def user_table(details: EvaluationDetails, split: Split, users: np.ndarray) -> pd.DataFrame:
    """One line a user: id, training ratings, what was held out and where it stands, or how many and the metrics."""
    k = details.k
    metrics = user_metrics(details).reindex(users)
    table = pd.DataFrame({"id": split.data.users.ids[users]})
    table["ratings"] = np.bincount(split.train.user_idx, minlength=split.data.num_users)[users]
    if len(details.case_user) == len(np.unique(details.case_user)):
        place = pd.Series(range(len(details.case_user)), index=details.case_user).reindex(users)
        case = place.dropna().astype(int)
        names = np.array(split.data.item_titles(), dtype=object)
        table["held"] = pd.Series(names[details.case_item[case]], index=case.index).reindex(users).to_numpy()
        table["place"] = pd.Series(details.rank_full[case] + 1, index=case.index).reindex(users).to_numpy()
    else:
        table["cases"] = np.bincount(details.case_user, minlength=split.data.num_users)[users]
    for key in (f"hr@{k}", f"ndcg@{k}", f"ndcg@{k}/full", "rmse"):
        if key in metrics:
            table[key] = metrics[key].to_numpy()
    return table


def item_table(details: EvaluationDetails, split: Split, items: np.ndarray) -> pd.DataFrame:
    """One line an item that was held out from somebody, most often held out first: title, ratings, times, how often found."""
    k = details.k
    size = split.data.num_items
    held = np.bincount(details.case_item, minlength=size)
    hits = ranking.case_values(np.nan_to_num(details.rank_draws, nan=np.inf), k)["hr"].mean(axis=0)
    full = ranking.case_values(np.nan_to_num(details.rank_full, nan=np.inf), k)["hr"]
    shown = items[held[items] > 0]
    shown = shown[np.argsort(-held[shown], kind="stable")]
    names = np.array(split.data.item_titles(), dtype=object)
    return pd.DataFrame(
        {
            "id": split.data.items.ids[shown],
            "title": names[shown],
            "ratings": split.train.popularity()[shown],
            "times": held[shown],
            f"hr@{k}": np.bincount(details.case_item, hits, minlength=size)[shown] / held[shown],
            f"hr@{k}/full": np.bincount(details.case_item, full, minlength=size)[shown] / held[shown],
        }
    )


def _columns(k: int, thing: tuple[str, str]) -> dict[str, Any]:
    c = st.column_config
    number = {
        f"{stem}@{k}{variant}": c.NumberColumn(
            f"{stem.upper()}@{k}{' all' if variant else ''}", format="%.3f", help=metric_help(f"{stem}@{k}{variant}")
        )
        for stem in ("hr", "ndcg")
        for variant in ("", "/full")
    }
    return {
        "id": c.TextColumn("Id", help="As in the data. Click anywhere on the line."),
        "title": c.TextColumn(thing[0].capitalize(), width="medium"),
        "ratings": c.NumberColumn("Training ratings", format="%d", help="How many ratings the model could learn from."),
        "held": c.TextColumn(f"Held-out {thing[0]}", width="medium", help="What the model had to find."),
        "place": c.NumberColumn("Place among all", format="%g", help=f"1: the model puts it before every other {thing[0]}."),
        "cases": c.NumberColumn(
            "Held out", format="%d", help="How many relevant ratings were kept from training for the test."
        ),
        "times": c.NumberColumn("Held out", format="%d", help="For how many users this was to be found."),
        "rmse": c.NumberColumn("RMSE", format="%.3f", help=metric_help("rmse")),
        **number,
    }
