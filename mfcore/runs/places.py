"""Where the runs of a data directory are, and what may be the name of one."""

from __future__ import annotations

import re
from pathlib import Path

from mfcore.validate import require

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def runs_dir(home: str | Path | None = None) -> Path:
    """``<data dir>/runs``, made if need be.

    Raises:
        UnusableRequest: it cannot be made or written to.
    """
    from mfcore.paths import data_dir, writable_folder

    return writable_folder(data_dir(home) / "runs")


def check_run_id(run_id: object) -> str:
    """``run_id`` if it can be one; anything else, such as ``../x``, never reaches the file system.

    Raises:
        UnusableRequest: it is not the name of a run.
    """
    require(isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) is not None, f"{run_id!r} is not the name of a run")
    return str(run_id)
