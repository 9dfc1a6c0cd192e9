"""Which datasets somebody has imported into a data directory: found by every process, without a restart."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mfcore.data.interactions import FEEDBACK
from mfcore.data.sources.fetching import Source
from mfcore.errors import UnusableRequest
from mfcore.files import read_json
from mfcore.paths import chosen_dir
from mfcore.registry import DatasetSpec

META = "dataset.json"
FORMAT = 1
LONGEST_TITLE = 60

_known: dict[str, tuple[int, DatasetSpec | None]] = {}


def imported_specs(home: str | Path | None = None) -> dict[str, DatasetSpec]:
    """What has been imported into a data directory, by name; quick, and never an error."""
    folder, found = chosen_dir(home)[0] / "datasets", {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            spec = None if entry.name.startswith(".") else _spec_in(f"{entry.path}/{META}")
            if spec is not None:
                found[spec.name] = spec
    return found


def _spec_in(path: str) -> DatasetSpec | None:
    try:
        stamp = os.stat(path).st_mtime_ns  # noqa: PTH116 - asked at every look-up
    except OSError:
        return None
    known = _known.get(path)
    if known is None or known[0] != stamp:
        try:
            known = stamp, _spec(read_json(Path(path)) or {}, Path(path).parent.name)
        except (KeyError, TypeError, ValueError, UnusableRequest):
            known = stamp, None
        _known[path] = known
    return known[1]


def _spec(meta: Mapping[str, Any], name: str) -> DatasetSpec | None:
    """The dataset that ``meta`` describes; None where it does not describe one."""
    if meta.get("format") != FORMAT or meta.get("name") != name or meta["feedback"] not in FEEDBACK:
        return None
    rows, users, items = (int(number) for number in meta["counts"])
    words = {kind: tuple(str(one) for one in said) for kind, said in dict(meta.get("words", {})).items()}
    item, user = _two(words, "item", ("item", "items")), _two(words, "user", ("user", "users"))
    low, high = (float(end) for end in meta["scale"])
    what = {"ratings": f"ratings of {low:g} to {high:g}", "counts": f"pairs, up to {high:g} times", "chosen": "interactions"}
    return DatasetSpec(
        name=name,
        title=str(meta["title"])[:LONGEST_TITLE],
        description=str(meta.get("description") or f"Imported from {meta.get('file') or 'a table'}, {meta['imported'][:10]}."),
        size=f"{users:,} {user[1]} × {items:,} {item[1]}, {rows:,} {what[meta['feedback']]}",
        licence="Yours: whoever imported it knows on what terms.",
        item=item,
        user=user,
        rating=_two(words, "rating", ("point", "points")),
        symbol=(words.get("symbol") or ("",))[0],
        feedback=meta["feedback"],
        scale=(low, high),
        has_titles=bool(meta["has_titles"]),
        has_timestamps=bool(meta["has_timestamps"]),
        has_parts=bool(meta["has_parts"]),
        source=Source(origins=(), advice=f"Import it again: python -m mfcore import FILE --name {name}"),
        imported=True,
    )


def _two(words: Mapping[str, tuple[str, ...]], kind: str, usual: tuple[str, str]) -> tuple[str, str]:
    said = [one for one in words.get(kind, ()) if one.strip()]
    return (said[0], said[1]) if len(said) == 2 else usual
