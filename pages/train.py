"""Train: choose, press Train, watch."""

from __future__ import annotations

import streamlit as st

from mfcore.errors import UnusableRequest
from mfcore.evaluation.metrics import selection_key
from mfcore.runs import RunConfig
from ui.components.live import live_run
from ui.controls import run_missing
from ui.format import escape_markdown
from ui.run_titles import runs_to_compare
from ui.state import current_run, manager, requested_run_id
from ui.train.controls import as_command, data_notice, open_other, problem_line, results_links, start_button, waiting_notice
from ui.train.draft import hint, to_config
from ui.train.form import followed_line, main_fields, more_fields, read_draft, write_draft

draft, strangers = read_draft()
write_draft(draft)
run_id = requested_run_id()
run = current_run() if run_id else None

config: RunConfig | None = None
problem: UnusableRequest | None = None
try:
    config = to_config(draft)
except UnusableRequest as error:
    problem = error

form, live = st.columns([5, 12], gap="medium")

with form:
    st.title("Train", anchor=False)
    data_notice(draft)
    main_fields(draft)
    start_button(run)
    followed_line(draft)
    problem_line(problem)
    waiting_notice(run)
    if strangers:
        st.warning(f"Not understood in the address, and ignored: {escape_markdown(', '.join(strangers))}")
    more_fields(draft)
    if config:
        as_command(config)

with live:
    if run_id and run is None:
        run_missing(run_id)
    live_run(
        run.run_id if run else None,
        key="train_live",
        going=run is not None and not run.over,
        num_epochs=config.training.num_epochs if config else 20,
        metric=selection_key(config.protocol.k, ranks=config.training.implicit) if config else "",
        idle="Press Train, and watch it learn here.",
        hint=hint(run.config.preset if run else draft["preset"]),
        height=250,
        runs=runs_to_compare(manager().list(), beside=run),
        on_open=open_other,
    )
    if run and run.over and run.epochs_done and not run.went_wrong:
        results_links(run)
