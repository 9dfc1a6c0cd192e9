"""Datasets that people brought: each a folder of columns, whole or not there at all, known in every process at once."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from mfcore.data.cache import DamagedCache, from_columns, to_columns
from mfcore.data.interactions import Interactions
from mfcore.errors import UnusableRequest
from mfcore.files import read_json, write_json
from mfcore.paths import chosen_dir, reason, writable_folder
from mfcore.registry import DATASETS, DatasetSpec
from mfcore.validate import require, text

if TYPE_CHECKING:
    from mfcore.data.importing import Imported, ImportPlan
    from mfcore.data.importing.report import Watch

META = "imported.json"
FORMAT = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_BEGUN = ".importing-"
"""How folders begin that are not whole yet."""
_known: dict[Path, tuple[tuple[Any, ...], dict[str, DatasetSpec]]] = {}


def check_name(name: str, home: str | Path | None = None) -> str:
    """``name`` if a dataset may be imported under it.

    Raises:
        UnusableRequest: it is no plain name, or it is taken.
    """
    good = isinstance(name, str) and _NAME.fullmatch(name) is not None and not name.endswith(".")
    require(good, f"the name of a dataset is 1 to 40 small letters, digits and . _ -, such as my-books; got {str(name)[:60]!r}")
    require(
        not DATASETS.is_registered(name),
        f"there is a dataset {name} already, which comes with the program; choose another name",
    )
    require(not _folder(name, home).exists(), f"there is a dataset {name} already; delete it first, or choose another name")
    return name


def store_imported(
    imported: Imported,
    name: str,
    *,
    title: str = "",
    description: str = "",
    source: str = "",
    home: str | Path | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DatasetSpec:
    """Keep what was read under ``name``, from when on it can be loaded like any other dataset. Until all is written there is
    nothing; of two who store under one name at once, the second is refused.

    Raises:
        UnusableRequest: the name cannot be used, or there is no room. Cancelled: somebody called it off.
    """
    from mfcore.data.importing.report import Watch

    watch = Watch(cancelled=cancelled or (lambda: False))
    check_name(name, home)
    root = writable_folder(_root(home))
    begun = root / f"{_BEGUN}{name}"
    lock = FileLock(root / f"{_BEGUN}{name}.lock")
    try:
        with lock.acquire(timeout=0):
            shutil.rmtree(begun, ignore_errors=True)  # of somebody who died in it: whoever lives holds the lock
            check_name(name, home)
            begun.mkdir()
            try:
                _write(begun, imported, _meta(imported, name, title, description, source), watch)
                begun.rename(root / name)
            except BaseException:
                shutil.rmtree(begun, ignore_errors=True)
                raise
    except Timeout:
        raise UnusableRequest(f"somebody is importing {name} at this moment; wait, or choose another name") from None
    except OSError as error:
        raise UnusableRequest(
            f"{name} cannot be stored ({reason(error)}); free some space or choose another data directory"
        ) from error
    return imported_in(root.parent)[name]


def import_dataset(
    source: Any,
    name: str,
    plan: ImportPlan | None = None,
    *,
    items: Any = None,
    title: str = "",
    description: str = "",
    home: str | Path | None = None,
    progress: Callable[[str, float | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Imported:
    """Read a file and keep what is in it under ``name``: :func:`mfcore.data.importing.read`, then :func:`store_imported`.

    Args:
        source: as of ``read``, also a Preview. home: the data directory; see :func:`mfcore.paths.data_dir`.

    Raises:
        UnusableRequest: it cannot be read, or the name cannot be used. Cancelled: somebody called it off; nothing is left.
    """
    from mfcore.data.importing import Preview, read

    check_name(name, home)
    imported = read(source, plan, items=items, name=name, progress=progress, cancelled=cancelled)
    if progress is not None:
        progress("Storing the dataset", None)
    read_from = source.opened.name if isinstance(source, Preview) else _called(source)
    store_imported(imported, name, title=title, description=description, source=read_from, home=home, cancelled=cancelled)
    return imported


def _called(source: Any) -> str:
    """What a source is called in the notes: the name of its file."""
    return (
        Path(source).name[:200]
        if isinstance(source, (str, Path))
        else "a table"
        if hasattr(source, "columns")
        else "several files"
    )


def _meta(imported: Imported, name: str, title: str, description: str, source: str) -> dict[str, Any]:
    data, plan = imported.interactions, imported.plan
    return {
        "format": FORMAT,
        "name": name,
        "id": secrets.token_hex(8),
        "title": text("title", title or name),
        "description": text("description", description, 2000),
        "source": text("source", source),
        "imported": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "users": data.num_users,
        "items": data.num_items,
        "interactions": len(data),
        "scale": data.rating_scale,
        "feedback": data.feedback,
        "has_titles": bool((data.item_table["title"].str.len() > 0).any()),
        "has_timestamps": data.timestamp is not None,
        "has_parts": data.part is not None,
        "words": {kind: list(said) for kind, said in plan.words.items()},
        "plan": plan.to_dict(),
        "report": imported.report.to_dict(),
    }


def _write(folder: Path, imported: Imported, meta: dict[str, Any], watch: Watch) -> None:
    columns = to_columns(imported.interactions) | {"name": np.array(meta["name"])}
    files: dict[str, Any] = {}
    for number, (column, values) in enumerate(columns.items()):
        watch.tell(f"Storing {column}", number / len(columns))
        path = folder / f"{number}.npy"
        with path.open("wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(values).reshape(np.shape(values)), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        files[column] = {"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
    write_json(folder / META, meta | {"columns": files})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- finding ------------------------------------------------------------------------------------------------------------------


def _root(home: str | Path | None) -> Path:
    return chosen_dir(home)[0] / "datasets"


def _folder(name: str, home: str | Path | None) -> Path:
    return _root(home) / name


def find_imported() -> Mapping[str, DatasetSpec]:
    """Those of the data directory of this process."""
    return imported_in(chosen_dir()[0])


def imported_in(home: Path) -> Mapping[str, DatasetSpec]:
    """Name → spec of all that are whole below ``home``. Looked up again when something there has come, gone or been renamed."""
    root = home / "datasets"
    try:
        metas = sorted(entry.path for entry in os.scandir(root) if not entry.name.startswith("."))
    except OSError:
        return {}
    paths = [Path(one) / META for one in metas]
    state = tuple((str(path), found.st_ino, found.st_mtime_ns) for path in paths if (found := _stat(path)) is not None)
    kept = _known.get(root)
    if kept is None or kept[0] != state:
        metas_read = [(Path(path).parent, read_json(Path(path))) for path, *_ in state]
        specs = [_spec(folder, meta) for folder, meta in metas_read if meta is not None]
        kept = _known[root] = (state, {spec.name: spec for spec in specs if spec is not None})
    return kept[1]


def _stat(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        return path.stat()
    return None


def _spec(folder: Path, meta: Mapping[str, Any]) -> DatasetSpec | None:
    """None where what is stored is of another version, or has been moved."""
    try:
        if meta["format"] != FORMAT or meta["name"] != folder.name:
            return None
        words = {kind: tuple(map(str, said)) for kind, said in meta.get("words", {}).items()}
        size = f"{meta['users']:,} users × {meta['items']:,} items, {meta['interactions']:,} interactions"
        low, high = meta["scale"]
        return DatasetSpec(
            name=folder.name,
            title=str(meta["title"]),
            description=str(meta.get("description") or f"Imported from {meta.get('source') or 'a table'}."),
            size=size,
            licence="That of whoever it is from.",
            item=_pair(words.get("item"), ("item", "items")),
            user=_pair(words.get("user"), ("user", "users")),
            rating=_pair(words.get("rating"), ("point", "points")),
            symbol=words.get("symbol", ("",))[0],
            feedback=str(meta["feedback"]),
            scale=(float(low), float(high)),
            has_titles=bool(meta["has_titles"]),
            has_timestamps=bool(meta["has_timestamps"]),
            has_parts=bool(meta["has_parts"]),
            folder=folder,
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _pair(said: tuple[str, ...] | None, otherwise: tuple[str, str]) -> tuple[str, str]:
    return otherwise if not said else (said[0], said[-1])


def identity(folder: Path) -> str:
    """Which import lies in ``folder``: another one under the same name, after the first was deleted, is another."""
    return str((read_json(folder / META) or {}).get("id", ""))


def open_imported(folder: Path) -> Interactions:
    """The dataset in ``folder``. Sizes are held against what was written; checksums by :func:`verify_imported`.

    Raises:
        UnusableRequest: a file is missing or has another size, or the content makes no sense.
    """
    try:
        columns = (read_json(folder / META) or {})["columns"]
        arrays = {name: _column(folder, name, one) for name, one in columns.items()}
        return from_columns(arrays, Interactions.checked_before)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, EOFError, DamagedCache) as error:
        raise _damaged(folder.name, reason(error)) from error


def _column(folder: Path, name: str, told: Mapping[str, Any]) -> Any:
    path = folder / Path(told["file"]).name
    if path.stat().st_size != told["bytes"]:
        raise DamagedCache(f"the file of column {name} has {path.stat().st_size:,} bytes instead of {told['bytes']:,}")
    return np.load(path, allow_pickle=False)


def _damaged(name: str, why: str) -> UnusableRequest:
    return UnusableRequest(f"dataset {name} is damaged ({why}); delete it and import it again")


def verify_imported(name: str, home: str | Path | None = None) -> None:
    """Hold every byte against the checksums.

    Raises:
        UnusableRequest: some file is not what was written.
    """
    folder = _existing(name, home)
    for column, told in describe_dataset(name, home)["columns"].items():
        path = folder / Path(told["file"]).name
        if not path.is_file() or _sha256(path) != told["sha256"]:
            raise _damaged(name, f"column {column} is not what was written")


# --- managing -----------------------------------------------------------------------------------------------------------------


def _existing(name: str, home: str | Path | None) -> Path:
    found = imported_in(chosen_dir(home)[0])
    known = ", ".join(found) or "none so far"
    require(name in found and not DATASETS.is_registered(name), f"{name} is no imported dataset; there are: {known}")
    return found[name].folder or _folder(name, home)


def describe_dataset(name: str, home: str | Path | None = None) -> dict[str, Any]:
    """What is known of an imported dataset: source, time, plan, report, words, columns.

    Raises:
        UnusableRequest: there is none of that name.
    """
    return read_json(_existing(name, home) / META) or {}


def rename_dataset(
    name: str, *, title: str | None = None, description: str | None = None, home: str | Path | None = None
) -> None:
    """Change what people read. The name stays, because runs know the data by it.

    Raises:
        UnusableRequest: there is none of that name, or the words are unusable.
    """
    meta = describe_dataset(name, home)
    if title is not None:
        require(bool(title.strip()), "a dataset needs a title")
        meta["title"] = text("title", title.strip())
    if description is not None:
        meta["description"] = text("description", description, 2000)
    write_json(_existing(name, home) / META, meta)


def delete_dataset(name: str, home: str | Path | None = None) -> None:
    """Remove an imported dataset: gone for all at once. Which runs need it, :func:`mfcore.runs.datasets.runs_on` tells.

    Raises:
        UnusableRequest: there is none of that name.
    """
    folder = _existing(name, home)
    aside = folder.with_name(f"{_BEGUN}gone-{secrets.token_hex(6)}")
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def disk_use(name: str, home: str | Path | None = None) -> int:
    """Bytes of an imported dataset on disk."""
    return sum(path.stat().st_size for path in _existing(name, home).iterdir() if path.is_file())


def export_dataset(name: str, path: str | Path, home: str | Path | None = None) -> Path:
    """Write an imported dataset in its raw ids: user, item, rating, and title, timestamp and part where there are any.

    Args:
        path: ends in .csv (UTF-8) or .parquet.

    Raises:
        UnusableRequest: another ending, or it cannot be written.
    """
    target = Path(path)
    require(target.suffix in (".csv", ".parquet"), f"the file must end in .csv or .parquet, got {target.name}")
    import pandas as pd

    from mfcore.data.interactions import PARTS

    data = open_imported(_existing(name, home))
    table = {"user": data.users.ids[data.user_idx], "item": data.items.ids[data.item_idx], "rating": data.rating}
    if data.timestamp is not None:
        table["timestamp"] = data.timestamp
    if data.part is not None:
        table["part"] = np.array(PARTS)[data.part]
    if data.item_table["title"].str.len().any():
        table["title"] = data.item_table["title"].to_numpy()[data.item_idx]
    frame, beside = pd.DataFrame(table), target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        if target.suffix == ".csv":
            frame.to_csv(beside, index=False)
        else:
            frame.to_parquet(beside, index=False)
        beside.replace(target)
    except OSError as error:
        raise UnusableRequest(f"cannot write {target} ({reason(error)})") from error
    finally:
        beside.unlink(missing_ok=True)
    return target
