"""What is in files as people have them is read as a person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfcore.data.importing import ImportPlan, read
from mfcore.errors import UnusableRequest
from tests.data.importing.corpus import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_as_a_person_would(case: Case, tmp_path: Path) -> None:
    source, plan = case.make(tmp_path), ImportPlan(**case.choices)
    if case.refused:
        with pytest.raises(UnusableRequest) as refused:
            read(source, plan)
        assert case.refused in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    found = read(source, plan)
    data = found.interactions
    got = len(data), data.num_users, data.num_items, float(data.rating.min()), float(data.rating.max())
    assert got == (case.rows, case.users, case.items, case.low, case.high), found.report.sentences()
    assert case.check(found)
    assert found.report.taken == len(data)


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)
