"""The repository keeps its own promises: ranges and pins, what a wheel holds, no addresses of one machine, a taken port."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mfcore
from scripts.port import why_not

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".yaml", ".conf", ".service", ".py", ".md", ".toml", ".txt", ".sh", ".js", ".css", ".html", ".json", ".cfg", ".yml", ""}


def tracked_text() -> list[Path]:
    """Files git knows (where there is no git, all but hidden folders) that people write as text."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [
            path for path in ROOT.rglob("*") if not any(part.startswith(".v") or part == "node_modules" for part in path.parts)
        ]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-r"))]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in wanted), wanted
    return dict(line.split("==") for line in wanted)


def test_every_requirement_is_pinned_and_installed_as_pinned() -> None:
    everything = pins("requirements.txt") | pins("requirements-dev.txt")
    assert not set(pins("requirements.txt")) & set(pins("requirements-dev.txt"))
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in everything}
    assert installed == everything


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def ranges(requirements: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, requirements)}


@pytest.mark.parametrize("kind", ["requirements.txt", "requirements-dev.txt"])
def test_the_pins_are_one_version_of_each_dependency_within_its_range(kind: str) -> None:
    stated = project()
    wanted = ranges(stated["dependencies"] if kind == "requirements.txt" else stated["optional-dependencies"]["dev"])
    pinned = {canonicalize_name(name): version for name, version in pins(kind).items()}
    assert set(pinned) == set(wanted)
    assert not [f"{name}=={version}" for name, version in pinned.items() if version not in wanted[name].specifier]


def imported(*places: str) -> Iterator[str]:
    """Top-level names of everything that the code in these files and folders imports."""
    for place in places:
        for path in [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.partition(".")[0]


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    ours = {"mfcore", "ui", "pages", "app"}
    used = set(imported("mfcore", "ui", "pages", "app.py")) - ours - set(sys.stdlib_module_names)
    distributions = importlib.metadata.packages_distributions() | {"umap": ["umap-learn"]}
    found = {canonicalize_name(distributions[name][0]) for name in used}
    extras = set(ranges(project()["optional-dependencies"]["umap"]))
    assert found - extras == set(ranges(project()["dependencies"]))


def test_a_wheel_holds_the_library_the_app_and_the_command(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    tracked = {name for name in listed if (ROOT / name).is_file()}
    library = {name for name in tracked if name.startswith("mfcore/")}
    app = {name for name in tracked if name == "app.py" or name.startswith(("ui/", "pages/", ".streamlit/"))}
    assert held == library | {f"mf_explorer/{name}" for name in app if not name.endswith(".test.js")}
    assert {Path(name).suffix for name in held} >= {".py", ".pyi", ".typed", ".js", ".css", ".html", ".svg", ".toml"}
    assert "mf-explorer = mfcore.__main__:main" in about["entry_points.txt"]
    assert f"\nVersion: {mfcore.__version__}\n" in about["METADATA"]


def test_the_version_is_said_once_and_the_changelog_knows_it() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest is not None
    assert "version" in project()["dynamic"]
    assert mfcore.__version__ == newest[1]


def test_no_file_names_a_place_on_one_machine() -> None:
    absolute = re.compile(r"""["'\s(=](/(?:work|home|root|tmp|Users|mnt|data)/[\w.-]+|[A-Z]:\\\\?Users)""")
    found = [
        f"{path.relative_to(ROOT)}: {match[1]}"
        for path in tracked_text()
        for match in absolute.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_no_file_brings_its_own_fonts_scripts_or_trackers() -> None:
    outside = re.compile(r"(?:src|href|url|import)\s*[=(]\s*[\"']?https?://(?!localhost|127\.0\.0\.1)", re.IGNORECASE)
    found = [
        str(path.relative_to(ROOT))
        for path in tracked_text()
        if path.suffix in {".js", ".css", ".html"} and outside.search(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_no_large_file_is_tracked() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    sizes = {name: (ROOT / name).stat().st_size for name in listed.split("\0") if name and (ROOT / name).is_file()}
    film = "docs/images/laboratory.webp"
    large = [name for name, size in sizes.items() if size > (1_500_000 if name == film else 400_000)]
    assert not large


def test_a_port_in_use_is_one_line_with_the_way_out() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "scripts.port", port], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is in use" in done.stderr
    assert "make run PORT=" in done.stderr


@pytest.mark.parametrize("text", ["abc", "0", "70000", "-1", "", "٣"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    assert "number from 1 to 65535" in why_not(text)


def test_make_lists_what_it_can_do() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("make run", "make doctor", "make test", "make check", "make js"):
        assert target in done.stdout


def test_the_threat_model_points_at_what_there_is() -> None:
    """Files, and tests by name: a defence whose test has gone may have gone as well."""
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|ui|mfcore|deploy|docs|\.streamlit)/?[\w./-]*)(?:::(\w+))?`", text))
    assert len(named) > 40
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"
