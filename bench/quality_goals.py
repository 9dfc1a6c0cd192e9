"""What the presets are held to on MovieLens 100K: rows, their runs, and the figures they must reach. Data, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LOWER_IS_BETTER = ("rmse", "mae")
RANDOM_DIVISIONS = 5
"""Random rows: as many divisions as five-fold cross-validation has, each with a seed of its own."""


@dataclass(frozen=True)
class Figure:
    """One number of a row. ``required`` is ours to keep, ``moonshot`` ours to hope for (a row's name: beat that row's figure),
    ``reference`` what others reach. ``fold``: of that fold alone; 0 is the mean over all folds."""

    label: str
    metric: str
    required: float | None = None
    moonshot: float | str | None = None
    reference: str = ""
    fold: int = 0


@dataclass(frozen=True)
class Row:
    """A preset under a protocol. ``settings`` change the preset; ``differences``: how the references were obtained otherwise.

    ``folds``: every repeat runs each of them. ``divisions``: every repeat divides the ratings anew, this many times at least.
    """

    name: str
    preset: str
    protocol: str
    figures: tuple[Figure, ...]
    differences: str
    settings: tuple[tuple[str, Any], ...] = ()
    folds: tuple[int, ...] = ()
    divisions: int = 0


@dataclass(frozen=True)
class Check:
    """A figure of a baseline that shows whether the harness is right: it must lie in ``low`` … ``high``."""

    label: str
    baseline: str
    split: str
    metric: str
    low: float
    high: float
    reference: str


_SAMPLED = "leave-last-out, 1 + 99 and full"
_SAME_HARNESS = (
    "References: one harness for all, the same hold-out (latest by time, then file order), 99 never-interacted negatives, ties "
    "half; but one draw of negatives and one seed, and {chosen}. Ours: settings and epoch chosen on validation, refit, 20 "
    "draws."
)

ROWS = (
    Row(
        "mf-implicit",
        "mf-implicit",
        _SAMPLED,
        (
            Figure("HR@10", "hr@10", 0.67, 0.70, "implicit ALS .669, Cornac BPR .687, PyTorch MF .684*"),
            Figure("NDCG@10", "ndcg@10", 0.39, 0.415, "implicit ALS .389, Cornac BPR .388, PyTorch MF .402*"),
            Figure("full HR@10", "hr@10/full", None, None, "implicit ALS .145, Cornac BPR .127, PyTorch MF .152*"),
            Figure("full NDCG@10", "ndcg@10/full", 0.077, 0.086, "implicit ALS .075, Cornac BPR .068, PyTorch MF .084*"),
        ),
        _SAME_HARNESS.format(
            chosen="the ones marked * chose their epoch on test, hence optimistic (20 epochs fixed: .384–.400)"
        ),
    ),
    Row(
        "neumf",
        "neumf",
        _SAMPLED,
        (
            Figure("HR@10", "hr@10", 0.65, "mf-implicit", "Cornac NeuMF-8 .629, PyTorch NeuMF-8 .658*"),
            Figure("NDCG@10", "ndcg@10", 0.375, "mf-implicit", "Cornac NeuMF-8 .362, PyTorch NeuMF-8 .383*"),
            Figure("full HR@10", "hr@10/full", None, "mf-implicit", "Cornac NeuMF-8 .121, PyTorch NeuMF-8 .132*"),
            Figure("full NDCG@10", "ndcg@10/full", 0.064, "mf-implicit", "Cornac NeuMF-8 .061, PyTorch NeuMF-8 .065*"),
        ),
        _SAME_HARNESS.format(chosen="the ones marked * chose their epoch on test, hence optimistic"),
    ),
    Row(
        "biased-mf",
        "biased-mf",
        "official folds u1 … u5",
        (
            Figure(
                "RMSE, mean of folds", "rmse", 0.913, 0.905, "tuned one-rating SGD .9116; MyMediaLite .9105, by frequency .9076"
            ),
            Figure("MAE, mean of folds", "mae", None, None, "MyMediaLite by frequency .7172, Surprise SVD .737"),
            Figure(
                "RMSE, u1", "rmse", 0.922, 0.915, "tuned one-rating SGD .9205–.9221, Cornac MF .9225, Surprise SVD .9278", 1
            ),
            Figure("MAE, u1", "mae", None, None, "", 1),
        ),
        "Published five-fold figures (MyMediaLite, by frequency: its regularisation by count; Surprise) are of their own "
        "folds; the others are of the official folds and trained on their whole training part from the start. Ours: epoch "
        "chosen on a tenth of all ratings held out of the training part, then refit on the whole of it.",
        (("split", "official"),),
        folds=(1, 2, 3, 4, 5),
    ),
    Row(
        "biased-mf-random",
        "biased-mf",
        "random 80/20, five divisions",
        (
            Figure(
                "RMSE",
                "rmse",
                None,
                None,
                "tuned one-rating SGD .9075–.9082, MyMediaLite by frequency .9076, Surprise SVD .934",
            ),
            Figure("MAE", "mae", None, None, "MyMediaLite by frequency .7172, Surprise SVD .737"),
        ),
        "References: five-fold, each rating tested once. Ours: five independent divisions, tests of the same size. Easier than "
        "the official folds, which are cut in file order.",
        (("split", "random"), ("test_fraction", 0.2)),
        divisions=RANDOM_DIVISIONS,
    ),
    Row(
        "mf",
        "mf",
        "random 80/20, five divisions, 20 factors",
        (
            Figure("RMSE", "rmse", 0.93, 0.915, "takuti: PyTorch 1.2695, NumPy 1.0049; tuned one-rating SGD .917"),
            Figure("MAE", "mae", None, None, "takuti: PyTorch .9409, NumPy .7916"),
        ),
        "takuti: one division, learning rate .01, at most 10 epochs, nothing held out to choose by. Ours: settings and epoch "
        "chosen on validation, then refit.",
        (("split", "random"), ("test_fraction", 0.2), ("embedding_dim", 20)),
        divisions=RANDOM_DIVISIONS,
    ),
    Row(
        "als",
        "als",
        "random 80/20, five divisions, ten sweeps",
        (
            Figure("RMSE", "rmse", 0.92, None, "tuned one-rating SGD .9075–.9082, Surprise SVD .934"),
            Figure("MAE", "mae", None, None, "Surprise SVD .737"),
        ),
        "References: SGD, five-fold, each rating tested once. Ours: five independent divisions, tests of the same size.",
        (("split", "random"), ("test_fraction", 0.2)),
        divisions=RANDOM_DIVISIONS,
    ),
    Row(
        "ials",
        "ials",
        _SAMPLED,
        (
            Figure("HR@10", "hr@10", 0.66, 0.687, "implicit ALS .669"),
            Figure("NDCG@10", "ndcg@10", 0.38, 0.402, "implicit ALS .389"),
            Figure("full HR@10", "hr@10/full", None, None, "implicit ALS .145"),
            Figure("full NDCG@10", "ndcg@10/full", 0.075, 0.084, "implicit ALS .075"),
        ),
        _SAME_HARNESS.format(chosen="16 dimensions, its settings chosen on test"),
    ),
)

CHECKS = (
    Check("bias only, RMSE", "bias only", "random", "rmse", 0.0, 0.945, ".935–.940"),
    Check("global mean, RMSE", "global mean", "random", "rmse", 1.120, 1.134, "1.124–1.130"),
    Check("user mean, RMSE", "user mean", "random", "rmse", 1.033, 1.049, "1.037–1.045"),
    Check("item mean, RMSE", "item mean", "random", "rmse", 1.018, 1.028, "1.022–1.024"),
    Check("popularity, HR@10", "popularity", "leave-last-out", "hr@10", 0.398, 0.418, ".408"),
    Check("popularity, NDCG@10", "popularity", "leave-last-out", "ndcg@10", 0.218, 0.238, ".228"),
    Check("popularity, full HR@10", "popularity", "leave-last-out", "hr@10/full", 0.084, 0.088, ".086"),
    Check("popularity, full NDCG@10", "popularity", "leave-last-out", "ndcg@10/full", 0.043, 0.045, ".044"),
    Check("EASE, HR@10", "EASE", "leave-last-out", "hr@10", 0.650, 0.674, ".662"),
    Check("EASE, NDCG@10", "EASE", "leave-last-out", "ndcg@10", 0.383, 0.403, ".393"),
    Check("EASE, full HR@10", "EASE", "leave-last-out", "hr@10/full", 0.137, 0.141, ".139"),
    Check("EASE, full NDCG@10", "EASE", "leave-last-out", "ndcg@10/full", 0.071, 0.073, ".072"),
)
"""Sampled figures may differ by what one draw of negatives moves (± .01, HR of EASE ± .012): the references are of one draw."""
