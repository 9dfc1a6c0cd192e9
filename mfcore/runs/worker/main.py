"""The process that trains one run: ``python -m mfcore.runs.worker.main --home HOME [RUN_ID]``.

Without a run id it is a warm spare: it imports what training needs, then waits for an id on standard input and leaves when
that closes. SIGTERM makes it save and leave; the run is then ``interrupted`` and can be resumed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from types import FrameType

from mfcore.paths import at_home
from mfcore.runs.layout import RunFolder, open_folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mfcore.runs.worker.main")
    parser.add_argument("--home", required=True)
    parser.add_argument("run_id", nargs="?")
    options = parser.parse_args(arguments)
    interrupted = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()

    run_id = options.run_id
    if run_id is None:
        _import_everything()
        run_id = sys.stdin.readline().strip()
        if not run_id:
            return 0
    signal.signal(signal.SIGTERM, on_signal)
    with at_home(options.home):
        return _train(run_id, options.home, interrupted)


def _train(run_id: str, home: str, interrupted: threading.Event) -> int:
    folder = open_folder(run_id, home)
    _log_into(folder)
    from mfcore.runs.worker.session import train_run

    status = train_run(folder, home, interrupted=interrupted.is_set)
    return 0 if status.state != "failed" else 1


def _import_everything() -> None:
    """What takes the time at the start of a run."""
    import torch

    import mfcore.data
    import mfcore.evaluation
    import mfcore.models
    import mfcore.runs.worker.session  # noqa: F401
    from mfcore.training.engines.als import engine as als
    from mfcore.training.engines.base import load_kernels
    from mfcore.training.engines.sgd_compiled import engine as sgd_compiled

    # The first optimizer of a process makes torch import its compiler, which takes about a second.
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    for module in (als.KERNELS, sgd_compiled.KERNELS):
        load_kernels(module)


def _log_into(folder: RunFolder) -> None:
    """From here on, whatever this process prints belongs to the run."""
    handle = os.open(folder.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
