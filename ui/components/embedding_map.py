"""The map of learned vectors: points that move through the epochs on axes that stand still, drawn in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ui.components.mounting import mounted, shared_data
from ui.datasets import Nouns

_COMPONENT = mounted("embedding_map")
ANY = Nouns()


@dataclass(frozen=True)
class MapEvents:
    """What was asked for on the map, in the one rerun that follows. ``make``, ``cancel``: a method's name, or ""."""

    ended: bool = False
    make: str = ""
    cancel: str = ""


def embedding_map(
    base: str,
    *,
    key: str = "map",
    run_id: str = "",
    title: str = "",
    called: Nouns = ANY,
    going: bool = False,
    methods: Mapping[str, str] | None = None,
    still_words: str = "",
    whose_words: str = "",
    every: bool = False,
) -> MapEvents:
    """Show the points that routes below ``base`` answer with (see :mod:`ui.api.embeddings`).

    What a person does on it happens in the browser and stands in the address; the page is not run again for it, but to start
    and to cancel a map by one of the ``methods``, and after the end of a run that was going on.

    Args:
        base: of the routes, such as ``/api/runs/<id>``.
        run_id: the run it is of, for links and for its curve; "" for vectors from elsewhere.
        title: what it is called, for the title of its picture.
        called: what items, users and ratings are called.
        going: the run is not over, so new epochs are to be expected.
        methods: other ways to lay out the items, on request: name in the routes → words on screen.
        whose_words: which model these are the vectors of, said below where there are several epochs.
        still_words: said below where there is no more than one epoch.
        every: all items and users, in one frame: the model as it is.
    """
    data = {
        **shared_data(),
        "key": f"{base}?{every}",
        "source": f"{base}/space",
        "events": f"{base}/events" if run_id else "",
        "names": f"{base}/space/axes" if run_id else "",
        "manifold": f"{base}/manifold",
        "near": f"{base}/neighbours",
        "methods": dict(methods or {}),
        "run_id": run_id,
        "title": title,
        "about": {"run": run_id, "embeddings": "" if run_id else base.rpartition("/")[2]},
        "nouns": asdict(called),
        "going": going,
        "still_words": still_words,
        "whose_words": whose_words,
        "every": every,
    }
    nothing: dict[str, Any] = {f"on_{name}_change": lambda: None for name in ("ended", "make", "cancel")}
    result = _COMPONENT(data=data, key=key, **nothing)
    return MapEvents(result.ended is not None, str(result.make or ""), str(result.cancel or ""))
