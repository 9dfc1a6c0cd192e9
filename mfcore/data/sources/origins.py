"""Where published files lie: an address for each publisher, which the environment may replace by that of a mirror."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mfcore.data.interactions import Interactions
from mfcore.data.readers import Files, read_archive
from mfcore.data.sources.download import Progress, download
from mfcore.data.sources.fetching import Origin


@dataclass(frozen=True)
class Base:
    """A folder on the web. ``variable``: of the environment, names a mirror of it."""

    name: str
    variable: str
    address: str

    def url(self, file: str) -> str:
        """The address of a file in it."""
        return f"{(os.environ.get(self.variable) or self.address).rstrip('/')}/{file}"

    def advice(self, name: str, files: Iterable[str]) -> str:
        """What to do about dataset ``name`` when its files cannot be had."""
        return (
            f"Connect to the internet, or set {self.variable} to a folder on the web that holds {' and '.join(files)}; "
            f"then run python -m mfcore fetch {name}, which goes on where it stopped"
        )


GROUPLENS = Base("GroupLens", "MF_EXPLORER_GROUPLENS_URL", "https://files.grouplens.org/datasets/movielens")
HETREC = Base("GroupLens", "MF_EXPLORER_HETREC_URL", "https://files.grouplens.org/datasets/hetrec2011")
GOODBOOKS = Base("GitHub", "MF_EXPLORER_GOODBOOKS_URL", "https://github.com/zygmuntz/goodbooks-10k/releases/download/v1.0")
BOOK_CROSSING = Base(
    "the University of Freiburg", "MF_EXPLORER_BOOK_CROSSING_URL", "http://www2.informatik.uni-freiburg.de/~cziegler/BX"
)
JESTER = Base("UC Berkeley", "MF_EXPLORER_JESTER_URL", "https://eigentaste.berkeley.edu/dataset")
NCF = Base(
    "GitHub",
    "MF_EXPLORER_NCF_URL",
    "https://raw.githubusercontent.com/hexiangnan/neural_collaborative_filtering/master/Data",
)
BASES = (GROUPLENS, HETREC, GOODBOOKS, BOOK_CROSSING, JESTER, NCF)

Reader = Callable[[Files], Interactions]


@dataclass(frozen=True)
class Zip:
    """Some members of a zip, all in one ``folder`` of it. ``md5``: of the zip, where it is published."""

    file: str
    members: tuple[str, ...]
    folder: str = ""
    md5: str | None = None


def from_zips(base: Base, zips: tuple[Zip, ...], read: Reader, title: str) -> Origin:
    """Download zips and read what is in them."""

    def fetch(scratch: Path, progress: Progress) -> Interactions:
        files: dict[str, bytes] = {}
        for one in zips:
            archive = scratch / one.file
            download(base.url(one.file), archive, progress, label=f"{title}, {one.file}", md5=one.md5)
            progress(f"Unpacking {one.file}", None)
            files |= read_archive(archive, one.folder, one.members)
            archive.unlink()
        progress(f"Reading {title}", None)
        return read(files)

    return Origin(base.name, fetch)


def from_files(base: Base, names: tuple[str, ...], read: Reader, title: str) -> Origin:
    """Download files as they are and read them."""

    def fetch(scratch: Path, progress: Progress) -> Interactions:
        for name in names:
            download(base.url(name), scratch / name, progress, label=f"{title}, {name}")
        progress(f"Reading {title}", None)
        return read({name: (scratch / name).read_bytes() for name in names})

    return Origin(base.name, fetch)
