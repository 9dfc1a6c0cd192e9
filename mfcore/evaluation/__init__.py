"""Measuring a model: rating error, sampled and full ranking, and the baselines to hold them against.

Names load on first use: ``Protocol`` needs no torch, so configs stay cheap to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcore.evaluation.baselines import baseline_metrics as baseline_metrics
    from mfcore.evaluation.curves import curve_at_k as curve_at_k
    from mfcore.evaluation.details import EvaluationDetails as EvaluationDetails
    from mfcore.evaluation.evaluator import Evaluator as Evaluator
    from mfcore.evaluation.evaluator import evaluate as evaluate
    from mfcore.evaluation.negatives import sample_negatives as sample_negatives
    from mfcore.evaluation.protocol import Protocol as Protocol
    from mfcore.evaluation.summary import summarise as summarise

_MODULE_OF = {
    "EvaluationDetails": "details",
    "Evaluator": "evaluator",
    "Protocol": "protocol",
    "baseline_metrics": "baselines",
    "curve_at_k": "curves",
    "evaluate": "evaluator",
    "sample_negatives": "negatives",
    "summarise": "summary",
}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mfcore.evaluation.{_MODULE_OF[name]}"), name)
