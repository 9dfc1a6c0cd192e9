"""Vectors of a run with what they stand for, to take elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mfcore.embeddings.frames import frames_of
from mfcore.embeddings.points import space_points
from mfcore.embeddings.tsv import METADATA, VECTORS, pack_tables, write_metadata, write_vectors
from mfcore.files import write_atomically
from mfcore.runs.layout import open_folder
from mfcore.typing import Float32
from mfcore.validate import choice, require

Columns = dict[str, Sequence[object]]


def vector_tables(
    run_id: str, home: str | Path | None = None, *, what: str = "items", epoch: int | None = None
) -> tuple[Float32, Columns]:
    """(n, d) float32 vectors and their columns (title, id, year, ratings, mean rating, genres; label instead for users).

    ``epoch``: None is the model that stands for the run, with every item and user; a number is that epoch's snapshot.

    Raises:
        UnusableRequest: no such run, nothing to export yet, or no snapshot of that epoch. DataUnavailable: no dataset.
    """
    choice("what", what, ("items", "users"))
    source = frames_of(open_folder(run_id, home), every=epoch is None)
    stamps = source.stamps()
    snapshot = source.load(max(stamps) if epoch is None else epoch)
    kept = ", ".join(map(str, sorted(stamps)))
    require(snapshot is not None, f"there is no snapshot of epoch {epoch}; kept are {kept}")
    assert snapshot is not None
    about = space_points(run_id, home, every=epoch is None)[what]
    if what == "users":
        return snapshot.users, {"label": about["label"], "id": about["id"], "ratings": about["ratings"], "mean": about["mean"]}
    genres = ["|".join(names) for names in about["genres"]]
    names = ("title", "id", "year", "ratings", "mean")
    return snapshot.items, {**{name: about[name] for name in names}, "genres": genres}


def zipped_vectors(run_id: str, home: str | Path | None = None, *, what: str = "items", epoch: int | None = None) -> bytes:
    """:func:`vector_tables` as a zip of both files, for a download."""
    return pack_tables(*vector_tables(run_id, home, what=what, epoch=epoch))


def export_vectors(
    run_id: str, out: str | Path, home: str | Path | None = None, *, what: str = "items", epoch: int | None = None
) -> tuple[Path, Path]:
    """:func:`vector_tables` as ``vectors.tsv`` and ``metadata.tsv`` in the folder ``out``, made if need be. Returns both paths.

    Raises:
        UnusableRequest: also when ``out`` cannot be written to.
    """
    vectors, columns = vector_tables(run_id, home, what=what, epoch=epoch)
    paths = Path(out) / VECTORS, Path(out) / METADATA
    for path, text in zip(paths, (write_vectors(vectors), write_metadata(columns)), strict=True):
        write_atomically(path, text.encode())
    return paths
