"""Models: what turns a user and an item into a score. Names load on first use, because they need torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcore.models.base import RecommenderModel as RecommenderModel
    from mfcore.models.build import MODEL_CLASSES as MODEL_CLASSES
    from mfcore.models.build import build_model as build_model
    from mfcore.models.config import MODELS as MODELS
    from mfcore.models.config import ModelConfig as ModelConfig
    from mfcore.models.dot import GMF as GMF
    from mfcore.models.dot import MF as MF
    from mfcore.models.dot import BiasedMF as BiasedMF
    from mfcore.models.memory import check_memory as check_memory
    from mfcore.models.memory import count_parameters as count_parameters
    from mfcore.models.memory import estimate_memory as estimate_memory
    from mfcore.models.neural import MLP as MLP
    from mfcore.models.neural import NeuMF as NeuMF

_HOME_OF = {
    "base": ("RecommenderModel",),
    "build": ("MODEL_CLASSES", "build_model"),
    "config": ("MODELS", "ModelConfig"),
    "dot": ("GMF", "MF", "BiasedMF"),
    "memory": ("check_memory", "count_parameters", "estimate_memory"),
    "neural": ("MLP", "NeuMF"),
}
_MODULE_OF = {name: module for module, names in _HOME_OF.items() for name in names}
__all__ = [*sorted(_MODULE_OF)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore.models' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mfcore.models.{_MODULE_OF[name]}"), name)
