"""The queue, on top of every page and wherever a run waits: drawn in the browser, so that no page runs again for it."""

from __future__ import annotations

import streamlit as st

from ui.api.steering import steering_token
from ui.components.mounting import mounted, shared_data

_COMPONENT = mounted("queue")
KEY = "queue"


def queue_on_top() -> None:
    """What trains, is paused or waits, in the upper corner of the page; nothing where nothing does."""
    st.html(f"<style>.st-key-{KEY} {{ position: absolute; }}</style>")
    _COMPONENT(key=KEY, data={**shared_data(), "about": "", "token": steering_token()})


def why_it_waits(run_id: str, key: str = "why_it_waits") -> None:
    """What a queued run waits for, its place, and what can be done about it."""
    _COMPONENT(key=key, data={**shared_data(), "about": run_id, "token": steering_token()})
