"""A server on the loopback that knows parts, versions, and every way of misbehaving that a download has to bear."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Shelf:
    """``files``: by path. ``tricks``: one a request, in their order; well-behaved when they are used up.

    Tricks: "drop" (ends after half of what is asked), "stall" (the same, but leaves the line open), "page" (HTML instead),
    "long" (announces nine bytes too many), "no ranges" (all of it, whatever part was asked for), "other part", or a status such
    as 404, 503, (503, "7") with a Retry-After.
    """

    files: dict[str, bytes]
    tricks: list[object] = field(default_factory=list)
    etag: str = '"one"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def shelf(files: dict[str, bytes], *tricks: object) -> Iterator[Shelf]:
    """A served :class:`Shelf`; its ``url`` is where, ``asked`` the path and Range of each request."""
    held = Shelf(files, list(tricks))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.asked.append((self.path, self.headers.get("Range")))
            trick = held.tricks.pop(0) if held.tricks else None
            if isinstance(trick, int | tuple):
                return self._refuse(*(trick if isinstance(trick, tuple) else (trick, None)))
            content = held.files.get(self.path)
            return self._refuse(404, None) if content is None else self._send(content, trick)

        def _refuse(self, status: int, again: str | None) -> None:
            self.send_response(status)
            if again is not None:
                self.send_header("Retry-After", again)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, content: bytes, trick: object) -> None:
            if trick == "page":
                content = b"\n<!DOCTYPE html><title>Please log in</title>"
            start = self._start(len(content)) if trick != "no ranges" else 0
            rest = content[start:]
            self.send_response(206 if start else 200)
            if start:
                first = start - 1 if trick == "other part" else start
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            if held.etag:
                self.send_header("ETag", held.etag)
            self.send_header("Content-Length", str(len(rest) + 9 * (trick == "long")))
            self.end_headers()
            self.wfile.write(rest[: len(rest) // 2] if trick in ("drop", "stall") else rest)
            if trick == "stall":
                self.wfile.flush()
                held.released.wait(30)

        def _start(self, size: int) -> int:
            wanted, known = self.headers.get("Range"), self.headers.get("If-Range")
            if wanted is None or known != held.etag:
                return 0
            return int(wanted.removeprefix("bytes=").rstrip("-"))

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        held.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield held
        finally:
            held.released.set()
            server.shutdown()
            thread.join()
