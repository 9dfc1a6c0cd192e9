"""The Train page: the draft in the address, what the form shows, start, stop, and each state a run can be in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mfcore.registry import MODELS
from mfcore.runs import PRESETS
from mfcore.runs.manager.manager import manager_for
from tests.pages.reading import OpenPage, words
from ui.api.steering import steering_token


def query(app: AppTest) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}


def labels(app: AppTest) -> set[str]:
    return {widget.label for kind in ("selectbox", "text_input", "button_group") for widget in app.get(kind)}


def buttons(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def errors(app: AppTest) -> list[str]:
    return [error.value.replace("\\", "") for error in app.error]


def test_it_opens_on_an_experiment_that_the_address_names(no_runs: Path, open_page: OpenPage, ml_100k_here: None) -> None:
    app = open_page("train")
    assert query(app) == {"preset": "biased-mf"}
    assert {"Start from", "Dataset", "Model", "Optimizer", "Peak learning rate", "Device"} <= labels(app)
    assert "train_start" in buttons(app)
    assert not errors(app)


def test_without_movielens_it_says_so_and_offers_what_works(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train")
    assert "MovieLens 100K is not on this machine yet" in words(app)
    assert query(app)["dataset"] == "planted"
    assert {"train_fetch", "train_start"} <= buttons(app)


def test_fetching_that_fails_is_one_line_with_what_to_do(
    no_runs: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mfcore.errors import DataUnavailable

    def nowhere(*_: Any, **__: Any) -> None:
        raise DataUnavailable("ml-100k", [("GroupLens", "no connection")], "Connect to the internet")

    monkeypatch.setattr("ui.datasets.fetch", nowhere)
    app = open_page("train")
    app.button(key="train_fetch").click().run()
    assert errors(app) == ["ml-100k could not be fetched. GroupLens: no connection. Connect to the internet"]
    assert not app.exception


def test_every_choice_goes_into_the_address(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="mf")
    app.selectbox(key="train_optimizer").select("adagrad").run()
    app.text_input(key="train_learning_rate").input("0.07").run()
    app.text_input(key="train_num_epochs").input("3").run()
    assert query(app)["optimizer"] == "adagrad"
    assert query(app)["learning_rate"] == "0.07"
    assert query(app)["num_epochs"] == "3"
    assert "preset" not in query(app)
    assert "--lr 0.07" in app.code[0].value


def test_a_link_fills_the_form(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", model="neumf", loss="bce", split="leave-last-out", learning_rate="0.002", mlp_layers="16,8")
    assert app.text_input(key="train_learning_rate").value == "0.002"
    assert app.text_input(key="train_mlp_layers").value == "16,8"
    assert app.button_group(key="train_model").value == "neumf"
    assert app.selectbox(key="train_split").value == "leave-last-out"


def test_only_what_matters_is_shown(no_runs: Path, open_page: OpenPage) -> None:
    explicit = labels(open_page("train", preset="biased-mf"))
    assert {"Seed of the split", "Start from the mean", "Relevant from rating"} <= explicit
    assert "Fold" not in explicit and "Fold" in labels(open_page("train", preset="biased-mf", split="official"))
    assert not {"Negatives", "MLP layers", "Dropout"} & explicit
    ranking = labels(open_page("train", preset="neumf"))
    assert {"Negatives", "MLP layers", "Dropout"} <= ranking
    assert not {"Fold", "Start from the mean", "Squeeze into the scale", "Momentum"} & ranking
    assert "Momentum" in labels(open_page("train", optimizer="sgd"))
    assert "Noise" in labels(open_page("train", dataset="planted"))
    solved = labels(open_page("train", model="mf", optimizer="als", loss="weighted-mse"))
    assert {"Weight of not chosen", "Weight decay"} <= solved
    assert not {"Learning rate", "Batch size", "Schedule", "Negatives", "Rate of embeddings ×"} & solved


def test_another_model_brings_settings_that_suit_it(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="biased-mf")
    app.button_group(key="train_model").set_value("neumf").run()
    assert query(app) == {"preset": "neumf"}
    assert app.selectbox(key="train_preset").value == "neumf"


def test_a_preset_can_be_picked(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="biased-mf")
    app.selectbox(key="train_preset").select("lr-too-low").run()
    assert query(app) == {"preset": "lr-too-low"}
    assert app.text_input(key="train_learning_rate").value == "1e-06"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"learning_rate": "abc"}, "Learning rate must be a number, got 'abc'"),
        ({"learning_rate": "-1"}, "Learning rate must be above 0, got -1"),
        ({"num_epochs": "0"}, "Epochs must be at least 1, got 0"),
        ({"model": "svd"}, "Model must be one of mf, biased-mf, gmf, mlp, neumf; got 'svd'"),
        ({"optimizer": "lion"}, "Optimizer must be one of"),
        ({"dataset": "netflix"}, "Dataset must be one of"),
        ({"dataset": "planted", "embedding_dim": "1000000000"}, "Embedding dim 1000000000 needs about"),
        ({"dataset": "planted", "dataset.noise": "x"}, "Noise must be a number"),
        ({"device": "cuda:77"}, "cuda:77"),
    ],
)
def test_a_mistake_is_one_line_and_trains_nothing(
    no_runs: Path, no_worker: None, open_page: OpenPage, params: dict[str, str], reason: str
) -> None:
    app = open_page("train", **params)
    app.button(key="train_start").click().run()
    assert len(errors(app)) == 1
    assert reason in errors(app)[0]
    assert not app.exception
    assert query(app) == params, "nothing that was typed is lost"
    assert manager_for().list() == []


def test_a_field_that_is_drawn_late_is_drawn_with_its_value(no_runs: Path, open_page: OpenPage) -> None:
    """What a script puts into a field is told once. A browser that first draws the page at the next rerun has the defaults."""
    app = open_page("train", preset="neumf", learning_rate="0.02", weight_decay="abc")
    drawn = {field.key: (field.proto.default, field.value) for field in app.text_input}
    assert len(drawn) > 10 and {key: default for key, (default, value) in drawn.items() if default != value} == {}
    chosen = {field.key: (field.proto.options[field.proto.default], field.format_func(field.value)) for field in app.selectbox}
    assert len(chosen) > 5 and {key: default for key, (default, value) in chosen.items() if default != value} == {}
    model = next(field for field in app.main.get("button_group") if field.key == "train_model")
    assert list(model.proto.default) == [list(MODELS).index("neumf")]


def test_what_is_wrong_can_be_put_right(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", dataset="planted", learning_rate="abc")
    assert errors(app)
    app.text_input(key="train_learning_rate").input("0.01").run()
    assert not errors(app)
    assert query(app) == {"dataset": "planted", "learning_rate": "0.01"}


def test_a_setting_nobody_knows_is_named(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", model="mf", learning_rte="1")
    assert "learning\\_rte" in words(app)


def test_train_queues_a_run_and_the_address_names_it(no_runs: Path, no_worker: None, open_page: OpenPage) -> None:
    app = open_page("train", dataset="planted", model="mf", num_epochs="4")
    app.button(key="train_start").click().run()
    run = manager_for().get(query(app)["run"])
    assert (run.state, run.model, run.num_epochs, run.config.pace) == ("queued", "mf", 4, 5.0)
    assert "train_queue" in buttons(app)
    assert "train_start" not in buttons(app), "one primary action: the run's own bar has it now"
    assert query(app) == {"dataset": "planted", "model": "mf", "num_epochs": "4", "run": run.run_id}

    manager_for().stop(run.run_id)
    assert "train_start" in buttons(app.run())


def test_while_it_runs_another_can_be_queued(running: str, no_worker: None, open_page: OpenPage) -> None:
    app = open_page("train", run=running)
    app.button(key="train_queue").click().run()
    assert not app.exception
    assert app.query_params["run"] == running, "what is watched stays on the screen"
    (queued,) = (run for run in manager_for().list() if run.state == "queued")
    assert any("Queued" in link.proto.label for link in app.get("page_link"))
    assert manager_for().queue.line().position(queued.run_id) == 1


def test_a_finished_run_fills_the_form_and_leads_on(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("train", run=runs["ranking"])
    assert app.button_group(key="train_model").value == "mf"
    assert app.selectbox(key="train_loss").value == "bce"
    assert "Look at the results" in words(app)
    assert query(app)["run"] == runs["ranking"]
    assert "train_start" in buttons(app)


def test_a_failed_run_leaves_the_form_usable(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("train", run=runs["failed"])
    assert "train_start" in buttons(app)
    assert app.text_input(key="train_learning_rate").value == "1000000000"


def test_an_interrupted_run_can_go_on(runs: dict[str, str], no_worker: None, open_page: OpenPage) -> None:
    app = open_page("train", run=runs["interrupted"])
    app.button(key="train_resume").click().run()
    assert manager_for().get(runs["interrupted"]).state == "queued"


def test_a_run_that_is_not_here(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", run="20200101-000000-mf-none")
    assert "There is no run" in words(app)
    assert "train_start" in buttons(app)


def test_the_script_and_the_command_repeat_the_form(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="mf")
    assert app.code[0].value.startswith("python -m mfcore train --dataset ml-100k")
    assert " --model mf " in app.code[0].value
    assert any(element.proto.label == "Download as a Python script" for element in app.get("download_button"))


def test_no_preset_is_refused_by_the_page(no_runs: Path, open_page: OpenPage) -> None:
    for name in PRESETS:
        assert not errors(open_page("train", preset=name)), name


@pytest.fixture
def ml_100k_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page believes that MovieLens is on this machine."""
    monkeypatch.setattr("ui.train.form.data_at_hand", lambda: True)
    monkeypatch.setattr("ui.train.controls.data_at_hand", lambda *_: True)


