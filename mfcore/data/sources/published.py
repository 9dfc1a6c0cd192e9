"""Published datasets beside MovieLens 100K: one entry each, with its terms, its credit and where its files lie."""

from __future__ import annotations

import functools
from typing import Any

from mfcore.data.layouts import (
    read_book_crossing,
    read_csv,
    read_dat,
    read_goodbooks,
    read_hetrec_lastfm,
    read_jester,
    read_ncf,
)
from mfcore.data.sources.fetching import Source
from mfcore.data.sources.origins import (
    BOOK_CROSSING,
    GOODBOOKS,
    GROUPLENS,
    HETREC,
    JESTER,
    NCF,
    Base,
    Reader,
    Zip,
    from_files,
    from_zips,
)
from mfcore.registry import DatasetSpec

GROUPLENS_TERMS = "Free for research with credit; no redistribution and no commercial use without permission."
_HARPER = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872"
)
_HE = (
    "Xiangnan He, Lizi Liao, Hanwang Zhang, Liqiang Nie, Xia Hu and Tat-Seng Chua. 2017. Neural Collaborative Filtering. "
    "WWW 2017: 173-182. https://doi.org/10.1145/3038912.3052569"
)
_STORED_PER_RATING = 40
"""Bytes of an interaction on disk, while the file is written and moved into place."""
_FILMS: dict[str, Any] = {"item": ("film", "films"), "rating": ("star", "stars"), "symbol": "★"}


def _source(
    name: str, base: Base, title: str, zips: tuple[Zip, ...], read: Reader, published: tuple[int | None, ...], megabytes: float
) -> Source:
    ratings = published[0] or 5_000_000
    return Source(
        origins=(from_zips(base, zips, read, title),),
        advice=base.advice(name, [one.file for one in zips]),
        published=(published[0], published[1], published[2]),
        disk=round(megabytes * 1e6) + _STORED_PER_RATING * ratings,
    )


def _movielens(
    name: str,
    title: str,
    words: str,
    reader: Reader,
    members: tuple[str, ...],
    *,
    folder: str,
    published: tuple[int | None, int | None, int | None],
    megabytes: float,
    page: str,
    size: str,
    half_stars: bool = True,
    md5: str | None = None,
) -> DatasetSpec:
    zips = (Zip(f"{name}.zip", members, folder, md5),)
    return DatasetSpec(
        name=name,
        title=title,
        description=words,
        size=f"{size} of {'0.5' if half_stars else '1'} to 5 stars; {megabytes:.3g} MB to fetch",
        licence=GROUPLENS_TERMS,
        citation=_HARPER,
        url=f"https://grouplens.org/datasets/movielens/{page}",
        scale=(0.5 if half_stars else 1.0, 5.0),
        has_titles=True,
        article_last=True,
        has_timestamps=True,
        source=_source(name, GROUPLENS, title, zips, reader, published, megabytes),
        **_FILMS,
    )


