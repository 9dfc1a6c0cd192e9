"""Which datasets there are. Adding one is adding one entry to ``DATASETS``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from mfcore.cache import LRU
from mfcore.data.cache import DamagedCache, read_manifest
from mfcore.data.config import DatasetConfig
from mfcore.data.imported import find_imported, identity, imported_in, open_imported
from mfcore.data.interactions import Interactions
from mfcore.data.sources.download import Progress, silent
from mfcore.data.sources.fetching import Calmly, Origin, Source, load_stored
from mfcore.data.sources.generated import communities, planted, synthetic
from mfcore.data.sources.movielens import from_grouplens, from_recbole
from mfcore.data.sources.origins import GROUPLENS
from mfcore.data.sources.published import PUBLISHED
from mfcore.data.sources.stored import load_made, worth_storing
from mfcore.data.transform import transformed
from mfcore.paths import data_dir
from mfcore.registry import DATASETS, DatasetSpec, Option
from mfcore.validate import integer, number, require

_SHAPE = {
    "num_users": (1, 1_000_000, "How many users.", (10, 2010)),
    "num_items": (1, 1_000_000, "How many items.", (10, 2010)),
    "density": (1e-6, 1.0, "Share of the user × item matrix that is rated.", (0.01, 1.0)),
    "seed": (0, 2**31 - 1, "Seed of the ratings; the same seed gives the same ratings.", (0, 100)),
}


def _shape(**defaults: float) -> dict[str, Option]:
    return {name: Option(default, *_SHAPE[name]) for name, default in defaults.items()}


for _spec in (
    DatasetSpec(
        name="ml-100k",
        title="MovieLens 100K",
        description="100,000 ratings of 1,682 films by 943 people, collected by the GroupLens project in 1997 and 1998.",
        size="943 users × 1,682 films, 100,000 ratings of 1 to 5 stars; 4.9 MB to fetch",
        licence="Free for research and teaching with credit; no redistribution and no commercial use without permission.",
        citation=(
            "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
            "ACM Transactions on Interactive Intelligent Systems 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872"
        ),
        url="https://grouplens.org/datasets/movielens/100k/",
        item=("film", "films"),
        rating=("star", "stars"),
        symbol="★",
        scale=(1.0, 5.0),
        has_titles=True,
        article_last=True,
        has_timestamps=True,
        num_folds=5,
        fold_rows=20_000,
        source=Source(
            origins=(Origin("GroupLens", from_grouplens), Origin("pip (the copy inside recbole 1.2.1)", from_recbole)),
            advice=(
                "Connect to the internet, or give pip an index it can reach (pip config set global.index-url …), or set "
                f"{GROUPLENS.variable} to a folder on the web that holds ml-100k.zip; then run python -m mfcore fetch ml-100k. "
                "Until then, datasets synthetic and planted work without a connection."
            ),
            fingerprint="ddd6f2df220493293e5292bedd3e98d1b15e6d3f014a07e9e02f955244067b8a",
        ),
    ),
    DatasetSpec(
        name="synthetic",
        title="Synthetic, nothing to learn",
        description="Ratings 1 to 4 drawn at random: no model can beat an RMSE of 1.118, and one that seems to is overfitting.",
        size="1,000 × 1,000 at 1 %: 10,000 ratings, unless chosen otherwise",
        licence="Made here; no conditions.",
        scale=(1.0, 4.0),
        generate=synthetic,
        options=_shape(num_users=1000, num_items=1000, density=0.01, seed=0),
    ),
    DatasetSpec(
        name="planted",
        title="Planted factors",
        description="Ratings made from known factors plus noise: a good model ends at an RMSE equal to the noise.",
        size="500 × 300 at 10 %: 15,000 ratings, unless chosen otherwise",
        licence="Made here; no conditions.",
        scale=(1.0, 5.0),
        generate=planted,
        options={
            **_shape(num_users=500, num_items=300, density=0.1, seed=0),
            "rank": Option(4, 1, 256, "How many factors made the ratings.", (1, 32)),
            "noise": Option(0.25, 0.0, 1.0, "Standard deviation of the noise, in rating units: the best RMSE there can be."),
            "popularity": Option(
                0.0, 0.0, 3.0, "Long tail: 0 rates all items alike; with 1 the r-th most popular is rated in proportion to 1/r."
            ),
            "selection": Option(
                0.0,
                0.0,
                5.0,
                "Missing not at random: 0 observes ratings whatever they are; with 1 a rating one higher is 2.7 times as "
                "likely to be observed, so that what is known is better than what is not.",
            ),
        },
    ),
    DatasetSpec(
        name="communities",
        title="Communities",
        description="Users and items in groups; people like what is their group's. A model that finds the groups ends at an "
        "RMSE equal to the noise; it needs the mean and as many dimensions as groups, less one.",
        size="400 × 240 at 10 %: 9,600 ratings, unless chosen otherwise",
        licence="Made here; no conditions.",
        scale=(1.0, 5.0),
        generate=communities,
        options={
            **_shape(num_users=400, num_items=240, density=0.1, seed=0),
            "groups": Option(4, 1, 32, "How many groups users and items fall into."),
            "strength": Option(1.5, 0.0, 3.0, "How much higher ratings within a group are: with 0 there is nothing to find."),
            "noise": Option(0.5, 0.0, 1.0, "Standard deviation of the noise, in rating units: the best RMSE there can be."),
            "loyalty": Option(0.5, 0.0, 1.0, "Share of their ratings that people give within their group by intent."),
        },
    ),
    *PUBLISHED,
):
    DATASETS.register(_spec)

DATASETS.finder = find_imported

_loaded: LRU[tuple[object, ...], Interactions] = LRU(8, weigh=len, heaviest=40_000_000)
"""Datasets in memory, together at most so many interactions: 1 GB."""


def load_dataset(
    name: str,
    *,
    home: str | Path | None = None,
    progress: Progress | None = None,
    transform: str = "none",
    **options: float,
) -> Interactions:
    """Interactions by the name of their dataset, fetched first if need be and kept in memory for the next call.

    Args:
        name: one of ``DATASETS``.
        home: the data directory; see :func:`mfcore.paths.data_dir`.
        progress: called with (message, fraction done or None).
        transform: what is done to the ratings: ``log``, ``clip`` or ``binarise``; see :mod:`mfcore.data.transform`.
        options: of a generated dataset, such as ``noise=0.1``; see ``DATASETS[name].options``.

    Raises:
        UnusableRequest: unknown name or option, a value out of range, or an unwritable data directory.
        DataUnavailable: it is not here and cannot be fetched.
    """
    return open_dataset(DatasetConfig(name, options, transform), home, progress)


def open_dataset(config: DatasetConfig, home: str | Path | None = None, progress: Progress | None = None) -> Interactions:
    """As :func:`load_dataset`, for a configuration: whatever its options are called, they are options."""
    name, entry = config.name, _entry(config.name, home)
    values = _checked(entry, config.options)
    key: tuple[object, ...]
    make: Callable[[], Interactions]
    if entry.folder is not None:
        folder = entry.folder
        key, make = (str(folder), identity(folder)), functools.partial(open_imported, folder)
    else:
        root = data_dir(home) if entry.source or worth_storing(values) else None
        key, make = (name, tuple(sorted(values.items())), root), lambda: _produce(entry, values, root, progress or silent)
    if config.transform == "none":
        return _loaded.get_or_make(key, make)
    changed = (*key, config.transform)
    return _loaded.get_or_make(changed, lambda: transformed(_loaded.get_or_make(key, make), config.transform))


def fetch(
    name: str,
    home: str | Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Make sure that ``name`` is stored here, sound and whole; returns its folder, None for a generated dataset.

    ``cancelled``: asked for every block that arrives; once it says yes, what has arrived is kept for the next time.

    Raises:
        UnusableRequest, DataUnavailable: as :func:`load_dataset`; and where the disk has no room for it.
        FetchCancelled: ``cancelled`` said so.
    """
    entry = _entry(name, home)
    if entry.folder is not None:
        return entry.folder
    if entry.source is None:
        (progress or silent)(f"{name} is generated when needed; there is nothing to fetch", 1.0)
        return None
    folder = _folder(name, data_dir(home))
    load_stored(name, entry.source, folder, Calmly(progress or silent, cancelled))
    return folder


