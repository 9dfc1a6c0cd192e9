"""What is drawn of data that never change: made once, then shown to whoever asks."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ui.theme import dark

Source, Made = TypeVar("Source"), TypeVar("Made")
More = ParamSpec("More")
MOST = 48
"""Results kept in all; a page of data has about eight."""

_kept: OrderedDict[Hashable, tuple[weakref.ref[Any], Any]] = OrderedDict()
_guard = threading.Lock()


def kept(make: Callable[Concatenate[Source, More], Made]) -> Callable[Concatenate[Source, More], Made]:
    """``make(source, *more)``, remembered for the theme on screen. What it gives out is shared: do not change it.

    ``source`` is told by identity, not by value: only for what never changes once made, such as Interactions and Split. It is
    not kept alive by what was made of it, unless that holds it. Streamlit's own caches can be cleared by any browser.
    """

    @wraps(make)
    def remembered(source: Source, *more: More.args, **named: More.kwargs) -> Made:
        key = (make, id(source), more, tuple(sorted(named.items())), dark())
        with _guard:
            owner, made = _kept.get(key, (None, None))
            if owner is not None and owner() is source:  # the id of something gone may be given to something new
                _kept.move_to_end(key)
                return made
        made = make(source, *more, **named)
        with _guard:
            _kept[key] = (weakref.ref(source), made)
            while len(_kept) > MOST:
                _kept.popitem(last=False)
        return made

    return remembered
