"""How much memory a model would take, asked before it is built."""

from __future__ import annotations

import os
from pathlib import Path

from mfcore.errors import UnusableRequest
from mfcore.models.config import ModelConfig
from mfcore.registry import MODELS, OPTIMIZERS, load

_UNKNOWN_MACHINE = 8 * 2**30


def count_parameters(config: ModelConfig, num_users: int, num_items: int) -> int:
    """Weights of the model, without building it (or, where its spec does not know, by building it without memory)."""
    spec = MODELS[config.name]
    if spec.count_parameters is not None:
        return spec.count_parameters(config, num_users, num_items)
    import torch

    with torch.device("meta"):
        built = load(spec.implementation)(config, num_users, num_items)
    return int(sum(parameter.numel() for parameter in built.parameters()))


def estimate_memory(config: ModelConfig, num_users: int, num_items: int, optimizer: str = "adam") -> int:
    """Bytes while training: float32 weights, gradients, optimizer state and a copy of the best weights."""
    return 4 * (3 + OPTIMIZERS[optimizer].states) * count_parameters(config, num_users, num_items)


def check_memory(
    config: ModelConfig, num_users: int, num_items: int, optimizer: str = "adam", available: int | None = None
) -> None:
    """Refuse a model that cannot fit. ``available``: bytes, default what this machine has free.

    Raises:
        UnusableRequest: it names the need, what is free and a width that fits.
    """
    needed = estimate_memory(config, num_users, num_items, optimizer)
    free = available_memory() if available is None else available
    if needed <= free:
        return
    per_number = max(1, (num_users + num_items) * 4 * (3 + OPTIMIZERS[optimizer].states))
    fitting = min(64, 2 ** max(0, (free // per_number).bit_length() - 2))
    what = f"embedding_dim {config.embedding_dim}"
    work = MODELS[config.name].work_of(config)
    if max(work.widths, default=0) > work.multiplications:
        what, fitting = f"mlp_layers {','.join(map(str, config.mlp_layers))}", min(64, fitting)
    raise UnusableRequest(
        f"{what} needs about {_size(needed)} of memory for {num_users} users and {num_items} items; "
        f"this machine has {_size(free)} free; try {fitting}"
    )


def available_memory() -> int:
    """Bytes of main memory free for use, the least of what the machine and its container allow."""
    return min(_machine_memory(), _container_memory())


def _machine_memory() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    names = getattr(os, "sysconf_names", {})
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in names and "SC_PAGE_SIZE" in names:
            return int(os.sysconf(pages)) * int(os.sysconf("SC_PAGE_SIZE"))
    return _UNKNOWN_MACHINE


def _container_memory() -> int:
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        parts = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
        # Cached files are given up when memory is asked for.
        cached = int(parts.get("inactive_file", 0)) + int(parts.get("active_file", 0))
        return max(0, limit - used + cached)
    except (OSError, ValueError):  # no such file, or "max"
        return 2**62


def _size(number_of_bytes: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB", "TB", "PB"):
        if number_of_bytes < 1000 or unit == "PB":
            return f"{number_of_bytes:.3g} {unit}"
        number_of_bytes /= 1000
    raise AssertionError
