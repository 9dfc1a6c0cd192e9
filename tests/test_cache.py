"""The one cache in memory."""

from __future__ import annotations

import threading

import pytest

from mfcore.cache import LRU


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    kept: LRU[str, int] = LRU(2)
    for name, value in (("a", 1), ("b", 2)):
        kept.put(name, value)
    assert kept.get("a") == 1  # now b is older
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)


def test_heavy_values_make_room_but_the_last_one_stays() -> None:
    kept: LRU[str, list[int]] = LRU(8, weigh=len, heaviest=20)
    first = kept.get_or_make("a", lambda: [0] * 15)
    assert kept.get_or_make("a", list) is first
    kept.put("b", [0] * 15)
    assert kept.get("a") is None
    kept.put("c", [0] * 100)
    assert (kept.get("b"), len(kept)) == (None, 1)


def test_what_cannot_be_made_is_not_kept() -> None:
    kept: LRU[str, int] = LRU(2)
    with pytest.raises(ZeroDivisionError):
        kept.get_or_make("a", lambda: 1 // 0)
    assert kept.get_or_make("a", lambda: 5) == 5
    kept.discard(lambda key: key == "a")
    assert kept.get("a") is None


def test_one_makes_it_while_others_who_want_the_same_wait() -> None:
    kept: LRU[str, object] = LRU(4)
    going, may_end, made = threading.Event(), threading.Event(), list[int]()

    def slow() -> object:
        made.append(1)
        going.set()
        assert may_end.wait(10)
        return object()

    found: list[object] = []
    first = threading.Thread(target=lambda: found.append(kept.get_or_make("a", slow)))
    first.start()
    assert going.wait(10)
    second = threading.Thread(target=lambda: found.append(kept.get_or_make("a", slow)))
    second.start()
    assert kept.get_or_make("b", lambda: 7) == 7  # somebody else's does not wait
    may_end.set()
    first.join(10)
    second.join(10)
    assert len(made) == 1 and found[0] is found[1]
