"""Large generated datasets on disk, so that a page, a worker and the next day need not make them again."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from mfcore.data.cache import MANIFEST, DamagedCache, read_cache, write_cache
from mfcore.data.interactions import Interactions
from mfcore.data.sources.download import Progress
from mfcore.errors import UnusableRequest

STORED_FROM = 2_000_000
"""Interactions below which making them is as quick as reading them."""
_KEPT = 2
_FORMAT = 1


def worth_storing(options: Mapping[str, float]) -> bool:
    """Whether a dataset of these options is large enough to be kept on disk."""
    return options.get("num_users", 0) * options.get("num_items", 0) * options.get("density", 0.0) >= STORED_FROM


def load_made(
    name: str, options: Mapping[str, float], make: Callable[[], Interactions], datasets: Path, progress: Progress
) -> Interactions:
    """What ``make`` makes from ``options``, read from below ``datasets`` where it was stored, else made and stored there.

    The two made last are kept. A damaged file is made anew, and a folder that cannot be written to costs only the storing.
    """
    folder = datasets / f"{name}-{hashlib.sha256(repr((_FORMAT, name, sorted(options.items()))).encode()).hexdigest()[:16]}"
    progress(f"reading {name}", None)
    with contextlib.suppress(DamagedCache):
        data = read_cache(folder)
        if data is not None:
            return data
    progress(f"making {name}: this size takes a while, and is kept for the next time", None)
    data = make()
    with contextlib.suppress(UnusableRequest):
        write_cache(folder, data, "generated")
        _forget_older(datasets, name)
    return data


def _forget_older(datasets: Path, name: str) -> None:
    manifests = sorted(datasets.glob(f"{name}-*/{MANIFEST}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for manifest in manifests[_KEPT:]:
        shutil.rmtree(manifest.parent, ignore_errors=True)
