"""Imported datasets on disk: written whole or not at all, found by every process, renamed, exported and deleted."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from mfcore.data.cache import MANIFEST, read_manifest, write_cache
from mfcore.data.imported import FORMAT, LONGEST_TITLE, META, imported_specs
from mfcore.data.importing.building import Imported, read
from mfcore.data.importing.plan import ImportPlan
from mfcore.data.interactions import Interactions
from mfcore.errors import UnusableRequest
from mfcore.files import read_json, write_atomically
from mfcore.paths import chosen_dir, data_dir, reason, writable_folder
from mfcore.registry import DATASETS
from mfcore.validate import require, text

LEFT_OUT = "left-out.csv"
_BEGUN = ".importing-"


def name_of(title: str) -> str:
    """A short name for the data of this title, for flags and folders: "Meine Bücher (2024)" → "meine-bucher-2024"."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:LONGEST_TITLE].strip("-") or "data"


def import_dataset(
    source: Any,
    title: str,
    plan: ImportPlan | None = None,
    *,
    items: Any = None,
    description: str = "",
    file: str = "",
    home: str | Path | None = None,
    progress: Callable[[str, float | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Imported:
    """Read ``source`` (see :func:`mfcore.data.importing.read`) and keep it as a dataset, which is then loaded by its name:
    that of ``.interactions``. ``file``: what the source was called where its path does not say.

    Raises:
        UnusableRequest: it cannot be read, the name is taken, somebody else is importing under it, or there is no room.
        Cancelled: somebody called it off; nothing of it is left.
    """
    title = text("name", title, LONGEST_TITLE)
    require(bool(title.strip()), "the dataset needs a name")
    name, folder = name_of(title), writable_folder(data_dir(home) / "datasets")
    _refuse_taken(name, folder)
    with _alone(name, folder):
        _refuse_taken(name, folder)
        found = read(source, plan, items=items, name=name, progress=progress, cancelled=cancelled)
        given = file or (Path(str(source)).name if isinstance(source, str | os.PathLike) else "")
        _write(folder, name, found, {"title": title, "description": text("description", description, 500), "file": given})
    return found


def _refuse_taken(name: str, folder: Path) -> None:
    taken = (folder / name / META).is_file() or (folder / name).exists() or name in DATASETS
    require(not taken, f"there is a dataset {name} already; choose another name, or delete that one first")


@contextmanager
def _alone(name: str, folder: Path) -> Iterator[None]:
    """One import of a name at a time; what an earlier one left behind goes."""
    lock = filelock.FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise UnusableRequest(f"{name} is being imported right now; wait for it, or choose another name") from None
    except OSError as error:
        raise UnusableRequest(f"cannot write to {folder} ({reason(error)}); choose another data directory") from error
    try:
        shutil.rmtree(folder / f"{_BEGUN}{name}", ignore_errors=True)
        yield
    finally:
        shutil.rmtree(folder / f"{_BEGUN}{name}", ignore_errors=True)
        lock.release()


def _write(folder: Path, name: str, found: Imported, about: Mapping[str, str]) -> None:
    """Everything into a folder nobody looks at, which then takes its place in one step."""
    data, begun = found.interactions, folder / f"{_BEGUN}{name}"
    write_cache(begun, data, source=about["file"] or "a table")
    meta = {
        "format": FORMAT,
        "name": name,
        **about,
        "imported": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "words": {kind: list(said) for kind, said in found.plan.words.items()},
        "feedback": data.feedback,
        "scale": list(data.rating_scale),
        "counts": [len(data), data.num_users, data.num_items],
        "has_titles": bool((data.item_table["title"] != "").any()),
        "has_timestamps": data.timestamp is not None,
        "has_parts": data.part is not None,
        "plan": found.plan.to_dict(),
        "report": found.report.to_dict(),
    }
    try:
        if found.report.num_left_out:
            found.report.save(begun / LEFT_OUT)
        write_atomically(begun / META, json.dumps(meta, indent=1, ensure_ascii=False).encode())
        begun.rename(folder / name)
    except OSError as error:
        raise UnusableRequest(f"cannot write {folder / name} ({reason(error)}); free some space") from error


# --- managing -----------------------------------------------------------------------------------------------------------------


def about_dataset(name: str, home: str | Path | None = None) -> dict[str, Any]:
    """Everything that was noted of an imported dataset, and ``bytes``: its size on disk.

    Raises:
        UnusableRequest: there is none of that name.
    """
    folder = _folder(name, home)
    meta: dict[str, Any] = read_json(folder / META) or {}
    return {**meta, "bytes": sum(path.stat().st_size for path in folder.iterdir() if path.is_file()), "folder": str(folder)}


def describe_dataset(name: str, home: str | Path | None = None, **changes: Any) -> None:
    """Change ``title``, ``description`` or ``words`` (kind → one and many). The name stays: runs know the data by it.

    Raises:
        UnusableRequest: there is no such dataset, or what was given is none of these.
    """
    folder = _folder(name, home)
    meta: dict[str, Any] = read_json(folder / META) or {}
    for key, value in changes.items():
        require(
            key in ("title", "description", "words"), f"{key} of a dataset cannot be changed; title, description and words can"
        )
        if key == "words":
            value = {**meta.get("words", {}), **{kind: list(said) for kind, said in ImportPlan(words=value).words.items()}}
        else:
            value = text(key, value, LONGEST_TITLE if key == "title" else 500)
            require(key != "title" or bool(value.strip()), "the dataset needs a name")
        meta[key] = value
    write_atomically(folder / META, json.dumps(meta, indent=1, ensure_ascii=False).encode())


def delete_dataset(name: str, home: str | Path | None = None) -> None:
    """Remove an imported dataset. Runs on it stay, and cannot be opened any more.

    Raises:
        UnusableRequest: there is none of that name, or it cannot be removed.
    """
    folder = _folder(name, home)
    gone = folder.with_name(f"{_BEGUN}{name}")
    try:
        folder.rename(gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise UnusableRequest(f"{name} cannot be deleted ({reason(error)})") from error


def export_dataset(data: Interactions, path: str | Path) -> Path:
    """Write interactions as .csv, .csv.gz or .parquet: user_id, item_id, rating, timestamp and title, as far as there are any.

    Raises:
        UnusableRequest: another kind of file, or it cannot be written.
    """
    import pandas as pd

    target = Path(path).expanduser()
    require(target.name.endswith((".csv", ".csv.gz", ".parquet")), f"{target.name} must end in .csv, .csv.gz or .parquet")
    columns: dict[str, Any] = {"user_id": data.users.ids[data.user_idx], "item_id": data.items.ids[data.item_idx]}
    columns["rating"] = data.rating
    if data.timestamp is not None:
        columns["timestamp"] = data.timestamp
    if data.part is not None:
        columns["part"] = pd.Categorical.from_codes(data.part.astype("int64"), categories=["train", "valid", "test"])
    titles = data.item_table["title"].to_numpy()
    if (titles != "").any():
        columns["title"] = titles[data.item_idx]
    table = pd.DataFrame(columns)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".parquet":
            table.to_parquet(target, index=False)
        else:
            table.to_csv(target, index=False)
    except OSError as error:
        raise UnusableRequest(f"cannot write {target} ({reason(error)})") from error
    return target


def _folder(name: str, home: str | Path | None) -> Path:
    known = imported_specs(home)
    require(name in known, f"{name} is no imported dataset; there {'are ' + ', '.join(known) if known else 'is none'}")
    folder = chosen_dir(home)[0] / "datasets" / name
    require((folder / MANIFEST).is_file() and read_manifest(folder) is not None, f"{name} is damaged; import it again")
    return folder
