"""Go through the steps of deploy/Dockerfile without a container engine, and see that what they make serves.

    python -m scripts.dockerfile_steps [--keep]

COPY, RUN, ENV, ARG, WORKDIR and the command are carried out in a temporary folder: the image's folders lie below it, a new
virtual environment stands for its Python, and pip asks whatever index this machine is set up with. Making users and changing
owners is left out, and so is USER. Then the command is started on a free port of the loopback, has to answer /healthz with 200,
and has to stop by itself on SIGTERM. What cannot be seen this way: the base image, USER, and what the engine does.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts.app_server import free_port

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / ".dockerignore"
_FOLDERS = ("/app", "/data")
"""Folders of the image that steps name; each lies below the temporary folder under the same name."""
_LEFT_OUT = ("useradd", "groupadd", "chown")
_START_SECONDS, _STOP_SECONDS = 90.0, 30.0


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Instruction and argument of each step, continued lines joined, comments left out."""
    whole = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    for line in whole.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), " ".join(rest.split())


def in_context(name: str, rules: list[str]) -> bool:
    """Whether a file of the working tree is sent to the engine at all: the last rule of .dockerignore that fits decides."""
    kept = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        plain = pattern.removeprefix("**/")
        parts = name.split("/")
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        names = above if plain == pattern else [*above, *parts]
        if any(fnmatch.fnmatchcase(one, plain) for one in names):
            kept = rule.startswith("!")
    return kept


def rules() -> list[str]:
    """The rules of .dockerignore, in order."""
    lines = IGNORED.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@dataclass
class Image:
    """What the steps have made so far, below ``place``."""

    place: Path
    environment: dict[str, str]
    folder: Path = Path("/")
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """A text with the image's folders named as they lie here."""
        return re.sub(rf"(?<![\w.])({'|'.join(_FOLDERS)})(?![\w-])", lambda found: f"{self.place}{found[1]}", text)

    def step(self, word: str, rest: str) -> None:
        """Carry out one step."""
        if word in ("ARG", "ENV"):
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                self.environment[name] = os.environ.get(name, "") if word == "ARG" and not value else self.inside(value)
        elif word == "WORKDIR":
            self.folder = Path(self.inside(rest))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                self._copy(source, target)
        elif word == "RUN":
            subprocess.run(["sh", "-euc", self.inside(rest)], cwd=self.folder, env=self.environment, check=True)
        elif word == "ENTRYPOINT":
            self.entry = json.loads(rest)
        elif word == "CMD":
            self.command = json.loads(rest)

    def _copy(self, source: str, target: str) -> None:
        whole = ROOT / source
        files = [whole] if whole.is_file() else sorted(path for path in whole.rglob("*") if path.is_file())
        sent = [path for path in files if in_context(path.relative_to(ROOT).as_posix(), rules())]
        if not sent:
            raise SystemExit(f"COPY {source}: nothing of it is sent to the engine (see .dockerignore)")
        for path in sent:
            within = path.name if whole.is_file() else str(path.relative_to(whole))
            aim = self.folder / target / within
            aim.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, aim)


def new_image(place: Path) -> Image:
    """An image with nothing but a Python of its own; what needs root is there and does nothing."""
    subprocess.run([sys.executable, "-m", "venv", str(place / "python")], check=True)
    stubs = place / "stubs"
    stubs.mkdir()
    for name in _LEFT_OUT:
        (stubs / name).write_text("#!/bin/sh\n")
        (stubs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name in ("HOME", "LANG", "TMPDIR")}
    path = os.pathsep.join([str(stubs), str(place / "python" / "bin"), os.environ["PATH"]])
    return Image(place, {**kept, "PATH": path})


def serve(image: Image) -> float:
    """Start the image's command on a free port of the loopback, wait for 200, stop it; returns seconds until it answered.

    Raises:
        SystemExit: it does not answer, or does not stop by itself.
    """
    port = free_port()
    command = ["127.0.0.1" if word == "0.0.0.0" else word for word in (*image.entry, *image.command)] + ["--port", str(port)]
    began = time.monotonic()
    server = subprocess.Popen(command, cwd=image.folder, env=image.environment)
    try:
        while not _healthy(port):
            if server.poll() is not None or time.monotonic() - began > _START_SECONDS:
                raise SystemExit(f"{shlex.join(command)} does not answer /healthz (exit code {server.poll()})")
            time.sleep(0.1)
        seconds = time.monotonic() - began
        server.send_signal(signal.SIGTERM)
        code = server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"it does not stop within {_STOP_SECONDS:.0f} s of SIGTERM") from None
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()
    if code not in (0, -signal.SIGTERM):
        raise SystemExit(f"stopped by SIGTERM it ends with {code}")
    return seconds


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="mf-explorer-image-"))
    try:
        image = new_image(place)
        for word, rest in steps(DOCKERFILE.read_text(encoding="utf-8")):
            print(f"{word} {rest}", flush=True)
            image.step(word, rest)
        print(f"answered /healthz with 200 after {serve(image):.1f} s, and stopped on SIGTERM")
    finally:
        if options.keep:
            print(f"left in {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
