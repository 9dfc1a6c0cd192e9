"""Interactions: where they come from, what shape they have, how they are divided. Knows nothing of models."""

from mfcore.data.config import DatasetConfig, SplitConfig
from mfcore.data.imported import (
    delete_dataset,
    describe_dataset,
    export_dataset,
    import_dataset,
    rename_dataset,
)
from mfcore.data.importing import load_ratings
from mfcore.data.interactions import Interactions, make_item_table
from mfcore.data.registry import dataset_status, fetch, forget_loaded, load_dataset, open_dataset
from mfcore.data.split import (
    Split,
    given_split,
    leave_last_out,
    leave_one_out,
    make_split,
    official_split,
    random_split,
    time_split,
)
from mfcore.data.vocabulary import Vocabulary
from mfcore.errors import DataUnavailable
from mfcore.registry import DATASETS, SPLITS, DatasetSpec, Option

__all__ = [
    "DATASETS",
    "SPLITS",
    "DataUnavailable",
    "DatasetConfig",
    "DatasetSpec",
    "Interactions",
    "Option",
    "Split",
    "SplitConfig",
    "Vocabulary",
    "dataset_status",
    "delete_dataset",
    "describe_dataset",
    "export_dataset",
    "fetch",
    "forget_loaded",
    "given_split",
    "import_dataset",
    "leave_last_out",
    "leave_one_out",
    "load_dataset",
    "load_ratings",
    "make_item_table",
    "make_split",
    "official_split",
    "open_dataset",
    "random_split",
    "rename_dataset",
    "time_split",
]
