"""What is measured against whom, and what it must show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

OURS, PLAIN, PEERS = "bench.speed.ours", "bench.speed.plain", "bench.speed.peers"


@dataclass(frozen=True)
class Rival:
    """Somebody to be compared with. ``goal``: the ratio to reach (ours to theirs; of times: at most), None to look only."""

    name: str
    label: str
    module: str = PEERS
    goal: float | None = None
    threads: int = 1


@dataclass(frozen=True)
class Row:
    """One question.

    unit: ``samples`` compares samples per second (more is better), ``seconds`` the time of a whole training (less is better).
    must_reach: (what, value) that a training of this row must end with to count: rmse at most, ndcg at least.
    bytes, flops: moved and computed per sample as the method needs them, None where nobody can say.
    short: the title where there is little room, if it must be shorter.
    published: (label, seconds, goal in seconds) to be compared with where nothing can be run here.
    """

    name: str
    title: str
    ours: str
    label: str
    rivals: tuple[Rival, ...] = ()
    unit: str = "samples"
    must_reach: tuple[str, float] | None = None
    threads: int = 1
    bytes: float | None = None
    flops: float | None = None
    resident: bool = True
    published: tuple[str, float, float] | None = None
    short: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)


def one_rating(k: int) -> tuple[float, float]:
    """(bytes, flops) of a step on one rating: two rows and two biases read and written, the sample read once.

    Per factor: 2 for the dot product; for each side rate × (slope × other + decay × own) and its difference, 5.
    """
    return 2 * 2 * (k + 1) * 4 + 24.0, 12.0 * k


def adam(k: int, rows: int, batch: int) -> tuple[float, float]:
    """(bytes, flops) per sample of a step of Adam over whole tables: weights and both moments read and written, gradients
    written and read; each sample's rows gathered and their gradients added.
    """
    tables = rows * (k + 1)
    return tables * 4 * 8 / batch + 2 * (k + 1) * 4 * 4, tables * 12 / batch + 6.0 * k


def neumf(gmf: int, layers: tuple[int, ...]) -> float:
    """Flops per sample: 2 per weight forwards, 4 backwards."""
    weights = sum(a * b for a, b in pairwise(layers)) + gmf + layers[-1] + 2 * gmf
    return 6.0 * weights


def als(k: int, positives: int, rows: int) -> float:
    """Flops of a sweep: k² multiplications and additions for each positive on both sides, then k³/3 for each row's system."""
    return 2 * positives * 2.0 * k * k + rows * (k**3 / 3 + 2.0 * k * k)


ML100K_ROWS = 943 + 1682
ROWS = (
    Row(
        "one-rating", "One rating at a time, biased MF, 64 factors", "one-rating", "one thread",
        (
            Rival("takuti-pytorch", "takuti's PyTorch loop", PLAIN, 3000),
            Rival("takuti-numpy", "takuti's NumPy loop", PLAIN, 100),
            Rival("surprise-svd", "Surprise SVD", goal=2),
            Rival("cornac-mf", "Cornac MF, one thread"),
        ),
        bytes=one_rating(64)[0], flops=one_rating(64)[1], short="One rating at a time",
        note="takuti's loops with their own 20 factors",
    ),
    Row(
        "two-threads", "The same, two threads", "one-rating-2", "two threads",
        (Rival("cornac-mf-2", "Cornac MF, two threads", goal=1.0, threads=2),),
        threads=2, bytes=one_rating(64)[0], flops=one_rating(64)[1],
        note="two threads are at hand; on so few ratings our engine takes one of them, which is faster",
    ),
    Row(
        "to-rmse", "Time to RMSE 0.925, fold u1", "to-rmse", "32 factors, 6 epochs",
        (
            Rival("cornac-to-rmse", "Cornac MF, fewest epochs", goal=1.0, threads=2),
            Rival("surprise-to-rmse", "Surprise SVD, best setting", goal=1.0),
        ),
        unit="seconds", must_reach=("rmse", 0.925), note="settings and numbers of epochs found beforehand, on all sides",
    ),
    Row(
        "adam", "Biased MF, Adam, batches of 1,024", "adam-1024", "one thread",
        (
            Rival("plain-loader", "plain loop, DataLoader", PLAIN, 20),
            Rival("plain-tensors", "plain loop, nn.Embedding", PLAIN, 1.5),
            Rival("lenskit-flexmf-1024", "LensKit FlexMF", goal=2),
            Rival("lenskit-flexmf", "LensKit FlexMF, its own batches of 8,192"),
        ),
        bytes=adam(64, ML100K_ROWS, 1024)[0], flops=adam(64, ML100K_ROWS, 1024)[1], short="Adam, batches of 1,024",
    ),
    Row(
        "neumf-256", "NeuMF-8, batches of 256", "neumf-256", "one thread",
        (Rival("cornac-neumf-256", "Cornac NeuMF, batches of 256", goal=3),), flops=neumf(8, (64, 32, 16, 8)),
    ),
    Row(
        "neumf-best", "NeuMF-8, best batch", "neumf-16384", "batches of 16,384",
        (Rival("cornac-neumf-2048", "Cornac NeuMF, batches of 2,048", goal=6),), flops=neumf(8, (64, 32, 16, 8)),
    ),
    Row(
        "neumf-ml1m", "NeuMF-8, an epoch of MovieLens 1M's size", "neumf-ml1m", "batches of 16,384",
        unit="seconds", published=("the tutorial on a T4", 90.0, 8.0), short="NeuMF-8, epoch of ML-1M's size",
        note="random interactions, 994,169 × 5 samples",
    ),
    Row(
        "to-ndcg", "Time to NDCG@10 0.395, latest interaction held out", "to-ndcg", "iALS, 10 sweeps",
        (
            Rival("cornac-bpr", "Cornac BPR, to its best", goal=1.0, threads=2),
            Rival("implicit-als", "implicit ALS, to its best"),
        ),
        unit="seconds", must_reach=("ndcg", 0.395), short="Time to NDCG@10 0.395",
        note="1 + 99 items, 20 draws; what each reached is beside its time",
    ),
    Row(
        "ials", "iALS, 64 factors: one sweep", "ials-sweep", "one thread, exact",
        (
            Rival("implicit-sweep", "implicit ALS, 3 steps of CG", goal=1 / 3),
            Rival("implicit-exact-sweep", "implicit ALS, exact"),
        ),
        flops=als(64, 99_057, ML100K_ROWS), note="samples are sweeps",
    ),
    Row("cuda-neumf", "NeuMF-8 on the GPU, batches of 65,536", "cuda-neumf", "CUDA", flops=neumf(8, (64, 32, 16, 8))),
    Row(
        "cuda-mf", "MF for ranking on the GPU, 64 factors, batches of 65,536", "cuda-mf", "CUDA",
        bytes=adam(64, ML100K_ROWS, 65536)[0], resident=False,
    ),
)  # fmt: skip


def contestants(row: Row) -> Iterator[tuple[str, str, int]]:
    """(name, module, threads) of everybody in a row, we first."""
    yield row.ours, OURS, row.threads
    for rival in row.rivals:
        yield rival.name, rival.module, rival.threads
