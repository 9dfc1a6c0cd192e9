"""The draft of an experiment: between address, form and configuration, and what follows when a choice changes."""

from __future__ import annotations

import pytest

from mfcore.errors import UnusableRequest
from mfcore.registry import DATASETS, LOSSES, MODELS, OPTIMIZERS
from mfcore.runs import PRESETS, RunConfig, preset_config
from mfcore.settings import GROUPS, SETTINGS
from ui.train.draft import as_text, change, draft_of, first_draft, from_query, hint, to_config, to_query, usual_preset


def without_show(config: RunConfig) -> dict:
    return {key: value for key, value in config.to_flat(defaults=True).items() if key not in ("preset", "name", "pace")}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_name_in_the_address_and_back(name: str) -> None:
    draft = draft_of(preset_config(name))
    assert to_query(draft) == {"preset": name}
    again, strangers = from_query({"preset": name})
    assert (again, strangers) == (draft, [])
    assert without_show(to_config(draft)) == without_show(preset_config(name))
    assert hint(name)


@pytest.mark.parametrize(
    "query",
    [
        {"model": "mf", "learning_rate": "0.07"},
        {"dataset": "planted", "dataset.noise": "0.5", "split": "time"},
        {"model": "mlp", "loss": "bpr", "mlp_layers": "16,8", "pace": "0", "negatives": "7"},
        {"learning_rate": "abc"},
        {"model": "svd", "num_epochs": "0"},
    ],
)
def test_an_address_comes_back_as_it_was(query: dict[str, str]) -> None:
    draft, _ = from_query(query)
    assert draft is not None
    assert to_query(draft) == query


def test_an_address_means_what_the_same_flags_mean_on_the_command_line() -> None:
    draft, _ = from_query({"model": "mf", "optimizer": "sgd", "learning_rate": "0.5"})
    assert draft is not None
    expected = RunConfig().with_flat({"model": "mf", "optimizer": "sgd", "learning_rate": "0.5"})
    assert without_show(to_config(draft)) == without_show(expected)


def test_an_address_without_an_experiment_and_one_with_strangers() -> None:
    assert from_query({"run": "x", "embed": "true"}) == (None, [])
    draft, strangers = from_query({"model": "mf", "learning_rte": "1"})
    assert draft is not None
    assert strangers == ["learning_rte"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"learning_rate": "abc"}, "learning_rate must be a number, got 'abc'"),
        ({"learning_rate": "-1"}, "learning_rate must be > 0"),
        ({"num_epochs": "0"}, "num_epochs must be >= 1"),
        ({"model": "svd"}, "model must be one of"),
        ({"dataset": "netflix"}, "dataset must be one of"),
        ({"preset": "magic"}, "preset must be one of"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"dataset": "planted", "split": "official"}, "split official exists for ml-100k only"),
        ({"optimizer": "adam", "sparse_gradients": "true"}, "sparse_gradients works with"),
    ],
)
def test_an_unusable_draft_is_refused_in_the_words_of_the_core(query: dict[str, str], words: str) -> None:
    draft, _ = from_query(query)
    assert draft is not None
    with pytest.raises(UnusableRequest, match=words.replace("(", r"\(")):
        to_config(draft)


def test_what_nobody_touched_follows_the_model() -> None:
    draft = change(first_draft(data_here=True), "model", "neumf")
    assert to_query(draft) == {"preset": "neumf"}
    assert to_query(change(draft, "model", "mf")) == {"preset": "mf"}


@pytest.mark.parametrize(
    ("model", "loss", "preset"),
    [
        ("mf", "mse", "mf"),
        ("mf", "bpr", "mf-implicit"),
        ("mf", "weighted-mse", "ials"),
        ("biased-mf", "mse", "biased-mf"),
        ("biased-mf", "bce", "mf-implicit"),
        ("gmf", "bce", "neumf"),
        ("mlp", "mse", "neumf"),
        ("neumf", "weighted-mse", "neumf"),
        ("svd++", "mse", "biased-mf"),  # a model nobody foresaw
        ("svd++", "bpr", "mf-implicit"),
        ("svd++", "a loss nobody foresaw", "mf-implicit"),
    ],
)
def test_the_settings_that_are_usual_for_a_model_and_a_loss(model: str, loss: str, preset: str) -> None:
    assert usual_preset(model, loss) == preset


def test_the_page_opens_with_biased_mf() -> None:
    assert to_query(first_draft(data_here=True)) == {"preset": "biased-mf"}


@pytest.mark.parametrize(
    ("preset", "optimizer", "rate", "batch_size"),
    [
        ("biased-mf", "adam", "0.005", "1024"),
        ("biased-mf", "rmsprop", "0.003", "1024"),
        ("mf-implicit", "adamw", "0.002", "2048"),
        ("mf-implicit", "sgd", "0.05", "1"),
        ("neumf", "sgd", "3", "64"),
        ("neumf", "adagrad", "0.05", "1024"),
    ],
)
def test_an_optimizer_that_is_not_usual_brings_its_rate(preset: str, optimizer: str, rate: str, batch_size: str) -> None:
    draft = change(draft_of(preset_config(preset)), "optimizer", optimizer)
    assert (draft["learning_rate"], draft["batch_size"], draft["schedule"]) == (rate, batch_size, "constant")


