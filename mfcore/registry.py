"""What can be chosen, and all there is to know about each choice without loading it: specs, by name, in registries.

A model, a loss, an optimizer, a metric, a split, a dataset is one file that does the work and one spec registered here.
Everything else (form, command line, memory, live view, colours, pages) asks the spec. Nothing in a spec needs torch:
``implementation`` names where the work is done, as ``"package.module:name"``, and is loaded when it is used.

What is not part of this repository registers itself when one of the modules in ``MF_EXPLORER_PLUGINS`` (separated by commas)
or of the entry points in the group ``mf_explorer`` is imported, which happens in every process before the first look-up.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from mfcore.errors import UnusableRequest

if TYPE_CHECKING:
    from pathlib import Path

    from mfcore.data.config import SplitConfig
    from mfcore.data.interactions import Interactions
    from mfcore.data.sources.fetching import Source
    from mfcore.models.config import ModelConfig
    from mfcore.typing import Float64, Int64

PLUGINS_VARIABLE = "MF_EXPLORER_PLUGINS"
PLUGINS_GROUP = "mf_explorer"


@dataclass(frozen=True, kw_only=True)
class Spec:
    """``name``: in configurations, links and flags. ``title``: on screen; ``short``: the same where there is little room."""

    name: str
    title: str
    short: str = ""
    help: str = ""

    @property
    def label(self) -> str:
        """The short words, or the title where there are none."""
        return self.short or self.title


S = TypeVar("S", bound=Spec)
Default = TypeVar("Default")


class Registry(Mapping[str, S], Generic[S]):
    """Specs by name, in the order of registration. A name that nobody registered is refused, with all that are.

    Args:
        what: the word for one of them in messages. builtin: modules that register ours when they are imported.
    """

    def __init__(self, what: str, *builtin: str) -> None:
        self.what = what
        self._specs: dict[str, S] = {}
        self.finder: Callable[[], Mapping[str, S]] = dict
        """What there is beside those that were registered, asked at each look-up; registered names come first."""
        _loading.builtin += [module for module in builtin if module not in _loading.builtin]

    def register(self, spec: S) -> S:
        """Add a spec; returns it.

        Raises:
            UnusableRequest: the name is taken.
        """
        if spec.name in self._specs:
            raise UnusableRequest(f"{self.what} {spec.name} is registered already; choose another name")
        self._specs[spec.name] = spec
        return spec

    @contextmanager
    def temporarily(self, *specs: S) -> Iterator[None]:
        """Inside, these are registered too, in the place of those of their names; afterwards all is as before. For tests."""
        self._load()
        before = dict(self._specs)
        try:
            self._specs |= {spec.name: spec for spec in specs}
            yield
        finally:
            self._specs = before

    def __getitem__(self, name: str) -> S:
        """Raises UnusableRequest: there is none of that name."""
        found = self._all().get(name) if isinstance(name, str) else None
        if found is None:
            raise UnusableRequest(f"{self.what} must be one of {', '.join(self._all())}; got {name!r}")
        return found

    @overload
    def get(self, name: str, /) -> S | None: ...
    @overload
    def get(self, name: str, /, default: Default) -> S | Default: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        """The spec, or ``default`` where there is none of that name."""
        return self._all().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def titles(self, *, short: bool = False) -> dict[str, str]:
        """Name → words on screen."""
        return {name: spec.label if short else spec.title for name, spec in self.items()}

    def is_registered(self, name: str) -> bool:
        """Whether it came with the program or an extension, rather than from the finder."""
        self._load()
        return name in self._specs

    def _all(self) -> Mapping[str, S]:
        self._load()
        found = self.finder()
        return (
            {**self._specs, **{name: spec for name, spec in found.items() if name not in self._specs}} if found else self._specs
        )

    def _load(self) -> None:
        if not _loading.done:
            _loading.load_all()


class _Loading:
    """Brings in everything that registers itself, once a process: what is ours first, then extensions."""

    def __init__(self) -> None:
        self.done, self._busy, self._guard = False, False, threading.RLock()
        self.builtin: list[str] = []

    def load_all(self) -> None:
        with self._guard:
            if self.done or self._busy:  # what is being imported may look around among what is there already
                return
            self._busy = True
            try:
                for module in self.builtin:
                    importlib.import_module(module)
                for name in _extensions():
                    _import_extension(name)
                self.done = True
            finally:
                self._busy = False


_loading = _Loading()


def _extensions() -> list[str]:
    asked = [name.strip() for name in os.environ.get(PLUGINS_VARIABLE, "").split(",") if name.strip()]
    return asked + [entry.value for entry in importlib.metadata.entry_points(group=PLUGINS_GROUP)]


def _import_extension(name: str) -> None:
    try:
        importlib.import_module(name.partition(":")[0])
    except Exception as error:
        raise UnusableRequest(f"the extension {name} cannot be loaded ({error}); mend it or take it out") from error


def load(implementation: Any) -> Any:
    """What ``"package.module:name"`` stands for; anything but text stands for itself."""
    if not isinstance(implementation, str):
        return implementation
    module, _, name = implementation.partition(":")
    return getattr(importlib.import_module(module), name)


# --- models -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What one prediction costs: ``multiplications`` of embeddings with each other, and ``widths`` of a tower's layers."""

    multiplications: int
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A model that can be trained.

    Attributes:
        implementation: the :class:`mfcore.models.base.RecommenderModel`.
        uses: model settings it reads, beside its name (flat keys, such as ``embedding_dim``).
        groups: which of its ``parameter_groups()`` hold anything: ``factors``, ``biases``, ``mlp``.
        natural_loss: what it is made for.
        starts: presets that suit it, by loss; a loss that is not among them takes the first.
        dot_product: its score is μ + b_u + b_i + p·q in tables of these names and nothing else, so that compiled code,
            written-out gradients and ALS can train it. Which of the terms it has, its parameters tell.
        count_parameters: number of weights of a configuration, without building it; None builds it without memory and counts.
        work: cost of a prediction; None: one multiplication for each dimension of the embeddings.
        starts_from_mean: whether predictions start from the mean rating in this configuration.
        colour: in light and dark themes; None: the next one of the palette.
        weight_decay: suits adaptive optimizers predicting ratings; None: that of the preset.
        folds_in: how someone who was not trained gets a vector: ``exact``, ``steps``, or ``""``.
        explains: ``exact`` where contributions add up to the score, else ``leave-out``.
        interval: whether predictions come with one. unknown: what it says about a user or item without training rows.
    """

    implementation: Any
    uses: frozenset[str] = frozenset({"embedding_dim", "init", "init_std"})
    groups: tuple[str, ...] = ("factors",)
    natural_loss: str = "mse"
    starts: Mapping[str, str] = field(default_factory=dict)
    dot_product: bool = False
    count_parameters: Callable[[ModelConfig, int, int], int] | None = None
    work: Callable[[ModelConfig], Work] | None = None
    starts_from_mean: Callable[[ModelConfig], bool] = lambda config: config.global_mean
    colour: tuple[str, str] | None = None
    weight_decay: float | None = None
    folds_in: str = "steps"
    explains: str = "leave-out"
    interval: bool = False
    unknown: str = "its starting vector"

    def work_of(self, config: ModelConfig) -> Work:
        """What one prediction of this configuration costs."""
        return self.work(config) if self.work else Work(config.embedding_dim)


# --- losses and optimizers --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LossSpec(Spec):
    """What training minimises.

    Attributes:
        implementation: a :class:`mfcore.training.losses.Loss`; where it is ``solved``, what measures it on held-out
            interactions, like :class:`mfcore.training.engines.als.whole_matrix.HeldOutLoss`.
        ranks: it learns to rank rather than to predict ratings.
        draws_negatives: an epoch draws items that were not chosen. pairs: each sample is a chosen and an unchosen item.
        solved: only optimizers that solve can minimise it.
        sample: what one sample is called, in the plural.
    """

    implementation: Any
    ranks: bool
    draws_negatives: bool = False
    pairs: bool = False
    solved: bool = False
    sample: str = "samples"


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec(Spec):
    """How gradients become steps.

    Attributes:
        build: ``(groups, config, fused) → list of torch optimizers``. groups: dicts of params, kind and multiplier.
        uses: training settings that only some optimizers read: ``momentum``, ``nesterov``.
        solves: it takes no steps but finds the minimum for one side after the other; then it has neither learning rate nor
            batches, and an engine of its own has to know it by its ``build``.
        losses: those it can minimise; empty: all that are not ``solved``.
        sparse: gradients of embeddings: ``never`` sparse, ``optional``, or ``always``.
        decays_weights: weight decay is its own business, so that the loss carries no L2.
        states: numbers it keeps per weight, at most. step_cost: nanoseconds per weight and step, for the validation budget.
        fused_on: device types for which torch has it in one pass. recordable: as part of a CUDA graph.
        rates: learning rates that suit predicting ratings and ranking, at a constant schedule; None: those of the preset.
        batch_size: that goes with them. one_by_one: the rate for dot-product models one rating at a time, where that is
            compiled.
    """

    build: Any
    uses: frozenset[str] = frozenset()
    solves: bool = False
    losses: tuple[str, ...] = ()
    sparse: str = "never"
    decays_weights: bool = False
    states: int = 2
    step_cost: float = 0.37
    fused_on: tuple[str, ...] = ()
    recordable: bool = False
    rates: tuple[float, float] | None = None
    batch_size: int | None = None
    one_by_one: float | None = None

    def takes(self, loss: LossSpec) -> bool:
        """Whether it can minimise ``loss``."""
        return loss.name in self.losses if self.losses else not loss.solved


# --- metrics ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """Where the relevant items of users stand, for metrics of whole lists. Items with the same score stand in any order.

    Groups of tied candidates that hold a relevant item, by user and from the top. What a metric is of them is its mean over all
    orders: :func:`mfcore.evaluation.ranking.of_all` and ``of_first`` take it of any function of a place.

    Attributes:
        num_relevant: (U,) int64 ≥ 1. user: (G,) int64, 0 … U−1. first: (G,) int64 place of the group's best, from 0.
        size: (G,) int64 candidates in it. relevant: (G,) int64 ≥ 1 of them that are relevant. before: (G,) int64 relevant items
            of the user in groups above.
    """

    num_relevant: Int64
    user: Int64
    first: Int64
    size: Int64
    relevant: Int64
    before: Int64


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A figure. Which of the three functions it has decides where it is measured; its key is ``name@K`` for a ranking metric,
    with ``/full`` behind where all items compete, and ``name`` for the others. A name with an ``@`` has its own K.

    Attributes:
        of_errors: r̂ − r (n,) → (n,), whose mean over ratings it is, after ``finish``.
        of_cases: (places from 0 (n,), K) → (n,), whose mean over cases it is, in sampled ranking; of a tied case the mean over
            its places.
        of_lists: (:class:`Found`, K) → (U,), whose mean over users it is, in full ranking.
        lower_is_better: errors fall, ranking metrics rise. share: it is shown in percent. in_rating_units: "stars" and the
            like.
        at_k: whether its name carries K. live: drawn while a run trains. headline: shown first and large.
    """

    of_errors: Callable[[Float64], Float64] | None = None
    of_cases: Callable[[Float64, int], Float64] | None = None
    of_lists: Callable[[Found, int], Float64] | None = None
    finish: Callable[[float], float] = lambda mean: mean
    lower_is_better: bool = False
    share: bool = False
    in_rating_units: bool = False
    at_k: bool = True
    live: bool = True
    headline: bool = False

    def k(self, asked: int) -> int:
        """The length of the list it looks at, where ``asked`` is the protocol's."""
        return int(self.name.partition("@")[2]) if "@" in self.name else asked

    def key(self, asked: int, *, full: bool = False) -> str:
        """What it is called among results."""
        base = self.name if "@" in self.name or not self.at_k else f"{self.name}@{asked}"
        return f"{base}/full" if full else base