def dataset_status(name: str, home: str | Path | None = None) -> str:
    """Is it "here", "to fetch" or "generated"? Cheap: the stored file is measured, not read."""
    entry = _entry(name, home)
    if entry.folder is not None:
        return "here"
    if entry.source is None:
        return "generated"
    folder = _folder(name, data_dir(home))
    try:
        manifest = read_manifest(folder)
        whole = manifest is not None and (folder / manifest["file"]).stat().st_size == manifest.get("bytes")
    except (DamagedCache, OSError):
        whole = False
    return "here" if whole else "to fetch"


def _entry(name: str, home: str | Path | None) -> DatasetSpec:
    """Of an imported one that of ``home``, where another data directory may have one of the same name."""
    if home is None or DATASETS.is_registered(name):
        return DATASETS[name]
    return imported_in(data_dir(home)).get(name) or DATASETS[name]


def forget_loaded() -> None:
    """Drop the datasets kept in memory (what is on disk stays)."""
    _loaded.clear()


def _folder(name: str, root: Path) -> Path:
    return root / "datasets" / name


def _checked(entry: DatasetSpec, options: Mapping[str, float]) -> dict[str, float]:
    known = f"it has {', '.join(entry.options)}" if entry.options else "it has none"
    for name in options:
        require(name in entry.options, f"dataset {entry.name} has no option {name!r}; {known}")
    values: dict[str, float] = {}
    for name, option in entry.options.items():
        given = options.get(name, option.default)
        whole = isinstance(option.default, int)
        values[name] = (
            integer(name, given, int(option.low), int(option.high)) if whole else number(name, given, option.low, option.high)
        )
    return values


def _produce(entry: DatasetSpec, values: Mapping[str, float], root: Path | None, progress: Progress) -> Interactions:
    if entry.generate is not None:
        make = functools.partial(entry.generate, **values)
        return make() if root is None else load_made(entry.name, values, make, root / "datasets", progress)
    assert entry.source is not None and root is not None
    return load_stored(entry.name, entry.source, _folder(entry.name, root), Calmly(progress))
