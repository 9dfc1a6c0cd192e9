"""Checks of what is installed, and of the machine it runs on."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mfcore.cli.checks.finding import INSTALL, Circumstances, Finding, note, ok, problem, size

OLDEST, NEWEST = (3, 11), (3, 13)
"""Versions of Python that this is tested with."""
ROOT = Path(__file__).resolve().parents[3]
"""The folder that mfcore lies in: a working tree, or site-packages."""
_TORCH_SECONDS = 120.0
_LEAST_MEMORY, _ENOUGH_MEMORY = 500e6, 2e9
_OWN_CHECK = ("torch", "streamlit")

# In a process of its own: whatever a broken installation of torch does, up to ending the process, is then a finding.
_ASK_TORCH = """
import json, torch
told = {"version": torch.__version__, "threads": torch.get_num_threads(), "cuda_build": torch.version.cuda,
        "cuda": torch.cuda.is_available(), "devices": [], "why": ""}
if told["cuda"]:
    told["devices"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
elif told["cuda_build"]:
    try:
        torch.cuda.init()
    except Exception as error:
        told["why"] = " ".join(str(error).split())
mps = getattr(torch.backends, "mps", None)
told["mps_build"] = bool(mps and mps.is_built())
told["mps"] = bool(mps and mps.is_available())
print(json.dumps(told))
"""


def python(given: Circumstances) -> Iterator[Finding]:
    """The interpreter, and whether it is one that we are tested with."""
    here, found = sys.version_info[:2], f"{platform.python_version()} on {platform.system()} ({sys.executable})"
    known = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
    if here < OLDEST:
        yield problem(f"{found}; {known} is needed", "install a newer Python, and name it: make run PYTHON=python3.12")
    elif here > NEWEST:
        yield note(f"{found}; tested with {known}", "should something fail, use one of those: make run PYTHON=python3.12")
    else:
        yield ok(found)


def torch(given: Circumstances) -> Iterator[Finding]:
    """The version of torch, its threads and its devices; of a device that is missing, why."""
    wanted = _within("torch")
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, timeout=_TORCH_SECONDS, check=False
        )
        told = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        yield problem(
            f"importing it took more than {_TORCH_SECONDS:.0f} s", "look at the load of this machine, then install it anew"
        )
        return
    if told is None:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        yield problem(f"cannot be imported: {last}", "install it: pip install -r requirements.txt (or make setup)")
        return
    yield wanted or ok(f"{told['version']}, {told['threads']} thread{'' if told['threads'] == 1 else 's'}")
    yield _cuda(told)
    if sys.platform == "darwin":
        why = "" if told["mps_build"] else ": this build of torch has no MPS"
        yield ok("MPS can be used") if told["mps"] else note(f"no MPS{why or ': macOS 12.3 and Apple silicon are needed'}")


def _cuda(told: dict[str, Any]) -> Finding:
    if told["cuda"]:
        return ok(f"CUDA {told['cuda_build']}: {', '.join(told['devices'])}")
    if not told["cuda_build"]:
        return ok("CPU only: this build of torch has no CUDA")
    cure = "install the driver of the GPU, or give the container its devices; training works on the CPU meanwhile"
    return note(f"no CUDA, though torch is built for {told['cuda_build']}: {told['why'] or 'no device was found'}", cure)


def streamlit(given: Circumstances) -> Iterator[Finding]:
    """The version of Streamlit against the range that the app is written for."""
    yield _within("streamlit") or ok(f"{_installed('streamlit')}, within {requirements()['streamlit']}")


def packages(given: Circumstances) -> Iterator[Finding]:
    """Everything else that is imported: there, within its range, and the version that was tested."""
    wrong = [found for name in requirements() if name not in _OWN_CHECK and (found := _within(name))]
    yield from wrong
    pinned = {name: version for name, version in pins().items() if _installed(name)}
    other = [f"{name} {_installed(name)} ({version} was tested)" for name, version in pinned.items() if _differs(name, version)]
    if other:
        yield note(f"other versions than the tested ones: {', '.join(other)}", "for those: pip install -r requirements.txt")
    elif not wrong:
        yield ok(f"{len(requirements()) - len(_OWN_CHECK)} packages, all within their ranges")


def plugins(given: Circumstances) -> Iterator[Finding]:
    """Extensions that are named, and whether each can be imported."""
    from mfcore.registry import PLUGINS_GROUP, PLUGINS_VARIABLE

    named = [name.strip() for name in os.environ.get(PLUGINS_VARIABLE, "").split(",") if name.strip()]
    names = named + [entry.value for entry in importlib.metadata.entry_points(group=PLUGINS_GROUP)]
    if not names:
        yield ok("none asked for")
    for name in names:
        try:
            importlib.import_module(name.partition(":")[0])
            yield ok(f"{name} can be imported")
        except Exception as error:
            cure = f"mend it, or take it out of {PLUGINS_VARIABLE}" if name in named else "mend it, or uninstall its package"
            yield problem(f"{name} cannot be imported ({type(error).__name__}: {error}); nothing can be trained", cure)


def processor(given: Circumstances) -> Iterator[Finding]:
    """Cores, and how many of them this process may use."""
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    quota = _quota()
    found = f"{usable} of {cores} cores may be used" if usable < cores else f"{cores} cores"
    if quota is not None and quota < usable:
        found += f", the container has the time of {quota:.3g}"
    few = min(usable, quota or usable) < 2
    yield (
        note(f"{found}; a server and a worker share it", "two or more keep the pages quick while a run trains")
        if few
        else ok(found)
    )


def memory(given: Circumstances) -> Iterator[Finding]:
    """Memory that is free, the least of what the machine and the container allow."""
    import psutil

    from mfcore.models.memory import available_memory

    free, total = available_memory(), psutil.virtual_memory().total
    limit = _limit()
    found = f"{size(free)} free of {size(min(total, limit or total))}{' that the container may use' if limit else ''}"
    if free < _LEAST_MEMORY:
        yield problem(f"{found}; a worker alone takes 400 MB", "end other programs, or raise the limit of the container")
    elif free < _ENOUGH_MEMORY:
        yield note(f"{found}; enough for MovieLens 100K, not for much more")
    else:
        yield ok(found)


def requirements() -> dict[str, str]:
    """Range of versions by the name of what is imported: from pyproject.toml in a working tree, else as installed.

    Raises:
        importlib.metadata.PackageNotFoundError: neither is there.
    """
    path = ROOT / "pyproject.toml"
    if path.is_file():
        stated = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        stated = [line for line in importlib.metadata.requires("mf-explorer") or [] if "extra ==" not in line]
    parts = [re.match(r"([A-Za-z0-9._-]+)\s*(.*)", line) for line in stated]
    return {found[1].lower(): found[2].strip() for found in parts if found}


def fits(version: str, wanted: str) -> bool:
    """Whether a version is within a range of the two kinds of bounds that we state: ``>=1.67,<2``.

    Raises:
        ValueError: a bound of another kind.
    """
    here = _numbers(version)
    for bound in filter(None, (part.strip() for part in wanted.split(","))):
        low, high = bound.removeprefix(">="), bound.removeprefix("<")
        if low == bound and (high == bound or high.startswith("=")):
            raise ValueError(f"a bound is >= or <, got {bound!r}")
        if (low != bound and here < _numbers(low)) or (low == bound and here >= _numbers(high)):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """Its numbers up to the first that is none, without zeros at the end: 2.13.0+cpu is (2, 13)."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def pins() -> dict[str, str]:
    """The one version of each that was tested; empty where there is no working tree."""
    try:
        lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.strip().split("==") for line in lines if "==" in line and not line.startswith("#"))


def _within(name: str) -> Finding | None:
    """What is wrong with the version of a package; None where nothing is."""
    version, wanted = _installed(name), requirements().get(name, "")
    if version is None:
        return problem(f"{name} is not installed ({wanted or 'any version'} is needed)", INSTALL)
    if fits(version, wanted):
        return None
    return problem(f"{name} {version} is installed, {wanted} is needed", f'pip install "{name}{wanted}"')


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _differs(name: str, version: str) -> bool:
    return (_installed(name) or version).split("+")[0] != version


def _quota(group: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Cores whose time the container may use; None without a limit."""
    try:
        most, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return int(most) / int(period)
    except (OSError, ValueError):
        return None


def _limit(group: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes of memory that the container may use; None without a limit."""
    try:
        return int((group / "memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
