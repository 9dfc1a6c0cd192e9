"""What every test stands on: a data directory of its own, and the real MovieLens where a test asks for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mfcore import Interactions

# One thread a process: OpenMP threads that wait for each other on a busy machine make a test several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def missing(what: str) -> None:
    """Skip the test for want of ``what``; in CI its absence is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session", autouse=True)
def test_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory for the session, so that no test writes beside a person's runs. Cached datasets are copied in."""
    from mfcore.paths import data_dir

    cached = data_dir() / "datasets"
    home = tmp_path_factory.mktemp("home")
    if cached.is_dir():
        shutil.copytree(cached, home / "datasets")
    before = os.environ.get("MF_EXPLORER_HOME")
    os.environ["MF_EXPLORER_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["MF_EXPLORER_HOME"]
    else:
        os.environ["MF_EXPLORER_HOME"] = before


@pytest.fixture(scope="session")
def ml_100k(test_home: Path) -> Interactions:
    """The real MovieLens 100K; skipped (in CI: failed) where it cannot be fetched."""
    from mfcore.data import load_dataset
    from mfcore.errors import DataUnavailable

    try:
        return load_dataset("ml-100k", home=test_home)
    except DataUnavailable as error:
        missing(str(error))
        raise
