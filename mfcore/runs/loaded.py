"""A stored run, opened: its data, its split and its model, for the pages and the command line."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from mfcore.cache import LRU
from mfcore.data import Interactions, Split, make_split, open_dataset
from mfcore.errors import UnusableRequest
from mfcore.paths import data_dir
from mfcore.runs.checkpoints.retention import kept_path
from mfcore.runs.config import RunConfig
from mfcore.runs.layout import RunFolder, StoredRun, open_folder
from mfcore.validate import require

if TYPE_CHECKING:
    from mfcore.evaluation import EvaluationDetails
    from mfcore.models import RecommenderModel
    from mfcore.recommendation.recommender import Recommender

REFIT = "refit"
CHECKPOINTS = (REFIT, "best", "last")
"""Which weights stand for a run, the first there is."""


@dataclass(frozen=True, eq=False)
class LoadedRun:
    """``checkpoint``: which weights these are (refit, best or last); ``checkpoint_epoch``: after how many epochs."""

    config: RunConfig
    folder: RunFolder
    data: Interactions
    split: Split
    model: RecommenderModel
    checkpoint: str
    checkpoint_epoch: int

    def recommender(self) -> Recommender:
        """Top-N and similar items from this run's model."""
        from mfcore.recommendation.recommender import Recommender

        return Recommender(self.model, self.data)

    def evaluation(self) -> EvaluationDetails | None:
        """What the final test saw, case by case; None until test has been scored."""
        from mfcore.evaluation import EvaluationDetails

        path = self.folder.evaluation_path
        return EvaluationDetails.load(path) if path.is_file() else None

    def repair_evaluation(self) -> bool:
        """Make what the final test saw anew where its file is damaged; True if it was, and is whole again.

        Raises:
            UnusableRequest: it cannot be written.
        """
        from mfcore.evaluation import EvaluationDetails, Evaluator

        path, config = self.folder.evaluation_path, self.config
        if not path.is_file():
            return False
        try:
            EvaluationDetails.load(path)
        except UnusableRequest:
            with suppress(Timeout), self.folder.lock():
                Evaluator(self.split, "test", config.protocol, config.all_relevant).details(self.model).save(path)
                return True
        return False

    def evaluate(self, on: str = "test") -> dict[str, float]:
        """Every defined metric of this run's model on "test" or "valid", under the run's own protocol."""
        from mfcore.evaluation import evaluate

        return evaluate(self.model, self.split, on, self.config.protocol)


_cache: LRU[tuple[Path, str, int], LoadedRun] = LRU(4)


def load_run(run_id: str, home: str | Path | None = None, *, progress: Any = None) -> LoadedRun:
    """Open a stored run; works for finished ones and for those still going. Kept in memory until its checkpoint changes.

    Raises:
        UnusableRequest: no such run, or nothing to show yet, or its files are damaged.
        DataUnavailable: its dataset is not here and cannot be fetched.
    """
    folder = open_folder(run_id, home)
    weights = _weights_of(folder)

    def load() -> LoadedRun:
        _cache.discard(lambda key: key[0] == folder.path)  # its earlier weights
        return _load(folder.stored(), weights, data_dir(home), progress)

    return _cache.get_or_make((folder.path, weights.stem, weights.stat().st_mtime_ns), load)


def open_split(run: StoredRun, home: Path, progress: Any = None) -> Split:
    """Data and split of a run, as they were when it was trained; without its model.

    Raises:
        UnusableRequest: the dataset is not what it was when the run began.
        DataUnavailable: it is not here and cannot be fetched.
    """
    data = open_dataset(run.config.dataset, home, progress)
    check_same_data(data, run)
    return load_split(run.config, data, home, str(run.provenance.get("split_hash", "")))


def check_same_data(data: Interactions, run: StoredRun) -> None:
    """Weights mean nothing on other interactions than those they were learned from.

    Raises:
        UnusableRequest: the dataset is not what it was when the run began.
    """
    known, run_id = run.provenance.get("dataset_fingerprint", data.fingerprint), run.folder.run_id
    require(known == data.fingerprint, f"dataset {data.name} has changed since run {run_id} was trained; train it again")


def load_split(config: RunConfig, data: Interactions, home: Path, split_hash: str = "") -> Split:
    """The split of a run: from ``splits/<hash>.npz`` if there, else made, and kept there for other runs and baselines."""
    if split_hash and (home / "splits" / f"{split_hash}.npz").is_file():
        try:
            return Split.load(home / "splits" / f"{split_hash}.npz", data)
        except UnusableRequest:  # damaged or of other data: made anew, and written over what is there
            return _fresh_split(config, data, home, again=True)
    return _fresh_split(config, data, home)


def _fresh_split(config: RunConfig, data: Interactions, home: Path, *, again: bool = False) -> Split:
    split = make_split(data, config.split)
    path = home / "splits" / f"{split.hash}.npz"
    if again or not path.is_file():
        with suppress(UnusableRequest):  # it can be made again; looking at a run needs no room
            split.save(path)
    return split


def _weights_of(folder: RunFolder) -> Path:
    for name in CHECKPOINTS:
        path = folder.checkpoints / f"{name}.safetensors"
        if path.is_file():
            return path
    status = folder.status()
    if status.over:
        raise UnusableRequest(f"run {folder.run_id} has no model: it is over ({status.state}) and left no weights")
    raise UnusableRequest(f"run {folder.run_id} has no model yet ({status.state}); wait for its first epoch")


def _twin(folder: RunFolder, path: Path) -> Path | None:
    """Where the weights of a damaged checkpoint lie once more: the best epoch is among the kept ones."""
    epoch = folder.result().get("best_epoch")
    if path.stem != "best" or epoch not in folder.kept_epochs():
        return None
    return kept_path(folder.checkpoints, int(epoch))


def _load(run: StoredRun, path: Path, home: Path, progress: Any) -> LoadedRun:
    from mfcore.models import build_model
    from mfcore.runs.checkpoints.files import load_weights

    config, split = run.config, open_split(run, home, progress)
    try:
        weights, info = load_weights(path)
    except UnusableRequest:
        twin = _twin(run.folder, path)
        if twin is None:
            raise
        weights, info = load_weights(twin)
    learned_from = split.with_validation_in_train() if path.stem == REFIT else split
    model = build_model(config.model, learned_from.train, seed=config.training.seed)
    model.predicts_ratings = not config.training.implicit
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise UnusableRequest(f"the checkpoint of run {run.folder.run_id} does not fit its configuration: {error}") from None
    model.eval()
    return LoadedRun(config, run.folder, split.data, split, model, path.stem, int(info.get("epoch", 0)))
