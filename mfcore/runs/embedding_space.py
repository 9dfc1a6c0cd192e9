"""The embeddings of a run, or imported ones, by name: opened here for what ``mfcore.embeddings`` shows, maps and exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfcore.data import Interactions, open_dataset
from mfcore.embeddings.export import Prediction
from mfcore.embeddings.imported import ImportedEmbeddings, open_embeddings
from mfcore.embeddings.points import block_points, check_fits, plain_table, points_of
from mfcore.embeddings.rating_block import RatingBlock
from mfcore.embeddings.snapshots import ModelSnapshot, Points, SnapshotFiles, SnapshotSource
from mfcore.embeddings.spectrum import Recovery, recovery_over_time
from mfcore.paths import data_dir
from mfcore.registry import MODELS
from mfcore.runs.layout import RunFolder, open_folder
from mfcore.runs.loaded import LoadedRun, load_run, open_split
from mfcore.validate import choice, require

KINDS = ("runs", "embeddings")


@dataclass(frozen=True)
class RunSpace:
    """The embeddings of a run (an ``EmbeddingSpace``): the snapshots kept while it was trained, else its model as it is."""

    folder: RunFolder
    home: Path
    kind = "runs"

    @property
    def name(self) -> str:
        return self.folder.run_id

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def state(self) -> str:
        return self.folder.status().state

    def snapshots(self, *, every: bool = False) -> SnapshotSource:
        """The snapshots of the run; its model where it has none, or where ``every`` item and user is wanted.

        Raises:
            UnusableRequest: it has neither yet. DataUnavailable: the model is asked for and its dataset is not here.
        """
        kept = None if every else SnapshotFiles(self.path).source()
        return kept or self._model_snapshot()

    def data_for(self, rows: SnapshotSource | RatingBlock) -> Interactions:
        """The run's dataset, which knows every item and user of ``rows``.

        Raises:
            UnusableRequest: it does not: the snapshots are of another dataset. DataUnavailable: it is not here.
        """
        data = open_dataset(self.folder.config().dataset, self.home)
        check_fits(rows, data, self.name)
        return data

    def points(self, *, every: bool = False) -> Points:
        """What the rows of :meth:`snapshots` are; see :func:`mfcore.embeddings.points.points_of`. Raises as those two."""
        source = self.snapshots(every=every)
        return points_of(source, self.data_for(source))

    def rating_block(self, *, epoch: int | None = None, static: bool = True) -> dict[str, Any]:
        """``{epoch, step, predicted}`` and, if ``static``, ``{users, items, known, heldout, low, high, unit, note}``.

        ``epoch``: which; None is the latest there is, also inside an epoch. A run without snapshots shows its model.

        Raises:
            UnusableRequest: nothing to show yet. DataUnavailable: its dataset is not here.
        """
        files = SnapshotFiles(self.path)
        metadata = files.metadata()
        if metadata is not None and files.epochs():
            block, note = metadata.block, metadata.note
            at, step, predicted = files.block(epoch)
        else:
            run = self._load()
            block, note = RatingBlock.of(run.split, implicit=not run.model.predicts_ratings), ""
            at, step, predicted = run.checkpoint_epoch, 0, block.predicted(run.model)
        answer = {"epoch": at, "step": step, "predicted": plain_table(predicted)}
        return answer | block_points(block, self.data_for(block)) | {"note": note} if static else answer

    def recovery(self) -> dict[int, Recovery]:
        """Epoch → how much of the planted space was found; empty for real data.

        Raises:
            UnusableRequest: nothing to show yet, or fewer dimensions than were planted. DataUnavailable: no dataset.
        """
        source = self.snapshots()
        planted = self.data_for(source).planted
        if planted is None:
            return {}
        return recovery_over_time(source, planted[1], dot_product=MODELS[self.folder.config().model.name].dot_product)

    def prediction(self, epoch: int | None = None) -> Prediction:
        """How its model makes a score of vectors; that of a snapshot starts from the mean of the training part.

        Raises:
            UnusableRequest: there is no model yet. DataUnavailable: its dataset is not here.
        """
        if epoch is None:
            return Prediction.of(self._load().model)
        from mfcore.models import build_model

        stored = self.folder.stored()
        # Not the model that stands for the run: that may have learned from the validation part too.
        model = build_model(stored.config.model, open_split(stored, self.home).train)
        model.predicts_ratings = not stored.config.training.implicit
        return Prediction.of(model)

    def _load(self) -> LoadedRun:
        return load_run(self.name, self.home)

    def _model_snapshot(self) -> ModelSnapshot:
        run = self._load()
        require(run.model.item_vectors().ndim == 2, f"model {run.config.model.name} has no vectors to show")
        stamp = (self.folder.checkpoints / f"{run.checkpoint}.safetensors").stat().st_mtime_ns
        key = ("model", str(self.path), run.checkpoint)
        return ModelSnapshot(run.model, epoch=run.checkpoint_epoch, key=key, stamp=stamp)


def run_space(run_id: str, home: str | Path | None = None) -> RunSpace:
    """The embeddings of a run. Raises UnusableRequest: there is no such run."""
    return RunSpace(open_folder(run_id, home), data_dir(home))


def open_space(kind: str, name: str, home: str | Path | None = None) -> RunSpace | ImportedEmbeddings:
    """``kind``: "runs" or "embeddings", for imported ones. Raises UnusableRequest: there is no such thing."""
    choice("kind", kind, KINDS)
    return open_embeddings(name, home) if kind == "embeddings" else run_space(name, home)
