"""Notices that pages share: text from an address or a file is shown, never rendered."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def test_a_run_that_is_missing_is_named_as_it_was_asked_for() -> None:
    def page() -> None:
        from unittest.mock import patch

        from ui.controls import run_missing

        with patch("ui.controls.link_to"):  # a link needs the pages of the whole app
            run_missing("20200101-000000-mf-dead `*x*`")

    said = AppTest.from_function(page).run().warning[0].value
    # In a code span, backslashes would show; outside of one, each of them makes the next character plain.
    assert said.startswith(r"There is no run 20200101\-000000\-mf\-dead \`\*x\*\` here.")
