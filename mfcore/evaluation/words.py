"""How something was measured, in words that pages and run cards share: parts, ties, which split, which candidates."""

from __future__ import annotations

from mfcore.data.config import SplitConfig
from mfcore.evaluation.protocol import Protocol
from mfcore.registry import SPLITS
from mfcore.settings.ties import TIES

PARTS: dict[str, str] = {"train": "train", "valid": "validation", "test": "test"}
"""Part of a split → what people call it; in the order in which they are used."""


def split_sentence(split: SplitConfig, item: str = "item") -> str:
    """How ratings were divided, as a sentence. ``item``: what one is called."""
    return SPLITS[split.kind].sentence(split, item)


def split_facts(split: SplitConfig) -> str:
    """The split with the settings it uses, in a few words to copy."""
    return f"{split.kind} ({SPLITS[split.kind].words(split)})"


Candidates = tuple[int, int]
"""The fewest and the most items ranked for anybody in sampled ranking, the held-out one included."""


def rivals_words(protocol: Protocol, candidates: Candidates | None = None) -> str:
    """How many others a held-out item competes with in sampled ranking: "99", "9 to 21", or "up to 99" where only what was
    asked for is known."""
    if candidates is None or not candidates[1]:
        return f"up to {protocol.sampled_negatives:,}"
    least, most = candidates[0] - 1, candidates[1] - 1
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def protocol_sentence(
    protocol: Protocol,
    *,
    relevant: str = "",
    item: str = "item",
    items: str = "items",
    candidates: Candidates | None = None,
) -> str:
    """Candidates and ties: what one must know to compare these numbers with others.

    Args:
        relevant: what makes a held-out interaction count, such as "a rating of 4 or more"; empty: every one does.
        item, items: what one and several are called. candidates: how many were ranked, where that is known.
    """
    asked = f"held-out {item}" + (f" with {relevant}" if relevant else "")
    drawn = f", drawn {protocol.draws} times" if protocol.draws > 1 else ""
    return (
        f"Ranking asks where each {asked} would stand: among {rivals_words(protocol, candidates)} {items} the user never "
        f"touched, the same for every model{drawn} (sampled), and among all {items} the user has not met in training or "
        f"validation (full). "
        f"{TIES[protocol.ties].sentence}"
    )


def protocol_facts(protocol: Protocol, *, relevant: str = "", candidates: Candidates | None = None) -> dict[str, str]:
    """The same, fact by fact, to copy; arguments as of :func:`protocol_sentence`."""
    draws = "one draw" if protocol.draws == 1 else f"mean of {protocol.draws} draws"
    return {
        "K": str(protocol.k),
        "relevant": f"held-out interactions with {relevant}" if relevant else "every held-out interaction",
        "sampled ranking": f"1 + {rivals_words(protocol, candidates)} never-interacted items, {draws}, "
        f"seed {protocol.negatives_seed}",
        "full ranking": "all items but the user's training (at test time also validation) items",
        "ties": f"{protocol.ties}: {TIES[protocol.ties].sentence}",
    }
