"""What one visitor can do with the runs: two people and an admin on one server, and a server for looking only."""

from __future__ import annotations

import inspect
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings, list_embeddings
from mfcore.errors import UnusableRequest
from mfcore.runs import RunConfig, RunFolder, RunManager
from mfcore.runs.manager import manager as managing
from mfcore.runs.manager.watcher import Watcher
from mfcore.runs.worker.session import train_run
from tests.runs.tiny_runs import tiny
from ui.visitor_runs import VisitorRuns
from ui.visitors import STRANGER, NotAllowed, Visitor

ANN = Visitor("ann", "Ann", let_in=True, may_write=True, account=True)
BOB = Visitor("bob", "Bob", let_in=True, may_write=True, account=True)
ADMIN = Visitor("root", "Root", let_in=True, may_write=True, admin=True, account=True)
TABLES = Tables(np.eye(4, dtype=np.float32), {"label": list("abcd")})
As = Callable[[Visitor], VisitorRuns]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunManager:
    monkeypatch.setattr(Watcher, "wake", lambda self: None)  # nothing here needs a worker
    return RunManager(tmp_path)


@pytest.fixture
def runs(manager: RunManager) -> As:
    return lambda visitor: VisitorRuns(manager, visitor)


# Everything that changes a run. What is asked of somebody else's is refused; see the test of completeness below.
CHANGES: dict[str, Callable[[VisitorRuns, str], object]] = {
    "command": lambda runs, run_id: runs.command(run_id, "pause"),
    "stop": lambda runs, run_id: runs.stop(run_id),
    "resume": lambda runs, run_id: runs.resume(run_id),
    "extend": lambda runs, run_id: runs.extend(run_id, 3),
    "move": lambda runs, run_id: runs.move(run_id, 1),
    "kill": lambda runs, run_id: runs.kill(run_id),
    "set_meta": lambda runs, run_id: runs.set_meta(run_id, name="taken"),
    "share": lambda runs, run_id: runs.share(run_id, True),
    "delete": lambda runs, run_id: runs.delete(run_id),
    "start_map": lambda runs, run_id: runs.start_map("runs", run_id, "tsne"),
    "cancel_map": lambda runs, run_id: runs.cancel_map("runs", run_id, "tsne"),
}
MAKES: dict[str, Callable[[VisitorRuns, str], object]] = {
    "submit": lambda runs, run_id: runs.submit(tiny()),
    "branch": lambda runs, run_id: runs.branch(run_id, 0),
    "import_zip": lambda runs, run_id: runs.import_zip(b""),
    "add_embeddings": lambda runs, run_id: runs.add_embeddings(TABLES, "mine"),
}
LOOKS: dict[str, Callable[[VisitorRuns, str], object]] = {
    "get": lambda runs, run_id: runs.get(run_id),
    "folder": lambda runs, run_id: runs.folder(run_id),
    "export_zip": lambda runs, run_id: runs.export_zip(run_id),
    "space": lambda runs, run_id: runs.space("runs", run_id),
}
OTHERS = {"list", "line", "disk", "embeddings", "open_embeddings", "share_embeddings", "delete_embeddings"}


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_method_is_tested_here() -> None:
    """A new one has to say to which of them it belongs."""
    assert public(VisitorRuns) == {*CHANGES, *MAKES, *LOOKS, *OTHERS}


def test_whatever_a_manager_writes_is_refused_where_it_is_read_only(tmp_path: Path) -> None:
    """A new method of the manager has to say whether it writes."""
    reads = {"warm", "troubles", "shutdown", "wait", "kept_epochs", "folder", "get", "list", "export_zip"}
    looking = RunManager(tmp_path, read_only=True)
    methods = {name for name in dir(looking) if not name.startswith("_") and inspect.isroutine(getattr(looking, name))}
    assert methods == reads | set(managing.WRITES)
    for name in managing.WRITES:
        with pytest.raises(UnusableRequest, match="for looking only"):
            getattr(looking, name)("run", 1)
    looking.warm()
    assert looking.watcher._thread is None, "and none that waits is begun"
    assert looking.troubles() == [] and list(tmp_path.iterdir()) == [], "nor is anything written to see whether it could be"


@pytest.mark.parametrize("what", {**CHANGES, **MAKES, **LOOKS})
@pytest.mark.parametrize("shared", [False, True])
def test_the_run_of_somebody_else(what: str, shared: bool, manager: RunManager, runs: As) -> None:
    run_id = manager.submit(tiny(), owner="ann")
    manager.set_meta(run_id, shared=shared, shared_by="Ann")
    before = {path: path.read_bytes() for path in manager.folder(run_id).path.rglob("*.json")}
    do = {**CHANGES, **MAKES, **LOOKS}[what]
    if not shared and what not in ("submit", "import_zip", "add_embeddings"):
        with pytest.raises(UnusableRequest) as missing:
            do(runs(BOB), "20261122-000000-mf-0000")
        with pytest.raises(UnusableRequest) as refused:
            do(runs(BOB), run_id)
        said = str(missing.value).replace("20261122-000000-mf-0000", run_id)
        assert str(refused.value) == said, "as if it were not there"
        assert not isinstance(refused.value, NotAllowed)
    elif what in CHANGES:
        with pytest.raises(NotAllowed, match="somebody else's"):
            do(runs(BOB), run_id)
    elif what in LOOKS:
        assert do(runs(BOB), run_id)
    assert {path: path.read_bytes() for path in manager.folder(run_id).path.rglob("*.json")} == before


