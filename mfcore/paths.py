"""Where MF Explorer keeps what it stores: datasets, splits, runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from mfcore.errors import UnusableRequest
from mfcore.validate import require

HOME_VARIABLE = "MF_EXPLORER_HOME"


def data_dir(home: str | Path | None = None) -> Path:
    """The data directory: ``home``, else ``$MF_EXPLORER_HOME``, else the platform's place for user data. Created if missing.

    Raises:
        UnusableRequest: it cannot be created or written to.
    """
    chosen = home or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("mf-explorer", appauthor=False)
    return writable_folder(Path(chosen).expanduser().absolute())


def writable_folder(path: Path) -> Path:
    """``path``, the data directory or a folder in it, created if missing.

    Raises:
        UnusableRequest: it cannot be created or written to.
    """
    cure = f"choose another with --home or {HOME_VARIABLE}"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UnusableRequest(f"data directory {path} cannot be created (a file has that name); {cure}") from error
    except OSError as error:
        raise UnusableRequest(f"data directory {path} cannot be created ({reason(error)}); {cure}") from error
    require(os.access(path, os.R_OK | os.W_OK | os.X_OK), f"data directory {path} is not writable; {cure}")
    return path


def reason(error: BaseException) -> str:
    """A short, human cause of ``error``: the system's words for an OSError, else its message or, lacking one, its type."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
