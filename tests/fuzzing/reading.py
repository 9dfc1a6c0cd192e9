"""How each reader is called with bytes, what it must hold to besides, and what is valid for it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from mfcore import files
from mfcore.data import Split, layouts, random_split, readers
from mfcore.data.cache import MANIFEST, read_cache, write_cache
from mfcore.embeddings import export
from mfcore.embeddings.snapshots import SnapshotFiles
from mfcore.errors import UnusableRequest
from mfcore.evaluation.details import EvaluationDetails
from mfcore.runs import RunConfig, RunStore
from mfcore.runs.checkpoints.files import load_state, load_weights
from mfcore.runs.checkpoints.info import read_info
from mfcore.runs.commands import COMMANDS, read_commands
from mfcore.runs.config import check_run_id
from mfcore.runs.events import EventLog
from mfcore.runs.export import archive
from mfcore.runs.history import RunHistory
from mfcore.runs.status import parse_status
from tests.data import layouts_made_up as made_up
from tests.fuzzing import kit
from tests.fuzzing.mutation import (
    joined,
    split,
)
from ui.api.steering import TOKEN_HEADER, steering_token
from ui.sessions import browser_id, cookie_in
from ui.train import draft

EVENTS = Path(__file__).parents[1] / "events"


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _json(data: bytes) -> Any:
    """What a reader of JSON is given: data that :func:`mfcore.files.loads` takes; None for what it does not."""
    try:
        return files.loads(data)
    except ValueError:
        return None


def _dict(data: bytes) -> dict[str, Any]:
    found = _json(data)
    return found if isinstance(found, dict) else {}


# --- files of a run ------------------------------------------------------------------------------------------------------


def read_events(data: bytes) -> object:
    log = EventLog(kit.file("events.jsonl", data))
    events, following = log.read()
    assert 0 <= following <= len(data) and log.read(following) == ([], following)
    return [event.to_json() for event in log.surviving()], log.lines(), events


def read_status(data: bytes) -> object:
    status = parse_status(_dict(data))
    return status.over, status.claimed, status.worker_gone, status.orphaned, status.abandoned


FILES = ("config.json", "meta.json", "status.json", "result.json", "events.jsonl")


def read_folder(data: bytes) -> object:
    run = kit.copy("copied", **dict(zip(FILES, split(data, len(FILES)), strict=True)))
    store = RunStore(kit.PLACE / "copies")
    (summary,) = store.list()
    json.dumps([summary.test, summary.curve, summary.created, summary.name, summary.reason], allow_nan=True).encode()
    if summary.state != "damaged" and not summary.unread:
        RunHistory.read(run)
    return run.meta(), run.provenance()


def read_config(data: bytes) -> object:
    config = RunConfig.from_dict(_dict(data))
    assert RunConfig.from_dict(_dict(files.dumps(config.to_dict()).encode())) == config
    return config.to_flat()


def read_archive(data: bytes) -> object:
    home = kit.PLACE / "imports"
    try:
        run = archive.unpack(data, home, archive.Limits(total=32 * 1024**2))
        summary = RunStore(home).get(run.run_id)
        assert summary.state != "damaged" and summary.over, summary
        return RunHistory.read(run) if not summary.unread else None
    finally:
        for path in (home / "runs").iterdir():
            assert not path.name.startswith("."), "something was left behind"
            shutil.rmtree(path)


def read_inbox(data: bytes) -> object:
    folder = kit.PLACE / "commands"
    folder.mkdir(exist_ok=True)
    path = folder / "000001.json"
    path.write_bytes(data)
    os.utime(path, (1, 1))
    (pending,) = read_commands(folder)
    assert (pending.command is None) == bool(pending.refused)
    return pending


def read_checkpoint(data: bytes) -> object:
    path = kit.file("last.safetensors", data)
    refused = []
    for read in (load_weights, load_state, read_info):
        try:
            read(path)
        except UnusableRequest as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return None


def read_snapshots(data: bytes) -> object:
    place = SnapshotFiles(kit.PLACE / "snapped")
    place.path.mkdir(parents=True, exist_ok=True)
    about, epoch = split(data, 2)
    (place.path / "about.safetensors").write_bytes(about)
    place.file_of(1).write_bytes(epoch)
    (place.path / "now-5.safetensors").write_bytes(epoch)
    source = place.source()
    return place.metadata(), place.block(), source.load(1) if source is not None else None


def read_evaluation(data: bytes) -> object:
    found = EvaluationDetails.load(kit.file("evaluation.npz", data))
    return found.rank_full, found.rank_draws


def read_split(data: bytes) -> object:
    return Split.load(kit.file("split.npz", data), kit.data())


# --- what people send ----------------------------------------------------------------------------------------------------


def read_link(data: bytes) -> object:
    found, strangers = draft.from_query(dict(parse_qsl(text(data), keep_blank_values=True)))
    if found is None:
        return strangers
    draft.to_query(found)
    draft.rate_words(found)
    for key in ("model", "loss", "dataset", "optimizer", "seed"):
        draft.also_changed(found, draft.change(found, key, found[key]), key)
    return draft.to_config(found)


def read_flat(data: bytes) -> object:
    return RunConfig().with_flat(_dict(data))


def read_setting(data: bytes) -> object:
    name, _, value = text(data).partition("=")
    return RunConfig().with_flat({name: value})


def steer(data: bytes) -> object:
    what, body = split(data, 2)
    where = text(what) if text(what) in ("commands", "branch", "place", "end") else "commands"
    run_id = kit.folder().run_id
    with kit.at_home():
        headers = {TOKEN_HEADER: steering_token(), "content-type": "application/json"}
        answer = kit.client().post(f"/api/runs/{run_id}/{where}", content=body, headers=headers)
    assert answer.status_code in (200, 400, 404) and (answer.status_code == 200 or answer.json()["error"]), answer.status_code
    return None


_ROUTES = (
    "runs/{run}/events", "runs/{run}/space", "runs/{run}/space/points", "runs/{run}/block", "runs/{run}/space/axes",
    "runs/{run}/space/shape", "runs/{run}/neighbours", "runs/{run}/manifold/tsne", "queue", "embeddings/{imported}/space",
    "embeddings/{imported}/space/points", "embeddings/{imported}/neighbours", "embeddings/{imported}/manifold/umap",
)  # fmt: skip


def ask(data: bytes) -> object:
    """The first byte is the route, the rest what stands behind the question mark."""
    route = _ROUTES[data[0] % len(_ROUTES)] if data else "queue"
    address = "/api/" + route.format(run=kit.folder().run_id, imported=kit.embeddings().name)
    asked = quote(data[1:], safe="=&%+~,")
    with kit.at_home():
        answer = kit.client().get(f"{address}?{asked}")
    assert answer.status_code in (200, 400, 404), answer.status_code
    return None


def ask_for_run(data: bytes) -> object:
    """The id of a run in an address."""
    with kit.at_home():
        answer = kit.client().get(f"/api/runs/{quote(data, safe='')}/events")
    assert answer.status_code in (200, 404, 307, 405), answer.status_code
    return check_run_id(text(data))


def read_cookies(data: bytes) -> object:
    cookie = cookie_in([data.decode("latin-1")])
    assert cookie == "" or len(cookie) == 65
    return browser_id(cookie)


def read_tables(data: bytes) -> object:
    vectors, metadata = split(data, 2)
    return export.read_tables(vectors, metadata or None)


def read_imported(data: bytes) -> object:
    kept = kit.embeddings()
    names = ("about.json", "metadata.json", "vectors.safetensors")
    before = {name: (kept.path / name).read_bytes() for name in names}
    try:
        for name, content in zip(names, split(data, 3), strict=True):
            (kept.path / name).write_bytes(content)
        return kept.about(), kept.owner, kept.shared, kept.shared_by, kept.points()
    finally:
        for name, content in before.items():
            (kept.path / name).write_bytes(content)


# --- datasets ------------------------------------------------------------------------------------------------------------

_USERS = b"1|24|M|technician|85711\n2|53|F|other|94043\n"
_INTER = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1\t5\t874965758\n2\t2\t3\t876893171\n1\t2\t4\t1\n"
_ITEM = (
    b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    b"1\tToy Story\t1995\tAnimation Comedy\n2\tX\t1995\tDrama\n"
)


def items() -> bytes:
    flags = "|".join(["0"] * 18)
    return f"1|Toy Story (1995)|01-Jan-1995||http://x|1|{flags}\n2|X (1995)|01-Jan-1995||http://x|0|{flags}\n".encode()


def grouplens() -> list[bytes]:
    return [joined(b"1\t1\t5\t874965758\n2\t2\t3\t876893171\n1\t2\t4\t1\n", items(), _USERS)]


def recbole() -> list[bytes]:
    return [joined(_INTER, _ITEM, b"user_id:token\tage\tg\to\tz\n" + _USERS.replace(b"|", b"\t"))]


def read_grouplens(data: bytes) -> object:
    return readers.read_grouplens(dict(zip(readers.GROUPLENS_FILES, split(data, 3), strict=True)))


def read_recbole(data: bytes) -> object:
    return readers.read_recbole(dict(zip(readers.RECBOLE_FILES, split(data, 3), strict=True)))


def read_movielens_zip(data: bytes) -> object:
    return readers.read_archive(kit.file("ml.zip", data), "ml-100k", ("u.data", "u.item"))


def movielens_zip() -> list[bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("ml-100k/u.data", "1\t1\t5\t1\n")
        packed.writestr("ml-100k/u.item", items())
    return [buffer.getvalue()]


LAYOUTS: dict[str, tuple[Callable[..., object], dict[str, bytes]]] = {
    "dat": (layouts.read_dat, made_up.DAT),
    "csv": (layouts.read_csv, made_up.CSV),
    "goodbooks": (layouts.read_goodbooks, made_up.GOODBOOKS),
    "book-crossing": (layouts.read_book_crossing, made_up.BOOK_CROSSING),
    "jester": (layouts.read_jester, {"jester-data-1.xls": made_up.JESTER["jester-data-1.xls"]}),
    "lastfm": (layouts.read_hetrec_lastfm, made_up.LASTFM),
    "ncf": (layouts.read_ncf, made_up.NCF),
}
"""Published layouts: their reader, and files that it reads."""
_FURTHER: dict[object, dict[str, Any]] = {
    layouts.read_dat: {"name": "x", "scale": (1.0, 5.0), "encoding": "latin-1"},
    layouts.read_csv: {"name": "x"},
    layouts.read_ncf: {"name": "x", "scale": (1.0, 5.0), "timed": True},
}


def read_layout(read: Callable[..., object], files: dict[str, bytes], data: bytes) -> object:
    return read(dict(zip(files, split(data, len(files)), strict=True)), **_FURTHER.get(read, {}))


def layout(files: dict[str, bytes]) -> list[bytes]:
    return [joined(*files.values())]


def read_cached(data: bytes) -> object:
    """A manifest, and columns whose checksum it is told."""
    place = kit.PLACE / "cached"
    place.mkdir(exist_ok=True)
    manifest, columns = split(data, 2)
    said = _json(manifest)
    if isinstance(said, dict):
        said |= {"bytes": len(columns), "sha256": hashlib.sha256(columns).hexdigest()} if said.get("sha256") else {}
        manifest = json.dumps(said).encode()
        name = said.get("file")
        if isinstance(name, str) and name.startswith("data-") and "/" not in name and "\0" not in name and len(name) < 100:
            (place / name.encode(errors="ignore").decode()).write_bytes(columns)
    (place / MANIFEST).write_bytes(manifest)
    try:
        return read_cache(place)
    finally:
        for old in place.glob("data-*"):
            old.unlink()


def cached() -> list[bytes]:
    place = kit.PLACE / "cache"
    write_cache(place, kit.data(), "here")
    (columns,) = place.glob("data-*.npz")
    return [joined((place / MANIFEST).read_bytes(), columns.read_bytes())]


# --- seeds ---------------------------------------------------------------------------------------------------------------


def configuration() -> list[bytes]:
    return [json.dumps(RunConfig().to_dict()).encode(), json.dumps(kit.folder().config().to_dict()).encode()]


def of_run(*names: str) -> Callable[[], list[bytes]]:
    return lambda: [(kit.folder().path / name).read_bytes() for name in names]


def stored_split() -> list[bytes]:
    random_split(kit.data()).save(kit.PLACE / "seed.npz")
    return [(kit.PLACE / "seed.npz").read_bytes()]


def recorded() -> list[bytes]:
    return [path.read_bytes() for path in sorted(EVENTS.glob("*.jsonl"))]


def wishes() -> list[bytes]:
    wanted = [{"kind": kind, **({"value": 2} if about.value else {})} for kind, about in COMMANDS.items()]
    bodies = [joined(b"commands", json.dumps(one).encode()) for one in wanted]
    change = json.dumps({"epoch": 1, "changes": {"learning_rate": 0.01, "num_epochs": 5}, "name": "x"}).encode()
    return [*bodies, joined(b"branch", change), joined(b"place", b'{"to": 1}'), joined(b"end", b"{}")]


def questions() -> list[bytes]:
    asked = {
        0: b"from=0&watcher=ab", 1: b"what=items&basis=final&components=3&from=0&to=2&norm=1&every=0&sphere=1&between=3,17~4",
        2: b"every=1", 3: b"epoch=1&static=0", 4: b"basis=1&items=3,17,39&sphere=0", 5: b"",
        6: b"item=3&n=10&by=cosine&epoch=latest", 7: b"epoch=2&what=users&perplexity=5&seed=1&points=1", 8: b"",
        9: b"what=both&components=2&items=0,1,2&basis=0&between=0~1,2", 10: b"every=0", 11: b"item=1&n=2&by=dot",
        12: b"neighbours=2&min_dist=0.5&what=items&points=0",
    }  # fmt: skip
    return [bytes([route]) + query for route, query in asked.items()]


def links() -> list[bytes]:
    flat = RunConfig().to_flat(defaults=True)
    every = "&".join(f"{key}={value}" for key, value in flat.items())
    return [
        every.encode(),
        b"preset=neumf&seed=3",
        b"model=mf&loss=bpr&optimizer=adam&view.x=time&run=a",
        b"plan=1:+stop",
    ]


def settings() -> list[bytes]:
    return [f"{key}={value}".encode() for key, value in RunConfig().to_flat(defaults=True).items()]
