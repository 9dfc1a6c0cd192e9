"""How something was measured, in words that pages and run cards share: parts, ties, which split, which candidates."""

from __future__ import annotations

from mfcore.data.config import SplitConfig
from mfcore.evaluation.protocol import Protocol

PARTS: dict[str, str] = {"train": "train", "valid": "validation", "test": "test"}
"""Part of a split → what people call it; in the order in which they are used."""
TIES: dict[str, tuple[str, str]] = {
    "half": ("Half", "Ties count half."),
    "optimistic": ("Optimistic", "Ties count as won, which flatters."),
    "pessimistic": ("Pessimistic", "Ties count as lost."),
}
"""Tie policy → its name, and what it does in a sentence."""


def split_sentence(split: SplitConfig, item: str = "item") -> str:
    """How ratings were divided, as a sentence. ``item``: what one is called."""
    test, valid = f"{100 * split.test_fraction:.3g} %", f"{100 * split.valid_fraction:.3g} %"
    return {
        "random": f"Random split: {test} of ratings are test, {valid} validation (seed {split.seed}).",
        "leave-last-out": f"Leave last out: each user's latest {item} is test, the one before it validation.",
        "time": f"By time: the latest {test} of ratings are test, the {valid} before them validation.",
        "official": f"Official fold {split.fold} is test; {valid} of all ratings, drawn from the rest, is validation.",
    }[split.kind]


def split_facts(split: SplitConfig) -> str:
    """The split with the settings it uses, in a few words to copy."""
    test, valid = f"{split.test_fraction:g}", f"{split.valid_fraction:g} validation"
    used = {
        "random": f"{test} test, {valid}, seed {split.seed}",
        "leave-last-out": "each user's latest is test, the one before validation",
        "time": f"latest {test} test, {split.valid_fraction:g} before it validation",
        "official": f"fold {split.fold}, {valid}, seed {split.seed}",
    }
    return f"{split.kind} ({used[split.kind]})"


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
        f"{TIES[protocol.ties][1]}"
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
        "ties": f"{protocol.ties}: {TIES[protocol.ties][1]}",
    }
