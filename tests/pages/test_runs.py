"""The Runs page: table, filter, panel, comparison, deletion, import and export."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mfcore.errors import UnusableRequest
from mfcore.runs import RunFolder, RunStatus
from mfcore.runs.disk import GB, measure
from mfcore.runs.events import CommandEvent, EndEvent, EpochEvent, StartEvent
from mfcore.runs.limits import Limits
from mfcore.runs.manager.manager import manager_for
from mfcore.runs.worker.event_log import EventWriter
from tests.pages.reading import OpenPage, words
from tests.runs.tiny_runs import tiny
from ui.runs.panel import delete_runs
from ui.runs.table import columns


def names(app: AppTest) -> list[str]:
    return app.dataframe[0].value["name"].tolist()


def test_without_runs_it_points_to_training(no_runs: Path, open_page: OpenPage) -> None:
    app = open_page("runs")
    assert "There are no runs yet" in words(app)
    assert not app.dataframe


def test_the_table_has_one_row_a_run_with_its_result_against_the_best_baseline(
    runs: dict[str, str], open_page: OpenPage
) -> None:
    table = open_page("runs").dataframe[0].value.set_index("name")
    assert len(table) == len(runs)
    rating, ranking, failed = table.loc["[a *name*](http://x) <b>"], table.loc["ranks"], table.loc["explodes"]
    assert (rating["metric"], ranking["metric"]) == ("RMSE A", "NDCG@10 B"), "the letters tell whose tests differ"
    assert 0 < rating["test"] < 4
    assert "bias only" in rating["baseline"] or "mean" in rating["baseline"]
    assert failed["state"] == "failed"
    assert not failed["test"] > 0
    assert len(rating["curve"]) == 4  # the untrained model and three epochs
    assert all(0 <= value <= 1 for value in rating["curve"])


def test_on_a_small_laptop_only_the_last_column_is_out_of_sight(runs: dict[str, str], open_page: OpenPage) -> None:
    shown = open_page("runs").dataframe[0].value.columns.tolist()
    widths = {name: column["width"] for name, column in columns().items()}
    assert list(widths) == shown
    assert sum(widths[name] for name in shown[:-1]) <= 1095  # of 1280 pixels: less the margins and the boxes to tick


def test_filters_by_text_model_state_and_star(runs: dict[str, str], open_page: OpenPage) -> None:
    manager_for().set_meta(runs["ranking"], note="for the lecture", starred=True)
    app = open_page("runs")
    assert names(app.text_input(key="find").set_value("LECTURE").run()) == ["ranks"]
    app.text_input(key="find").set_value("")
    assert set(names(app.multiselect(key="models").set_value(["mf"]).run())) == {"ranks", "explodes"}
    assert names(app.multiselect(key="states").set_value(["failed"]).run()) == ["explodes"]
    app.toggle(key="starred").set_value(True).run()
    assert "None of the 4 runs fits" in app.info[0].value


def test_a_link_selects_a_run_and_its_labels_can_be_changed(runs: dict[str, str], open_page: OpenPage) -> None:
    run_id = runs["ranking"]
    app = open_page("runs", run=run_id)
    assert run_id in words(app).replace("\\", "")
    app.text_input(key=f"name_{run_id}").set_value("renamed").run()
    app.text_area(key=f"note_{run_id}").set_value("worth keeping").run()
    app.toggle(key=f"starred_{run_id}").set_value(True).run()
    assert not app.exception
    run = manager_for().get(run_id)
    assert (run.name, run.note, run.starred) == ("renamed", "worth keeping", True)
    assert "renamed" in names(app)
    assert app.query_params["run"] == run_id


def test_a_failed_run_says_why_and_cannot_be_resumed(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("runs", run=runs["failed"])
    assert "infinite" in app.error[0].value
    with pytest.raises(KeyError):
        app.button(key="resume")


def test_an_interrupted_run_can_be_resumed(runs: dict[str, str], no_worker: None, open_page: OpenPage) -> None:
    app = open_page("runs", run=runs["interrupted"])
    assert "the machine went down" in words(app)
    app.button(key="resume").click().run()
    assert not app.exception
    assert manager_for().get(runs["interrupted"]).state == "queued"


def test_a_running_run_can_be_stopped_but_not_deleted_or_exported(running: str, no_worker: None, open_page: OpenPage) -> None:
    app = open_page("runs", run=running)
    assert app.button(key="delete").disabled
    app.button(key="stop").click().run()
    assert not app.exception
    kinds = [path.name for path in (manager_for().folder(running).path / "commands").iterdir()]
    assert len(kinds) == 1


def test_deleting_asks_first(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("runs", run=runs["rating"])
    app.button(key="delete").click().run()
    assert "Curves, results and learned vectors will be gone" in words(app)
    assert manager_for().get(runs["rating"]).run_id == runs["rating"]


def test_several_runs_are_compared(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("runs", runs=f"{runs['rating']},{runs['ranking']}")
    apart = app.dataframe[1].value
    assert {"model", "loss"} <= set(apart.index)
    assert "learning rate" not in apart.index
    assert len(app.get("plotly_chart")) == 2  # one chart a metric: RMSE and NDCG share no axis


def test_a_link_to_a_run_that_is_gone_says_so(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("runs", run="20200101-000000-mf-dead")
    assert "is not here" in app.warning[0].value
    assert len(names(app)) == len(runs)


def test_import_adds_a_run_and_refuses_what_is_none(runs: dict[str, str], open_page: OpenPage) -> None:
    packed = manager_for().export_zip(runs["ranking"])
    app = open_page("runs")
    for content, expected in ((b"not a zip", app.error), (packed, app.success)):
        app.file_uploader[0].upload("run.zip", content)
        next(button for button in app.button if button.label == "Add this run").click().run()
        assert not app.exception
        assert len(app.error if content != packed else app.success) == 1, expected
    assert [name.split(" · ")[0] for name in names(app)].count("ranks") == 2


def test_exports_are_offered(runs: dict[str, str], open_page: OpenPage) -> None:
    app = open_page("runs", run=runs["ranking"])
    assert {button.label for button in app.get("download_button")} >= {"Export", "Python script"}
    assert "mfcore train" in app.code[0].value


def test_deletion_removes_and_reports(runs: dict[str, str]) -> None:
    assert delete_runs([runs["failed"]]) == []
    with pytest.raises(UnusableRequest):
        manager_for().get(runs["failed"])
    (problem,) = delete_runs([runs["failed"], runs["rating"]])
    assert "no run" in problem
    assert runs["rating"] not in {run.run_id for run in manager_for().list()}


def test_a_branch_stands_in_the_table_with_the_run_it_left(runs: dict[str, str], no_worker: None, open_page: OpenPage) -> None:
    kept = manager_for().kept_epochs(runs["ranking"])
    child = manager_for().branch(runs["ranking"], kept[0], {"learning_rate": 0.5})
    app = open_page("runs", run=child)
    table = app.dataframe[0].value
    assert dict(zip(table["name"], table["lineage"], strict=True))["ranks"] == ""
    assert f"⤷ epoch {kept[0]} of ranks" in set(table["lineage"])
    assert f"epoch {kept[0]} of ranks" in words(app) or any("of ranks" in link.proto.label for link in app.get("page_link"))


def test_labels_typed_in_one_go_are_all_kept_and_a_rename_elsewhere_is_not_undone(
    runs: dict[str, str], open_page: OpenPage
) -> None:
    run_id = runs["ranking"]
    app = open_page("runs", run=run_id)
    app.text_input(key=f"name_{run_id}").set_value("mine")
    app.text_area(key=f"note_{run_id}").set_value("typed, and left at once").run()
    assert (manager_for().get(run_id).name, manager_for().get(run_id).note) == ("mine", "typed, and left at once")
    manager_for().set_meta(run_id, name="theirs")
    app.toggle(key=f"starred_{run_id}").set_value(True).run()
    assert manager_for().get(run_id).name == "theirs" and manager_for().get(run_id).starred


def test_the_table_says_how_many_runs_there_are(runs: dict[str, str], open_page: OpenPage) -> None:
    assert f"{len(runs)} runs, newest first" in words(open_page("runs"))
    assert f"1 of {len(runs)} runs fit" in words(open_page("runs", find="explodes"))


def test_what_was_changed_on_the_way_is_told_and_sets_runs_apart(home_of_steered: tuple[str, str], open_page: OpenPage) -> None:
    plain, steered = home_of_steered
    told = "lr 0.01 → 0.001 after epoch 1"
    assert told in words(open_page("runs", run=steered)).replace("\\", "")
    app = open_page("runs", runs=f"{plain},{steered}")
    assert told in set(app.dataframe[1].value.loc["changed on the way"])
    assert "Nothing" not in words(app)


@pytest.fixture
def home_of_steered(no_runs: Path) -> tuple[str, str]:
    """The same settings twice; of the second run the rate was changed on the way."""
    folders = [RunFolder.create(no_runs, tiny(learning_rate=0.01)) for _ in range(2)]
    steer = {1: [CommandEvent(name="learning_rate", value=0.001, epoch=1, step=9, at=1.0, before=0.01)], 0: []}
    for index, folder in enumerate(folders):
        log = EventWriter(folder.events, lambda event: None)
        metrics = {"rmse": 1.0}
        for event in [
            StartEvent(selection_metric="rmse", num_epochs=3),
            EpochEvent(epoch=1, step=9, metrics=metrics, seconds=1.0),
            *steer[index],
            EpochEvent(epoch=2, step=18, metrics=metrics, seconds=1.0),
            EndEvent(state="finished", step=18, epoch=2),
        ]:
            log.record(event)
        folder.write_status(RunStatus("finished", created=1.0 + index))
    return folders[0].run_id, folders[1].run_id


def test_what_goes_first_is_said_before_the_disk_budget_is_used_up(
    runs: dict[str, str], open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = manager_for()
    assert "been given" not in words(open_page("runs"))
    total = sum(one.total for one in measure(manager.store).values())
    monkeypatch.setattr(manager, "limits", Limits(disk=1.1 * total / GB))
    said = words(open_page("runs"))
    assert "they have been given" in said and "the oldest runs first" in said and "Results stay" in said
    for run in manager.list():
        manager.set_meta(run.run_id, starred=True)
    said = words(open_page("runs"))
    for run in manager.list():
        manager.set_meta(run.run_id, starred=False)
    assert "Nothing can go by itself" in said
