"""A table of results gives back what was put into it, and says what was missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import measured
from bench.measured import Measured, mean, median, read, report, under, write


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(measured, "ROOT", tmp_path)
    return tmp_path / "results"


def test_a_row_comes_back_as_it_was_written() -> None:
    rows = [
        median("a/b", [3.0, 1.0, 2.0], "s", at_most=2.0),
        mean("a/c, with a comma", [1.0, 2.0]),
        Measured("gone", n=0, note='no "compiler"'),
    ]
    write("toy", rows)
    found = read("toy")
    assert [*found] == ["a/b", "a/c, with a comma", "gone"]
    assert (found["a/b"].value, found["a/b"].low, found["a/b"].high, found["a/b"].n, found["a/b"].sd) == (
        2.0,
        1.0,
        3.0,
        3,
        None,
    )
    assert found["a/c, with a comma"].sd == pytest.approx(0.5**0.5, rel=1e-5)
    assert found["gone"].note == 'no "compiler"'
    assert found["gone"].value != found["gone"].value
    assert [*under(found, "a")] == ["b", "c, with a comma"]
    assert read("never measured") == {}


def test_a_kept_row_keeps_its_machine_and_day() -> None:
    write("toy", [Measured("old", 1.0, machine="an abacus", date="1999-01-01"), Measured("new", 2.0)])
    found = read("toy")
    assert (found["old"].machine, found["old"].date) == ("an abacus", "1999-01-01")
    assert "Python" in found["new"].machine
    assert found["new"].date > "2020"


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Measured("x", 1.0, at_most=1.0), True),
        (Measured("x", 1.1, at_most=1.0), False),
        (Measured("x", 1.0, at_least=1.0), True),
        (Measured("x", 0.9, at_least=1.0), False),
        (Measured("x", 0.5, at_least=0.4, at_most=0.6), True),
        (Measured("x", at_most=1.0), True),
    ],
)
def test_limits_are_kept_or_missed(row: Measured, met: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.met is met
    assert report("toy", [row]) == int(not met)
    assert ("met" if met else "missed") in capsys.readouterr().out
