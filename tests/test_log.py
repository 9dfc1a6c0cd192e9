"""The log of a server: one event a line, whatever is in it, and no harm to who says it when nobody can listen."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcore import log
from mfcore.errors import UnusableRequest
from mfcore.log import JsonLines, Pen, Said, TextLines, chosen_form, configure, event

ROOT = Path(__file__).resolve().parent.parent
Written = Callable[[], str]


def record(text: str, level: int = logging.INFO, /, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord(log.NAME, level, "", 0, Said(text, fields), None, None)
    made.created, made.msecs = 1_800_000_000.25, 250.0
    return made


def test_a_line_says_when_in_utc_how_grave_what_and_of_what() -> None:
    line = TextLines().format(record("run ended", run="r-1", state="finished", seconds=1.23456, note="two words", path='a"b'))
    assert line == (
        '2027-01-15T08:00:00.250Z info    run ended run=r-1 state=finished seconds=1.235 note="two words" path="a\\"b"'
    )


def test_the_same_as_json() -> None:
    told = json.loads(JsonLines().format(record("run ended", run="r-1", seconds=1.23456, pid=7, well=True, bad=float("nan"))))
    assert told == {
        **{"time": "2027-01-15T08:00:00.250Z", "level": "info", "event": "run ended"},
        **{"run": "r-1", "seconds": 1.235, "pid": 7, "well": True, "bad": "nan"},
    }


def test_a_field_takes_no_fact_of_the_event_away() -> None:
    told = json.loads(JsonLines().format(record("refused", time="never", level="none", event="nothing happened", path="/")))
    assert (told["event"], told["level"], told["path"]) == ("refused", "info", "/")


@given(st.text(), st.text(), st.sampled_from([TextLines(), JsonLines()]))
def test_whatever_is_in_it_an_event_is_one_line_that_moves_no_cursor(words: str, value: str, form: logging.Formatter) -> None:
    line = form.format(record(words, value=value))
    assert len(line.splitlines()) == 1
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]", line)
    line.encode()  # nothing that cannot be written


@given(st.text())
def test_a_value_in_text_can_be_told_from_what_follows(value: str) -> None:
    """Whoever writes ``x state=finished`` as the name of a host does not write a field."""
    line = TextLines().format(record("refused", host=value, after=1))
    assert line.endswith(" after=1")
    found = line.removesuffix(" after=1").partition(" host=")[2]
    assert re.fullmatch(r'[^\s"]+|"(?:[^"\\]|\\.)*"', found)


def test_a_made_up_line_in_a_value_is_none() -> None:
    forged = "x\n2027-01-15T08:00:00.250Z info    run deleted run=r-9\x1b[2J"
    line = TextLines().format(record("refused", host=forged))
    assert "\n" not in line and "\x1b" not in line and r"\n2027" in line and r"\x1b[2J" in line


def test_a_traceback_is_indented_below_its_event_and_a_field_in_json() -> None:
    try:
        raise ValueError("first\n2027-01-15T08:00:00.250Z info    forged")
    except ValueError:
        failed = record("answer failed", logging.ERROR, path="/x")
        failed.exc_info = sys.exc_info()
    first, *rest = TextLines().format(failed).split("\n")
    assert first.endswith("error   answer failed path=/x") and rest
    assert all(line.startswith("    ") for line in rest)
    told = JsonLines().format(failed)
    assert "\n" not in told and "ValueError: first" in json.loads(told)["trace"]


def test_a_long_value_ends() -> None:
    line = TextLines().format(record("refused", host="x" * 100_000))
    assert len(line) < log.LONGEST + 200 and "…" in line


@pytest.fixture
def heard() -> Iterator[tuple[io.StringIO, Pen]]:
    """What configure makes, with a stream to read; the process' loggers as before afterwards."""
    root, stream = logging.getLogger(), io.StringIO()
    before = list(root.handlers)
    pen = configure("text", stream)
    yield stream, pen
    log.release(pen)
    assert root.handlers == before


