"""What tests of pages share: opening one, and reading what it says."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]


def words(app: AppTest) -> str:
    """Everything the page says, in one text."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "header", "subheader", "page_link")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))
