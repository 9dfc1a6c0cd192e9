"""A page that fails says so in one line."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest


def failing_page(kind: str) -> None:
    from mfcore.errors import UnusableRequest
    from ui.errors import show

    try:
        raise UnusableRequest("data directory /x is not writable; choose another") if kind == "asked" else KeyError("secret")
    except Exception as error:
        assert show(error)


@pytest.mark.parametrize(
    ("kind", "line"), [("asked", "Data directory /x is not writable"), ("ours", "a mistake of ours (KeyError)")]
)
def test_one_line_and_no_traceback(kind: str, line: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "mf_explorer"):
        app = AppTest.from_function(failing_page, args=(kind,)).run()
    assert len(app.error) == 1
    assert line in app.error[0].value.replace("\\", "")
    assert "secret" not in app.error[0].value
    assert not app.exception
    assert bool(caplog.records) == (kind == "ours"), "our own mistakes are in the terminal"
