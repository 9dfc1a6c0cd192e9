"""Bring your own ratings: drop a file, see how it is understood, correct what is wrong, import it."""

from __future__ import annotations

import functools
import io
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from mfcore.data.imported import import_dataset
from mfcore.data.importing import Cancelled, ImportPlan, Preview, look, read
from mfcore.data.importing.building import kcore
from mfcore.data.importing.plan import REPEATS, UNRATED
from mfcore.data.times import UNITS
from mfcore.errors import UnusableRequest
from ui import jobs
from ui.address import write_param
from ui.controls import error_line
from ui.data.uploads import FOLDER_VARIABLE, allowed_folder, kept, on_server
from ui.datasets import dataset_title
from ui.format import count, escape_markdown
from ui.state import forget, no_writing, page_path, recall, remember

KINDS = "CSV and its kin, Excel, Parquet, JSON lines, Matrix Market, RecBole, LensKit, MovieLens; packed or not"
_ROLES = {
    "user": ("User", "Who gave the rating. A recommender learns from what several have in common."),
    "item": ("Item", "What was rated: a film, a book, a place."),
    "rating": ("Rating or count", "How much somebody liked it, or how often. Without it each row counts as chosen."),
    "time": ("Time", "When. Without it nothing can be said about what comes next."),
}
_FEEDBACK = {
    "ratings": "Ratings: opinions on a scale",
    "counts": "Counts: how often",
    "chosen": "Only that it was chosen",
}
_NONE = "(no column)"
_DONE = "brought"


def bring_page() -> None:
    """Everything that Data shows while somebody brings a file."""
    job = jobs.job(recall("bring_job", ""))
    if job is not None and job.running:
        st.header("Importing", anchor=False)
        jobs.follow(job, kept="Nothing is kept of an import that is called off.")
        return
    if job is not None and job.failure is None:
        _show_report(job.result)
        return
    if job is not None:
        _failed(job)
    source = _source()
    if source is None:
        _empty()
        return
    try:
        _understand(*source)
    except UnusableRequest as error:
        error_line(error)


def _empty() -> None:
    st.markdown(
        "Drop a file in which **each row says who, what, and how much they liked it or how often**. What is what is found out "
        "by itself; you can correct it before anything is kept."
    )
    st.caption(f"Understood: {KINDS}.")
    st.code("user,item,rating,time\nalice,Alien,5,2024-03-01\nbob,Alien,3,2024-03-02\nbob,Brazil,4,2024-03-09", language=None)


def _source() -> tuple[Any, str] | None:
    """What is to be imported, and what it is called; None while nothing is given."""
    files = st.file_uploader(
        "File with ratings (several files of one dataset together)",
        accept_multiple_files=True,
        key="bring_files",
        **no_writing(),
    )
    folder = allowed_folder()
    if folder is not None:
        typed = st.text_input(
            "Or a path on this server", key="bring_path", placeholder="ratings.csv", help=f"Below {folder} ({FOLDER_VARIABLE})."
        )
        if typed and not files:
            try:
                path = on_server(typed)
            except UnusableRequest as error:
                error_line(error)
                return None
            return path, path.name
    if not files:
        return None
    paths = kept(files)
    return (paths[0] if len(paths) == 1 else paths), files[0].name


def _understand(source: Any, file: str) -> None:
    """The file as it is understood, what can be corrected, and the button."""
    items = _titles_file()
    with st.spinner("Looking at it …"):
        preview = look(source, _told(), items=items)
    for warning in preview.warnings:
        st.warning(escape_markdown(warning), icon=":material/info:")
    columns = list(preview.columns)
    st.header("What is what", anchor=False)
    with st.container(horizontal=True, vertical_alignment="top"):
        for role, (label, tip) in _ROLES.items():
            _role(role, label, tip, columns, preview)
    _more(preview)
    _show_rows(preview)
    _import(preview, file)


def _role(role: str, label: str, tip: str, columns: Sequence[str], preview: Preview) -> None:
    with st.container(width=230):
        found = getattr(preview.plan, role) or ""
        options = [*columns, _NONE] if role in ("rating", "time") else columns
        index = options.index(found) if found in options else (options.index(_NONE) if _NONE in options else None)
        key = f"bring_{role}_{_mark([*columns, found])}"
        chosen = st.selectbox(label, options, index=index, key=key, help=tip, placeholder="Choose a column")
        told = recall(_TOLD, {})
        wanted = "" if chosen == _NONE else chosen
        if chosen is not None and wanted != found:
            remember(_TOLD, {**told, role: wanted})
            st.rerun()
        st.caption(escape_markdown(preview.reasons.get(role, "")))


