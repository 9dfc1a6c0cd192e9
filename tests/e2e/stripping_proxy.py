"""A reverse proxy on the loopback that strips a prefix, WebSockets included: what the app stands behind in many places."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class StrippingProxy:
    """Passes ``/prefix/…`` on to a port of this machine as ``/…``. Use as a context manager; 404 for everything else."""

    def __init__(self, port: int, prefix: str) -> None:
        self._target, self._prefix = port, prefix.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def altered(self, head: bytes) -> bytes:
        """What is passed on of a request's head; here, all of it. Worse proxies do worse."""
        return head

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        with browser, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = browser.recv(65536)
                if not piece:
                    return
                head += piece
            method, path, rest = head.split(b" ", 2)
            if not path.startswith(self._prefix + b"/"):
                browser.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if b"upgrade: websocket" not in head.lower():  # one request a connection
                rest = rest.replace(b"Connection: keep-alive", b"Connection: close")
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                server.sendall(self.altered(b" ".join((method, path.removeprefix(self._prefix), rest))))
                threading.Thread(target=_pipe, args=(browser, server), daemon=True).start()
                _pipe(server, browser)


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
