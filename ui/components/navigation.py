"""Links between pages: one step of the history each, and about the run on screen. Mounted once, by ``ui/main.py``."""

from __future__ import annotations

import streamlit as st

from ui.components.mounting import mounted

_COMPONENT = mounted("navigation")
KEY = "navigation"


def follow_links() -> None:
    """From here on the browser follows links as ``components/navigation/main.js`` says. Takes no room on the page."""
    st.html(f"<style>.st-key-{KEY} {{ position: absolute; }}</style>")
    _COMPONENT(key=KEY)