def test_the_preset_without_regularisation_is_bad_for_want_of_that_alone() -> None:
    usual = change(draft_of(preset_config("biased-mf")), "optimizer", "adam")
    bad = draft_of(preset_config("no-regularisation"))
    told = {"init_std", "num_epochs", "preset", "refit", "split"}  # the start is that of the core, validation is to be watched
    assert {key for key in bad if bad[key] != usual[key]} - told == {"weight_decay"}


def test_what_was_touched_stays() -> None:
    draft = change(change(first_draft(data_here=True), "learning_rate", "0.25"), "num_epochs", "3")
    draft = change(draft, "model", "neumf")
    assert (draft["learning_rate"], draft["num_epochs"], draft["loss"]) == ("0.25", "3", "bce")
    assert draft["preset"] == ""


def test_the_loss_brings_its_split_and_the_optimizer_its_learning_rate() -> None:
    draft = change(draft_of(preset_config("mf")), "loss", "bce")
    assert to_query(draft) == {"preset": "mf-implicit"}
    other = change(draft_of(preset_config("mf")), "optimizer", "adagrad")
    assert (other["learning_rate"], other["schedule"]) == ("0.05", "constant")
    assert change(other, "optimizer", "sgd") == draft_of(preset_config("mf"))
    assert change(other, "model", "biased-mf")["optimizer"] == "adagrad", "an optimizer somebody chose stays"


def test_als_brings_what_it_can_solve_and_leaves_with_what_it_cannot() -> None:
    draft = draft_of(preset_config("biased-mf"))
    assert to_query(change(draft, "optimizer", "als")) == {"preset": "als"}
    assert change(change(draft, "optimizer", "als"), "optimizer", "sgd") == draft
    ranking = change(draft_of(preset_config("neumf")), "optimizer", "als")
    assert to_query(ranking) == {"preset": "ials"}
    assert to_query(change(ranking, "model", "neumf")) == {"preset": "neumf"}
    assert to_query(change(ranking, "loss", "bce")) == {"preset": "mf-implicit"}
    assert to_query(change(ranking, "optimizer", "adam")) == {"preset": "mf-implicit"}
    assert to_query(change(draft_of(preset_config("mf-implicit")), "loss", "weighted-mse")) == {"preset": "ials"}
    assert to_query(change(ranking, "loss", "mse"))["optimizer"] == "als"


def test_a_preset_keeps_its_pace_and_a_run_from_the_command_line_gets_one() -> None:
    slow, _ = from_query({"preset": "lr-too-high"})
    assert slow is not None
    assert to_config(slow).pace == preset_config("lr-too-high").pace
    assert to_query({**slow, "pace": "0"}) == {"preset": "lr-too-high", "pace": "0"}
    assert draft_of(RunConfig())["pace"] == "5"


def test_data_without_dates_gets_a_split_it_can_have() -> None:
    draft = change(draft_of(preset_config("neumf")), "dataset", "planted")
    assert draft["split"] == "random"
    assert change(draft, "dataset", "ml-100k")["split"] == "leave-last-out"
    assert first_draft(data_here=False)["dataset"] == "planted"
    to_config(first_draft(data_here=False))


def test_options_of_a_dataset_leave_with_it() -> None:
    draft = change(change(first_draft(data_here=False), "dataset.noise", "0.5"), "dataset", "synthetic")
    assert "dataset.noise" not in draft


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_any_sequence_of_choices_is_usable(dataset: str, model: str) -> None:
    draft = change(change(first_draft(data_here=True), "dataset", dataset), "model", model)
    for loss in LOSSES:
        for optimizer in OPTIMIZERS:
            draft = change(change(draft, "loss", loss), "optimizer", optimizer)
            config = to_config(draft)
            assert config.training.optimizer == optimizer
            if OPTIMIZERS[optimizer].takes(LOSSES[loss]):
                assert config.training.loss == loss


def test_every_setting_of_the_core_can_be_reached_from_the_form() -> None:
    on_form = {key for key, setting in SETTINGS.items() if setting.group in GROUPS}
    on_form |= {"dataset", "model", "optimizer", "learning_rate", "device", "preset"}  # always in view
    assert set(SETTINGS) - on_form == {"name"}, "the name is given on the Runs page, all else on the form"


@pytest.mark.parametrize(
    ("value", "text"), [(0.005, "0.005"), (1e-6, "1e-06"), (10.0, "10"), (True, "true"), (3, "3"), ("32,16", "32,16")]
)
def test_settings_as_text(value: object, text: str) -> None:
    assert as_text(value) == text
