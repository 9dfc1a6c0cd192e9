"""Fetching one file over HTTP: quick to give up, checked to the last byte."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfcore.paths import reason

Progress = Callable[[str, float | None], None]
"""Called with what is going on, in words, and how much of it is done (0 to 1), or None where nobody knows."""

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
REPORT_EVERY = 0.1
BLOCK = 1 << 16


class FetchFailed(Exception):
    """One attempt to get the data failed. The message is one line saying why; another origin may be tried."""


def silent(message: str, fraction: float | None) -> None:
    """A progress callback that shows nothing."""


def download(url: str, to: Path, progress: Progress = silent, *, label: str, sha256: str | None = None) -> None:
    """Fetch ``url`` into the file ``to``, reporting progress by bytes. Proxy settings of the environment apply.

    Raises:
        FetchFailed: no connection within 5 s, an HTTP error, fewer bytes than announced, or a checksum other than ``sha256``.
    """
    opener = urllib.request.build_opener(_PatientHTTP, _PatientHTTPS)
    digest, got, reported = hashlib.sha256(), 0, 0.0
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "mf-explorer"})
        with opener.open(request, timeout=CONNECT_TIMEOUT) as response, to.open("wb") as file:
            announced = int(response.headers.get("Content-Length") or 0)
            while block := response.read(BLOCK):
                file.write(block)
                digest.update(block)
                got += len(block)
                if got >= announced or time.monotonic() - reported >= REPORT_EVERY:
                    reported = time.monotonic()
                    progress(f"{label}: {got / 1e6:.1f} MB{_of(announced)}", min(got / announced, 1.0) if announced else None)
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchFailed(f"the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(_why(error)) from error
    if got < announced:
        raise FetchFailed(f"the download was cut short, {got:,} of {announced:,} bytes arrived")
    if sha256 is not None and digest.hexdigest() != sha256:
        raise FetchFailed(f"wrong checksum: expected sha256 {sha256[:12]}…, got {digest.hexdigest()[:12]}…")


def _of(announced: int) -> str:
    return f" of {announced / 1e6:.1f} MB" if announced else ""


def _why(error: BaseException) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, socket.gaierror):
        return "its address cannot be looked up (no internet connection?)"
    return reason(cause) if isinstance(cause, BaseException) else str(cause)


def _look_up(host: str, port: int) -> None:
    """Give up on a name server that does not answer: a socket's timeout does not cover the look-up."""

    def ask() -> None:
        # A name that does not exist is reported by the connection itself, right after this.
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, port)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_TIMEOUT)
    if asking.is_alive():
        raise TimeoutError


class _PatientHTTPConnection(http.client.HTTPConnection):
    """Impatient until connected; then a slow line is given time."""

    def connect(self) -> None:
        _look_up(self.host, self.port)
        super().connect()
        self.sock.settimeout(READ_TIMEOUT)


class _PatientHTTPSConnection(_PatientHTTPConnection, http.client.HTTPSConnection):
    """The same over TLS: ``super().connect()`` above is that of HTTPSConnection here."""


class _PatientHTTP(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_PatientHTTPConnection, req)


class _PatientHTTPS(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_PatientHTTPSConnection, req)
