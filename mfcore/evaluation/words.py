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


def protocol_sentence(protocol: Protocol, *, all_relevant: bool, item: str = "item", items: str = "items") -> str:
    """Candidates and ties: what one must know to compare these numbers with others.

    Args:
        all_relevant: every held-out interaction counts, not only ratings from the threshold up.
        item, items: what one and several are called.
    """
    asked = f"held-out {item}" + ("" if all_relevant else f" with a rating of {protocol.relevance_threshold:g} or more")
    drawn = f", drawn {protocol.draws} times" if protocol.draws > 1 else ""
    return (
        f"Ranking asks where each {asked} would stand: among {protocol.sampled_negatives} {items} the user never touched, the "
        f"same for every model{drawn} (sampled), and among all {items} the user has not met in training or validation (full). "
        f"{TIES[protocol.ties].sentence}"
    )


def protocol_facts(protocol: Protocol, *, all_relevant: bool) -> dict[str, str]:
    """The same, fact by fact, to copy. ``all_relevant``: as for :func:`protocol_sentence`."""
    draws = "one draw" if protocol.draws == 1 else f"mean of {protocol.draws} draws"
    rated = f"held-out ratings of {protocol.relevance_threshold:g} or more"
    return {
        "K": str(protocol.k),
        "relevant": "every held-out interaction" if all_relevant else rated,
        "sampled ranking": f"1 + {protocol.sampled_negatives} never-interacted items, {draws}, seed {protocol.negatives_seed}",
        "full ranking": "all items but the user's training (at test time also validation) items",
        "ties": f"{protocol.ties}: {TIES[protocol.ties].sentence}",
    }
