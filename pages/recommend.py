"""Recommend: one user's history beside what the model would recommend them, and items like any item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from mfcore.errors import UnusableRequest
from ui.address import linked_choice, linked_number
from ui.controls import error_line, link_to
from ui.datasets import Nouns, nouns
from ui.format import count, escape_markdown
from ui.items import with_titles
from ui.recommend.profile import by_popularity, history_of, profile, raters_of, recommended
from ui.recommend.views import (
    alike_words,
    badge_words,
    list_words,
    profile_line,
    show_history,
    show_raw,
    show_recommended,
    show_similar,
    usual_least,
    whose_words,
)
from ui.runbar import open_model, run_bar

if TYPE_CHECKING:
    from mfcore.runs import LoadedRun

SHOWN = 10  # similar ones
LENGTHS = [5, 10, 20, 50]


def pick_user(run: LoadedRun, called: Nouns, names: list[str]) -> Any:
    """A user by id, or by an item they rated. Returns the raw user id, or None when none is chosen."""
    data = run.data
    by_id, by_item = "By id", f"By {called.item}"
    tip = f"By {called.item}: choose {called.one_item}, then one of the {called.users} who rated it."
    how = st.segmented_control(
        "Find a user", [by_id, by_item], default=by_id, key="find", bind="query-params", required=True, help=tip
    )
    if how != by_item:
        ids = data.users.ids.tolist()
        return linked_choice("User", ids, "user", default=ids[0], filter_mode="prefix", placeholder="Type an id")
    counts = data.popularity()
    item = linked_choice(
        called.item.capitalize(),
        by_popularity(data),
        "film",
        text=lambda raw: f"{names[data.items.index(raw)]} · {count(counts[data.items.index(raw)])} ratings",
        placeholder=f"Search {called.one_item}",
    )
    if item is None:
        return None
    raters = raters_of(data, item).set_index("user_id")
    ids = raters.index.tolist()
    if not ids:
        st.caption("Nobody rated it.")
        return None
    words = {
        user: f"{called.user} {user}: {called.rated(f'{row.rating:g}')} here, {count(row.rated)} ratings in all"
        for user, row in raters.iterrows()
    }
    return linked_choice("Who rated it", ids, "user", text=words.__getitem__, default=ids[0], follow=True)


def controls(run: LoadedRun, called: Nouns, names: list[str]) -> tuple[Any, int, bool]:
    """One row: which user, how many, seen ones hidden or shown."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left, st.container(horizontal=True, vertical_alignment="bottom"):
        user = pick_user(run, called, names)
    with right, st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="right"):
        n = st.segmented_control("How many", LENGTHS, default=10, key="n", bind="query-params", required=True)
        seen = st.toggle(f"Show {called.items} they rated", key="seen", bind="query-params")
    return user, int(n or 10), bool(seen)


def one_user(run: LoadedRun, user: Any, n: int, seen: bool, called: Nouns) -> list[Any]:
    """History beside the list. Returns the raw ids of what was recommended."""
    history = history_of(run, user)
    top = recommended(run, user, n, include_seen=seen, history=history)
    ratings = run.model.predicts_ratings
    left, right = st.columns([11, 10], gap="large")
    with left:
        st.header(f"What {called.user} {escape_markdown(str(user))} {called.did}", anchor=False)
        st.caption(profile_line(profile(history), float(run.data.rating.mean())))
        show_history(history, called, n, refitted=run.checkpoint == "refit")
    with right:
        st.header("What the model would recommend", anchor=False)
        knows = run.recommender().knows(user)
        if not knows:
            st.badge(badge_words(ratings=ratings), icon=":material/question_mark:", color="orange")
        st.caption(list_words(knows, called, ratings=ratings))
        raw = ratings and bool((top["score"] != top["raw_score"]).any()) and show_raw(run.data.rating_scale)
        if top.empty:
            st.markdown(f"Nothing is left: user {escape_markdown(str(user))} rated every {called.item}.")
        scale = run.data.rating_scale
        show_recommended(top, ratings=ratings, scale=scale, model=run.config.model.name, called=called, raw=raw)
    shown: list[Any] = top["item_id"].tolist() or history["item_id"].tolist()
    return shown


def like_this(run: LoadedRun, epochs_done: int, first: Any, called: Nouns, names: list[str]) -> None:
    """Items whose vectors point the same way as one item's."""
    st.header(f"Similar {called.items}", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        chosen = linked_choice(
            called.item.capitalize(),
            by_popularity(run.data),
            "like",
            text=lambda raw: names[run.data.items.index(raw)],
            default=first,
            follow=True,
        )
        times = int(run.data.popularity()[run.data.items.index(chosen)])
        few = f", fewer than the {called.items} it is compared with" if times < usual_least(run.data.popularity()) else ""
        st.caption(f"Rated {count(times)} times{few}.")
        st.caption(
            "Similar means that two learned vectors point the same way: their cosine is 1 when they do, 0 when they have "
            "nothing in common. The model never saw titles or genres, only who rated what."
        )
        st.caption(whose_words(run.checkpoint, run.checkpoint_epoch, epochs_done))
        link_to("embeddings", "See it on the map", icon=":material/scatter_plot:", run=run.folder.run_id, film=str(chosen))
    with right:
        popularity = run.data.popularity()
        least = linked_number(
            "Rated at least",
            "least",
            default=usual_least(popularity),
            high=int(popularity.max()),
            help=f"Leaves out {called.items} with fewer ratings: too few to learn a vector from, so they are near anything "
            "by chance. 0 shows all.",
        )
        everything = run.recommender().similar_items(chosen, n=run.data.num_items, min_ratings=least)
        similar = with_titles(everything.head(SHOWN))
        if told := alike_words(everything["similarity"].to_numpy(), len(similar), called):
            st.caption(told)
        show_similar(similar, model=run.config.model.name, called=called)


summary = run_bar("see what it would recommend to whom")
run = open_model(summary) if summary is not None else None
if summary is not None and run is not None:
    called = nouns(run.config.dataset)
    names = run.data.item_titles()
    try:
        user, n, seen = controls(run, called, names)
        shown = one_user(run, user, n, seen, called) if user is not None else []
        if user is None:
            then = f"then choose one of the {called.users} who rated it"
            st.info(f"Search {called.one_item} above, {then}.", icon=":material/search:")
        like_this(run, summary.epochs_done, shown[0] if shown else by_popularity(run.data)[0], called, names)
    except UnusableRequest as error:
        error_line(error)
