"""The repository keeps its own promises: pins, versions, no addresses of one machine, one clear line for a taken port."""

from __future__ import annotations

import importlib.metadata
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mfcore
from scripts.port import why_not

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".md", ".toml", ".txt", ".sh", ".js", ".css", ".html", ".json", ".cfg", ".yml", ""}


def tracked_text() -> list[Path]:
    """Files git knows (where there is no git, all but hidden folders) that people write as text."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in ROOT.rglob("*") if not any(part.startswith(".v") for part in path.parts)]
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


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest is not None
    assert project["version"] == mfcore.__version__ == newest[1]


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
    for target in ("make run", "make test", "make check"):
        assert target in done.stdout
