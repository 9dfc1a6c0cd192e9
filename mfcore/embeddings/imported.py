"""Embeddings that were made elsewhere, kept under ``<data dir>/embeddings/<id>/`` to be looked at like those of a run."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mfcore.embeddings.export import Tables
from mfcore.embeddings.snapshots import Points, Snapshot, SnapshotSource, read_arrays, write_arrays
from mfcore.errors import UnusableRequest
from mfcore.files import read_json, write_json
from mfcore.paths import data_dir, writable_folder
from mfcore.validate import boolean, present, require, text

FEWEST_POINTS, FEWEST_WIDE = 3, 2
"""Less is no map: two points are a line, and one number a point is one as well."""
_LABELS = ("title", "label", "word", "name", "token", "text")
_FORMAT = 1
_MOST_METADATA = 512 * 1024**2
"""Bytes of what a table tells of its points: more than the largest that can be sent here."""


@dataclass(frozen=True)
class ImportedEmbeddings:
    """One imported embedding: n points, their vectors and what was told about them. An ``EmbeddingSpace``.

    Only whether it is shared ever changes.
    """

    path: Path
    kind = "embeddings"
    state = "finished"

    @property
    def name(self) -> str:
        return self.path.name

    @classmethod
    def add(cls, tables: Tables, title: str, home: str | Path | None = None, owner: str = "") -> ImportedEmbeddings:
        """Keep imported tables of ``owner`` (empty: nobody's) under a new id such as ``20261122-143012-a1b2``.

        Raises:
            UnusableRequest: they are no map (see :func:`check_tables`), or the data directory cannot be written to.
        """
        check_tables(tables)
        whose = {"owner": text("owner", owner), "shared": False}
        root = writable_folder(data_dir(home) / "embeddings")
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        hidden = root / f".new-{name}"
        try:
            hidden.mkdir()
            write_arrays(hidden / "vectors.safetensors", {"vectors": tables.vectors}, {"format": _FORMAT})
            about = {"title": str(title).strip()[:200] or name, "created": time.time(), "shape": list(tables.vectors.shape)}
            about |= whose
            write_json(hidden / "about.json", about)
            write_json(hidden / "metadata.json", {"columns": tables.metadata})
            return cls(hidden.rename(root / name))
        except OSError as error:
            raise UnusableRequest(f"cannot keep these embeddings ({error.strerror or error}); free some space") from None
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def about(self) -> dict[str, Any]:
        """``{"title", "created", "shape": [n, d]}``."""
        return read_json(self.path / "about.json") or {"title": self.name, "created": 0.0, "shape": [0, 0]}

    @property
    def owner(self) -> str:
        """Whose they are, empty: nobody's; where that cannot be read, a name that nobody has."""
        found = (read_json(self.path / "about.json") or {"owner": None}).get("owner", "")
        return found if isinstance(found, str) else "?"

    @property
    def shared(self) -> bool:
        """Whether others may look at them."""
        return self.about().get("shared") is True

    @property
    def shared_by(self) -> str:
        """What their owner was called when they were shared."""
        return str(self.about().get("shared_by", ""))

    def share(self, shared: bool, by: str = "") -> None:
        """Let others look at them, or no longer."""
        more = {"shared": boolean("shared", shared), "shared_by": text("shared_by", by)}
        write_json(self.path / "about.json", {**self.about(), "owner": self.owner, **more})

    def metadata(self) -> dict[str, list[str]]:
        """Column → n texts; what a damaged file has in their place is left out."""
        found = (read_json(self.path / "metadata.json", _MOST_METADATA) or {}).get("columns", {})
        columns = found.items() if isinstance(found, dict) else ()
        return {name: texts for name, texts in columns if _are_texts(texts)}

    def snapshots(self, *, every: bool = False) -> SnapshotSource:
        """One snapshot, epoch 0, which has every point.

        Raises:
            UnusableRequest: its files are damaged.
        """
        return _ImportedVectors(self.path)

    def points(self, *, every: bool = False) -> Points:
        """As :func:`mfcore.embeddings.points.points_of`: title, year, genres, ratings and mean from columns of these names.

        ``more`` has every other column by its name.
        """
        count = len(self.snapshots().item_idx)
        columns = {name: texts for name, texts in self.metadata().items() if len(texts) == count}
        label = next((name for name in columns if name.strip().lower() in _LABELS), next(iter(columns), ""))
        used = {name.strip().lower(): name for name in columns}
        nothing: list[float | None] = [None] * count
        figures = ("year", "ratings", "mean")
        numbers = {key: _numbers(columns[used[key]], count) if key in used else nothing for key in figures}
        genres = [_split(text) for text in columns[used["genres"]]] if "genres" in used else [[] for _ in range(count)]
        told = {label, *(used[key] for key in (*figures, "genres") if key in used)}
        items: dict[str, list[Any]] = {
            "idx": list(range(count)),
            "id": list(range(1, count + 1)),
            "title": columns.get(label, [f"point {number + 1}" for number in range(count)]),
            **numbers,
            "genres": genres,
            "bias": [None] * count,
        }
        more = {name: values for name, values in columns.items() if name not in told}
        nobody: dict[str, list[Any]] = {name: [] for name in ("idx", "id", "label", "ratings", "mean", "bias")}
        return {"items": items, "users": nobody, "more": more}


def check_tables(tables: Tables) -> None:
    """Whether vectors and their labels make a map.

    Raises:
        UnusableRequest: fewer than 3 points, fewer than 2 numbers a point, NaN or infinity among them, all points the same, or
            columns that do not have one text a point.
    """
    vectors = np.asarray(tables.vectors)
    require(vectors.ndim == 2, f"vectors must be a table, one line of numbers a point; got {vectors.ndim} dimensions")
    count, width = vectors.shape
    require(count >= FEWEST_POINTS, f"a map takes at least {FEWEST_POINTS} points, this file has {count}")
    more = "are the numbers separated by tabs?"
    require(width >= FEWEST_WIDE, f"a map takes at least {FEWEST_WIDE} numbers a point, this file has {width}; {more}")
    known = np.isfinite(vectors).all(axis=1)
    require(bool(known.all()), f"point {int(known.argmin()) + 1} holds NaN or infinity; leave such points out")
    require(bool((vectors != vectors[0]).any()), f"all {count} points are the same; there is nothing to see")
    for name, texts in tables.metadata.items():
        require(len(texts) == count, f"column {name!r} has {len(texts)} labels for {count} points")


class _ImportedVectors:
    """The one snapshot of imported embeddings, epoch 0; they have items only."""

    note = ""

    def __init__(self, path: Path) -> None:
        self._path = path / "vectors.safetensors"
        damaged = f"the imported embeddings {path.name} are damaged; import them again"
        arrays, _ = present(read_arrays(self._path), damaged)
        vectors = np.asarray(present(arrays.get("vectors"), damaged))
        require(vectors.ndim == 2 and vectors.dtype.kind == "f", damaged)
        self._vectors = vectors.astype(np.float32)
        self.key: Hashable = ("embeddings", str(path))
        self.item_idx, self.user_idx = np.arange(len(self._vectors)), np.arange(0)

    def stamps(self) -> dict[int, int]:
        return {0: self._path.stat().st_mtime_ns}

    def load(self, epoch: int) -> Snapshot | None:
        nobody = np.zeros((0, self._vectors.shape[1]), np.float32)
        return Snapshot(0, 0, self._vectors, nobody) if epoch == 0 else None


def list_embeddings(home: str | Path | None = None) -> list[ImportedEmbeddings]:
    """All that were imported, newest first."""
    root = data_dir(home) / "embeddings"
    paths = [path for path in root.iterdir() if (path / "about.json").is_file()] if root.is_dir() else []
    return [ImportedEmbeddings(path) for path in sorted(paths, reverse=True) if not path.name.startswith(".")]


def open_embeddings(name: str, home: str | Path | None = None) -> ImportedEmbeddings:
    """Imported embeddings by id. It is only compared with those that are there, so no name can lead out of their folder.

    Raises:
        UnusableRequest: there are none of this name.
    """
    found = [one for one in list_embeddings(home) if one.name == name]
    require(bool(found), f"there are no imported embeddings {name}")
    return found[0]


def delete_embeddings(name: str, home: str | Path | None = None) -> None:
    """Remove imported embeddings.

    Raises:
        UnusableRequest: there are none of this name.
    """
    path = open_embeddings(name, home).path
    doomed = path.with_name(f".deleted-{path.name}-{secrets.token_hex(4)}")
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _numbers(texts: list[str], count: int) -> list[float | None]:
    """Texts as numbers, None where they are none."""
    found: list[float | None] = []
    for word in texts:
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        found.append(value if np.isfinite(value) else None)
    return found if len(found) == count else [None] * count


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("|", ",").split(",") if part.strip()]
