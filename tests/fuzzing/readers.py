"""Every reader of what comes from outside. **Whoever writes a new one adds it here**; CI and ``make fuzz`` do the rest.

A reader gives a value or raises what its documentation says, whatever it reads; it does so quickly and in little memory.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from mfcore import files
from mfcore.cli.settings import flat_from_file
from mfcore.data import readers
from mfcore.data.cache import DamagedCache
from mfcore.embeddings import export
from mfcore.errors import UnusableRequest
from mfcore.runs import RunConfig
from mfcore.runs.export import archive
from mfcore.runs.limits import Limits
from mfcore.settings import SETTINGS
from tests.fuzzing import kit, reading
from tests.fuzzing.mutation import (
    Mutate,
    bytes_of,
    joined,
    json_of,
    lines_of,
    parts_of,
    query_of,
    safetensors_of,
    split,
    zip_of,
)
from ui.api.hosts import answers_to


@dataclass(frozen=True)
class Reader:
    """``read`` takes bytes to what ``of`` (``module:name``) reads. ``raises``: what these say they do. ``seeds``: what is
    valid; ``mutate`` makes something else of it. ``slow``: costs milliseconds, so that CI tries less of it."""

    name: str
    of: tuple[str, ...]
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    raises: tuple[type[Exception], ...] = ()
    mutate: Mutate = field(default=bytes_of)
    slow: bool = False


READERS = [
    Reader("json", ("mfcore.files:loads",), files.loads, reading.of_run("config.json", "result.json"), (ValueError,), json_of),
    Reader(
        "json-file",
        ("mfcore.files:read_json",),
        lambda data: files.read_json(kit.file("x.json", data)),
        reading.of_run("config.json"),
        mutate=json_of,
    ),
    Reader(
        "npz",
        ("mfcore.files:read_arrays",),
        lambda data: files.read_arrays(io.BytesIO(data)),
        reading.stored_split,
        (OSError, ValueError),
        zip_of,
    ),
    Reader(
        "events",
        ("mfcore.files:tail_lines", "mfcore.runs.events:from_json", "mfcore.runs.events:surviving"),
        reading.read_events,
        reading.recorded,
        mutate=lines_of,
    ),
    Reader("status", ("mfcore.runs.status:parse_status",), reading.read_status, reading.of_run("status.json"), mutate=json_of),
    Reader(
        "run-folder",
        ("mfcore.runs.summary:RunReader", "mfcore.runs.layout:RunFolder", "mfcore.runs.history:RunHistory"),
        reading.read_folder,
        lambda: [joined(*(reading.of_run(*reading.FILES)()))],
        mutate=parts_of(reading.FILES),
        slow=True,
    ),
    Reader(
        "configuration",
        ("mfcore.runs.config:RunConfig.from_dict",),
        reading.read_config,
        reading.configuration,
        (UnusableRequest,),
        json_of,
    ),
    Reader(
        "configuration-file",
        ("mfcore.cli.settings:flat_from_file",),
        lambda data: flat_from_file(kit.file("c.json", data)),
        reading.configuration,
        (UnusableRequest,),
        json_of,
    ),
    Reader(
        "flat",
        ("mfcore.runs.config:RunConfig.with_flat",),
        reading.read_flat,
        lambda: [json.dumps(RunConfig().to_flat(defaults=True)).encode()],
        (UnusableRequest,),
        json_of,
    ),
    Reader(
        "setting",
        ("mfcore.settings:SETTINGS", "mfcore.validate:number", "mfcore.validate:integer"),
        reading.read_setting,
        reading.settings,
        (UnusableRequest,),
    ),
    Reader(
        "plan",
        ("mfcore.settings.plan:parse_plan",),
        lambda data: SETTINGS["plan"].read(reading.text(data)),
        lambda: [b"20: learning_rate=0.0007; 25.5: batch_size=64, weight_decay=0,1; 30: stop"],
        (UnusableRequest,),
    ),
    Reader(
        "limits",
        ("mfcore.runs.limits:Limits.read",),
        lambda data: Limits.read(reading.text(data)),
        lambda: [b"each=5, hours=0.5 disk=100,waiting=3"],
        (UnusableRequest,),
    ),
    Reader(
        "link",
        ("ui.train.draft:from_query", "ui.train.draft:to_config"),
        reading.read_link,
        reading.links,
        (UnusableRequest,),
        query_of,
    ),
    Reader(
        "archive",
        ("mfcore.runs.export.archive:unpack",),
        reading.read_archive,
        lambda: [archive.pack(kit.folder())],
        (UnusableRequest,),
        zip_of,
        slow=True,
    ),
    Reader(
        "commands",
        ("mfcore.runs.commands:read_commands",),
        reading.read_inbox,
        lambda: [split(wish, 2)[1] for wish in reading.wishes()],
        mutate=json_of,
    ),
    Reader(
        "steering",
        ("ui.api.steering:command", "ui.api.steering:branch", "ui.api.steering:place", "ui.api.steering:end"),
        reading.steer,
        reading.wishes,
        mutate=parts_of(("x", "x.json")),
        slow=True,
    ),
    Reader(
        "questions",
        (
            "ui.api.events:run_events",
            "ui.api.embeddings:view_of",
            "ui.api.vectors:neighbours",
            "ui.api.manifold:manifold_state",
            "ui.api.queue:queue",
        ),
        reading.ask,
        reading.questions,
        mutate=query_of,
        slow=True,
    ),
    Reader(
        "run-id",
        ("mfcore.runs.config:check_run_id",),
        reading.ask_for_run,
        lambda: [b"20261122-143012-mf-a1b2"],
        (UnusableRequest,),
        slow=True,
    ),
    Reader(
        "host",
        ("ui.api.hosts:answers_to",),
        lambda data: answers_to(data.decode("latin-1"), ["localhost", "*.example.com"]),
        lambda: [b"localhost:8501", b"a.example.com", b"[::1]:80"],
    ),
    Reader(
        "cookies",
        ("ui.sessions:cookie_in", "ui.sessions:browser_id"),
        reading.read_cookies,
        lambda: [b"a=b; mfx_visitor=" + b"a" * 32 + b"." + b"b" * 32 + b"; c=d"],
    ),
    Reader(
        "embedding-tables",
        ("mfcore.embeddings.export:read_tables",),
        reading.read_tables,
        lambda: [joined(kit.VECTORS, kit.METADATA), joined(b"a\tb\n" + kit.VECTORS, b"")],
        (UnusableRequest,),
    ),
    Reader(
        "embedding-zip",
        ("mfcore.embeddings.export:read_zip",),
        export.read_zip,
        lambda: [export.pack_tables([[1, 2], [3, 4], [5, 7]], {"title": list("abc"), "year": [1, 2, 3]})],
        (UnusableRequest,),
        zip_of,
    ),
    Reader(
        "imported-embeddings",
        ("mfcore.embeddings.imported:ImportedEmbeddings",),
        reading.read_imported,
        lambda: [
            joined(
                *(
                    (kit.embeddings().path / name).read_bytes()
                    for name in ("about.json", "metadata.json", "vectors.safetensors")
                )
            )
        ],
        (UnusableRequest,),
        parts_of(("about.json", "metadata.json", "vectors.safetensors")),
    ),
    Reader(
        "checkpoint",
        (
            "mfcore.runs.checkpoints.files:load_weights",
            "mfcore.runs.checkpoints.files:load_state",
            "mfcore.runs.checkpoints.info:read_info",
        ),
        reading.read_checkpoint,
        reading.of_run("checkpoints/last.safetensors", "checkpoints/best.safetensors"),
        (UnusableRequest,),
        safetensors_of,
    ),
    Reader(
        "snapshots",
        ("mfcore.embeddings.snapshots:SnapshotFiles", "mfcore.embeddings.snapshots:read_arrays"),
        reading.read_snapshots,
        lambda: [joined(*(reading.of_run("snapshots/about.safetensors", "snapshots/epoch-00001.safetensors")()))],
        (UnusableRequest,),
        parts_of(("about.safetensors", "epoch.safetensors")),
    ),
    Reader("split", ("mfcore.data.split:Split.load",), reading.read_split, reading.stored_split, (UnusableRequest,), zip_of),
    Reader(
        "evaluation",
        ("mfcore.evaluation.details:EvaluationDetails.load",),
        reading.read_evaluation,
        reading.of_run("evaluation.npz"),
        (UnusableRequest,),
        zip_of,
    ),
    Reader(
        "movielens",
        ("mfcore.data.readers:read_grouplens",),
        reading.read_grouplens,
        reading.grouplens,
        (readers.UnreadableData,),
    ),
    Reader(
        "recbole",
        ("mfcore.data.readers:read_recbole",),
        reading.read_recbole,
        reading.recbole,
        (readers.UnreadableData,),
    ),
    Reader(
        "movielens-zip",
        ("mfcore.data.readers:read_archive",),
        reading.read_movielens_zip,
        reading.movielens_zip,
        (readers.UnreadableData,),
        zip_of,
    ),
    *(
        Reader(
            f"layout-{name}",
            (f"mfcore.data.layouts:{read.__name__}",),
            functools.partial(reading.read_layout, read, files),
            functools.partial(reading.layout, files),
            (readers.UnreadableData,),
        )
        for name, (read, files) in reading.LAYOUTS.items()
    ),
    Reader(
        "stored-dataset",
        ("mfcore.data.cache:read_cache", "mfcore.data.cache:read_manifest"),
        reading.read_cached,
        reading.cached,
        (DamagedCache,),
        parts_of(("manifest.json", "data.npz")),
    ),
]
