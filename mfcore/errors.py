"""What can go wrong in ways that a person should hear of, in one line with cause and cure."""

from __future__ import annotations


class UnusableRequest(ValueError):
    """What was asked for cannot be done as asked. The message names the cause and what would be accepted."""


class DataUnavailable(RuntimeError):
    """No road led to the data. ``roads``: (name, why not) of each one tried; ``advice``: what to do."""

    def __init__(self, dataset: str, roads: list[tuple[str, str]], advice: str) -> None:
        self.dataset, self.roads, self.advice = dataset, roads, advice
        tried = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in roads)
        super().__init__(f"{dataset} could not be fetched. {tried}. {advice}")
