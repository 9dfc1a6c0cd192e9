"""The peers' own virtual environment, so that their versions and ours never meet."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from mfcore.paths import data_dir

REQUIREMENTS = Path(__file__).with_name("peers.txt")


def peers_python(say: Callable[[str], None]) -> str | None:
    """The Python of an environment with what peers.txt names; made on first use, and again when that file changes.

    If all together cannot be installed, each is tried alone, and who is missing says so when asked to run. None if not even
    an empty environment can be made.
    """
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
