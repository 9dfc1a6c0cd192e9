"""What is drawn of data that never change: made once, then shown to whoever asks."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from mfcore.cache import LRU
from ui.theme import dark, large_type

Source = TypeVar("Source")
Made = TypeVar("Made")
More = ParamSpec("More")
Cache = LRU[Hashable, tuple[weakref.ref[Any], Any]]

_pictures: Cache = LRU(48)  # a page of data has about eight


def kept(
    make: Callable[Concatenate[Source, More], Made], cache: Cache = _pictures, is_dark: Callable[[], bool] = dark
) -> Callable[Concatenate[Source, More], Made]:
    """``make(source, *more)``, remembered for the theme on screen. What it gives out is shared: do not change it.

    ``source`` is told by identity, not by value: only for what never changes once made, such as Interactions and Split. It is
    not kept alive by what was made of it, unless that holds it. Streamlit's own caches can be cleared by any browser.
    """

    @wraps(make)
    def remembered(source: Source, /, *more: More.args, **named: More.kwargs) -> Made:
        key = (make, id(source), more, tuple(sorted(named.items())), is_dark(), large_type())
        owner, made = cache.get(key) or (None, None)
        if owner is not None and owner() is source:  # the id of something gone may be given to something new
            return cast(Made, made)
        made = make(source, *more, **named)
        cache.put(key, (weakref.ref(source), made))
        return made

    return remembered
