"""What can go wrong in ways that a person should hear of, in one line with cause and cure."""

from __future__ import annotations


class UnusableRequest(ValueError):
    """What was asked for cannot be done as asked. The message names the cause and what would be accepted."""


class DataUnavailable(RuntimeError):
    """The data could not be fetched. ``attempts``: (origin, why it failed) of each one tried; ``advice``: what to do."""

    def __init__(self, dataset: str, attempts: list[tuple[str, str]], advice: str) -> None:
        self.dataset, self.attempts, self.advice = dataset, attempts, advice
        tried = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in attempts)
        super().__init__(f"{dataset} could not be fetched. {tried}. {advice}")
