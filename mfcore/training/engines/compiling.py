"""How kernels are compiled, and where they are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any, TypeVar

import numba

from mfcore.errors import UnusableRequest
from mfcore.paths import data_dir, writable_folder

Function = TypeVar("Function", bound=Callable[..., Any])
_kernels: list[Any] = []


def kernel(function: Function) -> Function:
    """Compiled for Python to call: without Python's lock, and kept for the next process."""
    compiled: Function = numba.njit(nogil=True, error_model="numpy")(function)
    keep_code_of(compiled)
    _kernels.append(compiled)
    return compiled


def keep_code_of(compiled: Any) -> None:
    """Beside the source or in the user's cache, as Numba chooses; where neither can be written, in the data directory."""
    try:
        compiled.enable_caching()
    except RuntimeError:
        before = numba.config.CACHE_DIR
        try:
            numba.config.CACHE_DIR = _writable_folder()
            compiled.enable_caching()
        finally:
            numba.config.CACHE_DIR = before


def forget_kept_code(package: str) -> None:
    """Compile the kernels of ``package`` anew when they are next called."""
    for compiled in _kernels:
        if compiled.py_func.__module__.startswith(f"{package}."):
            compiled._cache.flush()


def _writable_folder() -> str:
    try:
        return str(writable_folder(data_dir() / "kernels"))
    except UnusableRequest:
        # A fresh folder, known to nobody else: code is loaded from it. It serves this process only.
        return tempfile.mkdtemp(prefix="mf-explorer-kernels-")
