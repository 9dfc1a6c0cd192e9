"""Workers and servers that are killed, hang, are stopped or come twice lose nothing; in the long form: make torture."""

from __future__ import annotations

import pytest

from tests.faults import processes
from tests.faults.conftest import Play
from tests.faults.suite import Fault


@pytest.mark.parametrize("fault", processes.FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_that_should_not_be(fault: Fault, play: Play) -> None:
    assert play(fault) == []
