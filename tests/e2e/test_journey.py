"""The main job, end to end, as a person does it: train, watch, stop, look at what was learned. On the real MovieLens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts.browser import settle, visit
from tests.e2e.live_view import VALIDATION, LiveView, assert_fine, press
from tests.e2e.space_map import SpaceMap

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from mfcore import Interactions
    from scripts.app_server import AppServer

FILMS = 1682
EPOCHS = 60
SLOW = f"model=biased-mf&optimizer=adam&learning_rate=0.002&num_epochs={EPOCHS}&pace=5"


def test_train_watch_stop_and_look_at_what_was_learned(page: Page, server: AppServer, ml_100k: Interactions) -> None:
    visit(page, server.url)
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.wait_for_url(re.compile("/train.*preset=biased-mf"))  # the experiment is in the address before training
    settle(page)
    # Sixty epochs at five a second: time to look at it, on a slow machine too.
    visit(page, f"{server.url}/train?{SLOW}")
    live = LiveView(page)
    live.wait_for_state("ready")
    page.wait_for_selector(".mfx-live .js-plotly-plot .nsewdrag")
    live.mark("same node")

    press(page, "train_start")
    live.wait_for_points(1)
    watch_it_grow(live)
    stop_and_reload(page, server, live)
    run = re.search(r"run=([\w-]+)", page.url)
    assert run is not None
    recommendations_show_films(page, server, run[1], ml_100k)
    the_map_shows_every_film(page, server, run[1])


def watch_it_grow(live: LiveView) -> None:
    """Point by point, in the node that was there before the run, and with a person's zoom kept."""
    seen = [len(live.curve())]
    while len(live.curve()) < 6:
        seen.append(len(live.curve()))
        live.page.wait_for_timeout(50)
    seen.append(len(live.curve()))
    assert len(set(seen)) >= 4, f"not in one jump: {seen}"

    live.zoom()
    zoomed = live.ranges()
    points = len(live.curve())
    live.wait_for_points(points + 6)
    assert live.ranges() == zoomed
    assert zoomed["x"][1] < 0.9 * EPOCHS, "the zoom shows a part"
    assert live.marked() == "same node"
    assert live.state() == "training"
    losses = live.curve()
    assert losses == sorted(losses, reverse=True), "the training loss falls all the way"


def stop_and_reload(page: Page, server: AppServer, live: LiveView) -> None:
    """Stop ends it at once; what was trained is there after a reload."""
    live.act("stop")
    live.wait_for_state("stopped", seconds=15)
    settle(page)
    assert live.marked() == "same node"
    before, address = live.curve(), page.url
    assert 12 <= len(before) < EPOCHS
    page.reload()
    settle(page)
    live.wait_for_state("stopped")
    live.wait_for_points(len(before))
    assert live.curve() == before
    assert len(live.curve(VALIDATION)) >= len(before)
    assert page.url == address
    assert_fine(page, server)


def recommendations_show_films(page: Page, server: AppServer, run: str, data: Interactions) -> None:
    """Ten films by title, none of which the user rated."""
    user = 196
    visit(page, f"{server.url}/recommend?run={run}&user={user}")
    page.wait_for_selector("[aria-label='Recommended films'] .mf-row")
    rows = page.locator("[aria-label='Recommended films'] .mf-item")
    shown = [(row.locator("b").inner_text(), row.locator("span").first.inner_text()) for row in rows.all()]
    assert len(shown) == 10
    titles = set(data.item_titles())
    assert all(f"{title} ({year})" in titles or title in titles for title, year in shown)
    rated_items = data.item_idx[data.user_idx == data.users.index(user)]
    assert not {f"{title} ({year})" for title, year in shown} & set(data.item_titles(rated_items))
    assert_fine(page, server)


def the_map_shows_every_film(page: Page, server: AppServer, run: str) -> None:
    """PCA of the item vectors: one point for each of the 1,682 films, in two and in three dimensions."""
    for axes in ("2-D", "3-D"):
        visit(page, f"{server.url}/embeddings?run={run}&axes={axes}")
        space = SpaceMap(page)
        space.wait_until_drawn()
        assert space.told("points") == str(FILMS)
        depths = space.positions()[2 : 3 * FILMS : 3]
        assert (max(depths) > min(depths)) == (axes == "3-D")
    assert_fine(page, server)