def live_view(app: AppTest) -> dict[str, Any]:
    """What the page hands to the live view."""
    (component,) = [one for one in app.get("bidi_component") if one.proto.component_name == "mf_explorer_live"]
    return dict(json.loads(component.proto.json))


def test_the_live_view_may_steer_and_lay_over_what_has_learned(runs: dict[str, str], open_page: OpenPage) -> None:
    data = live_view(open_page("train", run=runs["ranking"]))
    assert data["token"] == steering_token()
    offered = {run["id"]: run["title"] for run in data["runs"]}
    assert runs["rating"] in offered
    assert offered[runs["rating"]] == "[a *name*](http://x) <b>", "as it is; the view sets it as text"


def test_a_link_may_ask_for_the_projector(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", dataset="planted", projector="1")
    assert query(app) == {"dataset": "planted", "projector": "1"}
    assert "Not understood" not in words(app)
    app.text_input(key="train_num_epochs").input("3").run()
    assert query(app) == {"dataset": "planted", "num_epochs": "3", "projector": "1"}, "a change of the form does not end it"


def test_another_run_is_opened_with_its_settings(runs: dict[str, str], open_page: OpenPage) -> None:
    def page() -> None:  # a script of its own, so it imports for itself
        import streamlit as st

        from ui.train.controls import open_other
        from ui.train.form import read_draft, write_draft

        st.button("open", key="open", on_click=open_other, args=(st.query_params["other"],))
        draft, _ = read_draft()
        write_draft(draft)
        st.write(draft["loss"])

    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["run"], app.query_params["other"] = runs["rating"], runs["ranking"]
    app.run()
    assert app.markdown[0].value == "mse"
    app.query_params["other"] = runs["ranking"]  # the page has written its own address over it
    app.button(key="open").click().run()
    assert query(app)["run"] == runs["ranking"]
    assert app.markdown[0].value == "bce"


def test_what_follows_a_choice_is_said_and_can_be_taken_back(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="biased-mf")
    assert "Also changed" not in words(app)
    app.selectbox(key="train_optimizer").select("adam").run()
    (line,) = [caption for caption in app.caption if "Also changed" in caption.value]
    assert "batch size 1 → 1,024" in line.value
    assert "schedule One cycle → Constant" in line.value + line.help
    app.button(key="train_undo").click().run()
    assert app.selectbox(key="train_optimizer").value == "adam"
    assert app.text_input(key="train_batch_size").value == "1"
    assert app.selectbox(key="train_schedule").value == "one-cycle"
    assert "Also changed" not in words(app)


def test_a_choice_that_cannot_stand_alone_is_taken_back_itself(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="neumf")
    app.selectbox(key="train_optimizer").select("als").run()
    assert "loss" in next(caption.value for caption in app.caption if "Also changed" in caption.value)
    app.button(key="train_undo").click().run()
    assert query(app) == {"preset": "neumf"}
    assert not errors(app)


def test_a_change_after_that_leaves_nothing_to_take_back(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", preset="biased-mf")
    app.selectbox(key="train_optimizer").select("adam").run()
    app.text_input(key="train_num_epochs").input("3").run()
    assert "Also changed" not in words(app)
    assert "train_undo" not in buttons(app)


@pytest.mark.parametrize(
    ("schedule", "label", "said"),
    [
        ("one-cycle", "Peak learning rate", "Starts at 0.0008, peaks at 0.02 after 30 % of the epochs, ends at 2e-6."),
        ("cosine", "First learning rate", "Starts at 0.02 and falls to 0."),
        ("step", "First learning rate", "Starts at 0.02, ends at 0.000625."),
        ("constant", "Learning rate", ""),
    ],
)
def test_a_learning_rate_is_called_what_it_is(schedule: str, label: str, said: str, no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", optimizer="sgd", learning_rate="0,02", schedule=schedule, num_epochs="30")
    assert label in labels(app)
    assert said in words(app)
    assert ("Starts at" in words(app)) == bool(said)
    assert "--lr 0.02" in app.code[0].value, "a decimal comma is understood"


@pytest.mark.parametrize("option", ['a=__import__("os").system("touch evil"), b', "a b", "class", "x\ny"])
def test_a_link_with_an_option_of_code_is_refused_in_one_line(option: str, no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("train", dataset="planted", model="mf", **{f"dataset.{option}": "1"})
    assert len(errors(app)) == 1 and "option of a dataset must be a name" in errors(app)[0]
    assert not any("__import__" in block.value for block in app.code)
