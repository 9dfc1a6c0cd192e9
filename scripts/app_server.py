"""Start the app on a free port with a data directory of its own: for browser tests, measurements and pictures."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AppServer:
    """``streamlit run app.py`` as a person starts it. Use as a context manager; ``url`` has no slash at its end.

    ``base_path``: the path it is to be served under, such as "lab". ``environment``: what is set besides. ``options``: more
    for the command.
    """

    def __init__(
        self, home: Path, base_path: str = "", environment: Mapping[str, str] | None = None, options: Sequence[str] = ()
    ) -> None:
        self.home = home
        self.port = free_port()
        self.base_path = base_path
        self.environment, self.options = dict(environment or {}), list(options)
        self.url = f"http://127.0.0.1:{self.port}" + (f"/{base_path}" if base_path else "")
        self.log_path = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Give the command and wait for nothing."""
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
            *(["--server.baseUrlPath", self.base_path] if self.base_path else []),
            *self.options,
        ]
        environment = {**os.environ, "MF_EXPLORER_HOME": str(self.home), "NO_COLOR": "1", **self.environment}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def start(self, timeout: float = 60.0) -> Self:
        """Start and wait until /healthz answers."""
        self.launch()
        deadline = time.monotonic() + timeout
        while not self.healthy():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the app did not start:\n{self.log()}")
            time.sleep(0.1)
        return self

    @property
    def pid(self) -> int:
        """The server's process. Raises RuntimeError when it does not run."""
        if self.process is None:
            raise RuntimeError("the app is not started")
        return self.process.pid

    def healthy(self) -> bool:
        """Whether /healthz answers 200 now."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Ask the server to stop as Ctrl+C does; after ten seconds end what is left of it and its workers."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def log(self) -> str:
        """What the server wrote so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
