"""Readers of what comes from outside: whatever they read, they give a value or say no as documented, quickly, in little memory.

What is tried is the same each time; ``make fuzz`` tries other things, for as long as one likes.
"""

from __future__ import annotations

import importlib
import json
import random
import tracemalloc
from functools import reduce
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.mutation import LEAVES, json_of, with_blind
from tests.fuzzing.readers import READERS, Reader
from tests.fuzzing.trial import tried

MOST = 200 * 1024**2
"""Bytes that reading some kilobytes may take."""
MANY, FEW = 150, 40
_VALUES = st.recursive(st.sampled_from(LEAVES[:18]) | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
                       | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6)  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_what_it_reads_is_there_and_valid_things_are_read(reader: Reader) -> None:
    for name in reader.of:
        module, _, path = name.partition(":")
        reduce(getattr, path.split("."), importlib.import_module(module))
    seeds = reader.seeds()
    assert seeds
    for data in seeds:
        reader.read(data)


class Input(bytes):
    """One that does not fill the screen."""

    def __repr__(self) -> str:
        return super().__repr__() if len(self) < 500 else f"<{len(self)} bytes>"


def inputs(reader: Reader) -> st.SearchStrategy[bytes]:
    """What is valid with something changed, mostly; any bytes; and any JSON where JSON is read."""
    seeds, mutate = reader.seeds(), with_blind(reader.mutate)

    def mutated(number: int) -> Input:
        chance = random.Random(number)
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 2, 4))):
            data = mutate(data, chance)
        return Input(data)

    changed = st.integers(0, 2**32).map(mutated)
    if reader.mutate is not json_of:
        return changed | changed | changed | st.binary(max_size=200)
    return changed | changed | st.builds(lambda value: json.dumps(value).encode(), _VALUES) | st.binary(max_size=200)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_whatever_comes_is_read_or_refused_as_documented(reader: Reader) -> None:
    examples = FEW if reader.slow else MANY

    @settings(derandomize=True, deadline=None, max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(reader))
    def holds(data: bytes) -> None:
        tracemalloc.start(1)
        try:
            foreign = tried(reader, data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert foreign is None, foreign.told
        assert peak < MOST, f"{peak:,} bytes of memory"

    reader.read(reader.seeds()[0])  # what is made once, is made
    holds()


def test_a_foreign_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(data: bytes) -> Any:
        return 1 / data.count(b"x")

    found = tried(Reader("broken", (), read, lambda: [b"x"]), b"")
    assert found is not None and found.key.startswith("ZeroDivisionError") and "1 / data.count" in found.told
    assert tried(Reader("broken", (), read, lambda: [b"x"], (ZeroDivisionError,)), b"") is None
