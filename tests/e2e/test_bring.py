"""Anybody's ratings: dropped, one guess corrected, trained on, and spoken of in their own words. And managed afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scripts.browser import settle, visit
from tests.e2e.live_view import LiveView, assert_fine, press
from tests.e2e.space_map import SpaceMap

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from scripts.app_server import AppServer

BOOKS = ["<script>alert(1)</script>", "$x^2$ & co", "[a](javascript:b)", "=1+1", "🎬 Ocean", "שלום", "日本語", "a*b_c`d"]
TITLES = [*BOOKS, *(f"Book {number}" for number in range(8, 40))]


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Item first; and a column "reader" that is no name of ours, so that the user has to be pointed out."""
    rng = np.random.default_rng(1)
    taste, kind = rng.normal(size=(120, 2)), rng.normal(size=(len(TITLES), 2))
    rows = ["thing;who was it;stars;when"]
    for user in range(120):
        for item in rng.choice(len(TITLES), 15, replace=False).tolist():
            stars = int(np.clip(np.round(3 + taste[user] @ kind[item]), 1, 5))
            rows.append(f"{TITLES[item]};person {user:03d};{stars};2019-0{1 + user % 9}-{1 + item % 28:02d}")
    path = tmp_path_factory.mktemp("own") / "my books.csv"
    path.write_text("\n".join([*rows, "Lost;;3;2019-01-01"]) + "\n", encoding="utf-8")
    return path


def choose(page: Page, label: str, words: str) -> None:
    """A value of a select box."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=words, exact=True).click()
    settle(page)


def import_it(page: Page, server: AppServer, ratings: Path) -> None:
    visit(page, server.url)
    page.get_by_role("link", name="bring your own ratings").click()
    page.wait_for_url("**/data?bring=true*")
    page.locator(".st-key-bring_files input[type=file]").set_input_files(str(ratings))
    page.get_by_role("heading", name="What is what").wait_for()
    settle(page)
    understood = page.locator("[data-testid=stMainBlockContainer]").inner_text()
    assert "semicolon between the cells" in understood.lower()
    assert page.get_by_role("combobox", name="User", exact=True).input_value() == "thing"  # the first column; a wrong guess
    choose(page, "User", "who was it")
    page.wait_for_function("() => document.querySelector('[aria-label=Item][role=combobox]')?.value === 'thing'")
    settle(page)
    page.get_by_text("More to correct").click()
    page.get_by_label("An item", exact=True).wait_for()
    for label, word in (("An item", "book"), ("Items", "books")):
        page.get_by_label(label, exact=True).fill(word)
        page.keyboard.press("Enter")
        settle(page)
    press(page, "bring_import")
    page.locator(".st-key-brought").wait_for()
    settle(page)
    said = page.locator(".st-key-brought").inner_text()
    assert "1,800 interactions of 120 users with 40 items" in said
    assert "1 left out: the user is missing" in said


def train_here(page: Page) -> str:
    live = LiveView(page)
    live.wait_for_state("ready")
    press(page, "train_start")
    live.wait_for_points(1)
    live.wait_for_state("finished", seconds=120)
    run = re.search(r"run=([\w-]+)", page.url)
    assert run is not None
    return run[1]


def test_from_a_dropped_file_to_recommendations_in_its_own_words(page: Page, server: AppServer, ratings: Path) -> None:
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    import_it(page, server, ratings)
    press(page, "bring_train")
    page.wait_for_url("**/train**")
    settle(page)
    biased = train_here(page)
    implicit = "model=mf&loss=weighted-mse&optimizer=als&split=leave-last-out&num_epochs=5&embedding_dim=8"
    visit(page, f"{server.url}/train?dataset=my-books&{implicit}")
    solved = train_here(page)
    for run, said in ((biased, "star"), (solved, "held-out book")):
        visit(page, f"{server.url}/evaluate?run={run}")
        page.get_by_role("heading", level=2).first.wait_for()
        settle(page)
        text = page.locator("[data-testid=stMainBlockContainer]").inner_text()
        assert said in text
        assert "film" not in text and "a hundred" not in text, text
    visit(page, f"{server.url}/recommend?run={biased}&user=person+007&seen=true&n=50")
    page.locator(".mf-list").first.wait_for()
    settle(page)
    listed = page.locator(".mf-list").first.inner_text()
    assert all(title in listed for title in TITLES), [title for title in TITLES if title not in listed]
    assert "★" in listed
    visit(page, f"{server.url}/embeddings?run={biased}")
    space = SpaceMap(page)
    space.wait_until_drawn()
    assert space.ask("view.data.nouns.items") == "books"
    assert not alerts
    assert_fine(page, server)


def test_it_is_looked_at_renamed_and_deleted(page: Page, server: AppServer, ratings: Path) -> None:
    visit(page, f"{server.url}/data?dataset=my-books")
    page.get_by_role("heading", name="Yours to manage").wait_for()
    settle(page)
    assert "40" in page.locator("[data-testid=stMetricValue]").nth(2).inner_text()
    page.get_by_label("Title", exact=True).fill("Books we read")
    page.keyboard.press("Enter")
    settle(page)
    press(page, "rename_dataset")
    page.locator(".st-key-title_my-books_Books-we-read").wait_for()
    settle(page)
    with page.expect_download() as download:
        page.locator(".st-key-export_csv button").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("\n") == 1801 and "person 007" in text
    page.locator(".st-key-delete_dataset button").click()
    page.get_by_text("cannot be opened any more without it").wait_for()
    press(page, "delete_for_good")
    page.wait_for_url(re.compile(r"/data(\?(?!dataset=my-books).*)?$"))
    settle(page)
    visit(page, f"{server.url}/data?dataset=my-books")
    settle(page)
    page.get_by_text("is not in this data").wait_for()


def test_what_is_no_table_gets_one_sentence_and_the_next_file_another_chance(
    page: Page, server: AppServer, ratings: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "holiday.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    visit(page, f"{server.url}/data?bring=true")
    page.locator(".st-key-bring_files input[type=file]").set_input_files(str(picture))
    page.get_by_text("is a picture (PNG), not a table of ratings").wait_for()
    assert page.locator("[data-testid=stException]").count() == 0
    page.locator(".st-key-bring_files [data-testid*=Delete], .st-key-bring_files button[aria-label*=Remove]").first.click()
    settle(page)
    page.locator(".st-key-bring_files input[type=file]").set_input_files(str(ratings))
    page.get_by_role("heading", name="What is what").wait_for()
