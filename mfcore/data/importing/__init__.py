"""Anybody's ratings: from a file as people have it to interactions; each guess is told, each row left out accounted for."""

from mfcore.data.importing.building import Imported, load_ratings, read
from mfcore.data.importing.plan import ImportPlan
from mfcore.data.importing.preview import Preview, look
from mfcore.data.importing.report import Cancelled, Report

__all__ = ["Cancelled", "ImportPlan", "Imported", "Preview", "Report", "load_ratings", "look", "read"]
