"""Answers that are shared for a moment."""

from __future__ import annotations

import pytest
from starlette.responses import Response

from ui.api.answers import Recent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_within_a_moment_an_answer_is_made_once_and_then_anew() -> None:
    clock, made = Clock(), []

    def make() -> Response:
        made.append(1)
        return Response(f"answer {len(made)}", headers={"Content-Encoding": "odd"})

    recent = Recent(0.25, clock=clock)
    first, second = recent.answer("a", make), recent.answer("a", make)
    assert (first.body, second.body) == (b"answer 1", b"answer 1")
    assert second.headers["content-encoding"] == "odd"
    assert recent.answer("b", make).body == b"answer 2", "another question"
    clock.now += 0.3
    assert recent.answer("a", make).body == b"answer 3"


def test_a_refusal_is_not_kept() -> None:
    recent = Recent(0.25, clock=Clock())

    def refuse() -> Response:
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        recent.answer("a", refuse)
    assert recent.answer("a", lambda: Response("now")).body == b"now"


def test_it_does_not_grow_without_end() -> None:
    clock = Clock()
    recent = Recent(0.25, most=3, clock=clock)
    for number in range(10):
        assert recent.answer(number, lambda number=number: Response(str(number))).body == str(number).encode()
    clock.now += 1
    recent.answer("later", lambda: Response("later"))
    assert recent.answer("later", lambda: Response("again")).body == b"later", "old ones gave way"
