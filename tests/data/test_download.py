from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from mfcore.data.readers import UnreadableData, read_recbole
from mfcore.data.sources import movielens
from mfcore.data.sources.download import FetchCancelled, FetchFailed, Patience, download
from mfcore.data.sources.pip_wheel import pip_download
from tests.data.loopback import shelf
from tests.data.made_up import grouplens_files, recbole_files, served, zipped

CONTENT = bytes(range(256)) * 2000


HASTY = Patience(connect=5.0, read=0.2, sleep=lambda _: None)
"""Waits for nobody: what is waited for is asked of ``waited`` below."""


def waiting() -> tuple[list[float], Patience]:
    """The waits that a download takes, none of which takes any time."""
    waits: list[float] = []
    return waits, Patience(read=0.2, sleep=waits.append)


def test_a_file_arrives_whole_with_progress_by_bytes(tmp_path):
    seen: list[tuple[str, float | None]] = []
    with served(CONTENT) as (url, asked):
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        download(f"{url}/a.zip", tmp_path / "a", lambda *one: seen.append(one), label="The file", sha256=sha256)
    assert (tmp_path / "a").read_bytes() == CONTENT and asked == ["/a.zip"]
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) > 3
    assert seen[-1][0] == "The file: 0.5 MB of 0.5 MB"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"announce": len(CONTENT) + 9}, "cut short, 512,000 of 512,009 bytes"),
        ({"status": 404}, "the server answered 404"),
        ({"status": 503}, "the server answered 503"),
        ({"status": 403}, "the server answered 403"),
        ({}, "wrong checksum: expected sha256 000000000000…, got "),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(tmp_path, answer, message):
    with served(CONTENT, **answer) as (url, _), pytest.raises(FetchFailed, match=message) as caught:
        download(url, tmp_path / "a", label="The file", sha256="0" * 64, patience=HASTY)
    assert "\n" not in str(caught.value) and not (tmp_path / "a").exists()


def test_a_dropped_download_goes_on_where_it_stopped(tmp_path):
    waits, patience = waiting()
    with shelf({"/a": CONTENT}, "drop", "drop") as server:
        download(f"{server.url}/a", tmp_path / "a", label="The file", patience=patience)
    half, three_quarters = len(CONTENT) // 2, len(CONTENT) * 3 // 4
    assert [asked for _, asked in server.asked] == [None, f"bytes={half}-", f"bytes={three_quarters}-"]
    assert (tmp_path / "a").read_bytes() == CONTENT and [file.name for file in tmp_path.iterdir()] == ["a"]
    assert sum(waits) == 1 + 2  # twice as long each time


def test_a_download_goes_on_in_another_process_and_on_another_day(tmp_path):
    once = Patience(tries=1, sleep=lambda _: None)
    with shelf({"/a": CONTENT}, "drop") as server:
        with pytest.raises(FetchFailed, match="cut short, 256,000 of 512,000 bytes"):
            download(f"{server.url}/a", tmp_path / "a", label="The file", patience=once)
        sha256, seen = hashlib.sha256(CONTENT).hexdigest(), []
        download(
            f"{server.url}/a", tmp_path / "a", lambda *one: seen.append(one), label="The file", sha256=sha256, patience=once
        )
    assert server.asked[1] == ("/a", "bytes=256000-") and (tmp_path / "a").read_bytes() == CONTENT
    assert min(fraction for _, fraction in seen) > 0.5


@pytest.mark.parametrize("change", ["no ranges", "another version", "no version", "another address", "other part", "shrunk"])
def test_a_part_that_cannot_be_gone_on_from_is_begun_anew(change, tmp_path):
    new = bytes(reversed(CONTENT)) if change != "shrunk" else CONTENT[:1000]
    once = Patience(tries=1, sleep=lambda _: None)
    with shelf({"/a": CONTENT, "/b": new}, "drop") as server:
        server.etag = "" if change == "no version" else server.etag
        with pytest.raises(FetchFailed):
            download(f"{server.url}/a", tmp_path / "a", label="The file", patience=once)
        server.files["/a"] = new
        server.etag = '"two"' if change == "another version" else server.etag
        server.tricks = [{"no ranges": "no ranges", "other part": "other part", "shrunk": 416}.get(change)]
        path = "/b" if change == "another address" else "/a"
        download(f"{server.url}{path}", tmp_path / "a", label="The file", patience=HASTY)
    assert (tmp_path / "a").read_bytes() == new


