"""Start a small demo run in the background when there is no run yet, so that no page is empty at first sight."""

from __future__ import annotations

import subprocess
import sys

from mfcore.data import dataset_status
from mfcore.paths import data_dir


def main() -> None:
    home = data_dir()
    runs = home / "runs"
    if runs.is_dir() and any(runs.iterdir()):
        return
    command = [sys.executable, "-m", "mfcore", "train", "--home", str(home)]
    if dataset_status("ml-100k", home) == "here":
        command += ["--preset", "biased-mf", "--set", "name=Demo: biased MF"]
    else:
        command += ["--dataset", "planted", "--model", "biased-mf", "--epochs", "20", "--set", "name=Demo: planted ratings"]
    log = (home / "demo-run.log").open("wb")
    # Its own session: Ctrl+C in the terminal ends the server, not the run.
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    print("A demo run is training in the background; it appears on the Runs page.")


if __name__ == "__main__":
    main()
