"""Checkpoints: one safetensors file each, weights as tensors, everything else as JSON in its header. Replaced atomically."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from mfcore.errors import UnusableRequest
from mfcore.files import loads, replace_file
from mfcore.paths import reason
from mfcore.runs.checkpoints import checksum

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
    header = {checksum.KEY: checksum.BLANK, "info": json.dumps(dict(info)), "state": json.dumps(packer.pack(state))}
    replace_file(path, checksum.sealed(save(packer.tensors, header)), durable=durable)


def load_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Model weights and ``info`` of a checkpoint.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    tensors, header = _read(path)
    try:
        return {key[len(_MODEL) :]: tensor for key, tensor in tensors.items() if key.startswith(_MODEL)}, loads(header["info"])
    except (KeyError, ValueError) as error:
        raise _unreadable(path, error) from None


def load_state(path: Path) -> tuple[Any, dict[str, Any]]:
    """What was given to :func:`save_checkpoint` as ``state``, bit for bit, and ``info``.

    Raises:
        UnusableRequest: the file is missing or damaged.
    """
    tensors, header = _read(path)
    try:
        # Generators count in 128 bits: more than the whole numbers of our other files.
        return _unpack(json.loads(header["state"]), tensors), loads(header["info"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors of a checkpoint and what its header says, checked against its checksum where it has one."""
    try:
        content = path.read_bytes()
        header = checksum.checked_header(content)
        return dict(sorted(load(content).items())), header
    except (OSError, SafetensorError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> UnusableRequest:
    return UnusableRequest(f"the checkpoint {path.name} cannot be read ({reason(error)}); train the run again")


class _Packer:
    """Turns a nested state into JSON that names tensors, and a flat dict of those tensors."""

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self._names: dict[tuple[Any, ...], str] = {}
        self._twins: dict[tuple[Any, ...], str] = {}

    def add(self, tensor: torch.Tensor, name: str) -> str:
        key = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype, str(tensor.device))
        if tensor.numel() and key in self._names:
            return self._names[key]
        # A copy of its own: safetensors refuses tensors that share memory or are views.
        copied = tensor.detach().to("cpu", copy=True).contiguous()
        content = (tuple(copied.shape), copied.dtype, zlib.crc32(_bits(copied).numpy().tobytes()))
        twin = self._twins.get(content)  # the best weights are often the current ones
        if twin is None or not _same_bits(self.tensors[twin], copied):
            self.tensors[name] = copied
            twin = self._twins[content] = name
        elif name.startswith(_MODEL):
            self.tensors[name] = copied  # those of the model are found by their own names
            twin = name
        self._names[key] = twin
        return twin

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


def _same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Also where both are not a number, and not where one zero is below the other."""
    return _bits(a).equal(_bits(b))


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """(n,) uint8: the bytes of a contiguous tensor."""
    return tensor.reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0, dtype=torch.uint8)


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
