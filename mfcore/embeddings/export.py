"""Vectors and what they stand for as two tables, as TensorFlow's Embedding Projector reads them: written, and read back.

``vectors.tsv``: a row of numbers per point, no header. ``metadata.tsv``: a row per point in the same order; a header only where
there is more than one column. Tabs between values, lines end in a newline, UTF-8. ``model.json`` beside them, which the
projector does not ask for: what a prediction is made of besides vectors and biases.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mfcore.embeddings.snapshots import EmbeddingSpace
from mfcore.errors import UnusableRequest
from mfcore.files import DAMAGED_ZIP, write_atomically
from mfcore.registry import MODELS
from mfcore.typing import Bool, Float32, Int64
from mfcore.validate import choice, present, require

if TYPE_CHECKING:
    from mfcore.models import RecommenderModel

Columns = dict[str, Sequence[object]]

MOST_BYTES = 256 * 1024**2
MOST_POINTS, MOST_WIDE, MOST_COLUMNS = 200_000, 2048, 50
_MOST_TEXT = 500
VECTORS, METADATA, MODEL = "vectors.tsv", "metadata.tsv", "model.json"
_HOLDS = "the formula holds where trained is yes; of others nothing was learned, and the model falls back to what is known"
_LAYERS = "this model has layers beyond these tables, so they do not give its scores"


@dataclass(frozen=True, eq=False)
class Tables:
    """``vectors``: (n, d) float32. ``metadata``: column name → n texts, in order; one column has the name "label"."""

    vectors: Float32
    metadata: dict[str, list[str]]


@dataclass(frozen=True)
class Prediction:
    """How a model makes a score of vectors: the content of ``model.json``.

    Attributes:
        model: its registered name. predicts: ``rating`` or ``score``, which only ranks.
        formula: the score in words of the tables, or "" where the model has layers that no table holds.
        global_mean: μ, float32 (0 where nothing starts from a mean). output_range: (low, high) of the sigmoid, or None.
        rating_scale: predicted ratings are clipped to it where they are shown.
        known: (num_items,) and (num_users,) bool, who has training rows; not written: metadata has it as the column "trained".
    """

    model: str
    predicts: str
    formula: str
    global_mean: float
    output_range: tuple[float, float] | None
    rating_scale: tuple[float, float]
    known: tuple[Bool, Bool] | None = None

    @classmethod
    def of(cls, model: RecommenderModel) -> Prediction:
        """``model``: with the μ of its training part, and told whether it predicts ratings."""
        fallback, scale = model.fallback, (model.low, model.high)
        return cls(
            model=model.config.name,
            predicts="rating" if model.predicts_ratings else "score",
            formula=_formula(model),
            global_mean=float(model.global_mean),
            output_range=scale if model.config.output_range else None,
            rating_scale=scale,
            known=None if fallback is None else (fallback.item_known, fallback.user_known),
        )

    def to_json(self) -> dict[str, Any]:
        told = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "known"}
        return told | {"note": _HOLDS if self.formula else _LAYERS}


def _formula(model: RecommenderModel) -> str:
    if not MODELS[model.config.name].dot_product:
        return ""
    terms = [
        "global_mean",
        *(["user bias", "item bias"] if model.user_biases() is not None else []),
        "user vector · item vector",
    ]
    total = " + ".join(terms)
    return (
        f"low + (high - low) / (1 + exp(-({total}))), with low and high of output_range" if model.config.output_range else total
    )


class ModelSpace(EmbeddingSpace, Protocol):
    """Embeddings that a model of ours learned."""

    def prediction(self, epoch: int | None = None) -> Prediction:
        """How it makes a score, as it stands or as it was after ``epoch``."""


Exported = tuple[Float32, Columns, Prediction]
"""As :func:`vector_tables` gives it."""


def vector_tables(space: ModelSpace, *, what: str = "items", epoch: int | None = None) -> Exported:
    """(n, d) float32 vectors, their columns, and what else a prediction is made of. Columns: title, id, year, ratings, mean
    rating, genres, or label, id, ratings, mean rating for users; then trained and, where the model has one, bias.

    ``epoch``: None is the model that stands for the run, with every item and user; a number is that epoch's snapshot.

    Raises:
        UnusableRequest: nothing to export yet, or no snapshot of that epoch. DataUnavailable: no dataset.
    """
    choice("what", what, ("items", "users"))
    source = space.snapshots(every=epoch is None)
    stamps = source.stamps()
    kept = ", ".join(map(str, sorted(stamps)))
    found = source.load(max(stamps) if epoch is None else epoch)
    snapshot = present(found, f"there is no snapshot of epoch {epoch}; kept are {kept}")
    about, prediction = space.points(every=epoch is None)[what], space.prediction(epoch)
    if what == "users":
        columns: Columns = {name: about[name] for name in ("label", "id", "ratings", "mean")}
        return snapshot.users, columns | _of_rows(prediction, 1, source.user_idx, snapshot.user_biases), prediction
    columns = {name: about[name] for name in ("title", "id", "year", "ratings", "mean")}
    columns["genres"] = ["|".join(names) for names in about["genres"]]
    return snapshot.items, columns | _of_rows(prediction, 0, source.item_idx, snapshot.item_biases), prediction


def _of_rows(prediction: Prediction, side: int, index: Int64, biases: Float32 | None) -> Columns:
    """What a prediction needs to know of each row besides its vector. ``side``: 0 items, 1 users."""
    known = None if prediction.known is None else prediction.known[side][index]
    columns: Columns = {} if known is None else {"trained": ["yes" if one else "no" for one in known]}
    return columns if biases is None else columns | {"bias": [f"{bias:.9g}" for bias in biases.tolist()]}


def export_tables(vectors: npt.ArrayLike, columns: Columns, prediction: Prediction, out: str | Path) -> tuple[Path, Path, Path]:
    """``vectors.tsv``, ``metadata.tsv`` and ``model.json`` in the folder ``out``, made if need be. Returns their paths.

    Raises:
        UnusableRequest: ``out`` cannot be written to.
    """
    paths = Path(out) / VECTORS, Path(out) / METADATA, Path(out) / MODEL
    texts = write_vectors(vectors), write_metadata(columns), write_model(prediction)
    for path, text in zip(paths, texts, strict=True):
        write_atomically(path, text.encode())
    return paths


def write_model(prediction: Prediction) -> str:
    """Text of ``model.json``."""
    return json.dumps(prediction.to_json(), indent=2, ensure_ascii=False) + "\n"


def write_vectors(vectors: npt.ArrayLike) -> str:
    """Text of ``vectors.tsv``: nine significant digits, from which float32 comes back exactly."""
    return "".join("\t".join(f"{value:.9g}" for value in row) + "\n" for row in np.asarray(vectors, np.float32).tolist())


def write_metadata(columns: Mapping[str, Sequence[object]]) -> str:
    """Text of ``metadata.tsv``. What would break a table (tabs, line ends) becomes a space; None becomes nothing."""
    names = [_flat(name) for name in columns]
    rows = zip(*columns.values(), strict=True)
    lines = ["\t".join(_flat("" if value is None else str(value)) for value in row) for row in rows]
    return "".join(line + "\n" for line in (["\t".join(names), *lines] if len(names) > 1 else lines))


def pack_tables(vectors: npt.ArrayLike, columns: Mapping[str, Sequence[object]], prediction: Prediction | None = None) -> bytes:
    """The files in a zip; ``model.json`` where there is a model."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        archive.writestr(VECTORS, write_vectors(vectors))
        archive.writestr(METADATA, write_metadata(columns))
        if prediction is not None:
            archive.writestr(MODEL, write_model(prediction))
    return buffer.getvalue()