def _mark(columns: Sequence[str]) -> int:
    """Another table has other fields: what was chosen for one says nothing about the other."""
    return hash(tuple(columns)) % 10**9


_TOLD = "bring_told"


def _told() -> ImportPlan:
    """What the person has said so far; of another file nothing."""
    names = recall("bring_names")
    files = tuple(file.file_id for file in recall("bring_files") or []) or recall("bring_path", "")
    if names != files:
        remember("bring_names", files)
        forget(_TOLD)
    return ImportPlan(**recall(_TOLD, {}))


def _say(field: str, key: str, values: Mapping[str, Any]) -> None:
    """A widget was changed: remember what it says."""
    chosen, told = recall(key), dict(recall(_TOLD, {}))
    told[field] = values[chosen]
    remember(_TOLD, told)


def _more(preview: Preview) -> None:
    """What one seldom has to correct."""
    plan = preview.plan
    with st.expander("More to correct: header, repeats, names of things, who is left out", icon=":material/tune:"):
        with st.grid(3, min_column_width=200):
            _pick("feedback", "What the numbers are", {words: name for name, words in _FEEDBACK.items()}, preview)
            _pick(
                "repeats", "Several rows of one user with one item", {words: name for name, words in REPEATS.items()}, preview
            )
            if plan.unrated is not None:
                label = f"What {plan.unrated:g} means"
                _pick("unrated_as", label, {words: name for name, words in UNRATED.items()}, preview)
            if plan.time:
                _pick("time_unit", "The time is in", {words.capitalize(): name for name, words in UNITS.items()}, preview)
            if plan.header is not None:
                _pick("header", "The first row", {"Names the columns": True, "Is data like the others": False}, preview)
            if preview.tables:
                _pick("table", "Which table", {name: name for name in preview.tables}, preview)
        st.caption("What things are called, one and several:")
        with st.grid(4, min_column_width=110):
            words = {**plan.words}
            words["item"] = (_word("An item", words, "item", 0), _word("Items", words, "item", 1))
            words["rating"] = (_word("One unit", words, "rating", 0), _word("Units", words, "rating", 1))
        remember(
            "bring_words", {kind: pair for kind, pair in words.items() if all(one.strip() for one in pair) or kind == "symbol"}
        )
        with st.grid(2, min_column_width=200):
            st.number_input("Users with at least", 0, 1000, 0, key="bring_user_core", help="Others are left out. 0 keeps all.")
            st.number_input("Items with at least", 0, 1000, 0, key="bring_item_core", help="Others are left out. 0 keeps all.")


def _word(label: str, words: Mapping[str, tuple[str, ...]], kind: str, place: int) -> str:
    said = words.get(kind, ("", ""))
    value = said[place] if place < len(said) else ""
    return str(st.text_input(label, value, key=f"bring_word_{kind}_{place}_{value}", max_chars=40))


def _pick(field: str, label: str, options: Mapping[str, Any], preview: Preview) -> None:
    found = getattr(preview.plan, field)
    words = list(options)
    index = next((place for place, one in enumerate(words) if options[one] == found), None)
    key = f"bring_{field}_{found}"
    st.selectbox(
        label,
        words,
        index=index,
        key=key,
        on_change=_say,
        args=(field, key, options),
        help=escape_markdown(preview.reasons.get(field, "")) or None,
    )


def _titles_file() -> Path | None:
    """A second file, with what items are called."""
    with st.expander("Titles are in another file", icon=":material/label:"):
        file = st.file_uploader("File with the items' ids and titles", key="bring_titles", **no_writing())
    return kept([file])[0] if file is not None else None


