"""What is drawn once stays right: another source, another setting, another theme is drawn anew; nothing grows without end."""

from __future__ import annotations

import gc
import weakref

from mfcore.cache import LRU
from ui.memo import Cache, kept

MOST = 48


class Thing:
    """Told by identity, as Interactions are."""


def test_made_once_for_each_source_and_each_setting() -> None:
    calls: list[tuple[Thing, int]] = []

    @kept
    def drawn(thing: Thing, size: int = 1) -> list[int]:
        calls.append((thing, size))
        return [size]

    one, other = Thing(), Thing()
    first = drawn(one, 2)
    assert drawn(one, 2) is first
    assert drawn(other, 2) is not first
    assert drawn(one, 3) == [3]
    assert drawn(one, size=3) == [3]
    assert calls[:3] == [(one, 2), (other, 2), (one, 3)]


def test_another_theme_is_drawn_anew() -> None:
    themes = [False, True, False]
    drawn, thing = kept(lambda source: object(), is_dark=lambda: themes.pop(0)), Thing()
    light = drawn(thing)
    assert drawn(thing) is not light
    assert drawn(thing) is light


def test_something_new_at_the_place_of_something_gone_is_not_taken_for_it() -> None:
    seen: set[int] = set()
    for number in range(3 * MOST):
        thing = Thing()  # most of these get the address of the one before
        seen.add(id(thing))
        assert kept(_number)(thing, number) == number
        assert kept(_same)(thing) is not None
        assert kept(_owner)(thing)() is thing
        del thing
    assert len(seen) < 3 * MOST, "no address was ever given out twice, so this tested nothing"


def test_what_was_made_does_not_keep_its_source_alive_and_is_bounded() -> None:
    thing = Thing()
    alive = weakref.ref(thing)
    kept(_same)(thing)
    del thing
    gc.collect()
    assert alive() is None
    cache: Cache = LRU(MOST)
    things = [Thing() for _ in range(2 * MOST)]
    for one in things:
        kept(_same, cache)(one)
    assert len(cache) == MOST


def _number(source: Thing, number: int) -> int:
    return number


def _same(source: Thing) -> object:
    return object()


def _owner(source: Thing) -> weakref.ref[Thing]:
    return weakref.ref(source)
