"""mfcore: matrix-factorization recommenders, from ratings to recommendations.

Names load on first use, so that importing mfcore is instant and pulls in torch only where torch is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mfcore.data import Interactions as Interactions
    from mfcore.data import Split as Split
    from mfcore.data import leave_last_out as leave_last_out
    from mfcore.data import load_dataset as load_dataset
    from mfcore.data import official_split as official_split
    from mfcore.data import random_split as random_split
    from mfcore.data import time_split as time_split
    from mfcore.evaluation import Protocol as Protocol
    from mfcore.evaluation import evaluate as evaluate
    from mfcore.models import build_model as build_model
    from mfcore.projection import Projection as Projection
    from mfcore.recommend import Recommender as Recommender
    from mfcore.runs import RunConfig as RunConfig
    from mfcore.runs import load_run as load_run
    from mfcore.training import TrainConfig as TrainConfig
    from mfcore.training import Trainer as Trainer
    from mfcore.validate import UnusableRequest as UnusableRequest

_HOME_OF = {
    "mfcore.data": ("Interactions", "Split", "leave_last_out", "load_dataset", "official_split", "random_split", "time_split"),
    "mfcore.evaluation": ("Protocol", "evaluate"),
    "mfcore.models": ("build_model",),
    "mfcore.projection": ("Projection",),
    "mfcore.recommend": ("Recommender",),
    "mfcore.runs": ("RunConfig", "load_run"),
    "mfcore.training": ("TrainConfig", "Trainer"),
    "mfcore.validate": ("UnusableRequest",),
}
_MODULE_OF = {name: module for module, names in _HOME_OF.items() for name in names}
__all__ = [*sorted(_MODULE_OF), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)
