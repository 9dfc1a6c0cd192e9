"""What one visitor can do with the runs and the embeddings of this server: the manager, held to the rule of ui/visitors.py.

Pages and routes reach runs through here and in no other way. What a visitor may not see answers as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.embeddings.export import Tables
from mfcore.embeddings.imported import ImportedEmbeddings, delete_embeddings, list_embeddings, open_embeddings
from mfcore.embeddings.manifold import ManifoldSettings
from mfcore.embeddings.manifold_job import ManifoldJob, manifold_job
from mfcore.runs import RunConfig, RunFolder, RunManager, RunSummary
from mfcore.runs.disk import DiskUse, disk_use
from mfcore.runs.embedding_space import RunSpace, open_space
from mfcore.runs.manager.manager import manager_for
from mfcore.runs.manager.queue import Line
from mfcore.validate import require
from ui.access import access
from ui.visitors import READ_ONLY, NotAllowed, Owned, Visitor, may_change, may_see, why_not_change

Runs = list[RunSummary]  # within a class that has a method of that name, list is another word


def server_manager() -> RunManager:
    """The one manager of this process. A plain module object: any browser can clear Streamlit's caches."""
    return manager_for(read_only=access().read_only)


def runs_of(visitor: Visitor) -> VisitorRuns:
    """What this visitor can do.

    Raises:
        UnusableRequest: there is no data directory, and none can be made.
    """
    return VisitorRuns(server_manager(), visitor)


@dataclass(frozen=True)
class VisitorRuns:
    """The runs as one visitor has them. Methods are those of the manager, with its errors, and two more.

    Raises:
        UnusableRequest: nothing of this name is there for this visitor. NotAllowed: they may look at it, not change it.
    """

    manager: RunManager
    visitor: Visitor

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        return self.manager.home

    def list(self) -> Runs:
        """Every run that they may see, newest first."""
        return [run for run in self.manager.list() if may_see(self.visitor, run)]

    def get(self, run_id: str) -> RunSummary:
        run = self.manager.get(run_id)
        require(may_see(self.visitor, run), f"there is no run {run_id}; `python -m mfcore runs` lists them")
        return run

    def folder(self, run_id: str) -> RunFolder:
        return self.manager.folder(self.get(run_id).run_id)

    def export_zip(self, run_id: str) -> bytes:
        return self.manager.export_zip(self.get(run_id).run_id)

    def disk(self) -> DiskUse:
        """What the runs of all take, and what goes first when there is no more room."""
        return disk_use(self.manager.store, self.manager.limits.disk)

    def line(self) -> Line:
        """Who trains and who waits, the runs of others among them: their rows are told without titles."""
        return self.manager.queue.line()

    def embeddings(self) -> Sequence[ImportedEmbeddings]:
        """Imported embeddings that they may see, newest first."""
        return [one for one in list_embeddings(self.home) if may_see(self.visitor, one)]

    def open_embeddings(self, name: str) -> ImportedEmbeddings:
        found = open_embeddings(name, self.home)
        require(may_see(self.visitor, found), f"there are no imported embeddings {name}")
        return found

    def space(self, kind: str, name: str) -> RunSpace | ImportedEmbeddings:
        """``kind``: "runs" or "embeddings"; what the map shows."""
        if kind == "runs":
            self.get(name)
        else:
            self.open_embeddings(name)
        return open_space(kind, name, self.home)

    # --- changing ----------------------------------------------------------------------------------------------------

    def submit(self, config: RunConfig) -> str:
        self._may_write()
        for run_id in filter(None, (config.model.pretrained_gmf, config.model.pretrained_mlp)):
            self.get(run_id)  # the weights of a run that one may not see are not to begin with
        require(not config.parent, "a run that branches is made by branch")
        return self.manager.submit(config, owner=self.visitor.owner, asked_by=self.visitor.id)

    def branch(self, run_id: str, epoch: int, changes: Mapping[str, Any] | None = None, name: str = "") -> str:
        self._may_write()
        who = {"owner": self.visitor.owner, "asked_by": self.visitor.id}
        return self.manager.branch(self.get(run_id).run_id, epoch, changes, name, **who)

    def import_zip(self, data: bytes) -> str:
        self._may_write()
        return self.manager.import_zip(data, owner=self.visitor.owner)

    def command(self, run_id: str, kind: str, value: Any = None) -> None:
        self.manager.command(self._own(run_id), kind, value)

    def stop(self, run_id: str) -> None:
        self.manager.stop(self._own(run_id))

    def resume(self, run_id: str) -> None:
        self.manager.resume(self._own(run_id))

    def extend(self, run_id: str, epochs: int) -> None:
        self.manager.extend(self._own(run_id), epochs)

    def move(self, run_id: str, to: int) -> None:
        self.manager.move(self._own(run_id), to)

    def kill(self, run_id: str) -> None:
        self.manager.kill(self._own(run_id))

    def delete(self, run_id: str) -> None:
        self.manager.delete(self._own(run_id))

    def set_meta(self, run_id: str, *, name: str | None = None, note: str | None = None, starred: bool | None = None) -> None:
        self.manager.set_meta(self._own(run_id), name=name, note=note, starred=starred)

    def share(self, run_id: str, shared: bool) -> None:
        """Let others look at a run, or no longer."""
        self.manager.set_meta(self._own(run_id), shared=shared, shared_by=self.visitor.name)

    def add_embeddings(self, tables: Tables, title: str) -> ImportedEmbeddings:
        self._may_write()
        return ImportedEmbeddings.add(tables, title, self.home, owner=self.visitor.owner)

    def share_embeddings(self, name: str, shared: bool) -> None:
        """Let others look at imported embeddings, or no longer."""
        self._own_embeddings(name).share(shared, self.visitor.name)

    def delete_embeddings(self, name: str) -> None:
        delete_embeddings(self._own_embeddings(name).name, self.home)

    def start_map(self, kind: str, name: str, method: str) -> None:
        """Compute a map by t-SNE or UMAP, which is kept beside what it is of."""
        self._map(kind, name, method).start()

    def cancel_map(self, kind: str, name: str, method: str) -> None:
        self._map(kind, name, method).cancel()

    # --- the rule ----------------------------------------------------------------------------------------------------

    def _may_write(self) -> None:
        if not self.visitor.may_write:
            raise NotAllowed(READ_ONLY if self.visitor.let_in else "log in first; reload the page")

    def _may_change(self, thing: Owned) -> None:
        if not may_change(self.visitor, thing):
            raise NotAllowed(why_not_change(self.visitor, thing))

    def _own(self, run_id: str) -> str:
        run = self.get(run_id)
        self._may_change(run)
        return run.run_id

    def _own_embeddings(self, name: str) -> ImportedEmbeddings:
        found = self.open_embeddings(name)
        self._may_change(found)
        return found

    def _map(self, kind: str, name: str, method: str) -> ManifoldJob:
        self._may_change(self.get(name) if kind == "runs" else self.open_embeddings(name))
        return manifold_job(self.space(kind, name), settings=ManifoldSettings(method))
