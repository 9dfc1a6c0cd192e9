"""docs/extending.md, run: what it registers is driven through the command line and through every page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from mfcore.data import load_dataset, random_split
from mfcore.errors import UnusableRequest
from mfcore.models import build_model, count_parameters
from mfcore.registry import DATASETS, LOSSES, METRICS, MODELS, OPTIMIZERS, SPLITS, Registry
from mfcore.runs.manager.manager import manager_for
from mfcore.training import TrainConfig, Trainer

ROOT = Path(__file__).resolve().parent.parent
NAME = "extension_from_the_docs"
NEW: dict[str, Registry[Any]] = {
    "euclidean": MODELS,
    "absolute": LOSSES,
    "radam": OPTIMIZERS,
    "mrr@50": METRICS,
    "file-order": SPLITS,
    "three-ratings": DATASETS,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module of the docs, written down where Python finds it."""
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("<!-- tested")[2]
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == len(NEW)
    folder = tmp_path_factory.mktemp("extension")
    (folder / f"{NAME}.py").write_text("\n\n".join(blocks), encoding="utf-8")
    return folder


@pytest.fixture
def extended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Registered in this process, and in every worker that it starts."""
    monkeypatch.setenv("MF_EXPLORER_PLUGINS", NAME)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")])))
    module = ModuleType(NAME)
    with ExitStack() as stack:
        for registry in NEW.values():
            stack.enter_context(registry.temporarily())
        exec(compile((folder / f"{NAME}.py").read_text(encoding="utf-8"), NAME, "exec"), module.__dict__)
        yield


def on_the_command_line(*words: str, home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "mfcore", *words, "--json", "--home", str(home)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def printed_by_its_script(run_id: str, home: Path) -> dict[str, Any]:
    """What the script prints last that the Runs page offers; written and run where the extension is known."""
    write = f"print(run_script(open_folder({run_id!r}, {str(home)!r}).config()))"
    code = f"from mfcore.runs import run_script\nfrom mfcore.runs.layout import open_folder\n{write}"
    script = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_unknown_names_are_refused_wherever_they_are_used() -> None:
    for name, registry in NEW.items():
        assert name not in registry
        with pytest.raises(UnusableRequest, match=f"{registry.what} must be one of .*; got '{re.escape(name)}'"):
            registry[name]
    with pytest.raises(UnusableRequest, match="optimizer must be one of"):
        TrainConfig(optimizer="radam")


@pytest.mark.usefixtures("extended")
def test_what_is_registered_trains_as_what_it_is() -> None:
    split = random_split(load_dataset("planted"))
    model = build_model("euclidean", split.train, embedding_dim=4)
    assert count_parameters(model.config, model.num_users, model.num_items) == model.num_parameters
    trainer = Trainer(model, split, TrainConfig(loss="absolute", optimizer="radam", learning_rate=0.01, num_epochs=3))
    assert [type(optimizer) for optimizer in trainer.state.optimizers] == [torch.optim.RAdam]
    ends = list(trainer.fit())
    assert ends[-1].train_loss < ends[0].train_loss
    assert {"mrr@50", "mrr@50/full"} <= set(ends[-1].metrics)


def test_the_command_line_knows_it(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MF_EXPLORER_PLUGINS", NAME)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    words = ("--model", "euclidean", "--optimizer", "radam", "--loss", "absolute", "--split", "file-order", "--epochs", "2")
    trained = on_the_command_line("train", "--dataset", "planted", *words, home=tmp_path)
    assert trained["model"] == "euclidean" and "mrr@50" in trained["test"] and "rmse" in trained["test"]
    assert on_the_command_line("evaluate", trained["run_id"], home=tmp_path)["test"] == pytest.approx(trained["test"])
    assert len(on_the_command_line("recommend", trained["run_id"], "--user", "1", home=tmp_path)["items"]) == 10
    assert printed_by_its_script(trained["run_id"], tmp_path) == pytest.approx(trained["test"])
    smallest = on_the_command_line("train", "--dataset", "three-ratings", *words, home=tmp_path)
    assert smallest["state"] == "finished"
    assert {"three-ratings"} <= {entry["name"] for entry in on_the_command_line("datasets", home=tmp_path)["datasets"]}


@pytest.mark.usefixtures("extended")
def test_every_page_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MF_EXPLORER_HOME", str(tmp_path))
    manager = manager_for()
    try:
        app = page(
            "train",
            dataset="planted",
            model="euclidean",
            optimizer="radam",
            loss="absolute",
            split="file-order",
            num_epochs="3",
            pace="0",
        )
        app.button(key="train_start").click().run()
        asked = app.query_params["run"]
        run_id = asked if isinstance(asked, str) else asked[0]
        assert manager.wait(run_id, timeout=120).state == "finished"
        for name in ("home", "train", "evaluate", "recommend", "embeddings", "runs"):
            page(name, run=run_id)
        for section in ("Results", "Rivals", "List length", "Deciles", "Errors", "Lists", "Compare", "Run card"):
            page("evaluate", run=run_id, show=section)
        assert "mrr@50" in [column for frame in page("evaluate", run=run_id).dataframe for column in frame.value.columns]
        page("data", dataset="three-ratings", split="file-order")
    finally:
        manager.shutdown()


def page(name: str, **query: str) -> AppTest:
    """One page, drawn; nothing on it failed."""
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120)
    app.run()  # navigation must know its pages before one can be chosen
    app.switch_page(str(ROOT / "pages" / f"{name}.py"))
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [line.value for line in app.error]
    return app
