"""A person's hand on a running training: pause, step, change, rewind and branch, in a real browser, with the chart staying."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from scripts.browser import settle, visit
from tests.e2e.live_view import TRAIN, LiveView, assert_fine, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

# Long enough to be still going whatever the machine is busy with; each test ends it.
SMALL = "dataset=planted&model=biased-mf&optimizer=adam&batch_size=256&learning_rate=0.01&num_epochs=900&pace=5"


def answer(server: AppServer, run: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.url}/api/runs/{run}/events?from=0", timeout=10) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def commands(server: AppServer, run: str, name: str) -> list[dict[str, Any]]:
    return [e for e in answer(server, run)["events"] if e["kind"] == "command" and e["name"] == name]


def epochs(server: AppServer, run: str) -> int:
    return max((e["epoch"] for e in answer(server, run)["events"] if e["kind"] == "epoch"), default=-1)


def run_of(page: Page) -> str:
    page.wait_for_url(re.compile(r"[?&]run="))
    found = re.search(r"[?&]run=([\w-]+)", page.url)
    assert found is not None
    return found[1]


def start(page: Page, server: AppServer, query: str = SMALL) -> LiveView:
    """A run that goes, with a word written on its chart."""
    visit(page, f"{server.url}/train?{query}")
    page.wait_for_selector(".mfx-live .js-plotly-plot .nsewdrag")
    live = LiveView(page)
    live.mark("same node")
    press(page, "train_start")
    live.wait_for_points(2)
    return live


def setting(page: Page, name: str, value: str) -> None:
    field = page.locator(f"[data-setting={name}]")
    field.fill(value)
    field.press("Enter")


def test_pause_step_change_and_go_on(page: Page, server: AppServer) -> None:
    live = start(page, server)
    run = run_of(page)

    page.locator(".mfx-live [data-part=headline]").click()  # no field has the keyboard
    page.keyboard.press("Space")
    live.wait_for_state("paused")
    page.wait_for_timeout(400)  # an epoch that had begun is over
    stood = epochs(server, run)
    page.wait_for_timeout(500)
    assert epochs(server, run) == stood, "five epochs a second, had it gone on"

    page.keyboard.press("ArrowRight")
    live.wait_for_points(stood + 1)
    live.wait_for_state("paused")
    page.wait_for_timeout(300)
    assert epochs(server, run) == stood + 1, "one epoch and no more"

    steps = [e["step"] for e in answer(server, run)["events"] if e["kind"] == "step"]
    live.act("step_batch")
    page.wait_for_function("name => document.querySelector('.mfx-messages').textContent.includes(name)", arg="One batch")
    page.wait_for_timeout(300)
    newer = [e["step"] for e in answer(server, run)["events"] if e["kind"] == "step"][len(steps) :]
    at = commands(server, run, "step_batch")[-1]["step"]
    assert newer == [at + 1], "one optimizer step, and it is reported"
    assert live.state() == "paused"

    setting(page, "learning_rate", "0.002")
    live.act("more")
    setting(page, "weight_decay", "0.5")
    page.wait_for_function(
        "() => (document.querySelector('.mfx-live [data-part=plot-loss]').layout.annotations ?? [])"
        ".filter(a => a.text === 'lr 0.01 → 0.002' || a.text.endsWith('→ 0.5')).length === 2"
    )
    assert [c["value"] for c in commands(server, run, "learning_rate")] == [0.002]
    setting(page, "batch_size", "0")
    refusal = page.locator(".mfx-player [data-part=refusal]")
    refusal.wait_for()
    assert "Batch size must be" in refusal.inner_text()

    live.act("play")
    live.wait_for_state("training")
    live.wait_for_points(stood + 4)
    rates = [e["learning_rate"] for e in answer(server, run)["events"] if e["kind"] == "epoch"]
    assert (rates[1], rates[-1]) == (0.01, 0.002)
    assert live.marked() == "same node", "no click has drawn the chart anew"
    live.act("stop")
    live.wait_for_state("stopped")
    settle(page)
    assert_fine(page, server)


def test_any_tab_that_watches_may_steer(page: Page, server: AppServer) -> None:
    live = start(page, server)
    other = page.context.new_page()
    visit(other, page.url)
    there = LiveView(other)
    there.wait_for_state("training")
    there.act("play")
    live.wait_for_state("paused")
    live.act("play")
    there.wait_for_state("training")
    live.act("stop")
    there.wait_for_state("stopped")
    live.wait_for_state("stopped")
    # An ended run goes on, and whoever still has it open sees that.
    page.get_by_label("More epochs").fill("900")
    page.get_by_role("button", name="more epochs").click()
    live.wait_for_state("training")
    there.wait_for_state("training")
    there.act("stop")
    live.wait_for_state("stopped")
    other.close()


def test_rewind_and_branch(page: Page, server: AppServer) -> None:
    live = start(page, server, SMALL.replace("num_epochs=900", "num_epochs=9").replace("pace=5", "pace=20"))
    live.wait_for_state("finished")
    settle(page)
    parent = run_of(page)
    live.wait_for_points(9)
    past = live.curve()
    page.locator(".mfx-kept button[aria-label='Branch from epoch 4']").click()
    form = page.locator(".mfx-branch")
    assert form.locator("select").first.input_value() == "4"
    form.locator("[name=learning_rate]").fill("nonsense")
    form.get_by_role("button", name="Branch", exact=True).click()
    form.locator(".mfx-refusal").wait_for()
    form.locator("[name=learning_rate]").fill("0.1")
    form.get_by_role("button", name="Branch", exact=True).click()

    page.wait_for_function("run => !location.search.includes(run)", arg=parent)
    child = run_of(page)
    page.locator(".mfx-lineage").wait_for()  # the view shows the branch now
    live.wait_for_state("finished")
    live.wait_for_points(9)
    assert live.marked() == "same node", "the branch is drawn on the same chart"
    branch = live.curve()
    assert branch[:4] == past[:4], "one past"
    assert all(ours != theirs for ours, theirs in zip(branch[4:], past[4:], strict=True)), "two futures"
    origin = answer(server, child)["config"]["parent"]
    assert (origin["run_id"], origin["epoch"]) == (parent, 4)
    lineage = page.locator(".mfx-lineage")
    assert "at epoch 4" in lineage.inner_text()
    page.wait_for_selector(".mfx-legend span")  # the parent is laid over without being asked for
    lineage.get_by_role("link").click()
    page.wait_for_function("run => location.search.includes(run)", arg=parent)
    lineage.wait_for(state="hidden")  # the view shows the parent again
    live.wait_for_points(9)
    assert live.curve(TRAIN) == past
    assert_fine(page, server)


def test_a_divergence_names_its_culprit_and_offers_the_way_back(page: Page, server: AppServer) -> None:
    query = "dataset=planted&model=mf&optimizer=sgd&batch_size=1&learning_rate=0.05&num_epochs=900&pace=5"
    live = start(page, server, query)
    page.locator(".mfx-live [data-part=headline]").click()
    setting(page, "learning_rate", "50")
    live.wait_for_state("failed")
    run = run_of(page)
    words = live.message()
    assert re.search(r"Frozen at step [\d,]+", words)
    assert re.search(r"User \S+ gave .+ a [\d.]+; the prediction reached", words)
    page.locator(".mfx-banner").get_by_role("button", name=re.compile("Branch from epoch .* with learning rate 5$")).click()
    page.wait_for_function("run => !location.search.includes(run)", arg=run)
    assert answer(server, run_of(page))["config"]["learning_rate"] == pytest.approx(5)
    page.locator(".mfx-lineage").wait_for()
    live.wait_for_state("training", "failed")
    if live.state() == "training":
        live.act("stop")
        live.wait_for_state("stopped", "failed")


def test_projector_fills_the_screen_in_large_type_and_leaves_no_trace(page: Page, server: AppServer) -> None:
    visit(page, f"{server.url}/train?projector=1&model=mf")
    stage = page.locator(".mfx-stage")
    page.wait_for_function("() => document.documentElement.dataset.mfxProjector === 'true'")
    box = stage.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"]) == (0, 0, 1280)
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('.mfx-stage *')].filter(e => e.checkVisibility() && e.childElementCount === 0"
        " && e.textContent.trim()).map(e => [parseFloat(getComputedStyle(e).fontSize), e.textContent])"
    )
    assert sizes
    assert [entry for entry in sizes if entry[0] < 20] == []
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.documentElement.dataset.mfxProjector && !location.search.includes('projector')")
    assert "model=mf" in page.url
    page.keyboard.press("p")
    page.wait_for_function("() => location.search.includes('projector=1')")
    assert_fine(page, server)
