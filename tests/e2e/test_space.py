"""The map of learned vectors: slider, play, selection, links. On a run of the real MovieLens, trained once for this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mfcore.embeddings.export import write_metadata, write_vectors
from mfcore.runs.embedding_space import open_space
from scripts.browser import settle, visit
from tests.e2e.live_view import assert_fine, press
from tests.e2e.space_map import MAP, SpaceMap, train_run

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from scripts.app_server import AppServer

FILMS, USERS, EPOCHS = 1682, 943, 8


@pytest.fixture(scope="module")
def run(server: AppServer) -> str:
    """A run of a few epochs that kept the vectors of each (a pace leaves them time)."""
    return train_run(server, num_epochs=EPOCHS, embedding_dim=12, pace=4, refit="false")


def opened(page: Page, server: AppServer, query: str) -> SpaceMap:
    """The map at an address, drawn."""
    visit(page, f"{server.url}/embeddings?{query}")
    space = SpaceMap(page)
    space.wait_until_drawn()
    return space


def test_points_move_through_the_epochs_on_axes_that_stand_still(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    assert space.told("points") == str(FILMS)
    assert space.ask("view.source.users") > 0, "users are there too, and not shown until asked for"
    first, *between, last = (int(epoch) for epoch in (space.told("epochs") or "").split(","))
    assert (first, last) == (0, EPOCHS)
    assert between, "more than the untrained and the final vectors"
    basis, late, late_places = space.told("basis"), space.coordinates(), space.positions()
    assert basis == str(last)
    space.slide(between[0])
    assert space.told("epoch") == str(between[0])
    early, early_places = space.coordinates(), space.positions()
    assert space.told("basis") == basis
    assert len(early) == len(late)
    moved = sum(one != other for one, other in zip(early[: 8 * FILMS : 8], late[: 8 * FILMS : 8], strict=True))
    assert moved > 0.99 * FILMS, "nearly every film lies elsewhere along the first axis"
    assert early_places != late_places
    variance = [sum(value**2 for value in frame[: 8 * FILMS : 8]) for frame in (early, late)]
    assert variance[0] < variance[1], "the cloud grows as the model learns"
    space.slide(last)
    assert space.positions() == late_places, "back where they were"


def test_play_moves_without_asking_the_server(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}&epoch=0")
    settle(page)
    page.wait_for_timeout(300)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = space.positions()
    page.locator(f"{MAP} [data-part=play]").click()
    space.wait("view.time > 1.3")
    assert space.told("playing") == "true"
    page.keyboard.press("Space")  # on the button itself: presses it
    space.wait("!view.playing")
    assert space.positions() != before
    assert not [url for url in asked if "/api/" in url and "neighbours" not in url]
    page.locator(f"{MAP} [data-part=stage]").focus()
    epoch = int(space.told("epoch") or -1)
    page.keyboard.press(".")
    space.wait("view.goalTime === null")
    assert int(space.told("epoch") or -1) > epoch


def test_a_lasso_tells_what_the_selected_share(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    page.locator(f"{MAP} [data-part=box]").click()
    stage = page.locator(f"{MAP} [data-part=stage]").bounding_box()
    assert stage is not None
    left, top = stage["x"] + 0.35 * stage["width"], stage["y"] + 0.35 * stage["height"]
    right, bottom = stage["x"] + 0.6 * stage["width"], stage["y"] + 0.65 * stage["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    picked = space.ask("[...view.picked]")
    assert 3 < len(picked) < FILMS
    panel = page.locator(f"{MAP} [data-part=panel]")
    assert f"{len(picked):,} films selected" in panel.inner_text()
    assert "Median year" in panel.inner_text()
    assert panel.locator("tbody tr").count() == min(len(picked), 300)
    panel.get_by_role("button", name="Isolate").click()
    space.wait("view.special.items")
    assert space.told("points") == str(len(picked)), "only these"
    assert space.ask("view.source.explained[0]") > 0
    page.keyboard.press("Escape")
    space.wait("!view.special.items")
    assert space.told("points") == str(FILMS)


def test_a_link_restores_the_view(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}&axes=3-D&colour=Year&points=Both&film=50&epoch=2")
    space.wait("view.near.length === 10")
    assert space.told("points") == str(FILMS + space.ask("view.source.users"))
    panel = page.locator(f"{MAP} [data-part=panel]")
    assert panel.locator("h3").inner_text() == "Star Wars (1977)"
    assert panel.locator("ol li").count() == 10
    stage = page.locator(f"{MAP} [data-part=stage]").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 300, stage["y"] + 200)
    page.mouse.wheel(0, -600)
    page.wait_for_function("() => location.search.includes('cam=')")
    page.locator(f"{MAP} [data-part=x]").select_option("2")
    page.wait_for_function("() => location.search.includes('x=3') && location.search.includes('cam=')")
    zoom, address = space.ask("view.camera.zoom"), page.url
    page.reload()
    settle(page)
    space.wait_until_drawn()
    space.wait("view.near.length === 10")
    page.wait_for_timeout(300)
    assert page.url == address, "looking does not change the address"
    assert space.ask("view.camera.zoom") == pytest.approx(zoom, abs=0.01)
    assert space.ask("[view.want.dims, view.want.x, view.want.colour, view.source.epochs[Math.round(view.time)]]") == [
        3,
        2,
        "year",
        2,
    ]
    assert_fine(page, server)


def test_searching_marks_what_is_found(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    box = page.locator(f"{MAP} [data-part=find]")
    box.fill("star trek")
    words = space.ask("view.found.map(row => view.source.title[row])")
    assert len(words) >= 5 and all("star trek" in title.lower() for title in words)
    box.fill("/^Star Wars/")
    assert space.ask("view.found.map(row => view.source.title[row])") == ["Star Wars (1977)"]
    box.fill("/(/")
    assert page.locator(f"{MAP} [data-part=hits]").inner_text() == "not a valid expression"
    box.fill("godfather")
    box.press("Enter")
    space.wait("view.near.length === 10")
    assert "Godfather" in page.locator(f"{MAP} [data-part=panel] h3").inner_text()


def test_neighbours_are_those_of_the_whole_vectors(page: Page, server: AppServer, run: str) -> None:
    """Cosine and dot product in all dimensions, at the epoch of the slider; of a user the nearest films."""
    space = opened(page, server, f"run={run}&film=50&epoch=2&points=Both")
    space.wait("view.near.length === 10")
    snapshot = open_space("runs", run, server.home).snapshots().load(int(space.told("epoch") or -1))
    assert snapshot is not None
    items, star_wars = snapshot.items.astype(float), space.ask("view.chosen")
    for to, left_out in ((items[star_wars], star_wars), (snapshot.users[0].astype(float), None)):
        dots = items @ to
        for words, values in (("dot product", dots), ("cosine", dots / np.linalg.norm(items, axis=1) / np.linalg.norm(to))):
            page.locator(f"{MAP} [data-part=panel]").get_by_role("button", name=words).click()
            space.wait(f"view.near.length === 10 && view.nearOf.endsWith('{words.partition(' ')[0]}')")
            order = [row for row in np.argsort(-values, kind="stable").tolist() if row != left_out]
            assert space.ask("view.near.map(one => one.row)") == order[:10]
            assert space.ask("view.near.map(one => one.value)") == pytest.approx([values[row] for row in order[:10]], abs=1e-4)
        space.ask("view.choose(view.source.items)")
        space.wait("view.chosen === view.source.items && view.near.length === 10 && view.nearOf.startsWith(view.chosen + ' ')")


def test_an_axis_of_ones_own(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}&film=50")
    panel = page.locator(f"{MAP} [data-part=panel]")
    panel.get_by_role("button", name="Axis from here").click()
    space.ask("view.choose(view.source.title.indexOf('Fargo (1996)'))")
    panel.get_by_role("button", name="Axis to here").click()
    space.wait("view.special.between && !view.morph")
    assert "from Star Wars (1977) to Fargo (1996)" in page.locator(f"{MAP} [data-part=x]").inner_text()
    ends = space.ask(
        "['Star Wars (1977)', 'Fargo (1996)'].map(title => view.source.frames.at(-1)"
        "[view.source.title.indexOf(title) * view.source.width + view.source.width - 1])"
    )
    assert ends[0] == pytest.approx(-ends[1], rel=1e-2)
    assert ends[0] < 0 < ends[1]


def test_foreign_embeddings_are_shown_as_they_are(page: Page, server: AppServer, tmp_path: Path) -> None:
    """Uploaded, kept, drawn; titles that look like markup are text."""
    rng = np.random.default_rng(0)
    hostile = "<img src=x onerror='window.broken = 1'>"
    titles = [hostile, *(f"word {number}" for number in range(299))]
    files = {
        "vectors.tsv": write_vectors(rng.normal(size=(300, 5))),
        "metadata.tsv": write_metadata({"title": titles, "year": [1990] * 300}),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    visit(page, f"{server.url}/embeddings?closer=Import")
    page.locator(".st-key-imported_files input[type=file]").set_input_files([tmp_path / name for name in files])
    press(page, "imported_show")
    page.wait_for_url("**embeddings=**")
    space = SpaceMap(page)
    space.wait("view.source.items === 300")
    space.wait_until_drawn()
    assert space.told("points") == "300"
    space.ask("view.choose(0)")
    space.wait("view.near.length === 10")
    assert page.locator(f"{MAP} [data-part=panel] h3").inner_text() == hostile
    assert page.evaluate("() => window.broken") is None
    before = space.positions()
    page.locator(f"{MAP} [data-part=layout]").select_option("tsne")
    space.wait("view.layout === 'tsne' && !view.morph", seconds=60)
    assert space.told("points") == "300"
    assert space.positions() != before
    page.wait_for_function("() => location.search.includes('show=tsne')")
    assert_fine(page, server)


def test_the_legend_counts_what_a_click_lights(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    entries = page.locator(f"{MAP} [data-part=legend] button:not(:disabled)")
    assert entries.count() == 8
    for place in range(8):
        entry = entries.nth(place)
        told = int(entry.locator("small").inner_text().replace(",", ""))
        entry.click()
        lit = space.ask("view.drawn().filter(row => !view.dimmed(row)).length")
        assert lit == told, entry.inner_text()
        words = page.locator(f"{MAP} .mfs-lit").inner_text()
        assert words.startswith(f"{told:,} films with")
        entries.nth(place).click()


def test_an_import_leaves_nothing_of_the_run_beside_it_and_is_found_again(
    page: Page, server: AppServer, run: str, tmp_path: Path
) -> None:
    space = opened(page, server, f"run={run}&film=50&closer=Import")
    page.wait_for_function("map => document.querySelector(`${map} [data-part=names] p`)", arg=MAP)
    (tmp_path / "few.tsv").write_text("1\t2\n3\t4\n", encoding="utf-8")
    upload = page.locator(".st-key-imported_files input[type=file]")
    upload.set_input_files([tmp_path / "few.tsv"])
    page.get_by_role("button", name="Remove few.tsv").wait_for()  # it has arrived
    settle(page)
    press(page, "imported_show")
    page.get_by_text("a map takes at least 3 points, this file has 2").wait_for()
    page.get_by_role("button", name="Remove few.tsv").click()
    settle(page)
    (tmp_path / "cloud.tsv").write_text(write_vectors(np.random.default_rng(1).normal(size=(40, 4))), encoding="utf-8")
    upload.set_input_files([tmp_path / "cloud.tsv"])
    page.get_by_role("button", name="Remove cloud.tsv").wait_for()
    settle(page)
    press(page, "imported_show")
    page.wait_for_url("**embeddings=**")
    space.wait("view.source.items === 40")
    space.wait_until_drawn()
    for part in ("names", "time", "panel"):
        assert not page.locator(f"{MAP} [data-part={part}]").is_visible(), part
    address = page.url
    page.reload()
    settle(page)
    space.wait("view.source.items === 40")
    visit(page, f"{server.url}/embeddings?run={run}&closer=Import")
    page.get_by_role("link", name="cloud").click()
    page.wait_for_url(address)
    space.wait("view.source.items === 40")
    assert_fine(page, server)