# --- data -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SplitSpec(Spec):
    """How interactions are divided.

    Attributes:
        divide: ``(Interactions, SplitConfig) → rows of train, valid, test``. uses: its settings (flat keys).
        needs_timestamps: it must know what came after what. needs_folds: the dataset must bring folds of its own.
        needs_parts: the dataset must have come divided (``Interactions.part``).
        holds_out_one: of each user, whatever its rating; then every held-out interaction is relevant.
        function: the name of its function in mfcore, for scripts; "": none. arguments: its arguments ← fields of SplitConfig.
        words: the settings it uses, in words. sentence: how ratings were divided, where an item is called ``item``.
    """

    divide: Any
    words: Callable[[SplitConfig], str]
    sentence: Callable[[SplitConfig, str], str]
    uses: frozenset[str] = frozenset()
    needs_timestamps: bool = False
    needs_folds: bool = False
    needs_parts: bool = False
    holds_out_one: bool = False
    function: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)

    def suits(self, data: DatasetSpec) -> bool:
        """Whether a dataset has what this way of dividing it needs."""
        timed, folded = data.has_timestamps or not self.needs_timestamps, data.num_folds > 0 or not self.needs_folds
        return timed and folded and (data.has_parts or not self.needs_parts)


@dataclass(frozen=True)
class Option:
    """A number that shapes a generated dataset; a whole number where ``default`` is one. ``slider``: between which values it
    is tried out, where that is not its whole range."""

    default: float
    low: float
    high: float
    help: str
    slider: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A dataset as it is listed. One of ``source`` (it is fetched and stored), ``generate`` (it is made
    on the spot) and ``folder`` (it was imported, and lies there).

    Attributes:
        item, user: what one and many of them are called. rating: the same for the unit of ratings. symbol: that unit as a sign.
        feedback: what the numbers are, one of ``mfcore.data.interactions.FEEDBACK``. scale: lowest and highest rating, where it
            is known before the data is opened.
        num_folds, fold_rows: folds that came with it: fold i of n is this many rows of the file after the ones before it.
        has_parts: it came divided into parts to train on and to test (``Interactions.part``).
        description, size, licence, citation, url: for people. options: of a generated one.
        article_last: titles are written as libraries sort them, "Saint, The (1997)"; on screen they are turned round.
    """

    description: str
    size: str
    licence: str
    citation: str = ""
    url: str = ""
    item: tuple[str, str] = ("item", "items")
    user: tuple[str, str] = ("user", "users")
    rating: tuple[str, str] = ("point", "points")
    symbol: str = ""
    feedback: str = "ratings"
    scale: tuple[float, float] | None = None
    has_titles: bool = False
    article_last: bool = False
    has_timestamps: bool = False
    num_folds: int = 0
    fold_rows: int = 0
    has_parts: bool = False
    source: Source | None = None
    folder: Path | None = None
    generate: Callable[..., Interactions] | None = None
    options: Mapping[str, Option] = field(default_factory=dict)


MODELS: Registry[ModelSpec] = Registry("model", "mfcore.models.specs")
LOSSES: Registry[LossSpec] = Registry("loss", "mfcore.training.specs")
OPTIMIZERS: Registry[OptimizerSpec] = Registry("optimizer", "mfcore.training.specs")
METRICS: Registry[MetricSpec] = Registry("metric", "mfcore.evaluation.metrics")
SPLITS: Registry[SplitSpec] = Registry("split", "mfcore.data.split")
DATASETS: Registry[DatasetSpec] = Registry("dataset", "mfcore.data.registry")
DEFAULT_DATASET = "ml-100k"
