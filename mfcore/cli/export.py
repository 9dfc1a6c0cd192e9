"""The command export-vectors."""

from __future__ import annotations

import argparse

from mfcore.cli.output import print_json, say
from mfcore.embeddings.export import export_tables, vector_tables
from mfcore.runs.embedding_space import run_space
from mfcore.runs.store import RunStore
from mfcore.validate import integer


def export_vectors(options: argparse.Namespace) -> int:
    """Vectors of a stored run and what they stand for, as two tables."""
    store = RunStore(options.home)
    run_id = store.find(options.run_id)
    epoch = None if options.epoch is None else integer("epoch", options.epoch, low=0)
    tables = vector_tables(run_space(run_id, store.home), what=options.what, epoch=epoch)
    vectors, metadata = export_tables(*tables, options.out)
    if options.json:
        print_json({"run_id": run_id, "vectors": str(vectors), "metadata": str(metadata)})
    else:
        say(f"wrote {vectors} and {metadata}; load both at an Embedding Projector, or import them on the page Embeddings")
    return 0
