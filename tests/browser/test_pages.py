"""The pages in a real browser: the seeds' story told by clicking, time, the API and keys."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import SOURCE
from tests.support.browser import (  # fmt: skip
    LICENSE,
    Opener,
    Site,
    opened,
    progress,
    serving,
    use_key,
)

AID = "/pledges/nato-ukraine-2024"


def row(page: Page, title: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=title, exact=True))


# --- the story


def test_the_story_of_the_seeds_is_told_by_clicking(tab: Opener) -> None:
    page = tab("/")
    aid = row(page, "At least EUR 40 billion of security assistance to Ukraine")
    expect(aid).to_contain_text("Exceeded")
    expect(aid).to_contain_text("over €50bn of at least €40bn")
    expect(aid).to_contain_text("over 125\u00a0%")
    expect(aid.locator(".bar-fade")).to_have_count(1)
    aid.get_by_role("link", name="At least EUR 40 billion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "At least EUR 40 billion of security assistance to Ukraine"
    )
    because = page.locator(".because")
    expect(because).to_contain_text("Exceeded because every possible value of what is reported lies beyond the target")
    because.get_by_role("link", name="event 9").click()
    expect(page.locator("details.event:has(:target)")).to_contain_text("Claimed to be exceeded: over €50bn")
    expect(page.locator("details.event:has(:target)")).to_contain_text("The Sofia Globe")
    expect(page.get_by_text("so over €25bn")).to_be_visible()
    expect(page.locator("footer")).to_contain_text(LICENSE)


def test_on_another_day_the_same_page_says_what_had_been_said_by_then(tab: Opener) -> None:
    page = tab(AID)
    page.get_by_label("Show as of").fill("2024-10-16")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".headline")).to_contain_text("In progress")
    expect(page.locator(".headline-text")).to_contain_text("€20.9bn of at least €40bn")
    expect(page.locator(".facts")).to_contain_text("on track")
    assert page.url.endswith("?as_of=2024-10-16")
    page.reload()
    expect(page.locator(".headline")).to_contain_text("In progress")
    page.get_by_role("link", name="Pledges", exact=True).first.click()
    expect(page.get_by_role("heading", name="Was it kept?")).to_be_visible()


WEIGHT = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter((entry) => !entry.name.includes("/v1/events/stream")).map((entry) => [entry.name, entry.transferSize])"""
"""What was asked for, with the bytes that came over the wire."""


@pytest.mark.parametrize(("width", "most"), [(1440, 2_200), (390, 3_600)])
def test_the_pledge_of_the_seeds_is_two_screens_of_a_phone_and_folds(tab: Opener, width: int, most: int) -> None:
    page = tab(AID)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollHeight") <= most


def test_a_page_weighs_little_and_asks_for_little(tab: Opener) -> None:
    page = tab(AID)
    expect(page.locator(".drawing-wide[tabindex='0']")).to_be_visible()
    asked = page.evaluate(WEIGHT)
    assert len(asked) <= 6, asked
    assert sum(size for _, size in asked) <= 60_000, asked


def test_abbreviated_figures_have_the_exact_one_beside_them(tab: Opener) -> None:
    page = tab(AID)
    reported = page.locator(".facts .num", has_text="over €50bn")
    title = reported.get_attribute("title") or ""
    assert title.startswith("over 50,000,000,000\u00a0EUR")
    page.get_by_text("The chart as a table").click()
    expect(page.get_by_role("cell", name="over 50,000,000,000", exact=False)).to_be_visible()


def test_members_are_a_grid_that_adds_up(tab: Opener) -> None:
    page = tab("/pledges/nato-2-percent-2024")
    expect(page.locator(".headline-text")).to_contain_text("22 of 31 members")
    assert page.locator(".member").count() == 32
    expect(page.locator(".member", has_text="Belgium")).to_contain_text("Not met")
    expect(page.locator(".member", has_text="Iceland")).to_contain_text("Does not apply")


def test_a_chart_tells_what_is_pointed_at(tab: Opener) -> None:
    page = tab(AID)
    page.locator(".drawing-wide").scroll_into_view_if_needed()
    mark = page.locator(".drawing-wide .c-mark").last.bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] + 6, mark["y"] + 6)
    tip = page.locator(".chart-tip")
    expect(tip).to_contain_text("over €50bn")
    expect(tip).to_contain_text("said on 12\u00a0Feb\u00a02025")
    page.mouse.move(0, 0)
    expect(tip).to_be_empty()


def test_a_chart_is_read_with_the_arrow_keys(tab: Opener) -> None:
    page = tab(AID)
    drawing, tip = page.locator(".drawing-wide"), page.locator(".chart-tip")
    page.get_by_role("link", name="event 9").last.focus()
    drawing.focus()
    drawing.press("End")
    expect(tip).to_contain_text("over €50bn")
    expect(tip).to_have_attribute("role", "status")
    drawing.press("ArrowLeft")
    expect(tip).to_contain_text("€20.9bn")
    drawing.press("Escape")
    expect(tip).to_be_empty()


