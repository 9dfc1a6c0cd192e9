"""Puts app.py into the wheel, beside the pages it serves. An editable install has it in the working tree already."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class IncludeApp(BuildHookInterface[Any]):
    """pyproject.toml can move folders (``sources``), but no single file without copying it into editable installs too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"]["app.py"] = "mf_explorer/app.py"
