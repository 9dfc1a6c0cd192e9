"""The map by keyboard, as a table, as a picture, on the projector; its menus close."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.browser import settle, visit
from tests.e2e.live_view import assert_fine
from tests.e2e.space_map import MAP, SpaceMap, train_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

FILMS = 1682


@pytest.fixture(scope="module")
def run(server: AppServer) -> str:
    return train_run(server, num_epochs=4, embedding_dim=6, pace=4)


def opened(page: Page, server: AppServer, query: str) -> SpaceMap:
    page.emulate_media(reduced_motion="reduce")
    visit(page, f"{server.url}/embeddings?{query}")
    space = SpaceMap(page)
    space.wait_until_drawn()
    space.rest()
    return space


def test_points_are_reached_chosen_and_selected_by_keyboard(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    page.locator(f"{MAP} [data-part=stage]").focus()
    spoken, seen = page.locator(f"{MAP} [data-part=spoken]"), set()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        row = space.ask("view.focused")
        assert spoken.inner_text().startswith(space.ask("view.source.title[view.focused]"))
        seen.add(row)
    assert len(seen) > 2
    assert space.told("epoch") == "4", "arrows walk; epochs have keys of their own"
    page.keyboard.press("Enter")
    space.wait("view.near.length === 10")
    assert space.ask("view.chosen === view.focused")
    zoom, x = space.ask("view.camera.zoom"), space.ask("view.camera.x")
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowRight")
    assert space.ask("view.camera.zoom") > zoom
    assert space.ask("view.camera.x") != x
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("b")
    picked = space.ask("[...view.picked]")
    assert space.ask("view.focused") in picked
    assert f"{len(picked)} point" in spoken.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")
    assert len(space.ask("[...view.picked]")) in (len(picked) + 1, len(picked) - 1)
    page.keyboard.press(",")
    space.rest()
    assert int(space.told("epoch") or 9) < 4


def test_a_table_stands_behind_the_map(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}&genre=Comedy")
    page.locator(f"{MAP} [data-part=tabled]").click()
    table = page.locator(f"{MAP} [data-part=table]")
    lit = space.ask("view.drawn().filter(row => !view.dimmed(row)).length")
    assert 300 < lit < FILMS
    assert f"{lit:,} films lit on the map" in table.locator("caption").inner_text()
    assert table.locator("tbody tr").count() == min(lit, 300)
    heads = table.locator("th").all_inner_texts()
    assert {"Title", "Ratings", "Length"} <= set(heads)
    assert any(head.startswith("Axis 1") for head in heads)
    table.locator("tbody button").first.click()
    space.wait("view.chosen >= 0 && view.near.length === 10")
    page.wait_for_function("() => location.search.includes('table=1')")
    page.reload()
    settle(page)
    space.wait_until_drawn()
    space.rest()
    assert table.is_visible(), "the table is in the address"
    page.locator(f"{MAP} [data-part=tabled]").click()
    assert not table.is_visible()


def test_picture_and_values_are_taken_along(page: Page, server: AppServer, run: str, tmp_path: Path) -> None:
    space = opened(page, server, f"run={run}&film=50")
    space.wait("view.near.length === 10")
    sizes = {}
    for kind, times in (("png", "1"), ("png", "4"), ("svg", "1"), ("csv", "1")):
        page.locator(f"{MAP} .mfs-more summary", has_text="More").click()
        page.locator(f"{MAP} [data-part=times]").select_option(times)
        with page.expect_download() as download:
            page.locator(f"{MAP} [data-part={kind}]").click()
        path = tmp_path / f"{times}.{kind}"
        download.value.save_as(path)
        sizes[kind, times] = path
        page.keyboard.press("Escape")
    small, large = (struct.unpack(">II", sizes["png", times].read_bytes()[16:24]) for times in ("1", "4"))
    assert large == (4 * small[0], 4 * small[1])
    svg = sizes["svg", "1"].read_text(encoding="utf-8")
    assert "films, epoch 4" in svg
    assert "Biased MF" in svg
    assert "Comedy" in svg, "with its legend"
    assert "Axis 1" in svg
    assert svg.count("<circle") > 1000
    rows = list(csv.DictReader(sizes["csv", "1"].read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 11, "what is lit: the chosen film and its ten nearest"
    assert rows[0]["title"]
    assert float(rows[0]["length"]) > 0


def test_menus_close_by_escape_and_by_a_click_elsewhere_also_on_the_projector(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    for _ in range(2):
        for menu in (page.locator(f"{MAP} .mfs-more").nth(0), page.locator(f"{MAP} .mfs-more").nth(1)):
            for close in ("Escape", "click"):
                menu.locator("summary").click()
                inside = menu.locator("button:visible").last
                inside.scroll_into_view_if_needed()
                box = inside.bounding_box()
                assert box is not None
                top = page.evaluate(
                    "([x, y]) => document.elementFromPoint(x, y)?.closest('.mfs-more') !== null",
                    [box["x"] + 5, box["y"] + 5],
                )
                assert top, "nothing covers the menu"
                if close == "Escape":
                    page.keyboard.press("Escape")
                else:
                    page.mouse.click(300, 400)
                assert menu.get_attribute("open") is None
        if not space.ask("view.big"):
            page.locator(f"{MAP} [data-part=stage]").focus()
            page.keyboard.press("p")
            space.wait("view.big")
            space.rest()
    assert "train + validation" in page.locator(f"{MAP} [data-part=note]").inner_text(), "whose vectors these are"
    height = page.locator(f"{MAP} [data-part=time]").bounding_box()
    assert height is not None
    assert height["y"] + height["height"] <= 720, "the whole map fits the screen"
    page.locator(f"{MAP} [data-part=closer]").click()
    space.wait("!view.big")
    page.wait_for_function("() => document.activeElement?.closest('.st-key-closer')")
    assert_fine(page, server)


def test_an_axis_of_ones_own_has_a_named_control(page: Page, server: AppServer, run: str) -> None:
    space = opened(page, server, f"run={run}")
    menu = page.locator(f"{MAP} .mfs-more", has_text="Own axis")
    for end, row in (("from", 0), ("to", 5)):
        space.ask("void view.choose(value)", row)
        menu.locator("summary").click()
        menu.locator(f"[data-part=axis-{end}]").click()
        page.keyboard.press("Escape")
    space.wait("view.special.between")
    space.rest()
    menu.locator("summary").click()
    words = menu.locator("[data-part=axis-ends]").inner_text()
    assert all(space.ask("view.source.title[value]", row)[:20] in words for row in (0, 5))
    menu.locator("[data-part=axis-drop]").click()
    space.wait("!view.special.between")
    space.rest()
    assert "own=" not in page.url