def test_a_part_of_the_time_is_chosen_by_dragging_or_by_its_days(tab: Opener) -> None:
    page = tab(AID)
    page.locator(".drawing-wide").scroll_into_view_if_needed()
    box = page.locator(".drawing-wide").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 90, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=2024-\d\d-\d\d&to=2025-\d\d-\d\d$"))
    shown = page.locator(".drawing-wide")
    expect(shown).to_have_attribute("data-first", re.compile("^2024-"))
    page.get_by_role("link", name="All of it").click()
    expect(page).to_have_url(re.compile(f"{AID}$"))
    expect(shown).to_have_attribute("data-first", "2024-01-01")
    plain = tab(AID, java_script_enabled=False)
    plain.get_by_text("Show a part of the time").click()
    plain.get_by_label("From", exact=True).fill("2025-01-01")
    plain.get_by_role("button", name="Draw").click()
    expect(plain.locator(".drawing-wide")).to_have_attribute("data-first", "2025-01-01")


BROKEN = """() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node; (node = walker.nextNode()); ) {
    if (node.parentElement.closest("code.root, details:not([open]) > :not(summary)")) continue;  // a hash, or folded
    for (const found of node.data.matchAll(/[\\p{L}\\p{N}]{2,16}/gu)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      if (new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1) broken.push(found[0]);
    }
  }
  return broken;
}"""
"""The words that stand on two lines."""


@pytest.mark.parametrize("path", ["/", "/?status=overdue", AID, "/pledges/nato-2-percent-2024", "/audit"])
def test_no_word_is_broken_on_a_small_screen(tab: Opener, path: str) -> None:
    assert tab(path, width=320).evaluate(BROKEN) == []


OUTSIDE = """(drawing) => {
  const frame = document.querySelector(drawing).getBoundingClientRect();
  return [...document.querySelectorAll(`${drawing} text`)]
    .filter((text) => text.textContent.startsWith("target"))
    .filter((text) => { const b = text.getBoundingClientRect(); return b.left < frame.left || b.right > frame.right; })
    .map((text) => text.textContent);
}"""
"""The labels that stand out of the drawing."""


def test_the_label_of_a_target_stays_in_the_drawing(tab: Opener, site: Site) -> None:
    unit = "count:very-long-range-artillery-shells"
    slug = opened(site, kind="count", target=f"at least 40k {unit}")
    raised = {
        "type": "PledgeRevised", "stated_on": "2025-12-01", "target": f"at least 60k {unit}", "reason": "raised",
        "source": SOURCE,
    }  # fmt: skip
    site.post(f"/v1/pledges/{slug}/events", raised)
    for width, size in ((320, "narrow"), (1440, "wide")):
        page = tab(f"/pledges/{slug}", width=width, java_script_enabled=width == 320)
        drawing = f"svg.drawing-{size}"
        expect(page.locator(f"{drawing} text.c-label").first).to_be_visible()
        if size == "wide":
            assert page.locator(f"{drawing} text", has_text="target").count() == 2
            assert page.evaluate(OUTSIDE, drawing) == []


# --- time


def test_a_month_is_chosen_in_the_areas_and_in_the_table_beside_them(tab: Opener) -> None:
    page = tab("/")
    page.locator(".area-bands a").nth(-6).click()
    expect(page).to_have_url(re.compile(r"\?as_of=\d{4}-\d\d-\d\d$"))
    page.get_by_text("As a table").click()
    table = page.get_by_role("group", name="Status over time").get_by_role("link")
    table.nth(-1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"^\d+ pledges?$"))).to_be_visible()
    page.get_by_label("Days to look at").get_by_role("link", name="Today").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.get_by_role("heading", name=re.compile(r"^1\d pledges$"))).to_be_visible()


