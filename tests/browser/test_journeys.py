"""What a visitor does, in a real browser, at desktop and phone width."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PROJECT, Server, close_sidebar, is_phone, open_sidebar, start_server

pytestmark = pytest.mark.browser
SLOW_MS = 60_000  # a page that is opened first loads its libraries


def tiles(page: Page) -> Locator:
    return page.locator(".grid [role=listitem]")


def settled(page: Page) -> None:
    """Nothing scrolls sideways, and no page broke."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], f"the page is {width[0]} px wide in a window of {width[1]}"


def drawn(page: Page) -> None:
    """The page's script has ended."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=SLOW_MS)


def sections(page: Page) -> list[str]:
    """The menu's groups, at desktop width."""
    return [name.strip() for name in page.get_by_test_id("stTopNavSection").all_inner_texts()]


def go_to(page: Page, section: str, title: str) -> None:
    """Choose a page in the menu, which a phone has in the sidebar."""
    if is_phone(page):
        open_sidebar(page)
        page.get_by_test_id("stSidebarNavLink").get_by_text(title, exact=True).click()
        close_sidebar(page)
        return
    page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    page.get_by_role("menuitem", name=title, exact=True).click()


def pictures_are_decoded(page: Page, least: int) -> None:
    """Wait until that many pictures of the grid, which draws in a root of its own, have really been decoded."""
    page.wait_for_function(
        """(least) => {
            const all = (root) => [...root.querySelectorAll('*')].flatMap(e => e.shadowRoot ? all(e.shadowRoot) : [])
                .concat([...root.querySelectorAll('img')])
            return all(document).filter(i => i.src.includes('/images/') && i.naturalWidth > 1).length >= least
        }""",
        arg=least,
    )


def test_a_sub_page_opens_first_on_a_fresh_server(chromium: Browser, server: Server, tmp_path: Path) -> None:
    """A server whose very first request is not for / shows the whole frame."""
    process, url = start_server(server.home, tmp_path / "server.log")
    try:
        page = chromium.new_page()
        page.goto(f"{url}/browse?dataset=glami-mini")
        expect(page.get_by_role("heading", name="Browse")).to_be_visible(timeout=20_000)
        expect(tiles(page).first).to_be_visible()
        assert sections(page) == ["Explore", "Audit", "Models", "Stage"]
        page.close()
    finally:
        process.terminate()
        process.wait(20)


