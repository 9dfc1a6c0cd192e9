"""How our routes answer: strict JSON, tables of numbers as bytes, refusals in words, one answer for many who ask at once."""

from __future__ import annotations

import gzip
import json
import struct
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.errors import DataUnavailable, UnusableRequest
from mfcore.runs.embedding_space import RunSpace
from mfcore.typing import Float32
from ui.visitor_runs import runs_of
from ui.visitors import LOG_IN, asking

MAGIC = b"MFS1"
_NO_STORE = {"Cache-Control": "no-store"}
_WORTH_PACKING = 10_000
_SHORT = 32767


def for_visitors(route: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Only whoever is let in is answered; others are told to log in, whatever they ask for."""

    def handler(request: Request) -> Response:
        return route(request) if asking(request).let_in else json_answer(request, {"error": LOG_IN}, 401)

    return handler


def answered(route: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """What cannot be answered is refused in words: 401 to whom nothing is shown, 404 for what is not there, or not for them,
    400 for what makes no sense, 409 without data."""

    @for_visitors
    def handler(request: Request) -> Response:
        try:
            stored_of(request)
        except UnusableRequest as error:
            return json_answer(request, {"error": str(error)}, 404)
        try:
            return route(request)
        except UnusableRequest as error:
            return json_answer(request, {"error": str(error)}, 400)
        except DataUnavailable as error:
            return json_answer(request, {"error": str(error)}, 409)

    return handler


def stored_of(request: Request) -> RunSpace | ImportedEmbeddings:
    """The run or the imported embeddings that an address names, if whoever asks may see them.

    Raises:
        UnusableRequest: there are none of this name for them.
    """
    names, runs = request.path_params, runs_of(asking(request))
    if "run_id" in names:
        return runs.space("runs", names["run_id"])
    return runs.space("embeddings", names["embeddings_id"])


def asked(scope: Scope) -> dict[str, Any]:
    """What the log says of a request: who asked for what, and from where. Its path alone: the rest may be private."""
    headers, client = Headers(scope=scope), scope.get("client")
    said = {"host": headers.get("host"), "origin": headers.get("origin"), "client": client[0] if client else None}
    return {
        "method": scope.get("method", scope["type"]),
        "path": scope["path"],
        **{name: word for name, word in said.items() if word},
    }


def refusal(status: int, why: str) -> Response:
    """No, and why, in one line that a page can show."""
    return JSONResponse({"error": why}, status_code=status, headers=_NO_STORE)


def json_answer(request: Request, content: Any, status: int = 200) -> Response:
    """Strict JSON, compressed where that is worth it."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    headers = {**_NO_STORE, "Vary": "Accept-Encoding"}
    if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=1)
    return Response(body, status, headers, "application/json")


def binary_answer(header: dict[str, Any], points: Float32) -> Response:
    """The format of ``api_space``: header with ``ranges``, then points (F, n, c) as int16, not worth packing."""
    shorts, ranges = _shorts(points)
    text = json.dumps({**header, "ranges": ranges}, ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    body = MAGIC + struct.pack("<I", len(text)) + text + shorts.tobytes()
    return Response(body, headers=_NO_STORE, media_type="application/octet-stream")


def finite(value: float, digits: int) -> float | None:
    """Rounded for JSON; None where it is NaN or infinite."""
    return round(float(value), digits) if np.isfinite(value) else None


def _shorts(points: Float32) -> tuple[npt.NDArray[np.int16], list[list[float]]]:
    """(F, n, c) numbers as int16 of their range per frame and column: an error of at most 1/65534 of the range."""
    ranges = np.abs(points).max(axis=1, initial=0.0)  # (F, c)
    scale = np.where(ranges > 0, ranges, 1.0)[:, None, :]
    return np.rint(points / scale * _SHORT).astype("<i2"), [[float(f"{value:.6g}") for value in row] for row in ranges.tolist()]


class Recent:
    """Answers that are the same for everybody who asks within ``seconds``: sixty watchers cost hardly more than one.

    Keeps at most ``most``. Safe to use from several threads. ``clock``: seconds, monotonic.
    """

    def __init__(self, seconds: float, most: int = 64, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[Hashable, tuple[float, bytes, dict[str, str]]] = {}
        self._guard = threading.Lock()

    def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """The answer under ``key`` if it is young enough, else what ``make`` makes. What ``make`` raises is not kept."""
        now = self._clock()
        with self._guard:
            found = self._kept.get(key)
        if found is not None and now - found[0] <= self._seconds:
            return Response(found[1], headers=found[2])
        response = make()
        with self._guard:
            self._kept = {name: kept for name, kept in self._kept.items() if now - kept[0] <= self._seconds}
            if len(self._kept) < self._most:
                self._kept[key] = (now, bytes(response.body), dict(response.headers))
        return response
