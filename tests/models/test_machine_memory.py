"""What this machine has free: the lesser of what it and its container allow."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from mfcore.models.memory import available_memory


def test_without_a_container_it_is_what_the_machine_has(tmp_path: Path) -> None:
    assert 0 < available_memory(tmp_path) <= psutil.virtual_memory().total


@pytest.mark.parametrize(("limit", "free"), [("1000000", 1_000_000 - 700_000 + 300_000), ("600000", 600_000 - 400_000)])
def test_a_container_s_limit_counts_and_cached_files_are_free(tmp_path: Path, limit: str, free: int) -> None:
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text("700000")
    (tmp_path / "memory.stat").write_text("anon 400000\ninactive_file 200000\nactive_file 100000\n")
    assert available_memory(tmp_path) == free


def test_a_container_without_a_limit_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(tmp_path) > 10**6
