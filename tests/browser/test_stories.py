"""What a journalist and an auditor came for, told by clicking, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import SIZES, Opener, Site

AID = "/pledges/nato-ukraine-2024"
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("width", [1440, 390])
def test_a_journalist_sees_the_verdict_asks_about_a_day_and_takes_it_along(tab: Opener, width: int) -> None:
    page = tab("/")
    page.set_viewport_size(PHONE if width == 390 else SIZES[width])  # type: ignore[arg-type]
    page.get_by_role("link", name="At least EUR 40 billion of security assistance to Ukraine").click()
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    expect(page.locator(".headline")).to_be_in_viewport()
    latest = page.locator(".latest")
    expect(latest).to_contain_text("over €50bn")
    expect(latest).to_contain_text("Mark Rutte, 12\u00a0Feb\u00a02025; The Sofia Globe")
    # what stood on the day of the first report, by its chip
    page.get_by_label("Days to look at").get_by_role("link", name=re.compile("In progress")).click()
    expect(page.locator(".headline-text")).to_contain_text("€20.9bn of at least €40bn")
    page.get_by_role("link", name="Today").first.click()
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    # both dates, one of them before our first record, is an answer
    page.get_by_text("For auditors: our record as it stood on").click()
    page.goto(f"{page.url}?as_of=2024-12-31&known_on=2024-12-31")
    expect(page.get_by_text("We had recorded nothing of this pledge by then")).to_be_visible()
    expect(page.locator(".headline")).to_contain_text("In progress")
    # the words and the address to cite, and a picture
    page.locator(".ways").get_by_text("Cite").click()
    expect(page.locator(".ways .way").first).to_contain_text(re.compile(r"as of 31\sDec\s2024.*at_position=\d+"))
    page.locator(".ways").get_by_text("Image").click()
    with page.expect_download() as picture:
        page.get_by_role("link", name="PNG").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_an_auditor_goes_from_a_line_to_its_source_and_to_the_whole_record(tab: Opener, site: Site) -> None:
    page = tab(AID)
    line = page.locator(".timeline > li", has_text="Claimed to be exceeded")
    line.locator("summary").click()
    detail = line.locator(".event-body")
    expect(detail).to_contain_text("The Sofia Globe")
    expect(detail).to_contain_text(re.compile(r"position \d+"))
    expect(detail.get_by_role("link", name=re.compile("correct it"))).to_be_hidden()  # only with a key
    statements = page.locator(".timeline .talk", has_text="4 statements: 2 support, 1 qualifies")
    statements.locator("summary").first.click()
    expect(statements.locator("details.event")).to_have_count(4)
    page.get_by_role("link", name="The whole record").click()
    expect(page).to_have_url(re.compile(f"{AID}/record$"))
    expect(page.get_by_role("heading", name="Every figure, and whether it counts")).to_be_visible()
    expect(page.locator("li.event")).to_have_count(14)
    page.get_by_role("link", name="as we recorded it").click()
    expect(page).to_have_url(re.compile(r"axis=known"))
    page.get_by_role("link", name="The pledge in one look").click()
    page.locator(".ways").get_by_role("link", name="Statement").click()
    expect(page.get_by_role("heading", name=re.compile("The first checkpoint that covers position"))).to_be_visible()


def test_a_link_to_an_event_unfolds_it(tab: Opener) -> None:
    page = tab(AID)
    talk = page.locator(".timeline .talk .event-body").first
    address = talk.get_attribute("id")
    assert talk.is_hidden()
    page.goto(f"{AID}#{address}")
    expect(page.locator(f"#{address}")).to_be_visible()
    expect(page.locator(f"#{address}")).to_be_in_viewport()


def test_a_pledge_is_whole_at_twice_the_size(tab: Opener) -> None:
    """A window of 1440 px at 200 % is one of 720 px."""
    page = tab(AID, width=1440)
    page.set_viewport_size({"width": 720, "height": 450})
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    expect(page.locator(".drawing-wide")).to_be_visible()
    expect(page.locator(".drawing-narrow")).to_be_hidden()


def test_a_frame_tells_the_page_around_it_how_high_it_is(tab: Opener, site: Site) -> None:
    page = tab("/embed/nato-2-percent-2024")
    expect(page.locator(".state")).to_contain_text("22 of 31")
    told = page.evaluate(
        """() => new Promise((heard) => {
          addEventListener("message", (event) => heard(event.data), { once: true });
          dispatchEvent(new Event("load"));
        })"""
    )
    assert told["type"] == "commitments-tracker:height"
    assert 100 < told["height"] < 600


def test_the_snippet_shows_what_it_gives(tab: Opener) -> None:
    page = tab("/pledges/nato-2-percent-2024")
    page.get_by_text("Embed", exact=True).click()
    expect(page.frame_locator(".way iframe").get_by_text("22 of 31")).to_be_visible()
