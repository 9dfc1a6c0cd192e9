"""What stands before the pages where people have to log in, and in the header of those who have."""

from __future__ import annotations

import streamlit as st

from ui.access import OIDC, PASSWORD, access, providers
from ui.format import escape_markdown
from ui.visitors import Visitor, call_me, log_out, me, turned_away

_KEY = "who"
# Beside the menu Display, in the row of the navigation; the queue's word keeps to the left of both.
_STYLE = """<style>
.stApp .st-key-who { position: fixed; top: 0.55rem; right: 6.2rem; width: auto; z-index: 999990; }
.stApp .st-key-who button { min-height: 0; padding: 0.2rem 0.6rem; max-width: 11rem; }
.stApp .mfx-queue[data-about=false] { right: 18rem; }
@media (max-width: 900px) {
  .stApp .st-key-who button { max-width: 5rem; }
  .stApp .mfx-queue[data-about=false] { right: 12rem; }
}
@media print { .stApp .st-key-who { display: none; } }
</style>"""


def let_in_or_stop() -> Visitor:
    """Who looks at this page; for whom nothing is here the script ends with a way to log in."""
    visitor = me()
    if not visitor.let_in:
        _ask_in()
        st.stop()
    return visitor


def who_is_here(visitor: Visitor) -> None:
    """Name and log-out in the header; nothing where people are not told apart."""
    if not visitor.account:
        return
    st.html(_STYLE)
    with (
        st.container(key=_KEY, width="content"),
        st.popover(escape_markdown(visitor.name) or "Somebody", icon=":material/person:"),
    ):
        if visitor.admin:
            st.caption("You may change everything here.")
        if access().login == PASSWORD:
            st.text_input("Your name", value=visitor.name, max_chars=60, key="own_name", on_change=_call_me)
            st.caption(
                "Your runs belong to this browser. Whoever logs out is somebody else the next time: share or export first "
                "what is to stay in reach."
            )
        st.button("Log out", icon=":material/logout:", key="log_out", on_click=_log_out)


def _call_me() -> None:
    call_me(str(st.session_state.get("own_name", "")))


def _log_out() -> None:
    log_out()
    if access().login == OIDC:
        st.logout()


def _ask_in() -> None:
    st.title("MF Explorer", anchor=False)
    if access().login != OIDC:
        st.info("You are logged out. Reload the page to log in.", icon=":material/logout:")
        return
    name = turned_away()
    if name:
        st.warning(
            f"{escape_markdown(name)} is known to the provider, but not on the list of those who are let in here. "
            "Whoever runs this server can add you.",
            icon=":material/person_off:",
        )
        st.button("Log out", icon=":material/logout:", on_click=_log_out)
        return
    st.markdown("A laboratory for matrix-factorization recommenders. Log in to see your runs and those that others share.")
    for provider in providers():
        label = f"Log in with {escape_markdown(provider)}" if provider else "Log in"
        if st.button(label, type="primary", icon=":material/login:", key=f"log_in_{provider}"):
            st.login(provider or None)
