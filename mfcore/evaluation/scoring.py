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
    """scores (B, num_items) → predicted (h,) of every held-out item; greater_*, equal_*, num_* of the cases, named and shaped
    as in EvaluationDetails. With ``length`` > 0 also against all never-interacted items (``free``), and lists (B, length)."""
    held = scores[block.held_row, block.held_item]
    target, row = held[block.case], block.held_row[block.case]
    no_number = torch.isnan(scores) if length else None
    # A copy, so that what the model holds stays whole.
    scores = torch.nan_to_num(scores, nan=torch.inf, posinf=torch.inf, neginf=-torch.inf).contiguous()
    scores.view(-1)[block.excluded] = -torch.inf
    found = {"predicted": held, **_against(scores, target, row, block.others_full, "full", includes_target=True)}
    found |= {"num_full": block.others_full + 1, "num_sampled": block.others_sampled + 1}
    found |= _against_negatives(block, scores, target, row)
    if no_number is not None:
        shown = scores.masked_fill(no_number, -torch.inf) if bool(no_number.any()) else scores
        found["lists"] = top_lists(shown, length)  # what is not a number is above any target, but never shown
        scores.view(-1)[block.taken] = -torch.inf
        found |= _against(scores, target, row, block.others_free, "free") | {"num_free": block.others_free}
    return found


def _against_negatives(block: Block, scores: Tensor, target: Tensor, row: Tensor) -> dict[str, Tensor]:
    """greater_sampled, equal_sampled: (draws, c). All draws in one go, as if each were of other users."""
    draws, users, width = block.negatives.shape
    competitors = scores.expand(draws, -1, -1).gather(2, block.negatives).masked_fill_(block.no_negative, -torch.inf)
    rows = (row + users * torch.arange(draws, device=row.device)[:, None]).reshape(-1)
    others = block.others_sampled.repeat(draws)
    found = _against(competitors.view(draws * users, width), target.repeat(draws), rows, others, "sampled")
    return {name: counts.view(draws, -1) for name, counts in found.items()}


def _against(
    candidates: Tensor, target: Tensor, row: Tensor, others: Tensor, kind: str, *, includes_target: bool = False
) -> dict[str, Tensor]:
    greater, equal = counts_among(candidates, target, row, includes_target=includes_target)
    unknown = ~torch.isfinite(target)  # ranks last
    return {
        f"greater_{kind}": torch.where(unknown, others, greater),
        f"equal_{kind}": equal.masked_fill(unknown, 0),
    }


def joined(blocks: list[dict[str, Tensor]], draws: int, length: int) -> dict[str, Any]:
    """The blocks' findings one after the other, as arrays; empty ones without a block."""
    if not blocks:
        kinds = ["full", "sampled", *(["free"] if length else [])]
        names = [f"{name}_{kind}" for name in ("greater", "equal", "num") for kind in kinds]
        empty: dict[str, Any] = {name: np.zeros(0, np.int64) for name in names}
        empty |= {f"{name}_sampled": np.zeros((draws, 0), np.int64) for name in ("greater", "equal")}
        return {"predicted": np.zeros(0, np.float32), **empty, **({"lists": np.zeros((0, length), np.int32)} if length else {})}
    found: dict[str, Any] = {}
    for name in blocks[0]:
        axis = 1 if name in ("greater_sampled", "equal_sampled") else 0
        found[name] = np.concatenate([block[name].cpu().numpy() for block in blocks], axis=axis)
    found["predicted"] = found["predicted"].astype(np.float32)
    return found