def test_home_shows_real_products_and_leads_on(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Vitrine")).to_be_visible()
    expect(page.get_by_role("heading", name="glami-mini")).to_be_visible()
    page.wait_for_function("[...document.images].filter(i => i.naturalWidth > 1).length >= 12")
    settled(page)


def test_filtering_changes_the_count_the_grid_and_the_address(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=glami-mini")
    expect(page.get_by_text("5,096", exact=True)).to_be_visible()
    expect(tiles(page)).to_have_count(24)
    open_sidebar(page)
    page.get_by_test_id("stSidebar").get_by_role("button", name="test", exact=True).click()
    close_sidebar(page)
    expect(page.get_by_text("637", exact=True)).to_be_visible()
    page.wait_for_url(re.compile("split=test"))
    pictures_are_decoded(page, 4)
    settled(page)

    page.reload()  # the address is the view
    expect(page.get_by_text("637", exact=True)).to_be_visible()


def test_a_link_opens_a_cohort_and_a_product(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=glami-mini&geo=cz&category=dress")
    expect(tiles(page).first).to_be_visible()
    first = tiles(page).first
    expect(first).to_contain_text("dress")
    first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Link to this product")).to_be_visible()
    page.wait_for_url(re.compile("product="))
    name = dialog.locator("h3.vitrine-name").inner_text()

    page.reload()
    expect(page.get_by_role("dialog").locator("h3.vitrine-name")).to_have_text(name)
    settled(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_url(re.compile(r"^[^?]*\?(?!.*product=)"))


def test_nothing_found_says_so_and_offers_the_way_back(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=glami-mini&text=qqqqzzzz")
    expect(page.get_by_text("No product of glami-mini matches")).to_be_visible()
    page.get_by_role("button", name="Show all products").click()
    expect(page.get_by_text("5,096", exact=True)).to_be_visible()


def test_an_unknown_dataset_in_a_link_is_one_clear_line(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=nothing")
    expect(page.get_by_text("There is no dataset named 'nothing'")).to_be_visible()
    settled(page)


def test_a_dataset_is_added_by_path_and_removed(page: Page, server: Server, shared_data: Path) -> None:
    name = f"shop-{'phone' if is_phone(page) else 'desktop'}"
    page.goto(server.url)
    page.get_by_text("Add a dataset").click()
    page.get_by_role("radio", name="A table of your own").click()
    expect(page.get_by_text("Path: CSV, TSV")).to_be_visible()
    page.get_by_label("Path or address").fill(str(shared_data / "magento" / "products.csv"))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Import", exact=True).click()
    card = page.get_by_test_id("stVerticalBlock").filter(has=page.get_by_role("heading", name=name)).last
    expect(card).to_be_visible(timeout=60_000)  # an import is a process of its own
    assert (server.home / name / "dataset.json").exists()
    card.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("heading", name=name)).to_have_count(0, timeout=30_000)
    assert not (server.home / name).exists()


def test_a_bad_path_is_one_clear_error(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_text("Add a dataset").click()
    page.get_by_label("Path or address").fill("/nowhere/at/all.zip")
    page.get_by_label("Name", exact=True).fill("nowhere")
    page.get_by_role("button", name="Import", exact=True).click()
    # the files are looked at first, then the import fails
    expect(page.get_by_text("There is no GLAMI archive at /nowhere/at/all.zip")).to_be_visible(timeout=20_000)
    assert not (server.home / "nowhere").exists()


def test_a_dataset_removed_while_looked_at_is_said(
    chromium: Browser, server: Server, shared_data: Path
) -> None:
    """Somebody else removes it between two clicks."""
    environment = {"VITRINE_HOME": str(server.home)}
    import os

    run = [sys.executable, "-m", "core"]
    table = str(shared_data / "magento" / "products.csv")
    subprocess.run(
        [*run, "import", "table", table, "--name", "fleeting"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        check=True,
    )
    page = chromium.new_page()
    page.goto(f"{server.url}/browse?dataset=fleeting")
    expect(page.get_by_text("417", exact=True)).to_be_visible(timeout=20_000)
    subprocess.run(
        [*run, "remove", "fleeting", "--yes"], cwd=PROJECT, env={**os.environ, **environment}, check=True
    )
    page.get_by_role("button", name="Page 2").click()
    expect(page.get_by_text("There is no dataset named 'fleeting'")).to_be_visible()
    page.close()


def test_links_stay_in_the_tab_and_back_undoes_a_filter(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=glami-mini")
    expect(tiles(page).first).to_be_visible(timeout=20_000)
    if is_phone(page):
        open_sidebar(page)
    page.get_by_test_id("stSidebar").get_by_text("test", exact=True).click()
    expect(page).to_have_url(re.compile("split=test"))
    expect(page.locator(".vitrine-count")).not_to_have_text("5,096")
    page.go_back()
    expect(page).not_to_have_url(re.compile("split=test"))
    expect(page.locator(".vitrine-count")).to_have_text("5,096")
    tile = tiles(page).nth(1)
    expect(tile).to_contain_text("train")  # the grid comes after the count
    if is_phone(page):
        close_sidebar(page)

    tile.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile).to_be_focused()

    page.goto(f"{server.url}/search?dataset=glami-mini&q=Fjord&by=Words")
    page.get_by_role("link", name=re.compile("Best .* in Browse")).click()
    expect(page).to_have_url(re.compile("/browse"))
    assert len(page.context.pages) == 1


def test_the_menu_leads_on_with_the_cohort_in_hand(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/browse?dataset=glami-mini&split=test&geo=cz")
    expect(page.get_by_text("of 5,096 products")).to_be_visible(timeout=20_000)
    count = page.locator(".vitrine-count").inner_text()
    for section, title in (("Audit", "Duplicates"), ("Models", "Evaluate"), ("Explore", "Statistics")):
        go_to(page, section, title)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=SLOW_MS)
        expect(page.locator(".vitrine-count")).to_have_text(count, timeout=SLOW_MS)
        page.wait_for_url(re.compile("(?=.*split=test)(?=.*geo=cz)"))
        settled(page)
    page.get_by_role("button", name="country cz").click()
    expect(page.locator(".vitrine-count")).to_have_text("637", timeout=SLOW_MS)
    page.wait_for_url(lambda url: "geo=" not in url)
    drawn(page)  # a page that is left before has not handed its cohort on
    go_to(page, "Audit", "Duplicates")
    expect(page.get_by_role("heading", name="Duplicates", exact=True)).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".vitrine-count")).to_have_text("637", timeout=SLOW_MS)
    drawn(page)
    page.get_by_role("button", name="split test").click()
    expect(page.locator(".vitrine-count")).to_have_text("5,096", timeout=SLOW_MS)
    go_to(page, "Explore", "Browse")
    expect(page.get_by_role("heading", name="Browse", exact=True)).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".vitrine-count")).to_have_text("5,096", timeout=SLOW_MS)
    page.get_by_test_id("stLogoLink").last.click()
    expect(page.get_by_role("heading", name="Vitrine")).to_be_visible(timeout=SLOW_MS)


def test_no_request_ever_left_this_machine(server: Server) -> None:
    """Runs last in this file: every page above was watched."""
    assert server.outside == []
