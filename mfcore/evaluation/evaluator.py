"""Scoring a model on held-out interactions. All that does not depend on the model is prepared once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mfcore.data import Interactions, Split
from mfcore.evaluation.blocks import Block, HeldOut, make_blocks
from mfcore.evaluation.details import EvaluationDetails, summarise
from mfcore.evaluation.negatives import sample_negatives, seed_for
from mfcore.evaluation.protocol import Protocol
from mfcore.evaluation.ranks import ranks_among
from mfcore.validate import choice

PARTS = ("test", "valid")
RANKING_DEVICES = ("cpu", "cuda")  # others (MPS) lack float64; scores come to the CPU there


def evaluate(
    model: Any, split: Split, on: str = "test", protocol: Protocol | None = None, *, all_relevant: bool | None = None
) -> dict[str, float]:
    """Every defined metric of ``model`` on a held-out part: rmse, mae, hr@K, ndcg@K, hr@K/full, ndcg@K/full, and more.

    ``all_relevant``: every held-out interaction counts as relevant, not only ratings from the protocol's threshold up; None
    means yes for leave-last-out and for models that rank rather than predict ratings. Model: see :class:`Evaluator`.

    Raises:
        UnusableRequest: ``on`` is neither "test" nor "valid".
    """
    if all_relevant is None:
        all_relevant = split.config.kind == "leave-last-out" or not predicts_ratings(model)
    return Evaluator(split, on, protocol, all_relevant).metrics(model)


def predicts_ratings(model: Any) -> bool:
    """Whether a model's scores are in rating units (trained with MSE), so that RMSE and MAE mean something."""
    return bool(getattr(model, "predicts_ratings", True))