_CSV = ("ratings.csv", "movies.csv")
MOVIELENS = (
    _movielens(
        "ml-latest-small",
        "MovieLens latest, small",
        "A small sample of recent MovieLens ratings for trying things out; GroupLens may change it at any time.",
        functools.partial(read_csv, name="ml-latest-small"),
        _CSV,
        folder="ml-latest-small",
        published=(None, None, None),
        megabytes=1.0,
        page="latest/",
        size="610 users × 9,724 films, 100,836 ratings (as of 2018)",
    ),
    _movielens(
        "ml-1m",
        "MovieLens 1M",
        "A million ratings of films by people who joined MovieLens in 2000, each of whom rated 20 or more.",
        functools.partial(read_dat, name="ml-1m", scale=(1.0, 5.0), encoding="latin-1"),
        ("ratings.dat", "movies.dat", "users.dat"),
        folder="ml-1m",
        published=(1_000_209, 6_040, 3_706),
        megabytes=5.9,
        page="1m/",
        size="6,040 users × 3,706 films, 1,000,209 ratings",
        half_stars=False,
        md5="c4d9eecfca2ab87c1945afe126590906",
    ),
    _movielens(
        "ml-10m",
        "MovieLens 10M",
        "Ten million ratings of films, up to 2009, in half stars.",
        functools.partial(read_dat, name="ml-10m", scale=(0.5, 5.0), encoding="utf-8"),
        ("ratings.dat", "movies.dat"),
        folder="ml-10M100K",
        published=(10_000_054, 69_878, 10_677),
        megabytes=65.6,
        page="10m/",
        size="69,878 users × 10,677 films, 10,000,054 ratings",
        md5="ce571fd55effeba0271552578f2648bd",
    ),
    _movielens(
        "ml-20m",
        "MovieLens 20M",
        "Twenty million ratings of films, 1995 to 2015.",
        functools.partial(read_csv, name="ml-20m"),
        _CSV,
        folder="ml-20m",
        published=(20_000_263, 138_493, 26_744),
        megabytes=199,
        page="20m/",
        size="138,493 users × 26,744 films, 20,000,263 ratings",
        md5="cd245b17a1ae2cc31bb14903e1204af3",
    ),
    _movielens(
        "ml-25m",
        "MovieLens 25M",
        "Twenty-five million ratings of films, 1995 to 2019.",
        functools.partial(read_csv, name="ml-25m"),
        _CSV,
        folder="ml-25m",
        published=(25_000_095, 162_541, 59_047),
        megabytes=262,
        page="25m/",
        size="162,541 users × 59,047 films, 25,000,095 ratings",
        md5="6b51fb2759a8657d3bfcbfc42b592ada",
    ),
    _movielens(
        "ml-32m",
        "MovieLens 32M",
        "Thirty-two million ratings of films, 1995 to 2023.",
        functools.partial(read_csv, name="ml-32m"),
        _CSV,
        folder="ml-32m",
        published=(32_000_204, 200_948, 84_432),
        megabytes=239,
        page="32m/",
        size="200,948 users × 84,432 films, 32,000,204 ratings",
        md5="d472be332d4daa821edc399621853b57",
    ),
)

_JESTER_ZIPS = tuple(Zip(f"jester_dataset_1_{part}.zip", (f"jester-data-{part}.xls",)) for part in (1, 2, 3))
OTHERS = (
    DatasetSpec(
        name="goodbooks-10k",
        title="goodbooks-10k",
        description="Six million ratings of the ten thousand most popular books, gathered from Goodreads in 2017.",
        size="53,424 readers × 10,000 books, 5,976,479 ratings of 1 to 5 stars; about 12 MB to fetch",
        licence="Creative Commons BY-SA 4.0.",
        citation="Zygmunt Zając. 2017. Goodbooks-10k: a new dataset for book recommendations. FastML. http://fastml.com/goodbooks-10k",
        url="https://github.com/zygmuntz/goodbooks-10k",
        item=("book", "books"),
        user=("reader", "readers"),
        rating=("star", "stars"),
        symbol="★",
        scale=(1.0, 5.0),
        has_titles=True,
        source=_source(
            "goodbooks-10k",
            GOODBOOKS,
            "goodbooks-10k",
            (Zip("goodbooks-10k.zip", ("ratings.csv", "books.csv")),),
            read_goodbooks,
            (5_976_479, 53_424, 10_000),
            15,
        ),
    ),
    DatasetSpec(
        name="book-crossing",
        title="Book-Crossing",
        description="What readers of the Book-Crossing community made of their books in 2004: only the ratings they gave; "
        "the 716,000 rows that say no more than that somebody had a book are left out.",
        size="433,671 ratings of 1 to 10 points, most books with one or two; 26 MB to fetch",
        licence="Free for research with credit.",
        citation=(
            "Cai-Nicolas Ziegler, Sean M. McNee, Joseph A. Konstan and Georg Lausen. 2005. Improving Recommendation Lists "
            "Through Topic Diversification. WWW 2005: 22-32. https://doi.org/10.1145/1060745.1060754"
        ),
        url="http://www2.informatik.uni-freiburg.de/~cziegler/BX/",
        item=("book", "books"),
        user=("reader", "readers"),
        scale=(1.0, 10.0),
        has_titles=True,
        source=_source(
            "book-crossing",
            BOOK_CROSSING,
            "Book-Crossing",
            (Zip("BX-CSV-Dump.zip", ("BX-Book-Ratings.csv", "BX-Books.csv")),),
            read_book_crossing,
            (433_671, None, None),
            30,
        ),
    ),
    DatasetSpec(
        name="jester",
        title="Jester",
        description="How funny people found a hundred jokes, on a continuous scale: few items and a full table, 1999 to 2003.",
        size="73,421 people × 100 jokes, 4.1 million ratings of −10 to 10; 12 MB to fetch",
        licence="Free for research with credit; tell its authors.",
        citation=(
            "Ken Goldberg, Theresa Roeder, Dhruv Gupta and Chris Perkins. 2001. Eigentaste: A Constant Time Collaborative "
            "Filtering Algorithm. Information Retrieval 4, 2: 133-151. https://doi.org/10.1023/A:1011419012209"
        ),
        url="https://eigentaste.berkeley.edu/dataset/",
        item=("joke", "jokes"),
        user=("person", "people"),
        scale=(-10.0, 10.0),
        has_titles=True,
        source=_source("jester", JESTER, "Jester", _JESTER_ZIPS, read_jester, (None, 73_421, 100), 15),
    ),
    DatasetSpec(
        name="lastfm-2k",
        title="Last.fm 2K (HetRec 2011)",
        description="How often people played which artists: counts from 1 to hundreds of thousands, no opinions.",
        size="1,892 listeners × 17,632 artists, 92,834 play counts; 2.6 MB to fetch",
        licence="Free for research with credit; no commercial use.",
        citation=(
            "Iván Cantador, Peter Brusilovsky and Tsvi Kuflik. 2011. Second Workshop on Information Heterogeneity and Fusion "
            "in Recommender Systems (HetRec 2011). RecSys 2011: 387-388. https://doi.org/10.1145/2043932.2044016"
        ),
        url="https://grouplens.org/datasets/hetrec-2011/",
        item=("artist", "artists"),
        user=("listener", "listeners"),
        rating=("play", "plays"),
        feedback="counts",
        has_titles=True,
        source=_source(
            "lastfm-2k",
            HETREC,
            "Last.fm 2K",
            (Zip("hetrec2011-lastfm-2k.zip", ("user_artists.dat", "artists.dat")),),
            read_hetrec_lastfm,
            (92_834, 1_892, 17_632),
            4,
        ),
    ),
)


