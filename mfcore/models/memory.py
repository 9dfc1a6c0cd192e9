"""How much memory a model would take, asked before it is built."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import psutil

from mfcore.errors import UnusableRequest
from mfcore.models.config import ModelConfig

_STATES = {"sgd": 1, "adagrad": 1, "rmsprop": 2, "adam": 2, "adamw": 2, "sparse-adam": 2}
"""Numbers an optimizer keeps per weight, at most."""


def count_parameters(config: ModelConfig, num_users: int, num_items: int) -> int:
    """Weights of the model, without building it."""
    rows = num_users + num_items
    dim, widths = config.embedding_dim, config.mlp_layers
    tower = sum(a * b + b for a, b in pairwise(widths))
    return {
        "mf": rows * dim,
        "biased-mf": rows * (dim + 1),
        "gmf": rows * dim + dim + 1,
        "mlp": rows * (widths[0] // 2) + tower + widths[-1] + 1,
        "neumf": rows * (dim + widths[0] // 2) + tower + dim + widths[-1] + 1,
    }[config.name]


def estimate_memory(config: ModelConfig, num_users: int, num_items: int, optimizer: str = "adam") -> int:
    """Bytes while training: float32 weights, gradients, optimizer state and a copy of the best weights."""
    return 4 * (3 + _STATES.get(optimizer, 2)) * count_parameters(config, num_users, num_items)


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
    per_number = max(1, (num_users + num_items) * 4 * (3 + _STATES.get(optimizer, 2)))
    fitting = min(64, 2 ** max(0, (free // per_number).bit_length() - 2))
    what = f"embedding_dim {config.embedding_dim}"
    if config.name == "mlp" or (config.name == "neumf" and max(config.mlp_layers) > config.embedding_dim):
        what, fitting = f"mlp_layers {','.join(map(str, config.mlp_layers))}", min(64, fitting)
    raise UnusableRequest(
        f"{what} needs about {_size(needed)} of memory for {num_users} users and {num_items} items; "
        f"this machine has {_size(free)} free; try {fitting}"
    )


def available_memory(control_group: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of main memory free for use, the least of what the machine and its container (``control_group``) allow."""
    return min(int(psutil.virtual_memory().available), _container_memory(control_group))


def _container_memory(group: Path) -> int:
    """What the control group allows, which psutil does not look at; without limit a number beyond any machine."""
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
