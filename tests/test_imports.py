"""Imports point one way: app.py → pages → ui → mfcore, and inside mfcore as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

HOUSE = {
    "mfcore": set(),
    "ui": {"mfcore"},
    "pages": {"ui", "mfcore"},
    "app": {"pages", "ui", "mfcore"},
}
FOUNDATION = {"cache", "errors", "files", "log", "paths", "quantities", "registry", "settings", "typing", "validate"}
"""Modules at the bottom: what may be used everywhere. Among themselves they point one way, too, or Python would tell."""
LAYERS: dict[str, set[str]] = {
    "data": set(),
    "models": {"data"},
    "evaluation": {"models", "data"},
    "training": {"evaluation", "models", "data"},
    "recommendation": {"evaluation", "models", "data"},
    "embeddings": {"evaluation", "models", "data"},
    "runs": {"recommendation", "embeddings", "training", "evaluation", "models", "data"},
    "cli": {"runs", "recommendation", "embeddings", "training", "evaluation", "models", "data"},
    "__main__": {"cli", "data"},
}
INSIDE_MFCORE = dict.fromkeys(FOUNDATION, FOUNDATION) | {part: below | FOUNDATION for part, below in LAYERS.items()}


def imported(path: Path, *, types_too: bool = True) -> Iterator[str]:
    """Full names of the modules a file imports, wherever in the file, relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not types_too:
        tree.body = [node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


@pytest.mark.parametrize("part", HOUSE)
def test_the_house_is_built_from_the_ground_up(part: str) -> None:
    files = [ROOT / "app.py"] if part == "app" else sources(part)
    forbidden = set(HOUSE) - HOUSE[part] - {part}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imported(path)
        if name.split(".")[0] in forbidden
    ]
    assert not wrong


def test_inside_mfcore_imports_point_one_way() -> None:
    wrong = []
    for path in sources("mfcore"):
        part = path.relative_to(ROOT / "mfcore").with_suffix("").parts[0]
        if part == "__init__":  # the package's front: lazy, so it may name everything
            continue
        assert part in INSIDE_MFCORE, f"{path.relative_to(ROOT)}: say in this test what {part} may import"
        allowed = INSIDE_MFCORE[part] | {part}
        # A spec names the types of what it describes; at run time the registry knows nothing of them.
        for name in imported(path, types_too=part != "registry"):
            top, *rest = name.split(".")
            if top == "mfcore" and rest and rest[0] in INSIDE_MFCORE and rest[0] not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_mfcore_names_no_user_interface() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("mfcore")
        for name in imported(path)
        if name.split(".")[0] in ("streamlit", "plotly", "altair", "starlette", "uvicorn")
    ]
    assert not wrong


def loaded_after(statements: str) -> set[str]:
    """Top-level names in sys.modules of a fresh interpreter after these statements."""
    code = f"{statements}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_importing_mfcore_is_instant() -> None:
    loaded = loaded_after("import mfcore")
    assert "mfcore" in loaded
    assert not loaded & {"torch", "pandas", "numpy", "streamlit", "plotly", "sklearn"}


@pytest.mark.parametrize("module", ["mfcore.data", "mfcore.runs"])
def test_pages_can_list_data_and_runs_without_torch(module: str) -> None:
    assert not loaded_after(f"import {module}") & {"torch", "streamlit", "plotly"}


def test_the_server_listens_before_it_loads_what_no_first_page_needs() -> None:
    loaded = loaded_after("import app")
    assert {"streamlit", "mfcore"} <= loaded
    assert not loaded & {"torch", "pandas", "scipy", "sklearn"}


def test_no_module_of_mfcore_pulls_in_the_user_interface() -> None:
    walk = (
        "import importlib, pkgutil, mfcore\n"
        "for module in pkgutil.walk_packages(mfcore.__path__, 'mfcore.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)"
    )
    loaded = loaded_after(walk)
    assert "torch" in loaded
    assert not loaded & {"streamlit", "plotly"}


def test_pages_hold_no_torch_no_classes_no_session_state_and_no_timers() -> None:
    wrong = []
    for path in sources("pages"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        wrong += [f"{name} imports torch" for module in imported(path) if module.split(".")[0] == "torch"]
        wrong += [f"{name} defines class {n.name}" for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef)]
        wrong += [f"{name} touches session_state" for _ in [0] if "session_state" in text]
    for path in sources("pages", "ui"):
        wrong += [f"{path.relative_to(ROOT)} uses run_every" for _ in [0] if "run_every=" in path.read_text(encoding="utf-8")]
    assert not wrong
