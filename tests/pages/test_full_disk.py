"""Pages look, and looking needs no room: each stands where nothing can be written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.disk import failing

if TYPE_CHECKING:
    from tests.pages.reading import OpenPage


@pytest.mark.parametrize("page", ["home", "train", "evaluate", "recommend", "embeddings", "data", "runs"])
def test_every_page_stands_on_a_full_disk(page: str, runs: dict[str, str], open_page: OpenPage) -> None:
    with failing(Path(os.environ["MF_EXPLORER_HOME"])):
        app = open_page(page, run=runs["ranking"]) if page != "data" else open_page(page, dataset="planted")
        assert not app.exception
        assert not [error.value for error in app.error if "space" in error.value or "written" in error.value]
