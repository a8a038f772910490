"""The statement of a pledge on paper, as Chromium prints it."""

import re

import pytest

from tests.support.browser import Opener, Site

PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
"""A page in a PDF of Chromium, whose page objects are not compressed."""

PAPERS = ("A4", "Letter")


@pytest.mark.parametrize("paper", PAPERS)
def test_the_statement_of_every_pledge_of_the_seeds_is_one_page(tab: Opener, site: Site, paper: str) -> None:
    pledges = [item["pledge"] for item in site.get("/v1/pledges?limit=100")["items"]]
    assert len(pledges) == 12
    page = tab(f"/pledges/{pledges[0]}/statement")
    pages = {}
    for pledge in pledges:
        page.goto(f"{site.url}/pledges/{pledge}/statement")
        pages[pledge] = len(PAGE.findall(page.pdf(format=paper)))
    assert pages == dict.fromkeys(pledges, 1)


@pytest.mark.parametrize("paper", PAPERS)
def test_a_pledge_of_the_seeds_is_two_pages(tab: Opener, site: Site, paper: str) -> None:
    page = tab("/pledges/nato-ukraine-2024")
    pages = {}
    for pledge in (item["pledge"] for item in site.get("/v1/pledges?limit=100")["items"]):
        page.goto(f"{site.url}/pledges/{pledge}")
        pages[pledge] = len(PAGE.findall(page.pdf(format=paper)))
    assert len(pages) == 12
    assert {pledge: n for pledge, n in pages.items() if n > 2} == {}


def test_on_paper_an_event_has_all_that_it_has_on_the_screen(tab: Opener) -> None:
    page = tab("/pledges/nato-ukraine-2024/statement")
    event = page.locator(".statement-events tbody").first
    shown = event.inner_text().split()
    page.emulate_media(media="print")
    assert event.inner_text().split() == shown
    assert page.locator(".statement-leaf code").last.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_the_events_are_paragraphs_that_fit(tab: Opener) -> None:
    page = tab("/pledges/nato-ukraine-2024/statement")
    page.set_viewport_size({"width": 390, "height": 800})
    box = page.locator(".statement-events tbody").first.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
