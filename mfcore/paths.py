"""Where MF Explorer keeps what it stores: datasets, splits, runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from mfcore.errors import UnusableRequest
from mfcore.validate import require

HOME_VARIABLE = "MF_EXPLORER_HOME"
_told: list[str | Path] = []


@contextmanager
def at_home(home: str | Path | None) -> Iterator[None]:
    """Inside, ``home`` is the data directory of this process wherever none is given; None leaves it as it is."""
    if not home:
        yield
        return
    _told.append(home)
    try:
        yield
    finally:
        _told.remove(home)


def chosen_dir(home: str | Path | None = None) -> tuple[Path, str]:
    """The data directory, which may not exist, and who chose it: ``--home``, ``MF_EXPLORER_HOME``, or the platform."""
    asked, named = home or (_told[-1] if _told else None), os.environ.get(HOME_VARIABLE)
    chosen = asked or named or platformdirs.user_data_dir("mf-explorer", appauthor=False)
    origin = "--home" if asked else HOME_VARIABLE if named else "the platform's place for user data"
    return Path(chosen).expanduser().absolute(), origin


def data_dir(home: str | Path | None = None) -> Path:
    """The data directory: ``home``, else ``$MF_EXPLORER_HOME``, else the platform's place for user data. Created if missing.

    What lies there can be looked at also where nothing can be written; who writes asks for :func:`writable_folder`.

    Raises:
        UnusableRequest: there is none, and it cannot be created; or it cannot be read.
    """
    path, _ = chosen_dir(home)
    if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
        return path
    return writable_folder(path)


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
