"""Checkpoints: one safetensors file each, weights as tensors, everything else as JSON in its header. Replaced atomically."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mfcore.errors import UnusableRequest
from mfcore.files import replace_file

_MODEL = "model."


def save_checkpoint(
    path: Path, weights: Mapping[str, torch.Tensor], info: Mapping[str, Any], state: Any = None, *, durable: bool = True
) -> None:
    """Write model weights, ``info`` (JSON-ready, such as ``{"epoch": 3}``) and, to continue from, a trainer's ``state``.

    ``durable``: see ``replace_file``.

    ``state``: nested dicts, lists and tuples of tensors, arrays and Python scalars. A tensor that occurs twice is stored once.
    """
    packer = _Packer()
    for name, tensor in weights.items():
        packer.add(tensor, _MODEL + name)
    header = {"info": json.dumps(dict(info)), "state": json.dumps(packer.pack(state))}
    replace_file(path, save(packer.tensors, header), durable=durable)


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Model weights and ``info`` of a checkpoint; the rest of the file is not read.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            info = json.loads((file.metadata() or {})["info"])
            return {key[len(_MODEL) :]: file.get_tensor(key) for key in file.keys() if key.startswith(_MODEL)}, info  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UnusableRequest(f"the checkpoint {path.name} cannot be read ({error}); train the run again") from None


def load_state(path: Path) -> tuple[Any, dict[str, Any]]:
    """What was given to :func:`save_checkpoint` as ``state``, bit for bit, and ``info``.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return _unpack(json.loads(header["state"]), tensors), json.loads(header["info"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UnusableRequest(f"the checkpoint {path.name} cannot be read ({error}); train the run again") from None


class _Packer:
    """Turns a nested state into JSON that names tensors, and a flat dict of those tensors."""

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self._names: dict[tuple[Any, ...], str] = {}

    def add(self, tensor: torch.Tensor, name: str) -> str:
        key = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype, str(tensor.device))
        if tensor.numel() and key in self._names:
            return self._names[key]
        # A copy of its own: safetensors refuses tensors that share memory or are views.
        self.tensors[name] = tensor.detach().to("cpu", copy=True).contiguous()
        self._names[key] = name
        return name

    def pack(self, value: Any) -> Any:
        """Containers become tagged lists, so that tuples, integer keys and tensors survive JSON."""
        if isinstance(value, torch.Tensor):
            return ["tensor", self.add(value, f"state.{len(self.tensors)}")]
        if isinstance(value, np.ndarray):
            return ["array", self.add(torch.from_numpy(value), f"state.{len(self.tensors)}")]
        if isinstance(value, Mapping):
            return ["dict", [[self.pack(key), self.pack(entry)] for key, entry in value.items()]]
        if isinstance(value, (list, tuple)):
            return ["tuple" if isinstance(value, tuple) else "list", [self.pack(entry) for entry in value]]
        if isinstance(value, (np.generic,)):
            value = value.item()
        if isinstance(value, float):
            return value if math.isfinite(value) else ["float", repr(value)]
        if value is None or isinstance(value, (str, bool, int)):
            return value
        raise TypeError(f"{type(value).__name__} cannot be stored in a checkpoint")


def _unpack(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    if not isinstance(value, list):
        return value
    tag, content = value
    if tag == "tensor":
        return tensors[content].clone()
    if tag == "array":
        return tensors[content].numpy().copy()
    if tag == "dict":
        return {_unpack(key, tensors): _unpack(entry, tensors) for key, entry in content}
    if tag == "float":
        return float(content)
    entries = [_unpack(entry, tensors) for entry in content]
    return tuple(entries) if tag == "tuple" else entries
