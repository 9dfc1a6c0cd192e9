"""What a server process tells whoever runs it: one stream on standard error, one event a line.

``event("run started", run=run_id, pid=4711)`` says it; :func:`configure` sends it, and what libraries log, through one
formatter. As text, or with ``MF_EXPLORER_LOG=json`` an object a line:

    2026-11-30T20:14:05.123Z info    run started run=20261130-201405-mf-a1b2 pid=4711
    {"time": "2026-11-30T20:14:05.123Z", "level": "info", "event": "run started", "run": "20261130-…", "pid": 4711, …}

Times are UTC. Nothing that comes from outside can end a line or move the cursor: control characters are spelled out. A
traceback follows its event on lines that are indented (text), or is its field ``trace`` (JSON). A process that never calls
:func:`configure`, such as a command or a notebook, hears of warnings alone, as Python does it. What a run's worker prints goes
to ``worker.log`` in the run's folder.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from mfcore.errors import UnusableRequest

VARIABLE = "MF_EXPLORER_LOG"
FORMS = ("text", "json")
NAME = "mf_explorer"
"""The logger of our own events."""
OTHERS = ("streamlit", "uvicorn", "websockets")
"""Libraries that bring handlers of their own to a server, by the first part of their loggers' names."""
_LEFT_ALONE = ("uvicorn.access",)
"""A line for every request: Streamlit has switched that off, and off it stays."""
LONGEST = 2000
"""Characters of one value; what is longer ends in "…"."""
_WAITING = 1000
"""Lines that wait to be written. When the reader of the stream does not read, more are counted and dropped: nobody waits."""
_FLUSH_SECONDS = 2.0

# Control characters, line ends of Unicode, marks that turn the direction of writing, halves of surrogate pairs.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_PLAIN = re.compile(r"[^\s\"'=\\{}]+")


@dataclass(frozen=True)
class Said:
    """An event as the message of a log record: whoever formats it in another way than we do sees the line all the same."""

    text: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join([_spell(_cut(self.text)), *(f"{_key(name)}={_value(value)}" for name, value in self.fields.items())])


def event(text: str, *, level: str = "info", error: BaseException | None = None, **fields: Any) -> None:
    """Say that something happened.

    Args:
        text: what, in words that are always the same, so that one can search for them. level: debug, info, warning or error.
        error: what was raised, for its traceback. fields: what the event is about; None is left out.
    """
    said = Said(text, {name: value for name, value in fields.items() if value is not None})
    trace = None if error is None else (type(error), error, error.__traceback__)
    logging.getLogger(NAME).log(logging.getLevelNamesMapping()[level.upper()], said, exc_info=trace)


def changes(what: str, before: Iterable[str], now: Iterable[str]) -> tuple[str, ...]:
    """Say which of several states began and which ended since ``before``; returns ``now``, to be given the next time."""
    was, is_now = tuple(before), tuple(now)
    for why in is_now:
        if why not in was:
            event(f"{what} began", level="warning", why=why)
    for why in was:
        if why not in is_now:
            event(f"{what} ended", why=why)
    return is_now


def chosen_form() -> str:
    """text or json, as ``MF_EXPLORER_LOG`` says.

    Raises:
        UnusableRequest: it says something else.
    """
    form = os.environ.get(VARIABLE, "").strip().lower() or FORMS[0]
    if form not in FORMS:
        raise UnusableRequest(f"{VARIABLE} must be {' or '.join(FORMS)}, got {form!r}")
    return form


def configure(form: str | None = None, stream: TextIO | None = None) -> Pen:
    """Send every event of this process to ``stream`` (standard error), one a line; called again, only the form changes.

    A form that is neither text nor json is told of in the log, and text is taken: a server is not to die of it.
    """
    wrong = ""
    try:
        form = form or chosen_form()
    except UnusableRequest as error:
        form, wrong = FORMS[0], str(error)
    root = logging.getLogger()
    pen = next((handler for handler in root.handlers if isinstance(handler, Pen) and handler.alive), None)
    if pen is None:
        pen = Pen(stream or sys.stderr)
        root.addHandler(pen)
    pen.setFormatter(JsonLines() if form == "json" else TextLines())
    for name in (NAME, "mfcore"):
        logging.getLogger(name).setLevel(logging.INFO)
    take_over()
    if wrong:
        event("setting not understood", level="warning", why=wrong)
    return pen