def test_back_leads_to_the_view_before_and_keeps_the_focus(tab: Opener) -> None:
    page = tab("/")
    heading = page.get_by_role("heading", name=re.compile(r"pledges?( found)?$")).first
    kind = page.locator("#facets").get_by_role("link", name=re.compile("^milestone"))
    kind.focus()
    kind.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?kind=milestone$"))
    expect(heading).to_have_text(re.compile("found$"))
    expect(kind).to_be_focused()
    expect(kind).to_have_attribute("aria-current", "true")
    due = page.get_by_role("columnheader", name="Due").get_by_role("link")
    due.click()
    expect(page).to_have_url(re.compile(r"/\?kind=milestone&sort=due$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?kind=milestone$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(heading).to_have_text(re.compile(r"^1\d pledges$"))
    page.go_forward()
    expect(kind).to_have_attribute("aria-current", "true")


def test_a_correction_shows_what_we_knew_beside_what_is_known_now(tab: Opener, site: Site) -> None:
    slug = opened(site)
    wrong = site.post(f"/v1/pledges/{slug}/events", progress("209bn EUR"))
    correction = {
        "type": "EventCorrected", "stated_on": "2025-07-12", "event": wrong["event"]["id"],
        "changes": {"figure": {"quantity": {"value": "20900000000"}}}, "reason": "a slip",
    }  # fmt: skip
    site.post(f"/v1/pledges/{slug}/events", correction)
    page = tab(f"/pledges/{slug}")
    panel = page.locator(".compare")
    actual = panel.get_by_role("row", name="Actual")
    expect(actual).to_contain_text("€209bn")
    expect(actual).to_contain_text("€20.9bn")
    expect(page.locator(".event", has_text="€209bn")).to_contain_text("corrected by us, event 3")
    panel.get_by_role("link", name="as we knew it before").click()
    expect(page).to_have_url(re.compile(rf"at_position={wrong['position']}$"))
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    page.get_by_role("link", name="See the page as it is known now").click()
    expect(page.locator(".headline-text")).to_contain_text("€20.9bn of at least €40bn")


# --- without JavaScript


def test_without_javascript_forms_do_all_of_it(tab: Opener) -> None:
    page = tab("/", java_script_enabled=False)
    page.get_by_label("Show as of").fill("2025-01-01")
    page.get_by_role("button", name="Show").click()
    page.locator("#facets").get_by_role("link", name=re.compile("^Ukraine")).click()
    page.get_by_label("Search").fill("assistance")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="2 pledges found")).to_be_visible()
    assert "as_of=2025-01-01" in page.url
    page.locator("tr.pledge").get_by_role("link", name="At least EUR 40 billion").click()
    expect(page.locator(".headline")).to_contain_text("In progress")
    expect(page.locator("svg.drawing-wide")).to_be_visible()
    page.get_by_role("link", name="Audit it").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".notice-good")).to_contain_text("No difference.")
    page.get_by_label("Recorded by").fill("nobody")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No event fits.")).to_be_visible()


def test_headlines_narrow_the_list_and_widen_it_again(tab: Opener) -> None:
    page = tab("/?q=nato")
    tiles = page.locator(".tiles")
    tiles.get_by_role("link", name=re.compile("Overdue")).click()
    expect(page).to_have_url(re.compile("status=overdue$"))
    tiles.get_by_role("link", name=re.compile("Exceeded")).click()
    expect(page).to_have_url(re.compile("status=overdue,exceeded"))
    expect(page.locator("tr.pledge")).to_have_count(4)
    tiles.get_by_role("link", name=re.compile("Overdue")).click()
    expect(page.locator("tr.pledge")).to_have_count(1)


# --- the API


def test_every_call_can_be_tried_where_the_api_is_described(tab: Opener, site: Site) -> None:
    page = tab("/schema")
    one = page.locator("details", has=page.locator("summary code", has_text=re.compile(r"^/v1/pledges/{pledge}$")))
    one.locator("summary").click()
    one.get_by_label("pledge").fill("nato-ukraine-2024")
    one.get_by_label("as_of").fill("2024-10-16")
    one.get_by_role("button", name="Send").click()
    expect(one.locator("pre")).to_contain_text('"status": "in_progress"')
    expect(one.locator("pre")).to_contain_text("memento-datetime: Wed, 16 Oct 2024 00:00:00 GMT")


def test_a_stream_is_shown_as_it_comes_and_ends_when_it_is_folded(tab: Opener, site: Site) -> None:
    page = tab("/schema")
    live = page.locator("details", has=page.locator("summary code", has_text="/v1/events/stream"))
    live.locator("summary").click()
    live.get_by_role("button", name="Send").click()
    expect(live.locator("pre")).to_contain_text("retry: 2000")
    slug = opened(site)
    expect(live.locator("pre")).to_contain_text(f'"pledge":"{slug}"')
    with page.expect_event("requestfailed", lambda request: "/v1/events/stream" in request.url):
        live.locator("summary").click()


# --- who may, and what is not there


def test_a_private_record_is_read_with_a_key_that_stays_in_memory(tab: Opener, tmp_path: Path) -> None:
    with serving(tmp_path, seeded=False, TRACKER_PUBLIC_READ="false") as private:
        slug = opened(private)
        page = tab("/", base=private, refused=True)
        expect(page.get_by_role("heading", name="This record is not public")).to_be_visible()
        expect(page.get_by_text("Ask whoever runs it for a key")).to_be_visible()
        use_key(page)
        expect(page.get_by_role("heading", name="1 pledge", exact=True)).to_be_visible()
        page.locator("tr.pledge").get_by_role("link", name=f"Aid {slug}").click()
        expect(page.locator(".headline")).to_contain_text("Overdue")
        page.context.close()


def test_an_auditor_replays_the_whole_log(tab: Opener) -> None:
    page = tab("/audit")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Folding the whole log is for auditors")).to_be_visible()
    use_key(page)
    expect(page.locator(".notice-good")).to_contain_text("No difference.")
    expect(page.locator(".notice-good")).to_contain_text(re.compile(r"\d\d pledges folded"))


def test_a_wrong_address_is_told_so_by_a_page(tab: Opener) -> None:
    page = tab("/pledges/no-such-pledge")
    expect(page.get_by_role("heading", name="No such pledge")).to_be_visible()
    page.get_by_role("link", name="All pledges, today").click()
    expect(page.get_by_role("heading", name="Was it kept?")).to_be_visible()
