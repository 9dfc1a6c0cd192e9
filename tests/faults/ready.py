"""Importing this loads all that a worker needs: for the process that forks workers, so that each begins in milliseconds."""

from mfcore.runs.worker.main import _import_everything

_import_everything()
