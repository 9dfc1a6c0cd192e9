"""Scoring a model on held-out interactions. All that does not depend on the model is prepared once."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mfcore.data import Interactions, Split
from mfcore.data.interactions import check_same_data
from mfcore.evaluation.blocks import Block, Blocks, HeldOut
from mfcore.evaluation.details import EvaluationDetails
from mfcore.evaluation.negatives import sample_negatives, seeder
from mfcore.evaluation.protocol import Protocol, threshold_of
from mfcore.evaluation.protocol import all_relevant as relevant_by_rule
from mfcore.evaluation.rating import clipped
from mfcore.evaluation.scoring import joined, measure
from mfcore.evaluation.summary import summarise
from mfcore.typing import Int64
from mfcore.validate import choice, require

PARTS = ("test", "valid")
RANKING_DEVICES = ("cpu", "cuda")  # others (MPS) lack float64; scores come to the CPU there
LIST_LENGTH = 50
"""Places of each user's list that details keep (or K, if that is more)."""


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
        all_relevant = relevant_by_rule(split.config.kind, ranks=not predicts_ratings(model))
    return Evaluator(split, on, protocol, all_relevant).metrics(model)


def predicts_ratings(model: Any) -> bool:
    """Whether a model's scores are in rating units (trained with MSE), so that RMSE and MAE mean something."""
    return bool(getattr(model, "predicts_ratings", True))


class Evaluator:
    """Scores models on one part of one split; a model is asked for each user's scores once per call.

    A model is anything with ``score_items(user_idx (B,) int64) → (B, num_items)``, tensor or array; with
    ``predicts_ratings = False`` RMSE and MAE are left out. Both rankings and the rating errors are read off the same score
    matrix. Predicted ratings are held within the data's scale before they are measured; rankings are by what the model said.

    Cases are the relevant held-out interactions. Full ranking: against all items but the user's train items (at test time also
    validation items, and always those rated too low to be positives; at validation time test items are candidates like any
    other), other relevant items included. Sampled ranking: against ``sampled_negatives`` items the user never interacted with
    anywhere, drawn once per user and draw; a user with fewer such items meets all of them. Where the data brought negatives
    along with its division, test meets those instead. The draws follow from the protocol's seed, the data and the held-out
    rows, so a model meets the same competitors before and after a refit on train + validation. Ties count as the protocol
    says. A score that is not a number must never flatter: a case whose own score is not finite ranks last, and a competitor
    whose score is NaN ranks above.

    The test part is never touched when ``on`` is "valid". ``users``: (m,) int64, measure these alone; None: everyone.

    Raises:
        UnusableRequest: ``on`` is neither "test" nor "valid", or no rating could reach the protocol's relevance threshold;
            when asked, the model is of other data.
    """

    def __init__(
        self,
        split: Split,
        on: str = "test",
        protocol: Protocol | None = None,
        all_relevant: bool = False,
        *,
        users: Int64 | None = None,
    ) -> None:
        self.on = choice("on", on, PARTS)
        self.protocol = protocol or Protocol()
        self.all_relevant = bool(all_relevant)
        part: Interactions = split.test if on == "test" else split.valid
        if users is not None:
            part = part.of_users(users)
        held = HeldOut.of(part, -np.inf if all_relevant else _threshold(split.data, self.protocol))
        hidden = [split.train, split.valid] if on == "test" else [split.train]
        hidden += [] if isinstance(split.config.positive_threshold, str) else [split.left_out]
        self._split_hash = split.hash
        self._num_items = split.data.num_items
        self._held = held
        self._seed = seeder(self.protocol.negatives_seed, on, split.data.fingerprint, part.user_idx, part.item_idx)
        self._data = split.data
        given = on == "test" and split.config.kind == "given"
        self._given = split.data.negatives if given else None
        wide = self.protocol.sampled_negatives if self._given is None else self._given.shape[1]
        numbers = self.protocol.draws * min(wide, self._num_items)
        self.blocks = Blocks(held, hidden, split.data, self._draw, numbers)

    @property
    def num_cases(self) -> int:
        """Relevant held-out interactions."""
        return int(self._held.relevant.sum())

    def metrics(self, model: Any) -> dict[str, float]:
        """Every defined metric by name (see :func:`mfcore.evaluation.summarise`); undefined ones are absent."""
        return summarise(self.ranks(model))

    def ranks(self, model: Any) -> EvaluationDetails:
        """What metrics are made of: as :meth:`details`, without lists and without ranks among never-interacted items."""
        return self._details(model, complete=False)

    def details(self, model: Any) -> EvaluationDetails:
        """Ranks of every case, every prediction of models that predict ratings, and each user's first LIST_LENGTH items."""
        return self._details(model, complete=True)

    def _details(self, model: Any, *, complete: bool) -> EvaluationDetails:
        check_same_data(model, self._data)
        device = device_of(model)
        blocks = self.blocks.on(device if device.type in RANKING_DEVICES else torch.device("cpu"))
        length = max(LIST_LENGTH, self.protocol.k) if complete else 0
        with torch.inference_mode(), _eval_mode(model):
            blockwise = [measure(block, self._scores(model, block, device), length) for block in blocks]
        found = joined(blockwise, self.protocol.draws, length)
        held, user = self._held, self._held.users[self._held.row]
        rated = slice(None) if predicts_ratings(model) else slice(0)
        found["predicted"] = clipped(found["predicted"][rated], self._data.rating_scale).astype(np.float32)
        if complete:
            found["list_user"] = held.users
        _, row, num_relevant = np.unique(held.row[held.relevant], return_inverse=True, return_counts=True)
        return EvaluationDetails(
            k=self.protocol.k,
            case_user=user[held.relevant],
            case_item=held.item[held.relevant],
            num_relevant=num_relevant[row],
            rating_user=user[rated],
            rating_item=held.item[rated],
            actual=held.rating[rated],
            ties=self.protocol.ties,
            about=self._about(),
            **found,
        )

    def _about(self) -> dict[str, Any]:
        what = {"split_hash": self._split_hash, "on": self.on, "all_relevant": self.all_relevant}
        return {**what, **dataclasses.asdict(self.protocol)}

    def _draw(self, users: Int64, chunk: int) -> Int64:
        """(draws, U, N). The first draw is that of a protocol with one, and the first users' that of a smaller part."""
        if self._given is not None:
            return np.stack([self._given[users]] * self.protocol.draws)
        data, count = self._data, min(self.protocol.sampled_negatives, self._num_items)
        more = [(*([number] if number else []), *(["users", chunk] if chunk else [])) for number in range(self.protocol.draws)]
        return np.stack([sample_negatives(users, *data.by_user(), data.num_items, count, self._seed(*which)) for which in more])

    def _scores(self, model: Any, block: Block, device: torch.device) -> Tensor:
        scores = torch.as_tensor(model.score_items(block.users.to(device))).to(block.users.device)
        wanted = (len(block.users), self._num_items)
        if tuple(scores.shape) != wanted:
            raise ValueError(f"score_items must return (users, items) = {wanted}, got {tuple(scores.shape)}")
        return scores if scores.dtype in (torch.float32, torch.float64) else scores.float()


def _threshold(data: Interactions, protocol: Protocol) -> float:
    highest, threshold = data.rating_scale[1], threshold_of(protocol.relevance_threshold, data.rating_scale, data.feedback)
    require(
        threshold <= highest,
        f"relevance_threshold must be <= {highest:g}, the highest rating of {data.name}, got {threshold:g}: "
        "no held-out rating would count as relevant",
    )
    return threshold


def device_of(model: Any) -> torch.device:
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
