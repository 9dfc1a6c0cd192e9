"""How much memory a model would take, asked before it is built."""

from __future__ import annotations

from pathlib import Path

import psutil

from mfcore.errors import UnusableRequest
from mfcore.models.config import ModelConfig
from mfcore.quantities import size
from mfcore.registry import MODELS, OPTIMIZERS, load


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
        f"{what} needs about {size(needed)} of memory for {num_users} users and {num_items} items; "
        f"this machine has {size(free)} free; try {fitting}"
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