def test_events_and_what_libraries_log_come_on_one_stream(heard: tuple[io.StringIO, Pen]) -> None:
    stream, pen = heard
    other = logging.getLogger("streamlit.made_up_for_this_test")
    other.propagate = False
    above = logging.getLogger("streamlit.made_up_for_this_test.above")
    above.propagate = False  # as uvicorn's is: what is below it would reach nobody
    own = io.StringIO()
    other.addHandler(logging.StreamHandler(own))
    log.take_over()
    event("run started", run="r-1", pid=4, by=None)
    logging.getLogger("mfcore.runs.store").info("read %d", 3)
    other.warning("too many: %s", "a\nb")
    logging.getLogger("streamlit.made_up_for_this_test.above.below").error("heard")
    logging.getLogger("some.library").info("chatter")
    pen.flush()
    lines = [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()]
    assert lines == [
        "info    run started run=r-1 pid=4",
        "info    read 3 logger=mfcore.runs.store",
        r"warning too many: a\nb logger=streamlit.made_up_for_this_test",
        "error   heard logger=streamlit.made_up_for_this_test.above.below",
    ]
    assert own.getvalue() == ""


def test_configured_twice_a_line_comes_once(heard: tuple[io.StringIO, Pen]) -> None:
    stream, pen = heard
    assert configure("json") is pen
    event("said once")
    pen.flush()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["said once"]


def test_what_begins_and_what_ends_is_said_once_each(heard: tuple[io.StringIO, Pen]) -> None:
    stream, pen = heard
    told = log.changes("trouble", (), ["full", "slow"])
    told = log.changes("trouble", told, ["slow"])
    log.changes("trouble", told, ["slow"])
    pen.flush()
    assert [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()] == [
        "warning trouble began why=full",
        "warning trouble began why=slow",
        "info    trouble ended why=full",
    ]


class Broken(io.StringIO):
    """A stream on a full disk, until there is room."""

    full = True

    def write(self, text: str, /) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_stream_harms_nobody_and_what_was_lost_is_counted() -> None:
    stream = Broken()
    pen = Pen(stream)
    pen.setFormatter(TextLines())
    for _ in range(3):
        pen.handle(record("lost"))
    pen.flush()
    stream.full = False
    pen.handle(record("here again"))
    pen.close()
    assert [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()] == [
        "info    here again",
        "warning lines of the log were lost lines=3",
    ]


def test_a_closed_stream_harms_nobody() -> None:
    stream = io.StringIO()
    stream.close()
    pen = Pen(stream)
    pen.setFormatter(TextLines())
    pen.handle(record("said to nobody"))
    pen.close()


class Stuck(io.StringIO):
    """A pipe whose reader does not read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()

    def write(self, text: str, /) -> int:
        self.reads.wait(30)
        return super().write(text)


def test_nobody_waits_for_a_reader_who_does_not_read() -> None:
    stream = Stuck()
    pen = Pen(stream)
    pen.setFormatter(TextLines())
    began = time.monotonic()
    for number in range(5000):
        pen.handle(record("said", number=number))
    assert time.monotonic() - began < 5
    stream.reads.set()
    pen.close()
    lines = stream.getvalue().splitlines()
    lost = sum(int(line.rpartition("=")[2]) for line in lines if "were lost" in line)
    assert len([line for line in lines if "said" in line]) + lost == 5000
    assert lost > 3000


def test_a_form_that_is_none_is_told_of_and_the_server_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(log.VARIABLE, "xml")
    with pytest.raises(UnusableRequest, match="text or json, got 'xml'"):
        chosen_form()
    stream = io.StringIO()
    pen = configure(stream=stream)
    pen.flush()
    log.release(pen)
    assert "setting not understood" in stream.getvalue()


def test_without_configuring_only_warnings_are_heard_as_python_does_it() -> None:
    """A command or a notebook that imports mfcore does not find its standard error full of events."""
    code = "from mfcore import log; log.event('run deleted', run='r'); log.event('disk full', level='warning', run='r')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["disk full run=r"]


def test_what_was_said_last_is_written_when_the_process_ends() -> None:
    code = "from mfcore import log; log.configure('text'); [log.event('line', n=n) for n in range(500)]"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert len(done.stderr.splitlines()) == 500 and done.stderr.endswith("n=499\n")