def test_a_stalled_download_is_tried_again_and_given_up(tmp_path):
    with shelf({"/a": CONTENT}, "stall") as server:
        download(f"{server.url}/a", tmp_path / "a", label="The file", patience=HASTY)
    assert (tmp_path / "a").read_bytes() == CONTENT and len(server.asked) == 2
    with shelf({"/a": CONTENT}, "stall", "stall") as server, pytest.raises(FetchFailed, match=r"nothing arrived for 0\.1 s"):
        download(
            f"{server.url}/a", tmp_path / "b", label="The file", patience=Patience(read=0.1, tries=2, sleep=lambda _: None)
        )


def test_a_busy_server_is_given_the_time_it_asks_for(tmp_path):
    waits, patience = waiting()
    said: list[str] = []
    with shelf({"/a": CONTENT}, (503, "7"), 503) as server:
        download(f"{server.url}/a", tmp_path / "a", lambda text, _: said.append(text), label="The file", patience=patience)
    assert sum(waits) == 7 + 2 and max(waits) <= 0.5  # in small steps, so that one can say stop
    assert said[0] == "The file: the server answered 503 Service Unavailable; trying again in 7 s"
    with shelf({"/a": CONTENT}, (503, "3600")) as server, pytest.raises(FetchFailed, match="answered 503"):
        download(f"{server.url}/a", tmp_path / "a", label="The file", patience=patience)
    assert len(server.asked) == 1 and sum(waits) == 9
    with shelf({"/a": CONTENT}, *[503] * 9) as server, pytest.raises(FetchFailed, match="answered 503"):
        download(f"{server.url}/a", tmp_path / "a", label="The file", patience=patience)
    assert len(server.asked) == patience.tries


def test_what_is_not_there_is_not_asked_for_again(tmp_path):
    with shelf({}) as server, pytest.raises(FetchFailed, match=r"answered 404 Not Found: there is no a\.zip at that address"):
        download(f"{server.url}/a", tmp_path / "a.zip", label="The file", patience=HASTY)
    assert len(server.asked) == 1


def test_a_web_page_is_not_taken_for_the_file(tmp_path):
    with (
        shelf({"/a": CONTENT}, "page") as server,
        pytest.raises(FetchFailed, match="a web page instead of the file; is there a login"),
    ):
        download(f"{server.url}/a", tmp_path / "a", label="The file", patience=HASTY)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_leaves_nothing_to_go_on_from(tmp_path):
    with shelf({"/a": CONTENT}) as server:
        with pytest.raises(FetchFailed, match="expected md5 000000000000…, got "):
            download(f"{server.url}/a", tmp_path / "a", label="The file", md5="0" * 32)
        assert list(tmp_path.iterdir()) == []
        download(f"{server.url}/a", tmp_path / "a", label="The file", md5=hashlib.md5(CONTENT).hexdigest())


def test_who_says_stop_is_heard_at_the_next_block_and_loses_nothing(tmp_path):
    def stop(_text: str, fraction: float | None) -> None:
        if fraction is not None and fraction > 0.3:
            raise FetchCancelled

    with shelf({"/a": CONTENT}) as server:
        with pytest.raises(FetchCancelled):
            download(f"{server.url}/a", tmp_path / "a", stop, label="The file")
        arrived = (tmp_path / "a.part").stat().st_size
        assert 0.3 * len(CONTENT) < arrived < 0.6 * len(CONTENT)
        download(f"{server.url}/a", tmp_path / "a", label="The file")
    assert server.asked[1] == ("/a", f"bytes={arrived}-") and (tmp_path / "a").read_bytes() == CONTENT


def test_how_long_it_still_takes_is_said_once_it_can_be_told(tmp_path):
    seconds = iter(range(0, 1000, 10))
    said: list[str] = []
    with shelf({"/a": CONTENT}) as server:
        patience = Patience(clock=lambda: float(next(seconds)))
        download(f"{server.url}/a", tmp_path / "a", lambda text, _: said.append(text), label="The file", patience=patience)
    assert "about" in said[0] and said[0].endswith(" left") and "left" not in said[-1]


def test_nobody_there(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FetchFailed, match="refused"):
        download(f"http://127.0.0.1:{port}/a", tmp_path / "a", label="The file")
    with pytest.raises(FetchFailed, match="unknown url type"):
        download("nonsense", tmp_path / "a", label="The file")


