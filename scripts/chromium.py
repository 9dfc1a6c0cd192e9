"""Find a Chromium for the browser tests, or with --install get one. Prints its path; exit status 1 when there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> str | None:
    """Path of $MF_EXPLORER_CHROMIUM, else the system's Chromium or Chrome, else Playwright's own; None when there is none."""
    named = os.environ.get("MF_EXPLORER_CHROMIUM")
    if named:
        return named
    for name in SYSTEM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def install_chromium() -> str | None:
    """Try Playwright's download, then apt-get when root. Returns the path, or None when neither works."""
    _attempt([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)
    found = find_chromium()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if found is None and is_root and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _attempt(["apt-get", "update", "-qq"], seconds=300, environment=environment)
        _attempt(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], seconds=900, environment=environment
        )
        found = find_chromium()
    return found


def _attempt(command: list[str], seconds: int, environment: dict[str, str] | None = None) -> None:
    print("chromium:", " ".join(command), file=sys.stderr)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"chromium: {error}", file=sys.stderr)
        return
    if done.returncode:
        last_lines = (done.stderr or done.stdout).strip().splitlines()[-2:]
        print("chromium: that did not work:", " / ".join(last_lines), file=sys.stderr)


if __name__ == "__main__":
    path = find_chromium() or (install_chromium() if "--install" in sys.argv else None)
    if path is None:
        print("No Chromium found: the browser tests cannot run. Install Chromium or Google Chrome.", file=sys.stderr)
        sys.exit(1)
    print(f"Chromium: {path}")
