"""Measuring a model: rating error, sampled and full ranking, and the baselines to hold them against.

Names load on first use: ``Protocol`` needs no torch, so configs stay cheap to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcore.evaluation.baselines import baseline_metrics as baseline_metrics
    from mfcore.evaluation.baselines import fit_baseline as fit_baseline
    from mfcore.evaluation.breakdown import by_item_popularity as by_item_popularity
    from mfcore.evaluation.breakdown import by_user_activity as by_user_activity
    from mfcore.evaluation.calibration import Calibration as Calibration
    from mfcore.evaluation.calibration import calibration_table as calibration_table
    from mfcore.evaluation.comparison import Comparison as Comparison
    from mfcore.evaluation.comparison import compare as compare
    from mfcore.evaluation.curves import curve_at_k as curve_at_k
    from mfcore.evaluation.details import EvaluationDetails as EvaluationDetails
    from mfcore.evaluation.evaluator import Evaluator as Evaluator
    from mfcore.evaluation.evaluator import evaluate as evaluate
    from mfcore.evaluation.honesty import sampled_curve as sampled_curve
    from mfcore.evaluation.leak import Leak as Leak
    from mfcore.evaluation.leak import leak_meter as leak_meter
    from mfcore.evaluation.lists import beyond_accuracy as beyond_accuracy
    from mfcore.evaluation.negatives import sample_negatives as sample_negatives
    from mfcore.evaluation.protocol import Protocol as Protocol
    from mfcore.evaluation.summary import summarise as summarise
    from mfcore.evaluation.summary import user_metrics as user_metrics
    from mfcore.evaluation.uncertainty import Interval as Interval
    from mfcore.evaluation.uncertainty import Spread as Spread
    from mfcore.evaluation.uncertainty import bootstrap_intervals as bootstrap_intervals
    from mfcore.evaluation.uncertainty import over_seeds as over_seeds

_NAMES_IN = {
    "baselines": ("baseline_metrics", "fit_baseline"),
    "breakdown": ("by_item_popularity", "by_user_activity"),
    "calibration": ("Calibration", "calibration_table"),
    "comparison": ("Comparison", "compare"),
    "curves": ("curve_at_k",),
    "details": ("EvaluationDetails",),
    "evaluator": ("Evaluator", "evaluate"),
    "honesty": ("sampled_curve",),
    "leak": ("Leak", "leak_meter"),
    "lists": ("beyond_accuracy",),
    "negatives": ("sample_negatives",),
    "protocol": ("Protocol",),
    "summary": ("summarise", "user_metrics"),
    "uncertainty": ("Interval", "Spread", "bootstrap_intervals", "over_seeds"),
}
_MODULE_OF = {name: module for module, names in _NAMES_IN.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'mfcore.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mfcore.evaluation.{_MODULE_OF[name]}"), name)