def take_over() -> None:
    """Let what :data:`OTHERS` log come to us alone. To be called once they have set themselves up."""
    for name in list(logging.Logger.manager.loggerDict):
        logger = logging.getLogger(name)
        if name.partition(".")[0] in OTHERS and name not in _LEFT_ALONE:
            logger.handlers.clear()
            logger.propagate = True


def release(pen: Pen) -> None:
    """Undo :func:`configure`, for tests; what others' loggers were is not brought back."""
    logging.getLogger().removeHandler(pen)
    pen.close()


class TextLines(logging.Formatter):
    """An event as a line for people, and for ``grep``."""

    def format(self, record: logging.LogRecord) -> str:
        first = f"{_moment(record)} {_level(record):7} {_said(record)}"
        return "\n".join([first, *(f"    {_spell(line)}" for line in _trace(self, record).splitlines())])


class JsonLines(logging.Formatter):
    """An event as one JSON object, in ASCII, on one line. A field never takes the place of ``time``, ``level`` or ``event``."""

    def format(self, record: logging.LogRecord) -> str:
        said = _said(record)
        told: dict[str, Any] = {"time": _moment(record), "level": _level(record), "event": _cut(said.text)}
        told |= {name: _plain(value) for name, value in said.fields.items() if name not in told}
        trace = _trace(self, record)
        if trace:
            told["trace"] = trace
        return json.dumps(told, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")


class Pen(logging.Handler):
    """Writes lines to a stream in a thread of its own: whoever has something to say never waits for a reader, and a stream that
    is closed, full or broken takes nobody along. What was lost is counted, and said with the next line that comes through.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still writes."""
        return self._thread.is_alive()

    def emit(self, record: logging.LogRecord) -> None:
        """Put the line where the thread finds it."""
        try:
            self._lines.put_nowait(self.format(record))
        except Exception:  # the queue is full, or a value cannot even be shown: never the trouble of who said it
            self._lost += 1

    def flush(self) -> None:
        """Wait until what was said is written, two seconds at most."""
        until = time.monotonic() + _FLUSH_SECONDS
        while self._lines.unfinished_tasks and self.alive and time.monotonic() < until:
            time.sleep(0.005)

    def close(self) -> None:
        """Write what is left, and end."""
        self.flush()
        with suppress(queue.Full):
            self._lines.put_nowait(None)
        super().close()

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            self._write(line)
            self._lines.task_done()
        self._lines.task_done()

    def _write(self, line: str) -> None:
        lost = self._lost
        note = f"{line}\n{_loss(self, lost)}\n" if lost else f"{line}\n"
        try:
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(note.encode(encoding, "backslashreplace").decode(encoding))
            self._stream.flush()
            self._lost -= lost
        except Exception:  # closed, full, gone
            self._lost += 1


def _loss(pen: Pen, lost: int) -> str:
    said = Said("lines of the log were lost", {"lines": lost})
    return pen.format(logging.LogRecord(NAME, logging.WARNING, "", 0, said, None, None))


def _said(record: logging.LogRecord) -> Said:
    """An event of ours, or what a library logged as one."""
    if isinstance(record.msg, Said):
        return record.msg
    try:
        text = record.getMessage()
    except Exception:  # arguments that do not fit the text: what there is, is shown
        text = f"{record.msg} {record.args}"
    return Said(text.strip(), {"logger": record.name})


def _moment(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


def _level(record: logging.LogRecord) -> str:
    return record.levelname.lower()


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and not _UNSEEN.search(name) else "?"


def _value(value: Any) -> str:
    """A value after its ``=``: as it is where that is one word, else in quotation marks."""
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain)
    if _PLAIN.fullmatch(text) and not _UNSEEN.search(text):
        return text
    return '"' + _spell(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _plain(value: Any) -> str | int | float | bool:
    """A number, a truth or a text of bounded length. Seconds and such have three decimals at most."""
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return round(value, 3) if abs(value) < float("inf") else str(value)
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _spell(text: str) -> str:
    r"""With everything that is not seen, or does something to a terminal, spelled out: ``\n``, ``\x1b``, ``\u202e``."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)