@pytest.mark.parametrize("what", {**CHANGES, **MAKES})
def test_nothing_is_written_by_who_may_only_look(what: str, manager: RunManager, runs: As) -> None:
    run_id = manager.submit(tiny(), owner="ann")
    for visitor in (replace(ANN, may_write=False), replace(ADMIN, may_write=False)):
        with pytest.raises(NotAllowed, match="for looking only"):
            {**CHANGES, **MAKES}[what](runs(visitor), run_id)
    assert manager.store.names() == [run_id] and not list_embeddings(manager.home)


@pytest.mark.parametrize("what", {**CHANGES, **MAKES, **LOOKS})
def test_a_stranger_gets_nothing(what: str, manager: RunManager, runs: As) -> None:
    run_id = manager.submit(tiny())
    with pytest.raises(UnusableRequest):
        {**CHANGES, **MAKES, **LOOKS}[what](runs(STRANGER), run_id)
    assert runs(STRANGER).list() == []


def test_lists_hold_ones_own_what_is_shared_and_what_is_nobodys(manager: RunManager, runs: As) -> None:
    nobodys, anns, bobs = (manager.submit(tiny(), owner=owner) for owner in ("", "ann", "bob"))

    def seen(visitor: Visitor) -> set[str]:
        return {run.run_id for run in runs(visitor).list()}

    assert (seen(ANN), seen(BOB), seen(ADMIN)) == ({nobodys, anns}, {nobodys, bobs}, {nobodys, anns, bobs})
    runs(ANN).share(anns, True)
    assert seen(BOB) == {nobodys, anns, bobs} and runs(BOB).get(anns).shared_by == "Ann"
    runs(ANN).share(anns, False)
    assert seen(BOB) == {nobodys, bobs}
    with pytest.raises(NotAllowed, match="before there were accounts"):
        runs(ANN).delete(nobodys)
    runs(ADMIN).delete(nobodys)
    runs(ADMIN).delete(anns)
    assert seen(ADMIN) == {bobs}


def test_what_one_makes_is_ones_own(manager: RunManager, runs: As) -> None:
    made = runs(ANN).submit(tiny())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("r/config.json", json.dumps(tiny().to_dict()))
        archive.writestr("r/meta.json", json.dumps({"name": "x", "owner": "bob", "shared": True}))
    taken_in = runs(ANN).import_zip(packed.getvalue())
    assert {(manager.get(one).owner, manager.get(one).shared) for one in (made, taken_in)} == {("ann", False)}
    assert runs(Visitor("b-1", let_in=True, may_write=True, admin=True)).submit(tiny()) and runs(BOB).list() == [
        run for run in manager.list() if run.owner == ""
    ]


def test_a_branch_of_a_shared_run_belongs_to_who_branches(manager: RunManager, runs: As) -> None:
    folder = RunFolder.create(manager.home, tiny(num_epochs=1), owner="ann")
    train_run(folder, manager.home)
    runs(ANN).share(folder.run_id, True)
    child = manager.get(runs(BOB).branch(folder.run_id, 1, {"num_epochs": 2}))
    assert (child.owner, child.shared, child.shared_by) == ("bob", False, "")
    with pytest.raises(UnusableRequest, match=f"there is no run {child.run_id}"):
        runs(ANN).get(child.run_id)


def test_the_weights_of_a_run_that_one_does_not_see_are_no_beginning(manager: RunManager, runs: As) -> None:
    theirs = manager.submit(tiny(), owner="ann")
    config = RunConfig().with_flat(
        {"model": "neumf", "pretrained_gmf": theirs, "pretrained_mlp": theirs, "dataset": "planted", "split": "random"}
    )
    with pytest.raises(UnusableRequest, match=f"there is no run {theirs}"):
        runs(BOB).submit(config)
    with pytest.raises(UnusableRequest, match="made by branch"):
        runs(BOB).submit(replace(tiny(), parent={"run_id": theirs, "epoch": 1, "changes": {}}))
    runs(ANN).share(theirs, True)
    assert runs(BOB).submit(config)


def test_imported_embeddings_are_kept_apart_likewise(manager: RunManager, runs: As) -> None:
    name = runs(ANN).add_embeddings(TABLES, "hers").name
    assert [one.name for one in runs(ANN).embeddings()] == [name] and not runs(BOB).embeddings()
    for look in (
        lambda: runs(BOB).open_embeddings(name),
        lambda: runs(BOB).space("embeddings", name),
        lambda: runs(BOB).share_embeddings(name, True),
        lambda: runs(BOB).delete_embeddings(name),
        lambda: runs(BOB).start_map("embeddings", name, "tsne"),
    ):
        with pytest.raises(UnusableRequest, match=f"there are no imported embeddings {name}"):
            look()
    runs(ANN).share_embeddings(name, True)
    assert runs(BOB).open_embeddings(name).shared_by == "Ann"
    acts: list[Callable[[], Any]] = [
        lambda: runs(BOB).share_embeddings(name, False),
        lambda: runs(BOB).delete_embeddings(name),
        lambda: runs(BOB).start_map("embeddings", name, "tsne"),
        lambda: runs(BOB).cancel_map("embeddings", name, "tsne"),
    ]
    for act in acts:
        with pytest.raises(NotAllowed, match="somebody else's"):
            act()
    runs(ANN).delete_embeddings(name)
    assert not list_embeddings(manager.home)


def test_damaged_labels_show_a_run_to_admins_alone(manager: RunManager, runs: As) -> None:
    run_id = manager.submit(tiny(), owner="ann")
    (RunFolder(manager.store.runs / run_id).path / "meta.json").write_text("{")
    assert not runs(ANN).list() and not runs(BOB).list() and [run.run_id for run in runs(ADMIN).list()] == [run_id]
    added = ImportedEmbeddings.add(TABLES, "x", manager.home, owner="ann")
    (added.path / "about.json").write_text("{")
    assert not runs(ANN).embeddings() and len(runs(ADMIN).embeddings()) == 1
