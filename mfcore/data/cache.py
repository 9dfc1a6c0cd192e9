"""A dataset on disk, as columns: read in milliseconds, checked before it is believed."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mfcore.data.interactions import FEEDBACK, Interactions, make_item_table
from mfcore.data.vocabulary import Vocabulary
from mfcore.files import loads, read_arrays, write_atomically
from mfcore.paths import reason

MANIFEST = "manifest.json"
FORMAT = 1
_NO_YEAR = -1
_BETWEEN = "\x1f"


class DamagedCache(Exception):
    """What is stored is not what was written. The message is one line saying how that shows."""


def write_cache(folder: Path, data: Interactions, source: str) -> None:
    """Store ``data`` in ``folder``. The manifest, replaced last and in one step, makes it valid; a reader sees the old
    dataset or the new one.

    Raises:
        UnusableRequest: the folder cannot be written to.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **to_columns(data))
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    file = f"data-{sha256[:16]}.npz"
    write_atomically(folder / file, content)
    manifest = {
        "format": FORMAT,
        "name": data.name,
        "file": file,
        "bytes": len(content),
        "sha256": sha256,
        "fingerprint": data.fingerprint,
        "interactions": len(data),
        "source": source,
        "fetched": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    for old in folder.glob("data-*.npz"):
        if old.name != file:
            old.unlink(missing_ok=True)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What is stored in ``folder`` and where it came from; None when nothing is.

    Raises:
        DamagedCache: there is a manifest, but it cannot be used.
    """
    try:
        manifest = loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedCache(f"its manifest cannot be read, {reason(error)}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not isinstance(manifest.get("file"), str):
        raise DamagedCache("its manifest is of another version")
    return manifest


def read_cache(folder: Path) -> Interactions | None:
    """The stored dataset, or None when nothing is stored.

    Raises:
        DamagedCache: the file is missing, its size or checksum differs, or its content does not make sense.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    try:
        content = (folder / Path(manifest["file"]).name).read_bytes()
    except OSError as error:
        raise DamagedCache(f"its data file cannot be read, {reason(error)}") from error
    if len(content) != manifest.get("bytes"):
        raise DamagedCache(f"{len(content):,} bytes instead of {manifest.get('bytes')}")
    if hashlib.sha256(content).hexdigest() != manifest.get("sha256"):
        raise DamagedCache("its checksum differs")
    try:
        return from_columns(read_arrays(io.BytesIO(content)))
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise DamagedCache(f"its content does not make sense, {reason(error)}") from error


def to_columns(data: Interactions) -> dict[str, Any]:
    """Everything there is to store, as arrays without objects."""
    table = data.item_table
    columns: dict[str, Any] = {
        "name": np.array(data.name),
        "user_idx": data.user_idx.astype(np.int32),
        "item_idx": data.item_idx.astype(np.int32),
        "rating": data.rating,
        "users": data.users.ids,
        "items": data.items.ids,
        "title": table["title"].to_numpy(dtype=np.str_),
        "year": table["year"].fillna(_NO_YEAR).to_numpy(dtype=np.int64),
        "genres": np.array([_BETWEEN.join(genres) for genres in table["genres"]], dtype=np.str_),
        "rating_scale": np.array(data.rating_scale),
    }
    if data.timestamp is not None:
        columns["timestamp"] = data.timestamp
    columns["feedback"] = np.array(data.feedback)
    columns |= {name: value for name in ("part", "negatives") if (value := getattr(data, name)) is not None}
    if data.planted is not None:
        columns["planted_users"], columns["planted_items"] = data.planted
    for column, series in () if data.user_table is None else data.user_table.items():
        values = series.to_numpy()
        columns[f"user:{column}"] = values if values.dtype.kind in "if" else values.astype(np.str_)
    return columns


def from_columns(columns: dict[str, Any], make: Callable[..., Interactions] = Interactions) -> Interactions:
    """The inverse of :func:`to_columns`; ``make`` may be ``Interactions.checked_before``."""
    import pandas as pd

    years = [None if year == _NO_YEAR else year for year in columns["year"].tolist()]
    genres = [tuple(joined.split(_BETWEEN)) if joined else () for joined in columns["genres"].tolist()]
    about_users = {name.removeprefix("user:"): values for name, values in columns.items() if name.startswith("user:")}
    low, high = columns["rating_scale"].tolist()
    planted = (columns["planted_users"], columns["planted_items"]) if "planted_users" in columns else None
    return make(
        user_idx=columns["user_idx"],
        item_idx=columns["item_idx"],
        rating=columns["rating"],
        timestamp=columns.get("timestamp"),
        users=Vocabulary(columns["users"], "user"),
        items=Vocabulary(columns["items"], "item"),
        item_table=make_item_table(columns["title"], years, genres),
        rating_scale=(low, high),
        name=str(columns["name"]),
        user_table=pd.DataFrame({name: list(values.tolist()) for name, values in about_users.items()}) if about_users else None,
        planted=planted,
        feedback=str(columns.get("feedback", FEEDBACK[0])),
        part=columns.get("part"),
        negatives=columns.get("negatives"),
    )
