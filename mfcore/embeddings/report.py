"""What the vectors of a run say, epoch by epoch: names of axes, spectrum, norms, and how near they are to a planted truth."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mfcore.data import Interactions
from mfcore.embeddings import shape
from mfcore.embeddings.attributes import item_attributes
from mfcore.embeddings.axes import AxisName, name_axes
from mfcore.embeddings.frames import FrameSource, frames_of
from mfcore.embeddings.points import data_for, name_of
from mfcore.embeddings.snapshot_files import Snapshot
from mfcore.embeddings.space import Space, space_of
from mfcore.embeddings.view import View
from mfcore.runs.layout import open_folder
from mfcore.validate import require

Answer = TypeVar("Answer")
_DOT_MODELS = ("mf", "biased-mf")
_KEPT = 2000
_computed: OrderedDict[Any, Any] = OrderedDict()
_guard = threading.Lock()


def axis_sentences(run_id: str, home: str | Path | None = None, view: View | None = None) -> list[AxisName]:
    """Each axis of a view in words, at the latest epoch there is (see :func:`mfcore.embeddings.axes.name_axes`).

    Rows in ``low`` and ``high`` are those of the space. Films for the ends are taken from the more rated half.

    Raises:
        UnusableRequest: no such run, nothing to show yet, or a selection of fewer than 8 films.
    """
    folder = open_folder(run_id, home)
    source = frames_of(folder)
    latest = max(source.stamps(), default=0)
    space = space_of(source, view, since=latest)
    chosen = source if view is None else view.selected(source)
    snapshot = chosen.load(latest)
    require(bool(space.epochs) and snapshot is not None, "there are no vectors to show yet; wait for the first epoch")
    assert snapshot is not None
    return _named(space, data_for(chosen, folder, home), snapshot)


def _named(space: Space, data: Interactions, snapshot: Snapshot) -> list[AxisName]:
    often = data.popularity()[space.item_idx]
    table = data.item_table["title"].tolist()
    titles = [spoken(name_of(table[item], data.items.ids[item])) for item in space.item_idx.tolist()]
    attributes = item_attributes(data, space.item_idx, snapshot.item_biases)
    return name_axes(space.items[-1], attributes, titles, known=often >= np.median(often))


def spoken(title: str) -> str:
    """A title as one would say it: "Usual Suspects, The (1995)" → "The Usual Suspects"."""
    name = title[: title.rfind(" (")] if title.endswith(")") and title[-6:-1].lstrip("(").isdigit() else title
    head, comma, article = name.rpartition(", ")
    return f"{article} {head}" if comma and article in ("The", "A", "An") else name


def spectrum(run_id: str, home: str | Path | None = None) -> dict[int, shape.Spectrum]:
    """Epoch → spectrum of the item vectors, all epochs there are (see :func:`mfcore.embeddings.shape.spectrum`).

    Raises:
        UnusableRequest: no such run, or nothing to show yet.
    """
    source = frames_of(open_folder(run_id, home))
    return _each(source, "spectrum", lambda snapshot: shape.spectrum(snapshot.items))


def norms_over_time(run_id: str, home: str | Path | None = None) -> dict[int, shape.NormsByPopularity]:
    """Epoch → :func:`~mfcore.embeddings.shape.norms_by_popularity` of item vectors; popularity counts every rating of the data.

    Raises:
        UnusableRequest: no such run, or nothing to show yet.
    """
    folder = open_folder(run_id, home)
    source = frames_of(folder)
    often = data_for(source, folder, home).popularity()[source.item_idx]
    return _each(source, "norms", lambda one: shape.norms_by_popularity(one.items, often))


def norm_against_popularity(
    run_id: str, home: str | Path | None = None, *, epoch: int | None = None
) -> tuple[int, shape.NormsByPopularity]:
    """(epoch, lengths of the item vectors against how often each item was rated), by default of the latest epoch.

    Raises:
        UnusableRequest: no such run, nothing to show yet, or no such epoch.
    """
    found = norms_over_time(run_id, home)
    require(bool(found), "there are no vectors to show yet; wait for the first epoch")
    wanted = max(found) if epoch is None else epoch
    require(wanted in found, f"there are no vectors of epoch {wanted}")
    return wanted, found[wanted]


def recovery(run_id: str, home: str | Path | None = None) -> dict[int, shape.Recovery]:
    """Epoch → how much of the planted space was found (see :func:`mfcore.embeddings.shape.recovery`); empty for real data.

    Models that predict by p·q are judged by the space of their predictions, others by that of their item vectors alone.

    Raises:
        UnusableRequest: no such run, nothing to show yet, or fewer dimensions than were planted.
    """
    folder = open_folder(run_id, home)
    source = frames_of(folder)
    data = data_for(source, folder, home)
    if data.planted is None:
        return {}
    truth = data.planted[1][source.item_idx]
    dot = folder.config().model.name in _DOT_MODELS
    return _each(source, "recovery", lambda one: shape.recovery(one.items, truth, one.users if dot else None))


def _each(source: FrameSource, what: str, compute: Callable[[Snapshot], Answer]) -> dict[int, Answer]:
    """``compute`` for every epoch; computed once for each, until its snapshot changes."""
    found: dict[int, Answer] = {}
    for epoch, stamp in sorted(source.stamps().items()):
        key = (source.key, what, epoch, stamp)
        with _guard:
            known = _computed.get(key)
        if known is None:
            snapshot = source.load(epoch)
            if snapshot is None:
                continue
            known = compute(snapshot)
            with _guard:
                _computed[key] = known
                while len(_computed) > _KEPT:
                    _computed.popitem(last=False)
        found[epoch] = known
    return found