def read_zip(data: bytes) -> Tables:
    """The tables of a zip that :func:`pack_tables`, or anybody, made. Only these two names are looked at.

    Raises:
        UnusableRequest: not a zip, no vectors in it, too large, or see :func:`read_tables`.
    """
    texts = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {info.filename.rpartition("/")[2]: info for info in archive.infolist()}
            require(VECTORS in names, f"this zip file holds no {VECTORS}")
            for name in (VECTORS, METADATA):
                if name in names:
                    with archive.open(names[name]) as file:
                        texts[name] = file.read(MOST_BYTES + 1)  # sizes in a zip's directory can lie
    except UnusableRequest:
        raise
    except (OSError, *DAMAGED_ZIP) as error:
        raise UnusableRequest(f"this is not a zip file, or it is damaged ({error})") from None
    return read_tables(texts[VECTORS], texts.get(METADATA))


def read_tables(vectors: bytes, metadata: bytes | None = None) -> Tables:
    """Read both files; a header is found out by itself. Nothing in them is run or followed.

    A first line of vectors that is not numbers is a header. Metadata with one line more than there are vectors has a header;
    without metadata the points are numbered.

    Raises:
        UnusableRequest: too large, a line that is not numbers or of another length (named), or lengths that do not agree.
    """
    table = _vectors(_text(vectors, VECTORS))
    if metadata is None:
        return Tables(table, {"label": [str(number + 1) for number in range(len(table))]})
    return Tables(table, _metadata(_text(metadata, METADATA), len(table)))


