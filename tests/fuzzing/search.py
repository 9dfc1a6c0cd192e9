"""Feeds one reader for a while: ``python -m tests.fuzzing.search READER SECONDS FOLDER SEED [guided]``.

A process of its own, so that what one reader does to memory or time is not the others'. With atheris (``pip install atheris``;
its fuzzer is LLVM's) inputs that reach new code are kept and changed further; else they are changed at random alone. In FOLDER:
``corpus/`` the inputs, ``found/`` one for each foreign error with its traceback, ``told.json`` how many were tried.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EVERY = 1.0
"""Seconds between two words on how far it is."""


class Search:
    """What one reader was fed with, and what came of it."""

    def __init__(self, reader: Any, folder: Path, guided: bool) -> None:
        self.reader, self.folder, self.guided = reader, folder, guided
        self.executions, self.found, self._due = 0, dict[str, int](), 0.0
        for name in ("corpus", "found"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(reader.seeds()):
            reader.read(seed)  # what is made once is made, and is not counted
            (folder / "corpus" / f"seed-{number}").write_bytes(seed)
        self._before = len(list((folder / "corpus").iterdir()))

    def one(self, data: bytes) -> None:
        """Try one input, and keep it where what comes of it is foreign and new."""
        from tests.fuzzing.trial import tried

        self.executions += 1
        foreign = tried(self.reader, data)
        if foreign is not None:
            self.found[foreign.key] = self.found.get(foreign.key, 0) + 1
            if self.found[foreign.key] == 1:
                (self.folder / "found" / foreign.key).write_bytes(data)
                (self.folder / "found" / f"{foreign.key}.txt").write_text(foreign.told)
        if time.monotonic() >= self._due:
            self.tell()

    def tell(self) -> None:
        self._due = time.monotonic() + EVERY
        fresh = len(list((self.folder / "corpus").iterdir())) - self._before
        told = {"executions": self.executions, "corpus": fresh, "found": self.found, "guided": self.guided}
        (self.folder / "told.json").write_text(json.dumps(told))


def blindly(search: Search, mutate: Callable[[bytes, random.Random], bytes], seconds: float, seed: int) -> None:
    """Changes at random, of what is valid and of what was changed before."""
    chance, until = random.Random(seed), time.monotonic() + seconds
    known = [path.read_bytes() for path in sorted((search.folder / "corpus").iterdir())]
    while time.monotonic() < until:
        data = chance.choice(known)
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            data = mutate(data, chance)
        search.one(data)
    search.tell()


def led_by_coverage(search: Search, mutate: Callable[[bytes, random.Random], bytes], seconds: float, seed: int) -> None:
    """Does not come back."""
    import atheris

    def changed(data: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)
        return atheris.Mutate(data, most) if chance.random() < 0.3 else mutate(data, chance)[:most]

    options = [
        f"-max_total_time={round(seconds)}", f"-seed={seed}", "-timeout=20", "-rss_limit_mb=3000", "-max_len=200000",
        "-verbosity=0", f"-artifact_prefix={search.folder}/found/", str(search.folder / "corpus"),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], search.one, custom_mutator=changed, internal_libfuzzer=True)
    atheris.Fuzz()


def main() -> None:
    name, seconds, folder, seed = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    guided = "guided" in sys.argv[5:]
    with contextlib.ExitStack() as stack:
        if guided:
            import atheris

            stack.enter_context(atheris.instrument_imports(include=["mfcore", "ui"], enable_loader_override=False))
        readers = importlib.import_module("tests.fuzzing.readers").READERS
        reader = next(one for one in readers if one.name == name)
        for of in reader.of:
            importlib.import_module(of.partition(":")[0])
    from tests.fuzzing.mutation import with_blind

    (led_by_coverage if guided else blindly)(Search(reader, folder, guided), with_blind(reader.mutate), seconds, seed)


if __name__ == "__main__":
    main()
