"""Fetching one file over HTTP: goes on where it stopped, tries again where that can help, checked to the last byte."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.files import loads
from mfcore.paths import reason

Progress = Callable[[str, float | None], None]
"""Called with what is going on, in words, and how much of it is done (0 to 1), or None where nobody knows. It is called for
every block, and may raise :class:`FetchCancelled`."""

BLOCK = 1 << 16
_WAIT_STEP = 0.5
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be another one a little later."""
_SETTLED = 3.0
"""Seconds of a download before its speed is worth a forecast."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for what. Seconds.

    ``tries``: in all, of one file. A server that asks for a longer wait than ``longest_wait`` is not waited for.
    """

    connect: float = 5.0
    read: float = 30.0
    tries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


PATIENT = Patience()


class FetchFailed(Exception):
    """One attempt to get the data failed. The message is one line saying why; another origin may be tried."""


class FetchCancelled(Exception):
    """Somebody said stop. What has arrived of a file is kept, and the next attempt goes on from there."""


class _Again(Exception):
    """It failed, but may not the next time. ``wait``: seconds the server asked for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


def silent(message: str, fraction: float | None) -> None:
    """A progress callback that shows nothing."""


def download(
    url: str,
    to: Path,
    progress: Progress = silent,
    *,
    label: str,
    sha256: str | None = None,
    md5: str | None = None,
    patience: Patience = PATIENT,
) -> None:
    """Fetch ``url`` into the file ``to``, reporting progress by bytes. Proxy settings of the environment apply.

    What has arrived lies in ``to``.part until it is whole. Where that is there already, and the server still has the very same
    file (by its ETag or date), only the rest is asked for; a server that cannot give a part gives all of it.

    Raises:
        FetchFailed: no connection, an HTTP error, a web page instead of a file, fewer bytes than announced, all of them after
            as many tries as ``patience`` has where trying again can help; or another checksum than the one given.
        FetchCancelled: raised by ``progress``, and passed on.
    """
    part = _Part(to)
    for tried in range(1, patience.tries + 1):
        try:
            _one_try(url, part, progress, label, patience)
            break
        except _Again as failure:
            wait = failure.wait if failure.wait is not None else patience.first_wait * 2 ** (tried - 1)
            if tried == patience.tries or wait > patience.longest_wait:
                raise FetchFailed(str(failure)) from failure
            _pause(wait, f"{label}: {failure}; trying again", progress, patience)
    _check(part, sha256, md5)
    part.finish()


def _pause(seconds: float, words: str, progress: Progress, patience: Patience) -> None:
    """Wait in small steps, so that one can be stopped."""
    while seconds > 0:
        progress(f"{words} in {seconds:.0f} s", None)
        patience.sleep(min(seconds, _WAIT_STEP))
        seconds -= _WAIT_STEP


class _Part:
    """What has arrived of a file, and of which version of it."""

    def __init__(self, to: Path) -> None:
        self.to = to
        self.path = to.with_name(f"{to.name}.part")
        self.about = to.with_name(f"{to.name}.part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def version_of(self, url: str) -> str:
        """The ETag or date the part goes by; "" where it is of no use: of another address, or of nobody knows what."""
        try:
            about = loads(self.about.read_text(encoding="utf-8"))
            return str(about["version"]) if about["url"] == url and self.size else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def begin(self, url: str, version: str) -> None:
        self.about.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def drop(self) -> None:
        for file in (self.path, self.about):
            file.unlink(missing_ok=True)

    def finish(self) -> None:
        self.path.replace(self.to)
        self.about.unlink(missing_ok=True)


def _one_try(url: str, part: _Part, progress: Progress, label: str, patience: Patience) -> None:
    version = part.version_of(url)
    headers = {"User-Agent": "mf-explorer", "Accept-Encoding": "identity"}
    if version:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": version}
    try:
        response = _opener(patience).open(urllib.request.Request(url, headers=headers), timeout=patience.connect)
    except urllib.error.HTTPError as error:
        _refused(error, part)
        return
    except (OSError, http.client.HTTPException, ValueError) as error:  # nobody there: another origin is asked at once
        raise FetchFailed(_why(error)) from error
    try:
        with response:
            _receive(url, response, part, progress, label, patience)
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        stalled = isinstance(error, TimeoutError)
        raise _Again(f"nothing arrived for {patience.read:g} s" if stalled else _why(error)) from error
    except OSError as error:
        raise FetchFailed(_why(error)) from error


def _receive(url: str, response: Any, part: _Part, progress: Progress, label: str, patience: Patience) -> None:
    goes_on = response.status == 206 and _starts_at(response) == part.size
    if not goes_on:
        if response.status == 206:
            part.drop()
            raise _Again("the server sent another part of the file than the one asked for", 0.0)
        part.drop()
        part.begin(url, _version(response))
    got = begun = part.size if goes_on else 0
    length = response.headers.get("Content-Length")
    total = got + int(length) if length and length.isdigit() else 0
    started = patience.clock()
    with part.path.open("ab") as file:
        while block := response.read1(BLOCK):
            if got == 0:
                _refuse_pages(response, block, part)
            file.write(block)
            got += len(block)
            left = _left(got - begun, total - got, patience.clock() - started)
            progress(f"{label}: {got / 1e6:.1f} MB{_of(total)}{left}", min(got / total, 1.0) if total else None)
    if got < total:
        raise _Again(f"the download was cut short, {got:,} of {total:,} bytes arrived")
    if got == 0:
        raise FetchFailed("the server sent an empty file")


def _starts_at(response: Any) -> int:
    unit, _, rest = str(response.headers.get("Content-Range", "")).partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else -1


def _version(response: Any) -> str:
    """What tells this version of a file from others; a weak ETag does not tell bytes apart."""
    tag = str(response.headers.get("ETag") or "")
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified") or "")


def _refuse_pages(response: Any, block: bytes, part: _Part) -> None:
    begins = block[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begins.startswith((b"<!doctype html", b"<html")) or response.headers.get_content_type() == "text/html":
        part.drop()
        raise FetchFailed("the server sent a web page instead of the file; is there a login page in between?")


def _refused(error: urllib.error.HTTPError, part: _Part) -> None:
    """Raises _Again where the answer may be another one later, else FetchFailed."""
    error.close()
    if error.code == 416:  # what is here is longer than what is there
        part.drop()
        raise _Again("the file at the server is another one now", 0.0) from error
    words = f"the server answered {error.code} {error.reason}"
    if error.code == 404:
        words += f": there is no {part.to.name} at that address"
    if error.code not in _AGAIN:
        raise FetchFailed(words) from error
    asked = str(error.headers.get("Retry-After", ""))
    raise _Again(words, float(asked) if asked.isdigit() else None) from error


def _left(got: int, missing: int, seconds: float) -> str:
    """How long it still takes, once that can be told."""
    if seconds < _SETTLED or missing <= 0 or got <= 0:
        return ""
    rest = missing * seconds / got
    return f", about {rest:.0f} s left" if rest < 90 else f", about {rest / 60:.0f} min left"


def _check(part: _Part, sha256: str | None, md5: str | None) -> None:
    for kind, expected in (("sha256", sha256), ("md5", md5)):
        if expected is None:
            continue
        with part.path.open("rb") as file:
            got = hashlib.file_digest(file, lambda kind=kind: hashlib.new(kind, usedforsecurity=False)).hexdigest()  # type: ignore[misc]
        if got != expected:
            part.drop()
            raise FetchFailed(f"wrong checksum: expected {kind} {expected[:12]}…, got {got[:12]}…")


def _of(announced: int) -> str:
    return f" of {announced / 1e6:.1f} MB" if announced else ""


def _why(error: BaseException) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, socket.gaierror):
        return "its address cannot be looked up (no internet connection?)"
    return reason(cause) if isinstance(cause, BaseException) else str(cause)


def _look_up(host: str, port: int, timeout: float) -> None:
    """Give up on a name server that does not answer: a socket's timeout does not cover the look-up."""

    def ask() -> None:
        # A name that does not exist is reported by the connection itself, right after this.
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, port)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    if asking.is_alive():
        raise TimeoutError


class _PatientHTTPConnection(http.client.HTTPConnection):
    """Impatient until connected; then a slow line is given time."""

    def __init__(self, host: str, *, patience: Patience, **options: Any) -> None:
        super().__init__(host, **options)
        self.patience = patience

    def connect(self) -> None:
        _look_up(self.host, self.port, self.patience.connect)
        super().connect()
        self.sock.settimeout(self.patience.read)


class _PatientHTTPSConnection(_PatientHTTPConnection, http.client.HTTPSConnection):
    """The same over TLS: ``super().connect()`` above is that of HTTPSConnection here."""


class _PatientHTTP(urllib.request.HTTPHandler):
    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.patience = patience

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(functools.partial(_PatientHTTPConnection, patience=self.patience), req)


class _PatientHTTPS(urllib.request.HTTPSHandler):
    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.patience = patience

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(functools.partial(_PatientHTTPSConnection, patience=self.patience), req)


def _opener(patience: Patience) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_PatientHTTP(patience), _PatientHTTPS(patience))
