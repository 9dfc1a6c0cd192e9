"""What one block of scores says: ranks of the cases, predictions, and the lists that would be shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfcore.evaluation.blocks import Block
from mfcore.evaluation.lists import top_lists
from mfcore.evaluation.ranks import counts_among


def measure(block: Block, scores: Tensor, length: int) -> dict[str, Tensor]:
    """scores (B, num_items) → predicted (h,) of every held-out item; greater_*, equal_* of the cases, named and shaped as in
    EvaluationDetails. With ``length`` > 0 also against all never-interacted items (``free``), and lists (B, length)."""
    held = scores[block.held_row, block.held_item]
    target = held[block.case]
    no_number = torch.isnan(scores) if length else None
    # A copy, so that what the model holds stays whole.
    scores = torch.nan_to_num(scores, nan=torch.inf, posinf=torch.inf, neginf=-torch.inf).contiguous()
    scores.view(-1)[block.excluded] = -torch.inf
    found = {"predicted": held, **_against(block, scores, target, block.others_full, "full", includes_target=True)}
    draws = []
    for negatives in block.negatives:
        competitors = scores.gather(1, negatives).masked_fill_(block.no_negative, -torch.inf)
        draws.append(_against(block, competitors, target, block.others_sampled, "sampled"))
    found |= {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    if no_number is not None:
        found["lists"] = top_lists(scores.masked_fill(no_number, -torch.inf), length)  # above any target, but never shown
        scores.view(-1)[block.taken] = -torch.inf
        found |= _against(block, scores, target, block.others_free, "free")
    return found


def _against(
    block: Block, candidates: Tensor, target: Tensor, others: Tensor, kind: str, *, includes_target: bool = False
) -> dict[str, Tensor]:
    counts = counts_among(
        candidates, target, block.held_row[block.case], block.slot, block.width, includes_target=includes_target
    )
    unknown = ~torch.isfinite(target)  # ranks last
    return {
        f"greater_{kind}": torch.where(unknown, others, counts[0]),
        f"equal_{kind}": counts[1].masked_fill(unknown, 0),
    }


def joined(blocks: list[dict[str, Tensor]], draws: int, length: int) -> dict[str, Any]:
    """The blocks' findings one after the other, as arrays; empty ones without a block."""
    if not blocks:
        kinds = ["full", "sampled", *(["free"] if length else [])]
        empty: dict[str, Any] = {f"{name}_{kind}": np.zeros(0, np.int64) for name in ("greater", "equal") for kind in kinds}
        empty |= {f"{name}_sampled": np.zeros((draws, 0), np.int64) for name in ("greater", "equal")}
        return {"predicted": np.zeros(0, np.float32), **empty, **({"lists": np.zeros((0, length), np.int32)} if length else {})}
    found: dict[str, Any] = {}
    for name in blocks[0]:
        axis = 1 if name.endswith("_sampled") else 0
        found[name] = np.concatenate([block[name].cpu().numpy() for block in blocks], axis=axis)
    found["predicted"] = found["predicted"].astype(np.float32)
    return found
