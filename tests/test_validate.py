"""Numbers as people type them, and refusals in the words of whoever asked."""

from __future__ import annotations

import pytest

from mfcore.errors import UnusableRequest
from mfcore.runs import RunConfig
from mfcore.settings import SETTINGS, Real, Whole, in_labels
from mfcore.validate import integer, number


@pytest.mark.parametrize(("typed", "value"), [("0,001", 0.001), (" 0.5 ", 0.5), ("-1,5e-3", -0.0015), (",5", 0.5), ("7", 7.0)])
def test_a_decimal_comma_is_understood(typed: str, value: float) -> None:
    assert number("rate", typed) == value


def test_what_may_mean_two_numbers_is_refused_with_both() -> None:
    with pytest.raises(UnusableRequest, match=r"write 1000 or 1\.000"):
        number("rate", "1,000")
    assert integer("batch", "1,024") == 1024, "a whole number has no decimals"


@pytest.mark.parametrize("typed", ["1,2,3", "0,5,", ",", "1.000,5"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(UnusableRequest, match="must be a number"):
        number("rate", typed)


@pytest.mark.parametrize("key", [key for key, one in SETTINGS.items() if isinstance(one.kind, Real | Whole)])
def test_every_number_of_a_form_is_refused_by_its_label_there(key: str) -> None:
    with pytest.raises(UnusableRequest, match=f"{key} must be") as refused:
        RunConfig().with_flat({key: "x"})
    said = in_labels(str(refused.value))
    assert said.lower().startswith(SETTINGS[key].label.lower())


def test_a_plan_takes_a_decimal_comma() -> None:
    config = RunConfig().with_flat({"plan": "2: learning_rate=0,001, batch_size=64"})
    assert config.training.plan == "2: learning_rate=0.001, batch_size=64"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("learning_rate must be > 0, got 0", "Learning rate must be above 0, got 0"),
        ("model must be one of mf, biased-mf; got 'k'", "Model must be one of mf, biased-mf; got 'k'"),
        ("plan, after epoch 2: batch_size must be >= 1, got 0", "plan, after epoch 2: batch size must be at least 1, got 0"),
        ("there is no run 2026-learning_rate here", "there is no run 2026-learning_rate here"),
    ],
)
def test_a_page_names_settings_by_their_labels(message: str, said: str) -> None:
    assert in_labels(message) in (said, said[0].upper() + said[1:])