class Evaluator:
    """Scores models on one part of one split; a model is asked for each user's scores once per call.

    A model is anything with ``score_items(user_idx (B,) int64) → (B, num_items)``, tensor or array; with
    ``predicts_ratings = False`` RMSE and MAE are left out. Both rankings and the rating errors are read off the same score
    matrix.

    Cases are the relevant held-out interactions. Full ranking: against all items but the user's train items (at test time
    also validation items; at validation time test items are candidates like any other), other relevant items included.
    Sampled ranking: against ``sampled_negatives`` items the user never interacted with anywhere, drawn once per user; a user
    with fewer such items meets all of them. The draw follows from the protocol's seed, the data and the held-out rows, so a
    model meets the same competitors before and after a refit on train + validation. Ties count half. A score that is not a
    number must never flatter: a case whose own score is not finite ranks last, and a competitor whose score is NaN ranks above.

    The test part is never touched when ``on`` is "valid".

    Raises:
        UnusableRequest: ``on`` is neither "test" nor "valid".
    """

    def __init__(self, split: Split, on: str = "test", protocol: Protocol | None = None, all_relevant: bool = False) -> None:
        self.on = choice("on", on, PARTS)
        self.protocol = protocol or Protocol()
        self.all_relevant = bool(all_relevant)
        part: Interactions = split.test if on == "test" else split.valid
        held = HeldOut.of(part, -np.inf if all_relevant else self.protocol.relevance_threshold)
        num_items = split.data.num_items
        negatives = sample_negatives(
            held.users,
            *split.data.by_user(),
            num_items,
            count=min(self.protocol.sampled_negatives, num_items),
            seed=seed_for(self.protocol.negatives_seed, on, split.data.fingerprint, part.user_idx, part.item_idx),
        )
        hidden = [split.train, split.valid] if on == "test" else [split.train]
        self._num_items = num_items
        self._held = held
        self._blocks = make_blocks(held, hidden, negatives, num_items)
        self._on_device: dict[torch.device, list[Block]] = {}

    @property
    def num_cases(self) -> int:
        """Relevant held-out interactions."""
        return int(self._held.relevant.sum())

    def metrics(self, model: Any) -> dict[str, float]:
        """Every defined metric by name (see :func:`mfcore.evaluation.summarise`); undefined ones are absent."""
        return summarise(self.details(model))

    def details(self, model: Any) -> EvaluationDetails:
        """Ranks of every case and, for models that predict ratings, every prediction."""
        device = _device_of(model)
        blocks = self._blocks_on(device if device.type in RANKING_DEVICES else torch.device("cpu"))
        with torch.inference_mode(), _eval_mode(model):
            found = [_rank(block, self._scores(model, block, device)) for block in blocks]
        predicted, sampled, full = ([part[column].cpu().numpy() for part in found] for column in range(3))
        rated = slice(None) if predicts_ratings(model) else slice(0)
        held, user = self._held, self._held.users[self._held.row]
        others_sampled, others_full = self._others
        _, row, num_relevant = np.unique(held.row[held.relevant], return_inverse=True, return_counts=True)
        return EvaluationDetails(
            k=self.protocol.k,
            case_user=user[held.relevant],
            case_item=held.item[held.relevant],
            rank_sampled=_joined(sampled, np.float64),
            rank_full=_joined(full, np.float64),
            num_sampled=others_sampled + 1,
            num_full=others_full + 1,
            num_relevant=num_relevant[row],
            rating_user=user[rated],
            rating_item=held.item[rated],
            predicted=_joined(predicted, np.float32)[rated],
            actual=held.rating[rated],
        )

    @property
    def _others(self) -> tuple[Any, Any]:
        sampled = [block.others_sampled.numpy() for block in self._blocks]
        full = [block.others_full.numpy() for block in self._blocks]
        return _joined(sampled, np.int64), _joined(full, np.int64)

    def _blocks_on(self, device: torch.device) -> list[Block]:
        if device not in self._on_device:
            self._on_device[device] = [block.to(device) for block in self._blocks]
        return self._on_device[device]

    def _scores(self, model: Any, block: Block, device: torch.device) -> Tensor:
        scores = torch.as_tensor(model.score_items(block.users.to(device))).to(block.users.device)
        wanted = (len(block.users), self._num_items)
        if tuple(scores.shape) != wanted:
            raise ValueError(f"score_items must return (users, items) = {wanted}, got {tuple(scores.shape)}")
        return scores if scores.dtype in (torch.float32, torch.float64) else scores.float()


def _rank(block: Block, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """scores (B, num_items) → scores of all held-out items (h,), sampled and full ranks of the cases (c,)."""
    held = scores[block.held_row, block.held_item]
    target, row = held[block.case], block.held_row[block.case]
    # A copy, so that what the model holds stays whole.
    scores = torch.nan_to_num(scores, nan=torch.inf, posinf=torch.inf, neginf=-torch.inf).contiguous()
    scores.view(-1)[block.excluded] = -torch.inf
    full = ranks_among(scores, target, row, block.slot, block.width, includes_target=True)
    competitors = scores.gather(1, block.negatives).masked_fill_(block.no_negative, -torch.inf)
    sampled = ranks_among(competitors, target, row, block.slot, block.width, includes_target=False)
    unknown = ~torch.isfinite(target)
    ranks = []
    for rank, others in ((sampled, block.others_sampled), (full, block.others_full)):
        rank = torch.where(unknown, others, rank)
        ranks.append(rank.masked_fill_(others == 0, torch.nan))
    return held, ranks[0], ranks[1]


def _device_of(model: Any) -> torch.device:
    """Where the model's weights are; the CPU for what has none."""
    parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return parameter.device if parameter is not None else torch.device("cpu")


@contextlib.contextmanager
def _eval_mode(model: Any) -> Iterator[None]:
    """Evaluation mode (no dropout) for the duration, whatever the model was in."""
    was_training = isinstance(model, nn.Module) and model.training
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()


def _joined(parts: list[Any], dtype: Any) -> Any:
    return np.concatenate([part.astype(dtype) for part in parts]) if parts else np.zeros(0, dtype)
