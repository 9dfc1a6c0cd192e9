"""Asking a web server, with what Python brings: a request, and the opening of a WebSocket."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mfcore.errors import UnusableRequest
from mfcore.files import loads
from mfcore.validate import require

OURS = "ok"
"""What /healthz of this app says under ``status`` when all is well."""
SEE_LOG = "mend what it names; the server's log has more"
_MOST_BYTES = 4 * 1024**2
_ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


@dataclass(frozen=True)
class Answer:
    """What came back. ``headers``: by name in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The type of its content, such as text/html."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def object(self) -> dict[str, Any]:
        """The JSON object in it; an empty one where it is something else."""
        try:
            told = loads(self.body) if self.kind == "application/json" else {}
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


def checked_url(text: str) -> str:
    """An address as given, without a slash at its end.

    Raises:
        UnusableRequest: it is none of a web server.
    """
    wanted = f"--url must be the address of a web server, such as https://example.org/lab; got {text!r}"
    try:
        parts = urlsplit(text.strip())
        _ = parts.port  # ValueError where it is no number
    except ValueError:
        raise UnusableRequest(wanted) from None
    plain = text.isascii() and text.isprintable() and " " not in text.strip()
    require(parts.scheme in ("http", "https") and bool(parts.hostname) and plain, wanted)
    require(not parts.username and not parts.query and not parts.fragment, f"{wanted}; without name, ? and #")
    return parts.geturl().rstrip("/")


def ask(url: str, path: str, *, host: str = "", timeout: float = 10.0) -> Answer:
    """``GET`` of ``path`` below ``url``; redirections are not followed. ``host``: asks under another name.

    Raises:
        OSError: nobody answers, in time or at all. ValueError: what answers is no HTTP.
    """
    parts = urlsplit(url)
    connection = _connection(parts, timeout)
    try:
        connection.request("GET", parts.path + path, headers={"Accept": "*/*", **({"Host": host} if host else {})})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read(_MOST_BYTES))
    except http.client.HTTPException as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()


def open_web_socket(url: str, path: str, *, protocol: str, timeout: float = 10.0) -> Answer:
    """Ask as a browser does for a WebSocket at ``path`` below ``url``, and leave; the status is 101 where it was opened.

    Raises:
        OSError: nobody answers. ValueError: what answers is no HTTP, or opens something that is no WebSocket.
    """
    parts, key = urlsplit(url), base64.b64encode(os.urandom(16)).decode()
    connection = _connection(parts, timeout)
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    headers |= {"Sec-WebSocket-Protocol": protocol, "Origin": f"{parts.scheme}://{parts.netloc}"}
    try:
        connection.request("GET", parts.path + path, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        body = b"" if answer.status == 101 else answer.read(_MOST_BYTES)
    except http.client.HTTPException as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
    proof = base64.b64encode(hashlib.sha1((key + _ACCEPT).encode(), usedforsecurity=False).digest()).decode()
    if answer.status == 101 and found.get("sec-websocket-accept") != proof:
        raise ValueError("it answers as if it opened a WebSocket, without having understood the request")
    return Answer(answer.status, found, body)


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    name = str(parts.hostname)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(name, parts.port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(name, parts.port, timeout=timeout)
