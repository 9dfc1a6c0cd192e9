"""What every test stands on: a data directory of its own, and the real MovieLens where a test asks for it."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from mfcore import Interactions

# One thread a process: OpenMP threads that wait for each other on a busy machine make a test several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is started in the background of a shell, or by nohup, ignores these, and so would all that tests start and interrupt.
for _name, _usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if signal.getsignal(getattr(signal, _name, signal.SIGINT)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), _usual)

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run two at a time, those with a browser stay together in one process: two browsers at once outrun a small
    machine, and waiting for one leaves room for the others. Else a file is one."""
    from xdist.scheduler import LoadScopeScheduling

    class BrowsersTogether(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "browser" if file.startswith("tests/e2e/") else file

    return BrowsersTogether(config, log)


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What came of the faults that were done: one sees, one lost."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    told = [value for report in reports for name, value in getattr(report, "user_properties", []) if name == "fault"]
    if told:
        from tests.faults.every import FAULTS
        from tests.faults.suite import Outcome, Table

        table = Table(FAULTS)
        for name, times, seen, lost in told:
            table.record(name, Outcome(times, Counter(seen), Counter(lost)))
        terminalreporter.section("faults")
        for line in table.lines():
            terminalreporter.write_line(line)


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