def _show_rows(preview: Preview) -> None:
    """The first rows as they are understood, beside what they are in the file."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("The first rows, as understood", anchor=False)
        if preview.ready:
            shown = pd.DataFrame(preview.rows()).rename(columns=str.capitalize)
            st.dataframe(shown, hide_index=True, key="bring_understood", alt="The first rows as understood")
        else:
            st.caption("Choose the columns of user and item first.")
    with right:
        st.subheader("As they are in the file", anchor=False)
        st.dataframe(pd.DataFrame(preview.columns), hide_index=True, key="bring_raw", alt="The first rows of the file")
        how = [
            f"{escape_markdown(preview.reasons[name])}"
            for name in ("separator", "encoding", "header")
            if name in preview.reasons
        ]
        st.caption(". ".join(word[:1].upper() + word[1:] for word in how) + ("." if how else ""))


def _import(preview: Preview, file: str) -> None:
    plan = preview.plan
    core = int(recall("bring_user_core", 0) or 0), int(recall("bring_item_core", 0) or 0)
    if max(core) > 1 and preview.ready:
        _core_effect(preview, core)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(
            "Name", file.split(".")[0].replace("_", " ")[:60], key=f"bring_title_{file}", max_chars=60, width=320
        )
        pressed = st.button(
            "Import",
            type="primary",
            icon=":material/download_done:",
            key="bring_import",
            **(no_writing() or {"disabled": not preview.ready}),
        )
    if not pressed:
        return
    whole = replace(plan, words=recall("bring_words", plan.words), user_core=core[0], item_core=core[1])
    name = name_of(title)
    work = functools.partial(_work, replace(preview, plan=whole), name, title)
    # A job of one's own: whoever imports under the same name at once is refused, and sees nothing of the other's.
    job = f"import {name} {secrets.token_hex(8)}"
    remember("bring_job", job)
    jobs.start(job, work, "Reading …")
    st.rerun()


def name_of(title: str) -> str:
    """A short name for flags and folders: "Meine Bücher (2024)" → "meine-bucher-2024"."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].strip("-") or "data"


def _work(
    preview: Preview, name: str, title: str, progress: Callable[[str, float | None], None], cancelled: Callable[[], bool]
) -> Any:
    return import_dataset(preview, name, title=title, progress=progress, cancelled=cancelled)


def _core_effect(preview: Preview, core: tuple[int, int]) -> None:
    """What leaving out those with few interactions would leave, before it is done."""
    with st.spinner("Counting …"):
        data = read(preview).interactions
    keep = kcore(data.user_idx, data.item_idx, *core)
    users, items = len(set(data.user_idx[keep].tolist())), len(set(data.item_idx[keep].tolist()))
    st.info(
        f"This would leave {count(users)} of {count(data.num_users)} users, {count(items)} of {count(data.num_items)} items "
        f"and {count(int(keep.sum()))} of {count(len(data))} interactions.",
        icon=":material/filter_alt:",
    )


def _failed(job: jobs.Job) -> None:
    """What went wrong; nothing is lost of what was chosen."""
    if isinstance(job.failure, Cancelled):
        st.info("Called off. Nothing has been imported.", icon=":material/close:")
    elif isinstance(job.failure, UnusableRequest):
        error_line(job.failure)
    else:
        error_line(f"the import failed: {job.failure}")


def _show_report(found: Any) -> None:
    data, report = found.interactions, found.report
    with st.container(border=True, key=_DONE):
        st.markdown(
            f"**{escape_markdown(dataset_title(data.name))} is here**: {count(len(data))} interactions of "
            f"{count(data.num_users)} users with {count(data.num_items)} items."
        )
        st.caption(escape_markdown(" ".join(report.sentences())))
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Train on it", type="primary", icon=":material/play_arrow:", key="bring_train"):
                forget("bring_job")
                st.switch_page(page_path("train"), query_params=_first_run(data))
            st.button("Look at it", icon=":material/table_view:", key="bring_look", on_click=_look_at, args=(data.name,))
            st.button("Bring another", icon=":material/add:", key="bring_again", on_click=forget, args=("bring_job",))
            if report.left_out:
                table = io.StringIO()
                report.write(table)
                st.download_button(
                    "Rows left out (CSV)", table.getvalue(), f"{data.name}-left-out.csv", "text/csv", icon=":material/download:"
                )


def _look_at(name: str) -> None:
    """The same page, about the dataset."""
    forget("bring_job")
    remember("bring", False)
    write_param("dataset", name)


def _first_run(data: Any) -> dict[str, str]:
    """Settings that suit the data: ratings are predicted, counts and choices ranked."""
    if data.feedback == "ratings":
        return {"preset": "biased-mf", "dataset": data.name}
    split = "leave-last-out" if data.timestamp is not None else "leave-one-out"
    return {"preset": "mf-implicit", "dataset": data.name, "split": split}
