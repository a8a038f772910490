"""The overview in a real browser, at 12, 312 and 20,000 pledges: what is seen at once, by keyboard, on a phone."""

import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from benchmarks.generate import load
from tests.support.axe import violations
from tests.support.browser import SIZES, TRACKER, Opener, Site, serving
from tests.support.many_pledges import load_promises

PHONE = {"width": 390, "height": 844}
MAX_STOPS = 8
"""Presses of Tab from the search to a pledge, at most."""

MAX_PAGE_BYTES = 60_000
"""Bytes of a page over the wire, with all that it asks for."""

WEIGHT = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter((entry) => !entry.name.includes("/v1/events/stream")).reduce((sum, entry) => sum + entry.transferSize, 0)"""


def tops(page: Page) -> float:
    """Where the first pledge begins, in px from the top."""
    top: float = page.locator("tr.pledge").first.evaluate("row => row.getBoundingClientRect().top + scrollY")
    return top


def must_be_one_look(page: Page) -> None:
    """The first pledge is above the fold on a desk, within one swipe on a phone, and nothing is wider than either."""
    for size, most in ((SIZES[1440], 900), (PHONE, 2 * PHONE["height"])):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert tops(page) < most, size
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.set_viewport_size(SIZES[1440])  # type: ignore[arg-type]


def presses_to_a_pledge(page: Page, words: str) -> int:
    """How often Tab is pressed from the search, where words are typed, to the first pledge that is found."""
    page.get_by_label("Search").fill(words)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("found$"))).to_be_visible()
    expect(page.get_by_label("Search")).to_be_focused()
    for presses in range(1, 60):
        page.keyboard.press("Tab")
        focused: dict[str, Any] = page.evaluate(
            "() => { const e = document.activeElement; return {skips: e.matches('.skip-list'),"
            " is_pledge: e.matches('tr.pledge th a')}; }"
        )
        if focused["is_pledge"]:
            return presses
        if focused["skips"]:
            expect(page.locator(".skip-list")).to_be_in_viewport()
            page.keyboard.press("Enter")
    raise AssertionError("no pledge is reached")


# --- 12 pledges


def test_twelve_pledges_are_one_look_and_one_of_them_is_a_few_keys_away(tab: Opener) -> None:
    page = tab("/")
    must_be_one_look(page)
    assert presses_to_a_pledge(page, "space") <= MAX_STOPS
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("NATO Commercial Space Strategy agreed")


def test_without_a_script_the_list_is_narrowed_sorted_and_set_to_a_month(tab: Opener) -> None:
    page = tab("/", java_script_enabled=False)
    page.locator(".tiles").get_by_role("link", name=re.compile("Overdue")).click()
    expect(page.get_by_role("heading", name="3 pledges found")).to_be_visible()
    page.get_by_role("columnheader", name="Pledge").get_by_role("link").click()
    expect(page.locator("tr.pledge th a").first).to_have_text("NATO Commercial Space Strategy agreed")
    page.get_by_text("As a table").click()
    page.locator(".area-table").get_by_role("link", name="31 Jan 2025").click()
    expect(page).to_have_url(re.compile("as_of=2025-01-31"))
    page.get_by_role("link", name="Totals").click()
    expect(page.get_by_role("heading", name="Totals", exact=True)).to_be_visible()


def test_an_empty_record_says_how_to_begin(tab: Opener, tmp_path: Any) -> None:
    with serving(tmp_path, seeded=False) as empty:
        page = tab("/", base=empty)
        expect(page.get_by_role("heading", name="The record is empty")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("link", name="Record the first pledge").click()
        expect(page).to_have_url(re.compile("/record$"))
        page.context.close()


def test_a_cell_of_two_days_is_opened_and_closed(tab: Opener) -> None:
    page = tab("/")
    page.get_by_role("link", name="Compare two days").click()
    page.get_by_label("Between").fill("2024-12-31")
    page.get_by_label("and", exact=True).fill("2025-03-01")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".press")).to_contain_text("Between 31\u00a0Dec\u00a02024 and 1\u00a0Mar\u00a02025")
    page.locator(".matrix").get_by_role("link", name="from Announced to Overdue").click()
    expect(page.get_by_role("heading", name="A deadline passed")).to_be_visible()
    expect(page.locator("#changes li").first).to_contain_text("Overdue")
    page.get_by_role("link", name=re.compile(r"^All \d+ changes")).click()
    expect(page.get_by_role("heading", name="Said in the world")).to_be_visible()


# --- 312 pledges


@pytest.fixture(scope="module")
def hundreds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """312 pledges of 8 to 12 events, served."""
    yield from _served(tmp_path_factory, lambda url: load(url, 312))


def _served(factory: pytest.TempPathFactory, fill: Any) -> Iterator[Site]:
    folder = factory.mktemp("site")
    url = f"sqlite:///{folder}/tracker.db"
    fill(url)
    environment = {**os.environ, "TRACKER_DATABASE_URL": url}
    subprocess.run([*TRACKER, "rebuild"], env=environment, check=True, capture_output=True)
    with serving(folder, seeded=False) as site:
        yield site


def test_hundreds_of_pledges_are_one_look_of_little_weight(tab: Opener, hundreds: Site) -> None:
    page = tab("/", base=hundreds)
    must_be_one_look(page)
    assert page.locator("tr.pledge").count() == 25
    assert page.evaluate(WEIGHT) <= MAX_PAGE_BYTES
    assert presses_to_a_pledge(page, "no. 51") <= MAX_STOPS
    page.go_back()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == []


def test_pages_are_turned_and_every_page_has_its_own_rows(tab: Opener, hundreds: Site) -> None:
    page = tab("/?sort=title", base=hundreds)
    first = page.locator("tr.pledge th a").all_inner_texts()
    page.get_by_role("navigation", name="Pages of the list").get_by_role("link", name="Page 2").click()
    expect(page.locator(".pages [aria-current=page]")).to_have_text("2")
    second = page.locator("tr.pledge th a").all_inner_texts()
    assert len(set(first) | set(second)) == 50
    expect(page.locator("#list")).to_be_in_viewport()
    page.get_by_role("navigation", name="Pages of the list").get_by_role("link", name="Page 13").click()
    expect(page.locator("tr.pledge")).to_have_count(12)


def test_on_a_phone_filters_are_a_sheet(tab: Opener, hundreds: Site) -> None:
    page = tab("/", base=hundreds)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sheet = page.locator("#facets")
    expect(sheet).to_be_hidden()
    opener = page.get_by_role("button", name="Filter")
    opener.click()
    expect(sheet).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    opener.click()
    sheet.get_by_role("link", name=re.compile("^Government of SE")).click()
    expect(page).to_have_url(re.compile(r"pledgor=SE"))
    expect(page.get_by_role("heading", name=re.compile(r"^\d+ pledges found$"))).to_be_visible()
    expect(page.get_by_role("button", name="Filter (1)")).to_be_attached()


def test_whoever_builds_a_dashboard_takes_this_very_view_along(tab: Opener, hundreds: Site) -> None:
    page = tab("/?sort=title", base=hundreds)
    facets = page.locator("#facets")
    facets.get_by_role("link", name=re.compile("^energy")).click()
    page.locator(".tiles").get_by_role("link", name=re.compile("Overdue")).click()
    expect(page).to_have_url(re.compile("tag=energy&status=overdue"))
    shown = page.locator("tr.pledge").evaluate_all("rows => rows.map(row => row.id.slice(2))")
    found = int(page.locator("#list-title").inner_text().split()[0])
    data = page.locator(".this-data")
    link = data.get_by_role("link", name="JSON").get_attribute("href")
    answer = page.request.get(str(link))
    items = [item["pledge"] for item in answer.json()["items"]]
    assert (items[: len(shown)], len(items)) == (shown, found)
    again = page.request.get(str(link), headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    with page.expect_download() as sheet:
        data.get_by_role("link", name="CSV").click()
    lines = sheet.value.path().read_text("utf-8").splitlines()
    assert [line.split(",")[0] for line in lines[1 : 1 + len(shown)]] == shown
    feed = data.get_by_role("link", name="feed").get_attribute("href")
    assert "<entry>" in page.request.get(str(feed)).text()


# --- 20,000 pledges


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """20,000 pledges of one event, served."""
    yield from _served(tmp_path_factory, lambda url: load_promises(url, 20_000))


@pytest.mark.slow
@pytest.mark.many
def test_twenty_thousand_pledges_are_no_other_page_than_twelve(tab: Opener, thousands: Site) -> None:
    page = tab("/", base=thousands)
    expect(page.get_by_role("heading", name="20000 pledges")).to_be_visible()
    must_be_one_look(page)
    assert page.evaluate(WEIGHT) <= MAX_PAGE_BYTES
    assert presses_to_a_pledge(page, "promise-12345") <= MAX_STOPS
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Promise 12345 of CA")
    page.goto("/?sort=due&page=400")
    expect(page.locator("tr.pledge")).to_have_count(25)
    page.locator("#facets").get_by_role("link", name=re.compile("^Government of DE")).click()
    expect(page.get_by_role("heading", name="1667 pledges found")).to_be_visible()
