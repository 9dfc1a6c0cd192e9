"""The run card: everything one needs to judge a figure, and to get it again, as plain text to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfcore.evaluation.words import protocol_facts, split_facts
from mfcore.registry import MODELS
from mfcore.runs.config import RunConfig
from mfcore.runs.export.command import repeating_command
from mfcore.runs.history import RunHistory
from mfcore.runs.layout import RunFolder
from mfcore.settings import chosen, in_section

Card = dict[str, dict[str, str]]


def card_facts(folder: RunFolder) -> Card:
    """Section → fact → value, in reading order. What is not known yet is absent.

    Raises:
        UnusableRequest: the run has no readable configuration.
    """
    run, result, history = folder.stored(), folder.result(), RunHistory.read(folder)
    config, known = run.config, run.provenance
    card: Card = {
        "run": {"id": folder.run_id, "name": str(folder.meta()["name"]), "state": folder.status().state},
        "data": {
            "dataset": config.dataset.name,
            **{name: f"{value:g}" for name, value in config.dataset.options.items()},
            **({"transform": config.dataset.transform} if config.dataset.transform != "none" else {}),
            "fingerprint": str(known.get("dataset_fingerprint", "")),
            "split": split_facts(config.split),
            "split hash": str(known.get("split_hash", "")),
        },
        "model": {"kind": MODELS[config.model.name].title, **_settings(config, "model", skip=("model",))},
        "training": {"seed": str(config.training.seed), **_settings(config, "training", skip=("seed", "device", "threads"))},
        "changed on the way": {str(number): change.words for number, change in enumerate(history.on_the_way, 1)},
        "protocol": protocol_facts(config.protocol, relevant=config.relevance_words),
        "test": {name: f"{value:.4f}" for name, value in result.get("test", {}).items()},
        "measured on": {
            "epochs": _epochs(config, result),
            "device": str(result.get("device", "")),
            "threads": str(result.get("threads", "")),
            **{name: str(version) for name, version in _mapping(known.get("packages")).items()},
        },
        "again": {"command": repeating_command(history)},
    }
    # A fact is one line: no name that a run was given can look like another fact.
    filled = {section: {_line(name): _line(value) for name, value in facts.items() if value} for section, facts in card.items()}
    return {section: facts for section, facts in filled.items() if facts}


def run_card(folder: RunFolder) -> str:
    """:func:`card_facts` as plain text, one aligned line a fact.

    Raises:
        UnusableRequest: the run has no readable configuration.
    """
    card = card_facts(folder)
    width = max(len(name) for facts in card.values() for name in facts)
    blocks = [
        "\n".join([section, *(f"  {name:<{width}}  {value}" for name, value in facts.items())])
        for section, facts in card.items()
    ]
    return "\n".join(blocks) + "\n"


def _settings(config: RunConfig, section: str, skip: tuple[str, ...]) -> dict[str, str]:
    """What a section is set to, of what matters beside everything else; without what is off."""
    asked = chosen(config.to_flat())
    values = {
        setting.attribute: getattr(getattr(config, section), setting.attribute)
        for setting in in_section(section)
        if setting.key not in skip and not setting.idle(asked)
    }
    return {name: _words(value) for name, value in values.items() if value not in ("", None, (), False)}


def _line(text: str) -> str:
    return " ".join(text.split()) if len(text.splitlines()) > 1 else text


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is True:
        return "yes"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _epochs(config: RunConfig, result: Mapping[str, Any]) -> str:
    if "epochs" not in result:
        return ""
    refit = ", then refitted on train + validation" if "test_before_refit" in result else ""
    chosen = f"epoch {result.get('best_epoch', 0)} chosen on validation"
    return f"{result['epochs']} of {config.training.num_epochs} trained, {chosen}{refit}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
