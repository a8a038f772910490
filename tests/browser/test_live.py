"""What happens on an open page: the log moves under it, the server goes away, and nothing of the reader's is lost."""

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import Opener, Site, opened, progress, use_key, wait_on

# --- the log moves


def place(page: Page) -> list[Any]:
    """What has the focus, where it leads, and how far down it stands on the screen."""
    found: list[Any] = page.evaluate(
        "(at => [at.tagName, at.textContent, at.getAttribute('href'), at.getBoundingClientRect().top])"
        "(document.activeElement)"
    )
    return found


def is_as_before(page: Page, before: list[Any]) -> bool:
    """Whether the same has the focus at the same place, but for the rounding of half a pixel."""
    *now, top = place(page)
    return bool(now == before[:-1] and abs(top - before[-1]) <= 1)


def test_an_open_page_follows_the_log_and_keeps_its_place(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/pledges/{slug}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.evaluate("window.mine = 1; scrollTo(0, 300)")
    date = page.get_by_label("Show as of")
    date.focus()
    where = place(page)
    site.post(f"/v1/pledges/{slug}/events", progress("over 50bn EUR"))
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    expect(page.locator(".drawing-wide .c-point").first).to_be_attached()
    expect(page.locator("[data-announce]")).to_have_text("The page was brought up to date.")
    expect(date).to_be_focused()
    assert page.evaluate("window.mine") == 1
    wait_on(page, lambda: is_as_before(page, where))


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
    page.route(lambda url: url.endswith("/?q=nsatu"), lambda route: slow.append(route))  # noqa: PLW0108
    page.get_by_label("Search").fill("nsatu")
    page.get_by_role("button", name="Show").click()
    opened(site)
    page.wait_for_timeout(600)
    for route in slow:
        route.continue_()
    expect(page.get_by_role("heading", name="1 pledge found", exact=True)).to_be_visible()
    assert page.url.endswith("/?q=nsatu")
    page.unroute_all()


@pytest.mark.parametrize("path", ["/pledges/{slug}", "/audit"])
def test_what_is_recorded_while_the_page_is_on_its_way_is_shown(tab: Opener, site: Site, path: str) -> None:
    slug = opened(site)
    page = tab("/record")

    def meanwhile(route: Route) -> None:
        site.post(f"/v1/pledges/{slug}/events", progress("over 50bn EUR"))
        route.continue_()

    page.route("**/assets/*/app.js", meanwhile, times=1)
    page.goto(path.format(slug=slug))
    expect(page.locator("[data-live]")).to_have_text("Live")
    expect(page.locator("main")).to_contain_text("over €50bn" if "slug" in path else "Progress reported")
    if "slug" in path:
        expect(page.locator(".headline")).to_contain_text("Exceeded")
    else:
        expect(page.locator("table.log tbody tr").first).to_contain_text(f"{slug} event 2")


def test_a_page_about_the_past_does_not_ask_for_the_log_since_then(tab: Opener) -> None:
    page = tab("/record")
    expect(page.locator("[data-live]")).to_have_text("Live")
    with page.expect_request("**/v1/events/stream*") as asked:
        page.goto("/?at_position=20")
    assert "after=" not in asked.value.url


def brought_up_to_date(page: Page) -> None:
    expect(page.locator("[data-announce]")).to_have_text("The page was brought up to date.")
    page.wait_for_timeout(100)


def test_a_folded_table_stays_open_and_focused_when_the_chart_is_drawn_anew(tab: Opener, site: Site) -> None:
    slug = opened(site)
    site.post(f"/v1/pledges/{slug}/events", progress("10bn EUR"))
    page = tab(f"/pledges/{slug}")
    points, table = page.locator(".drawing-wide .c-point"), page.get_by_text("The chart as a table")
    before = points.count()
    expect(page.locator(".drawing-wide[tabindex='0']")).to_be_visible()
    table.focus()
    table.press("Enter")
    where = place(page)
    site.post(f"/v1/pledges/{slug}/events", progress("50bn EUR", stated_on="2025-08-10"))
    brought_up_to_date(page)
    expect(table).to_be_focused()
    expect(page.get_by_role("cell", name="50,000,000,000", exact=False)).to_be_visible()
    expect(points).to_have_count(before + 1)
    expect(page.locator(".drawing-wide")).to_have_attribute("aria-label", re.compile("€50bn of"))
    wait_on(page, lambda: is_as_before(page, where))


ANOTHER = {"stated_on": "2025-01-20", "source": {"publisher": "Another Gazette", "tier": "media"}}
"""What was said before all the rest: on the page it comes first."""


@pytest.mark.parametrize(
    "link",
    [
        ".because a.ref >> nth=0",
        ".facts .tags a >> nth=0",
        ".latest a.ref >> nth=0",
        ".timeline summary >> nth=0",
    ],
)
def test_a_link_on_a_pledge_keeps_focus_place_and_meaning(tab: Opener, site: Site, link: str) -> None:
    slug = opened(site, tags=["aid"])
    site.post(f"/v1/pledges/{slug}/events", progress("10bn EUR"))
    page = tab(f"/pledges/{slug}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.locator(link).focus()
    where = place(page)
    figure = progress("1bn EUR")["figure"] | {"stage": "committed", "period": {"start": "2025-01-01"}}
    site.post(f"/v1/pledges/{slug}/events", progress("1bn EUR") | ANOTHER | {"figure": figure})
    brought_up_to_date(page)
    wait_on(page, lambda: is_as_before(page, where))


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/audit", "table.log td:nth-child(4) a >> nth=20"),
        ("/", "tr.pledge th a >> nth=4"),
        ("/?sort=-last_stated_on", "tr.pledge th a >> nth=4"),
    ],
)
def test_a_link_in_a_list_keeps_focus_place_and_meaning(tab: Opener, site: Site, path: str, link: str) -> None:
    page = tab(path)
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.locator(link).focus()
    where = place(page)
    slug = f"aaa-{uuid.uuid4().hex[:8]}"
    opened(site, pledge=slug, title=slug, stated_on="2026-01-10")
    site.post(f"/v1/pledges/{slug}/events", progress("over 5000bn EUR", stated_on="2026-02-01"))
    brought_up_to_date(page)
    wait_on(page, lambda: is_as_before(page, where))


MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) => ["", "::before", "::after"].map((part) => {
  const style = getComputedStyle(element, part);
  const still = style.animationName === "none" && style.scrollBehavior === "auto"
    && style.transitionDuration.split(", ").every((duration) => duration === "0s");
  return still ? "" : `${element.tagName}${part}`;
})).filter(Boolean)"""
"""What would move."""


@pytest.mark.parametrize("path", ["/", "/pledges/nato-ukraine-2024", "/record", "/schema", "/embed/nato-ukraine-2024"])
def test_nothing_moves_for_those_who_asked_for_it(tab: Opener, path: str) -> None:
    page = tab(path, reduced_motion="reduce")
    page.evaluate("document.querySelector('h1, h2, main, body').classList.add('is-fresh')")
    page.evaluate("document.documentElement.classList.add('is-loading')")
    assert page.evaluate(MOVING) == []


def test_a_page_begins_anew_when_the_log_is_another_history(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/pledges/{slug}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.evaluate("window.mine = 1")
    with page.expect_event("load"):
        forked = site.fork("the copy of yesterday")
    expect(page.locator("[data-live]")).to_have_text("Live")
    assert page.evaluate("window.mine") is None
    assert site.get("/v1/log")["log"] == forked
    site.post(f"/v1/pledges/{slug}/events", progress("over 50bn EUR"))
    expect(page.locator(".headline")).to_contain_text("Exceeded")


# --- the server goes away


@pytest.mark.parametrize("width", [320, 1440])
def test_with_a_key_held_a_page_that_does_not_come_is_told_of_where_it_is_seen(tab: Opener, width: int) -> None:
    page = tab("/record?pledge=nato-ukraine-2024&type=StatementMade", refused=True, away=True, width=width)
    use_key(page)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    page.get_by_label("Summary").fill("half a sentence")
    page.route("**/audit*", lambda route: route.abort())
    page.get_by_role("link", name="Audit", exact=True).click()
    notice = page.get_by_role("alert").filter(has_text="The server does not answer")
    expect(notice).to_be_in_viewport()
    expect(page.get_by_label("Summary")).to_have_value("half a sentence")
    assert "/record" in page.url
    page.unroute_all()
    notice.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Every event, in the order of recording")).to_be_visible()
    expect(notice).to_be_hidden()
    page.go_back()
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    expect(page.get_by_label("Summary")).to_have_value("half a sentence")


def test_a_step_back_that_fails_keeps_the_page_and_the_key(tab: Opener) -> None:
    page = tab("/record?pledge=nato-ukraine-2024&type=StatementMade", refused=True, away=True)
    use_key(page)
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page).to_have_url(re.compile("/audit$"))
    page.route("**/record*", lambda route: route.abort())
    page.go_back()
    expect(page.get_by_role("alert").filter(has_text="The server does not answer")).to_be_visible()
    expect(page.get_by_role("heading", name="Every event, in the order of recording")).to_be_visible()
    page.get_by_role("button", name="Stay here").click()
    expect(page).to_have_url(re.compile("/audit$"))
    page.go_back()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