def _ncf(
    name: str, stem: str, title: str, words: str, reader: Reader, published: tuple[int | None, int, int], **about: Any
) -> DatasetSpec:
    files = tuple(f"{stem}.{kind}" for kind in ("train.rating", "test.rating", "test.negative"))
    return DatasetSpec(
        name=name,
        title=title,
        description=words,
        citation=_HE,
        url="https://github.com/hexiangnan/neural_collaborative_filtering",
        has_parts=True,
        source=Source(
            origins=(from_files(NCF, files, reader, title),),
            advice=NCF.advice(name, files),
            published=published,
            disk=150_000_000,
        ),
        **about,
    )


NCF_SETS = (
    _ncf(
        "ncf-ml-1m",
        "ml-1m",
        "MovieLens 1M as in NCF",
        "MovieLens 1M as “Neural Collaborative Filtering” divided it: each user's latest is test, among 99 others.",
        functools.partial(read_ncf, name="ncf-ml-1m", scale=(1.0, 5.0), timed=True),
        (1_000_209, 6_040, 3_706),
        size="6,040 users × 3,706 films, 1,000,209 ratings of 1 to 5 stars; about 24 MB to fetch",
        licence=GROUPLENS_TERMS,
        scale=(1.0, 5.0),
        has_timestamps=True,
        **_FILMS,
    ),
    _ncf(
        "ncf-pinterest-20",
        "pinterest-20",
        "Pinterest-20 as in NCF",
        "Who pinned which picture, for users with 20 or more, as “Neural Collaborative Filtering” divided it: nobody rated "
        "anything, and one pin of each user is test, with 99 pictures to rank it among.",
        functools.partial(read_ncf, name="ncf-pinterest-20", scale=(0.0, 1.0), feedback="chosen", timed=False),
        (None, 55_187, 9_916),
        size="55,187 users × 9,916 pictures, 1.5 million pins; about 60 MB to fetch",
        licence="Not stated; gathered for research by Geng et al. (ICCV 2015).",
        item=("picture", "pictures"),
        rating=("pin", "pins"),
        feedback="chosen",
        scale=(0.0, 1.0),
    ),
)

PUBLISHED = (*MOVIELENS, *OTHERS, *NCF_SETS)
