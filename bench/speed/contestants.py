"""Contestants, each in a process of its own: python -m bench.speed.contestants MODULE NAME FOLDER

The process runs with our Python or with that of the peers' environment, so nothing but the standard library is imported here.
Everything is imported, read, compiled and run once before the first measurement; a line on stdin asks for one, a line of JSON
answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

Measure = Callable[[], dict[str, Any]]
Contestants = dict[str, Callable[[Path], Measure]]
"""Name → what prepares a contestant from the folder of data and gives back what measures it once.

A measurement: ``seconds`` of training alone, ``samples`` trained, and what else is worth keeping (``rmse``, ``vectors``).
"""


class Absent(Exception):
    """This contestant cannot run here; the message says why."""


def main(module: str, name: str, folder: str) -> None:
    """Get ready, then measure as often as asked."""
    # Libraries print as they please; answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        contestants: Contestants = importlib.import_module(module).CONTESTANTS
        measure = contestants[name](Path(folder))
        measure()
    except (Absent, ImportError) as error:
        answer({"absent": f"{error}"})
        return
    answer({"ready": True})
    for _ in sys.stdin:
        answer(measure())


# The parent's side

ROOT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


class Player:
    """One contestant's process, ready to be measured, or the reason why it is not (``absent``)."""

    def __init__(self, python: str | None, module: str, name: str, folder: Path, threads: int) -> None:
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
        self.absent = "" if python else "the peers' environment could not be made"
        self._errors = (folder / f"{name}.log").open("w+", encoding="utf-8")
        if python is None:
            return
        self._process = subprocess.Popen(
            [python, "-m", "bench.speed.contestants", module, name, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
        self.absent = self._answer().get("absent", "")

    def measure(self) -> dict[str, Any]:
        """One measurement, see :data:`Contestants`; {"absent": why} if the process has died."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {"absent": self._last_words()}
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            return {"absent": self._last_words()}
        found: dict[str, Any] = json.loads(line)
        return found

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().splitlines() if line.strip()]
        return lines[-1][:300] if lines else f"ended with status {self._process.returncode}"

    def __enter__(self) -> Player:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if hasattr(self, "_process"):
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
        self._errors.close()


# The peers' environment

REQUIREMENTS = Path(__file__).with_name("peers.txt")


def peers_python(say: Callable[[str], None]) -> str | None:
    """The Python of an environment with what peers.txt names; made on first use, and again when that file changes.

    If all together cannot be installed, each is tried alone, and who is missing says so when asked to run. None if not even
    an empty environment can be made.
    """
    from mfcore.paths import data_dir

    folder = data_dir() / "speed-peers"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp, wanted = folder / "peers.sha256", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return str(python)
    say(f"installing the peers into {folder} (once)")
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"no environment for the peers: {error}")
        return None
    if not _install(python, ["-r", str(REQUIREMENTS)], say):
        for requirement in REQUIREMENTS.read_text(encoding="utf-8").split():
            _install(python, [requirement], say)
    stamp.write_text(wanted, encoding="utf-8")
    return str(python)


def _install(python: Path, what: list[str], say: Callable[[str], None]) -> bool:
    command = [str(python), "-m", "pip", "install", "-q", *what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        say(f"{what[-1]}: {lines[-1]}")
    return done.returncode == 0


if __name__ == "__main__":
    # Run by name, this is another module than the one contestants import; theirs has the Absent they raise.
    importlib.import_module("bench.speed.contestants").main(*sys.argv[1:4])
