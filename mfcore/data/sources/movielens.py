"""Where MovieLens 100K comes from: GroupLens, who made it, and a package that carries a copy."""

from __future__ import annotations

from pathlib import Path

from mfcore.data.interactions import Interactions
from mfcore.data.readers import GROUPLENS_FILES, RECBOLE_FILES, read_archive, read_grouplens, read_recbole
from mfcore.data.sources.download import Progress, download
from mfcore.data.sources.origins import GROUPLENS
from mfcore.data.sources.pip_wheel import pip_download

GROUPLENS_VARIABLE = GROUPLENS.variable
ML_100K_ZIP_SHA256 = "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"

RECBOLE = "recbole==1.2.1"
RECBOLE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
RECBOLE_FOLDER = "recbole/dataset_example/ml-100k"


def grouplens_url() -> str:
    """Where ml-100k.zip lies: at GroupLens, or at the mirror that ``$MF_EXPLORER_GROUPLENS_URL`` names."""
    return GROUPLENS.url("ml-100k.zip")


def from_grouplens(
    scratch: Path, progress: Progress, *, url: str | None = None, sha256: str | None = ML_100K_ZIP_SHA256
) -> Interactions:
    """Download ml-100k.zip, from :func:`grouplens_url` unless ``url`` says otherwise, and read it."""
    archive = scratch / "ml-100k.zip"
    download(url or grouplens_url(), archive, progress, label="MovieLens 100K from GroupLens", sha256=sha256)
    progress("Reading MovieLens 100K", None)
    return read_grouplens(read_archive(archive, "ml-100k", GROUPLENS_FILES))


def from_recbole(scratch: Path, progress: Progress) -> Interactions:
    """Read the copy inside the RecBole wheel, which pip fetches."""
    wheel = pip_download(RECBOLE, scratch, progress, sha256=RECBOLE_SHA256)
    progress("Reading MovieLens 100K", None)
    return read_recbole(read_archive(wheel, RECBOLE_FOLDER, RECBOLE_FILES))
