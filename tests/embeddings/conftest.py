"""Runs small enough to train in a blink, as in tests/runs."""

from __future__ import annotations

from tests.runs.conftest import home as home
from tests.runs.conftest import train as train