def test_a_server_that_never_answers_is_given_up(tmp_path):
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(FetchFailed, match="no answer in time"):
        download(f"http://127.0.0.1:{mute.getsockname()[1]}/a", tmp_path / "a", label="The file", patience=HASTY)
    assert time.monotonic() - started < 5


def test_a_name_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    done = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: done.wait(30) and [])
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="no answer in time"):
        download("http://films.invalid/a", tmp_path / "a", label="The file", patience=Patience(connect=0.2))
    assert time.monotonic() - started < 5
    done.set()


def test_the_grouplens_origin_and_its_address(tmp_path, monkeypatch):
    archive = zipped(grouplens_files(), "ml-100k")
    with served(archive) as (url, asked):
        monkeypatch.setenv(movielens.GROUPLENS_VARIABLE, f"{url}/mirror/")
        data = movielens.from_grouplens(tmp_path, lambda *_: None, sha256=None)
        assert asked == ["/mirror/ml-100k.zip"]
        with pytest.raises(FetchFailed, match="wrong checksum"):
            movielens.from_grouplens(tmp_path, lambda *_: None)
    assert data.fingerprint == read_recbole(recbole_files()).fingerprint
    monkeypatch.delenv(movielens.GROUPLENS_VARIABLE)
    assert movielens.grouplens_url() == "https://files.grouplens.org/datasets/movielens/ml-100k.zip"


def test_the_grouplens_origin_refuses_half_a_zip(tmp_path):
    archive = zipped(grouplens_files(), "ml-100k")
    with served(archive[:-40]) as (url, _), pytest.raises(UnreadableData, match="not a sound zip"):
        movielens.from_grouplens(tmp_path, lambda *_: None, url=url, sha256=None)


@pytest.fixture
def wheel_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, and from nowhere else."""
    house = tmp_path / "wheels"
    house.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(house))
    return house


def made_up_wheel(house: Path) -> str:
    """A wheel named as RecBole's, with made-up ratings inside; returns its sha256."""
    about = {
        "METADATA": b"Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\nRequires-Dist: torch\n",
        "WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": b"",
    }
    files = {f"{movielens.RECBOLE_FOLDER}/{name}": content for name, content in recbole_files().items()}
    files |= {f"recbole-1.2.1.dist-info/{name}": content for name, content in about.items()}
    content = zipped(files)
    (house / "recbole-1.2.1-py3-none-any.whl").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def test_the_pip_origin_brings_the_wheel_and_nothing_else(wheel_house, tmp_path, monkeypatch):
    monkeypatch.setattr(movielens, "RECBOLE_SHA256", made_up_wheel(wheel_house))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen: list[str] = []
    data = movielens.from_recbole(scratch, lambda message, _: seen.append(message))
    assert data.item_table["title"][0] == "Pocket Comet (1995)"
    assert sorted(file.suffix for file in scratch.iterdir()) == [".log", ".whl"]
    assert any(message.startswith("pip is fetching recbole==1.2.1") for message in seen)


def test_the_pip_origin_refuses_another_wheel(wheel_house, tmp_path):
    made_up_wheel(wheel_house)
    with pytest.raises(FetchFailed, match=r"wrong checksum of recbole-1\.2\.1"):
        movielens.from_recbole(tmp_path, lambda *_: None)


def test_the_pip_origin_passes_on_pip_s_reason(wheel_house, tmp_path):
    with pytest.raises(FetchFailed, match="Could not find a version that satisfies") as caught:
        pip_download("recbole==1.2.1", tmp_path, sha256="")
    assert "\n" not in str(caught.value)


@pytest.fixture
def python_that(tmp_path, monkeypatch):
    """``python_that(script)``: the Python that pip would be run with is this shell script."""

    def put(script: str) -> None:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(python))

    return put


def test_a_python_without_pip_says_so(tmp_path, python_that):
    python_that('echo "$0: No module named pip" >&2\nexit 1')
    with pytest.raises(FetchFailed, match="this Python has no pip; run python -m ensurepip"):
        pip_download("recbole==1.2.1", tmp_path, sha256="")


def test_a_pip_that_hangs_is_ended(tmp_path, python_that, monkeypatch):
    python_that("exec sleep 60")
    monkeypatch.setattr("mfcore.data.sources.pip_wheel.PIP_TIMEOUT", 0.3)
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="pip did not bring"):
        pip_download("recbole==1.2.1", tmp_path, sha256="")
    assert time.monotonic() - started < 10
