"""Fetching a wheel through the user's own pip, so that their index, proxy and mirror settings apply.

Nothing is installed and nothing of the wheel is imported: it is only a zip that happens to carry data.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

from mfcore.data.sources.download import FetchFailed, Progress, silent

PIP_TIMEOUT = 300.0
POLL = 0.2


def pip_download(requirement: str, into: Path, progress: Progress = silent, *, sha256: str) -> Path:
    """Fetch the wheel of ``requirement`` ("name==version") into the folder ``into`` and return its path.

    Raises:
        FetchFailed: pip is missing or fails, takes longer than five minutes, or brings a file with another checksum.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", requirement, "-d", str(into)]
    # pip's own five retries would keep a machine without a connection waiting for minutes.
    command += ["--disable-pip-version-check", "--no-input", "--retries", "1"]
    log = into / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, requirement, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise FetchFailed(_complaint(log.read_text(errors="replace")))
    wheels = list(into.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchFailed(f"pip brought {len(wheels)} wheels for {requirement} instead of one")
    got = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if got != sha256:
        raise FetchFailed(f"wrong checksum of {wheels[0].name}: expected sha256 {sha256[:12]}…, got {got[:12]}…")
    return wheels[0]


def _wait(process: subprocess.Popen[bytes], requirement: str, progress: Progress) -> None:
    started, said = time.monotonic(), -1
    while process.poll() is None:
        seconds = time.monotonic() - started
        if seconds > PIP_TIMEOUT:
            raise FetchFailed(f"pip did not bring {requirement} within {PIP_TIMEOUT / 60:.0f} minutes")
        if int(seconds) > said:
            said = int(seconds)
            progress(f"pip is fetching {requirement} (about 2 MB), {said} s", None)
        time.sleep(POLL)


def _complaint(log: str) -> str:
    """The one line of pip's output that says what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return "this Python has no pip; run python -m ensurepip"
    errors = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["pip failed without a word"]
    return errors[0].removeprefix("ERROR:").strip()[:240]
