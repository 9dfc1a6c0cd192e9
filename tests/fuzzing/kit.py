"""What readers need around them: a home with a run that has finished, and a place for files."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from starlette.applications import Starlette
from starlette.testclient import TestClient

from mfcore import log
from mfcore.data import Interactions, load_dataset
from mfcore.embeddings.export import read_tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.runs import RunFolder
from mfcore.runs.manager.manager import manager_for
from tests.runs.tiny_runs import tiny
from ui.api.routes import ROUTES

_place = tempfile.TemporaryDirectory(prefix="mf-explorer-fuzzing-")
PLACE = Path(_place.name)
VECTORS, METADATA = (
    b"1\t2\t3\n4\t5\t6\n7\t8\t10\n0\t1\t0.5\n",
    b"title\tyear\tgenres\nA (1990)\t1990\tx|y\nB\t\tx\nC\t2001\t\nD\t5\tz\n",
)


@functools.cache
def folder() -> RunFolder:
    """The run."""
    from mfcore.runs.worker.session import train_run

    made = RunFolder.create(PLACE / "home", tiny(num_epochs=2))
    assert train_run(made, PLACE / "home").state == "finished"
    manager = manager_for(PLACE / "home")
    manager.watcher.wake = lambda: None  # type: ignore[method-assign]  # nothing here is to be trained
    return made


@functools.cache
def data() -> Interactions:
    """What it was trained on."""
    return load_dataset("planted", num_users=60, num_items=40, density=0.3)


@functools.cache
def embeddings() -> ImportedEmbeddings:
    folder()
    return ImportedEmbeddings.add(read_tables(VECTORS, METADATA), "imported", PLACE / "home")


@functools.cache
def client() -> TestClient:
    """Asks our routes; what they raise is raised."""
    return TestClient(Starlette(routes=ROUTES))


def file(name: str, content: bytes) -> Path:
    """A file to be read."""
    path = PLACE / name
    path.write_bytes(content)
    return path


@contextmanager
def at_home() -> Iterator[None]:
    """The app's data directory is that of the run; nothing is logged; runs and wishes that come are gone afterwards."""
    run = folder()
    with (
        mock.patch.dict(os.environ, MF_EXPLORER_HOME=str(PLACE / "home")),
        mock.patch.object(log, "event", lambda *_, **__: None),
    ):
        yield
    for path in run.path.parent.iterdir():
        if path != run.path and path.is_dir():
            shutil.rmtree(path)
    shutil.rmtree(run.commands, ignore_errors=True)
    run.write_status(_ended())


@functools.cache
def _ended():  # type: ignore[no-untyped-def]
    return folder().status()


def copy(name: str, **content: bytes) -> RunFolder:
    """A copy of the run, some of its files with another content."""
    path = PLACE / "copies" / "runs" / name
    if not path.is_dir():
        shutil.copytree(folder().path, path)
    for file_name in ("config.json", "meta.json", "status.json", "result.json", "events.jsonl"):
        (path / file_name).write_bytes(content.get(file_name, (folder().path / file_name).read_bytes()))
    return RunFolder(path)
