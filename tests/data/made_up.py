"""Made-up ratings in the two layouts MovieLens comes in, and the real ones turned from one into the other."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from mfcore.data.interactions import Interactions
from mfcore.data.readers import GENRES

RATINGS = [(7, 3, 5, 881250949), (2, 3, 1, 881250950), (7, 1, 4, 881250949), (2, 1412, 3, 881250900), (11, 267, 2, 881250000)]

# raw id → title in u.item, (title, year) in ml-100k.item, genres. The last two are the layout's known oddities.
FILMS = {
    1: ("Pocket Comet (1995)", ("Pocket Comet", "1995"), ("Animation", "Children's", "Comedy")),
    3: (
        "Été à Brême, L' (Summer (in Bremen)) (1961)",
        ("Été à Brême, L' (Summer (in Bremen))", "1961"),
        ("Film-Noir", "Sci-Fi"),
    ),
    267: ("unknown", ("unkonwn", "unkonwn"), ("unknown",)),
    1412: ("Sequel III: Again (1995) (V)", ("Sequel III: Again (1995)", "V"), ("Children's",)),
}
TRAILING_BLANK = 3
PEOPLE = {2: ("53", "F", "other", "94043"), 7: ("24", "M", "technician", "85711"), 11: ("39", "F", "none", "T8H1N")}


def grouplens_files() -> dict[str, bytes]:
    """The made-up ratings as u.data, u.item, u.user."""
    return _grouplens(
        RATINGS, {raw: (title + " " * (raw == TRAILING_BLANK), genres) for raw, (title, _, genres) in FILMS.items()}, PEOPLE
    )


def recbole_files() -> dict[str, bytes]:
    """The same as ml-100k.inter, ml-100k.item, ml-100k.user."""
    items = ["\t".join([str(raw), title, year, " ".join(genres)]) for raw, (_, (title, year), genres) in FILMS.items()]
    return {
        "ml-100k.inter": _text("user_id:token\titem_id:token\trating:float\ttimestamp:float", _rows(RATINGS)),
        "ml-100k.item": _text("item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq", items),
        "ml-100k.user": _text("user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token", _rows(_flat(PEOPLE))),
    }


def as_grouplens(data: Interactions) -> dict[str, bytes]:
    """Any Interactions with titles, written out in GroupLens' layout."""
    ratings = zip(
        data.users.ids[data.user_idx].tolist(),
        data.items.ids[data.item_idx].tolist(),
        data.rating.astype(int).tolist(),
        data.timestamp.tolist(),
        strict=True,
    )
    table = data.item_table
    films = dict(zip(data.items.ids.tolist(), zip(table["title"], table["genres"], strict=True), strict=True))
    people = {
        raw: (str(row.age), row.gender, row.occupation, "00000")
        for raw, row in zip(data.users.ids.tolist(), data.user_table.itertuples(), strict=True)
    }
    return _grouplens(list(ratings), films, people)


def zipped(files: dict[str, bytes], folder: str = "") -> bytes:
    """A zip archive with ``files`` in ``folder``, or at its root."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}" if folder else name, content)
    return buffer.getvalue()


@contextmanager
def served(content: bytes, *, status: int = 200, announce: int | None = None) -> Iterator[tuple[str, list[str]]]:
    """A loopback server that answers every GET with ``content``; yields its address and the paths that were asked for.

    ``announce``: the Content-Length to claim, when it shall not be the true one.
    """
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if announce is None else announce))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def _grouplens(ratings: list[tuple[int, ...]], films: dict, people: dict) -> dict[str, bytes]:
    items = []
    for raw, (title, genres) in films.items():
        flags = ["1" if genre in genres else "0" for genre in GENRES]
        # The release date is not the title's year, as in MovieLens: readers must not use it.
        items.append(
            "|".join([str(raw), title, "" if title == "unknown" else "01-Jan-2099", "", "http://example.invalid/", *flags])
        )
    return {
        "u.data": "".join("\t".join(map(str, row)) + "\n" for row in ratings).encode(),
        "u.item": ("\n".join(items) + "\n\n").encode("latin-1"),
        "u.user": "".join("|".join(map(str, row)) + "\n" for row in _flat(people)).encode("latin-1"),
    }


def _flat(people: dict[int, tuple[str, ...]]) -> list[tuple[object, ...]]:
    return [(raw, *about) for raw, about in people.items()]


def _rows(rows: list) -> list[str]:
    return ["\t".join(map(str, row)) for row in rows]


def _text(header: str, lines: list[str]) -> bytes:
    return ("\n".join([header, *lines]) + "\n").encode("utf-8")
