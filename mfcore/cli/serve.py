"""The command serve: the app in this process' place, served by Streamlit."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from mfcore.errors import UnusableRequest
from mfcore.paths import HOME_VARIABLE, data_dir
from mfcore.validate import integer, require

_PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that mfcore lies in: site-packages, or a working tree."""


def serve(options: argparse.Namespace) -> int:
    """Serve the app until it is stopped; returns how Streamlit ended.

    Raises:
        UnusableRequest: an option is unusable, or the app or Streamlit is not installed.
    """
    app = app_path()
    command = streamlit_command(options, app)
    require(
        importlib.util.find_spec("streamlit") is not None, "the app needs Streamlit; install it with: pip install mf-explorer"
    )
    # Its settings lie beside the app. What is said of a place is said of the folder one is in now.
    environment = {**os.environ, HOME_VARIABLE: str(data_dir(options.home))}
    if os.name == "posix":  # nothing stands between whoever sends a signal and the server
        os.chdir(app.parent)
        os.execve(command[0], command, environment)
    return subprocess.call(command, cwd=app.parent, env=environment)


def app_path(packages: Path = _PACKAGES) -> Path:
    """Where the app is: installed in the folder mf_explorer beside mfcore, or in the same working tree.

    Raises:
        UnusableRequest: it is in neither.
    """
    for path in (packages / "mf_explorer" / "app.py", packages / "app.py"):
        if path.is_file():
            return path
    raise UnusableRequest(f"the app is not installed beside mfcore in {packages}; install it with: pip install mf-explorer")


def streamlit_command(options: argparse.Namespace, app: Path) -> list[str]:
    """What starts the server. Options that are not given are Streamlit's, or those of ``.streamlit/config.toml``."""
    given = {"server.address": options.host, "server.baseUrlPath": options.base_url_path}
    if options.port is not None:
        given["server.port"] = str(integer("port", options.port, low=1, high=65_535))
    flags = [word for name, value in given.items() if value is not None for word in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(app), *flags, *options.streamlit]