def _text(data: bytes, name: str) -> str:
    require(len(data) <= MOST_BYTES, f"{name} is larger than {MOST_BYTES // 1024**2} MB; keep fewer points or dimensions")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableRequest(f"{name} is not text in UTF-8; save it as that") from None


def _lines(text: str) -> list[str]:
    """Lines as a table has them: not at the other characters that str.splitlines() breaks at, which may stand in a title."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _vectors(text: str) -> Float32:
    lines = _lines(text)
    while lines and not lines[-1].strip():
        lines.pop()
    require(bool(lines), f"{VECTORS} is empty; it needs one line of numbers per point")
    first = 1 if _numbers(lines[0]) is None and len(lines) > 1 else 0
    count, width = len(lines) - first, len(lines[first].split("\t"))
    require(count <= MOST_POINTS, f"{VECTORS} has {count:,} points; at most {MOST_POINTS:,} can be looked at")
    require(width <= MOST_WIDE, f"{VECTORS} has {width:,} numbers a line; at most {MOST_WIDE:,}")
    table = np.empty((count, width), dtype=np.float32)
    for place, line in enumerate(lines[first:]):
        where = f"line {place + first + 1} of {VECTORS}"
        row = present(_numbers(line), f"{where} is not numbers with tabs between them: {line[:60]!r}")
        require(len(row) == width, f"{where} has {len(row)} numbers, the first has {width}")
        table[place] = row
    require(bool(np.isfinite(table).all()), f"{VECTORS} holds NaN, infinity or numbers beyond float32; leave those points out")
    return table


def _numbers(line: str) -> Float32 | None:
    try:
        with np.errstate(over="ignore"):
            return np.array([float(word) for word in line.split("\t")], dtype=np.float64).astype(np.float32)
    except ValueError:
        return None


def _metadata(text: str, count: int) -> dict[str, list[str]]:
    lines = _lines(text)
    while len(lines) > count + 1 and not lines[-1].strip():
        lines.pop()
    fit = len(lines) in (count, count + 1)
    require(fit, f"{METADATA} has {len(lines):,} lines for {count:,} points; it needs one a point, and may have a header")
    rows = [[word[:_MOST_TEXT] for word in line.split("\t")] for line in lines]
    width = len(rows[0])
    require(width <= MOST_COLUMNS, f"{METADATA} has {width} columns; at most {MOST_COLUMNS}")
    for place, row in enumerate(rows):
        require(len(row) == width, f"line {place + 1} of {METADATA} has {len(row)} columns, the first has {width}")
    header = len(rows) == count + 1
    names = rows.pop(0) if header else (["label"] if width == 1 else [f"column {place + 1}" for place in range(width)])
    require(len(set(names)) == width, f"two columns of {METADATA} have the same name; give each its own")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _flat(text: str) -> str:
    return text.replace("\t", " ").replace("\r", " ").replace("\n", " ")
