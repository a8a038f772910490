"""What happens on an open page: the log moves under it, and nothing of the reader's is lost."""

import re

from playwright.sync_api import Route, expect

from tests.browser_support import Opener, Site, opened, progress

pytest_plugins = ["tests.browser_fixtures"]


# --- the log moves


def test_an_open_page_follows_the_log_and_keeps_its_place(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/pledges/{slug}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.evaluate("window.mine = 1; scrollTo(0, 300)")
    date = page.get_by_label("What had been said by")
    date.focus()
    scrolled = page.evaluate("scrollY")
    site.post(f"/v1/pledges/{slug}/events", progress("over 50bn EUR"))
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    expect(page.locator("svg.plot [aria-label=dot] circle").first).to_be_attached()
    expect(page.locator("[data-announce]")).to_have_text("The page was brought up to date.")
    expect(date).to_be_focused()
    assert page.evaluate("window.mine") == 1
    assert page.evaluate("scrollY") == scrolled


def test_what_is_being_typed_stays_when_the_log_moves(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=FigureRestated")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.get_by_label("Reason").fill("half a sentence")
    before = int(page.locator("[data-position]").get_attribute("data-position") or 0)
    site.post(f"/v1/pledges/{slug}/events", progress("3bn EUR"))
    expect(page.locator(f"[data-position='{before + 1}']")).to_be_attached()
    expect(page.get_by_label("Reason")).to_have_value("half a sentence")


def test_the_log_moving_does_not_hold_up_somebody_on_the_way(tab: Opener, site: Site) -> None:
    page = tab("/")
    expect(page.locator("[data-live]")).to_have_text("Live")
    slow: list[Route] = []
    page.route(lambda url: url.endswith("/?q=wiesbaden"), lambda route: slow.append(route))  # noqa: PLW0108
    page.get_by_label("Search").fill("wiesbaden")
    page.get_by_role("button", name="Apply").click()
    opened(site)
    page.wait_for_timeout(600)
    for route in slow:
        route.continue_()
    expect(page.get_by_role("heading", name="1 pledge found", exact=True)).to_be_visible()
    assert page.url.endswith("/?q=wiesbaden")
    page.unroute_all()


def test_nothing_moves_for_those_who_asked_for_it(tab: Opener) -> None:
    page = tab("/", reduced_motion="reduce")
    page.evaluate("document.querySelector('h1').classList.add('is-fresh')")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).animationName") == "none"
