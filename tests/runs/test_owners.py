"""Whose a run is: written when it is made, kept through everything that is done to it, and never taken from elsewhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings
from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunManager, RunStatus, RunStore
from mfcore.runs.layout import UNKNOWN_OWNER
from tests.runs.damage import DAMAGED, HARMLESS
from tests.runs.tiny_runs import tiny

Train = Callable[..., tuple[RunFolder, RunStatus]]


class Nowhere:
    """An executor that starts no worker."""

    trouble = ""

    def start(self, folder: RunFolder) -> Any:
        raise OSError("nothing is started here")

    def warm(self) -> None: ...

    def close(self) -> None: ...

    def kill(self, folder: RunFolder) -> None: ...


@pytest.fixture
def manager(home: Path) -> Iterator[RunManager]:
    """One that trains nothing."""
    made = RunManager(home, executor=Nowhere())
    yield made
    made.shutdown()


def test_a_run_is_nobodys_unless_somebody_is_named(manager: RunManager) -> None:
    nobodys, anns = manager.get(manager.submit(tiny())), manager.get(manager.submit(tiny(), owner="ann"))
    assert (nobodys.owner, nobodys.shared) == ("", False)
    assert (anns.owner, anns.shared) == ("ann", False)


def test_labels_from_before_there_were_owners_are_read(home: Path) -> None:
    folder = RunFolder.create(home, tiny(), owner="ann")
    (folder.path / "meta.json").write_text('{"name": "old", "note": "", "starred": true}')
    run = RunStore(home).get(folder.run_id)
    assert (run.name, run.starred, run.owner, run.shared) == ("old", True, "", False)


@pytest.mark.parametrize("owner", [5, None, "a\nb", "x" * 201, UNKNOWN_OWNER])
def test_what_can_be_no_owner_is_refused_and_leaves_nothing(owner: object, home: Path) -> None:
    with pytest.raises(UnusableRequest):
        RunFolder.create(home, tiny(), owner=owner)  # type: ignore[arg-type]
    assert not (home / "runs").exists()


def test_other_labels_leave_the_owner_alone(home: Path) -> None:
    store, folder = RunStore(home), RunFolder.create(home, tiny(), owner="ann")
    store.set_meta(folder.run_id, shared=True, shared_by="Ann A.")
    store.set_meta(folder.run_id, name="mine", starred=True)
    run = store.get(folder.run_id)
    assert (run.owner, run.shared, run.shared_by, run.name) == ("ann", True, "Ann A.", "mine")
    store.set_meta(folder.run_id, shared=False)
    assert not store.get(folder.run_id).shared
    with pytest.raises(UnusableRequest, match="shared must be true or false"):
        store.set_meta(folder.run_id, shared="perhaps")  # type: ignore[arg-type]


def test_a_branch_belongs_to_who_branches(train: Train, manager: RunManager, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=2), owner="ann")
    manager.set_meta(folder.run_id, shared=True)
    train(folder=folder)
    child = manager.get(manager.branch(folder.run_id, 1, {"num_epochs": 3}, owner="bob"))
    assert (child.owner, child.shared) == ("bob", False)
    assert manager.get(manager.branch(folder.run_id, 1, {"num_epochs": 3})).owner == ""


def test_an_archive_does_not_say_whose_it_is(train: Train, home: Path, tmp_path: Path) -> None:
    store, folder = RunStore(home), RunFolder.create(home, tiny(num_epochs=1), owner="ann@example.org")
    store.set_meta(folder.run_id, name="hers", shared=True, shared_by="Ann A.")
    train(folder=folder)
    data = store.export_zip(folder.run_id)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
        labels = json.loads(archive.read(f"{folder.run_id}/meta.json"))
    assert labels == {"name": "hers", "note": "", "starred": False}
    assert b"ann@example.org" not in content and b"Ann A." not in content
    elsewhere = RunStore(tmp_path / "elsewhere")
    assert elsewhere.get(elsewhere.import_zip(data)).owner == ""
    copy = elsewhere.get(elsewhere.import_zip(data, owner="bob"))
    assert (copy.owner, copy.name, copy.shared) == ("bob", "hers", False)


@pytest.mark.parametrize("smuggled", [{"owner": "ann", "shared": True, "shared_by": "Ann"}, {"owner": 5}, {"shared": "x"}])
def test_an_archive_that_names_an_owner_is_not_believed(smuggled: dict[str, object], home: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("r/config.json", json.dumps(tiny().to_dict()))
        archive.writestr("r/meta.json", json.dumps({"name": "theirs", **smuggled}))
    store = RunStore(home)
    run = store.get(store.import_zip(packed.getvalue(), owner="bob"))
    assert (run.owner, run.shared, run.shared_by, run.name) == ("bob", False, "", "theirs")


@pytest.mark.parametrize("what", ["labels too deep", "no name", "an owner that is a number", "a star that is a word"])
def test_damaged_labels_make_a_run_nobodys_business(what: str, train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=1), owner="ann")
    train(folder=folder)
    {**HARMLESS, **DAMAGED}[what](folder.path)
    owner = RunStore(home).get(folder.run_id).owner
    assert owner == ("ann" if what in ("no name", "a star that is a word") else UNKNOWN_OWNER)


def test_a_damaged_result_leaves_the_run_to_its_owner(train: Train, home: Path) -> None:
    folder = RunFolder.create(home, tiny(num_epochs=1), owner="ann")
    train(folder=folder)
    DAMAGED["metrics that are a list"](folder.path)
    run = RunStore(home).get(folder.run_id)
    assert (run.state, run.owner, run.shared) == ("damaged", "ann", False)


def test_imported_embeddings_have_an_owner_too(home: Path) -> None:
    tables = Tables(np.eye(4, dtype=np.float32), {"label": list("abcd")})
    nobodys, anns = (ImportedEmbeddings.add(tables, "four", home, owner=owner) for owner in ("", "ann"))
    assert (nobodys.owner, nobodys.shared) == ("", False)
    anns.share(True, by="Ann A.")
    assert (anns.owner, anns.shared, anns.shared_by, anns.about()["title"]) == ("ann", True, "Ann A.", "four")
    anns.share(False)
    assert (anns.owner, anns.shared) == ("ann", False)
    (anns.path / "about.json").write_text("{")
    assert (anns.owner, anns.shared) == (UNKNOWN_OWNER, False)
    with pytest.raises(UnusableRequest, match="owner must be"):
        ImportedEmbeddings.add(tables, "four", home, owner="a\nb")
