"""Faults to order: a disk that is full, or that fails at one write and no other.

Python announces every file that it opens, renames and every folder that it makes before it does so (PEP 578); who raises in
answer has made it fail. So no code under test is replaced, libraries' own files, such as locks, fail too, and nothing depends
on who runs the tests: to root, no folder is read-only. What is not announced, writing into an open file and waiting for the
disk, is met where ``os`` offers it, and only where it is asked for (:data:`DEEP`).
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

OPENING = ("open", "mkdir")
DEEP = (*OPENING, "rename", "write", "fsync")
"""Kinds of operations that can fail."""


@dataclass
class FailingDisk:
    """Which operations below ``place`` fail: all, or from ``first`` on (counted from 0) ``most`` of them.

    Attributes:
        writes: what was to be written so far, by name. kinds: of operation that are counted and can fail.
    """

    place: Path
    first: int = 0
    most: float = float("inf")
    error: int = errno.ENOSPC
    kinds: Collection[str] = OPENING
    writes: list[str] = field(default_factory=list)
    _short: set[int] = field(default_factory=set)

    def meets(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called before each thing that Python does to the system."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._at("open", path)
        elif event == "os.mkdir":
            self._at("mkdir", arguments[0])
        elif event == "os.rename":
            self._at("rename", arguments[1])

    def _at(self, kind: str, path: object) -> None:
        if self._fails(kind, path):
            raise OSError(self.error, os.strerror(self.error), str(path))

    def _fails(self, kind: str, path: object) -> bool:
        if kind not in self.kinds or not isinstance(path, (str, bytes, os.PathLike)):
            return False
        name = Path(os.fsdecode(path)).absolute()
        if self.place not in name.parents or (kind == "mkdir" and name.is_dir()):
            return False
        self.writes.append(f"{kind} {name}" if self.kinds is DEEP else str(name))
        return self.first <= len(self.writes) - 1 < self.first + self.most

    def write(self, handle: int, data: Any, really: Callable[[int, Any], int]) -> int:
        """As a disk that fills up in the middle of a write: half of it is taken, and nothing more."""
        if handle in self._short or self._fails("write", _name_of(handle)):
            if handle in self._short or len(data) < 2:
                self._short.discard(handle)
                raise OSError(self.error, os.strerror(self.error))
            self._short.add(handle)
            return really(handle, memoryview(data)[: len(data) // 2])
        return really(handle, data)

    def sync(self, handle: int, really: Callable[[int], None]) -> None:
        if self._fails("fsync", _name_of(handle)):
            raise OSError(self.error, os.strerror(self.error))
        really(handle)


_disks: list[FailingDisk] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    for disk in _disks:
        disk.meets(event, arguments)


@contextmanager
def failing(
    place: Path, first: int = 0, most: float = float("inf"), error: int = errno.ENOSPC, kinds: Collection[str] = OPENING
) -> Iterator[FailingDisk]:
    """Inside, operations of these ``kinds`` below ``place`` fail."""
    if not getattr(sys, "_faults_are_heard", False):
        sys._faults_are_heard = True  # type: ignore[attr-defined]
        sys.addaudithook(_audit)  # it cannot be taken back; it does nothing while no disk fails
    disk = FailingDisk(place.resolve(), first, most, error, kinds)
    with ExitStack() as stack:
        if {"write", "fsync"} & set(kinds):
            _meet_writing(disk, stack)
        _disks.append(disk)
        try:
            yield disk
        finally:
            _disks.remove(disk)


def _meet_writing(disk: FailingDisk, stack: ExitStack) -> None:
    """Put the disk before ``os.write``, ``os.fsync`` and the files that ``os.fdopen`` opens for writing."""
    write, fsync, fdopen = os.write, os.fsync, os.fdopen

    class Raw(io.FileIO):
        def write(self, data: Any) -> int:
            return disk.write(self.fileno(), data, lambda _, part: super(Raw, self).write(part) or 0)

    def opened(handle: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
        return io.BufferedWriter(Raw(handle, "wb")) if mode == "wb" else fdopen(handle, mode, *rest, **more)

    stack.enter_context(mock.patch.object(os, "write", lambda handle, data: disk.write(handle, data, write)))
    stack.enter_context(mock.patch.object(os, "fsync", lambda handle: disk.sync(handle, fsync)))
    stack.enter_context(mock.patch.object(os, "fdopen", opened))


def _name_of(handle: int) -> str | None:
    """Where an open file lies; None where the system does not say."""
    try:
        return str(Path(f"/proc/self/fd/{handle}").readlink())
    except OSError:
        return None
