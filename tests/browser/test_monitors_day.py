"""A monitor's day in a browser: facts by keyboard, a correction by example, proposals, and two monitors at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_proposals import Holder
from tests.support.api import SOURCE, prepare
from tests.support.axe import violations
from tests.support.browser import SIZES, Opener, Site, opened, progress, serving, use_key

MAX_KEYS = 60
"""Keys that a fact may take beside what it says."""

CORRECTION = "Example Gazette wrote 65,000 and meant 6,500."


class Keyboard:
    """The keyboard of a monitor: what is a part of the fact is written, every other key is counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.count += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)

    def pointer(self) -> str:
        return str(self.page.evaluate("document.activeElement.dataset.pointer ?? ''"))

    def reach(self, pointer: str) -> None:
        """Go to a field by the Tab key."""
        while self.pointer() != pointer:
            assert self.count < MAX_KEYS, pointer
            self.press("Tab")

    def choose(self, letters: str) -> None:
        """Choose in a list by the first letters of what it says."""
        for letter in letters:
            self.press(letter)

    def open_form(self, letters: str, heading: str) -> None:
        """Go back to what happened, and choose it; the form is there when its heading is."""
        while self.page.evaluate("document.activeElement.id") != "type":
            assert self.count < MAX_KEYS, letters
            self.press("Shift+Tab")
        self.choose(letters)
        expect(self.page.get_by_role("heading", name=re.compile(f"^{heading} on"))).to_be_visible()
        self.reach("/stated_on")


FACTS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("prog", "Progress reported", [("/figure/quantity", "65,000 count:trees"), ("/figure/basis", "=cum")]),
    ("statement", "Statement", [("/stance", "=sup"), ("/summary", "They plant.")]),
    ("pledge rea", "Pledge reaffirmed", [("/summary", "Again.")]),
    ("member", "Member reported", [("/member", "BE"), ("/verdict", "=met")]),
    ("tally", "Tally reported", [("/met", "1"), ("/total", "3")]),
    ("share", "Share reported", [("/subset", "the north"), ("/share", "more than half")]),
    ("condition", "Condition reported", [("/condition", "law"), ("/state", "=ful")]),
    ("milestone s", "Milestone scheduled", [("/milestone", "first tree"), ("/due", "2025-09")]),
    ("milestone r", "Milestone reached", [("/milestone", "first tree")]),
    ("claimed to be met", "Claimed to be met", [("/summary", "Done, they say.")]),
]
"""Ten facts of ten types: the letters that choose the type, and what is written into which field, in their order."""


def planting(site: Site) -> str:
    """A pledge of trees by three members, with a condition."""
    return opened(
        site, kind="count", target="at least 1m count:trees", title=f"Plant trees {uuid.uuid4().hex[:6]}",
        group={"rule": "each_member", "members": ["BE", "NL", "DE"]},
        conditions=[{"condition": "law", "text": "if parliament agrees"}],
    )  # fmt: skip


@pytest.mark.slow
def test_ten_facts_of_ten_types_take_few_keys_beside_what_they_say(tab: Opener, site: Site) -> None:
    slug = planting(site)
    page = tab(f"/record?pledge={slug}&type=ProgressReported", refused=True)  # half a fact is tried while it is typed
    use_key(page)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    taken = {}
    page.locator("[data-pointer='/stated_on']").focus()
    for index, (letters, heading, fields) in enumerate(FACTS):
        keys = Keyboard(page)
        keys.open_form(letters, heading)
        keys.write(f"08{index + 1:02}2025")  # month, day and year
        for pointer, said in fields:
            keys.reach(pointer)
            if said.startswith("="):
                keys.choose(said[1:])
            else:
                keys.write(said)
        if index == 0:
            keys.reach("/source/publisher")
            keys.write("Example Gazette")
        else:
            expect(page.get_by_text("Same source as before: Example Gazette")).to_be_visible()
        keys.press("Control+Enter")
        expect(page.locator("[data-receipt]")).to_contain_text(f"event {index + 2} of {slug}")
        expect(page.locator("[data-pointer='/stated_on']")).to_be_focused()  # where the next one begins
        taken[heading] = keys.count
    events = site.get(f"/v1/pledges/{slug}/events")["items"][1:]
    assert {key for key in taken.values() if key > MAX_KEYS} == set(), taken
    assert len({event["fact"]["type"] for event in events}) == 10
    assert [event["fact"]["stated_on"] for event in events] == [f"2025-08-{day:02}" for day in range(1, 11)]
    assert {event["fact"]["source"]["publisher"] for event in events} == {"Example Gazette"}
    assert events[0]["fact"]["figure"]["quantity"]["value"] == "65000"
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_a_correction_is_made_by_example(tab: Opener, site: Site) -> None:
    slug = planting(site)
    event = site.post(
        f"/v1/pledges/{slug}/events", progress("65,000 count:trees", source={**SOURCE, "locator": "p. 2"})
    )
    page = tab(f"/record?pledge={slug}&type=StatementMade", refused=True)
    use_key(page)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    page.locator("#record-title a").click()  # the key goes along
    page.locator("main a[href$='/record']").first.click()
    page.locator(f"#event-{event['event']['id']}").get_by_role("link", name=re.compile("correct it")).click()
    expect(page.get_by_role("heading", name=re.compile("What it says: 2 · 10.Jul.2025 · 65,000.trees"))).to_be_visible()
    figure = page.locator("[data-pointer='/changes/figure/quantity']")
    expect(figure).to_have_value("65,000 count:trees")
    figure.fill("6,500 count:trees")
    page.locator("[data-pointer='/changes/source/locator']").fill("")
    page.locator("[data-pointer='/reason']").fill(CORRECTION)
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("65,000 trees → 6,500 trees")
    expect(preview).to_contain_text("Reported65,000 trees → 6,500 trees")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 3 of {slug}")
    fact = site.get(f"/v1/pledges/{slug}/events")["items"][-1]["fact"]
    assert fact["changes"] == {"figure": {"quantity": "6,500 count:trees"}, "source": {"locator": None}}
    assert site.get(f"/v1/pledges/{slug}")["actual"]["value"] == "6500"


def test_restating_ranking_and_voiding_open_with_the_event(tab: Opener, site: Site) -> None:
    slug = planting(site)
    event = site.post(f"/v1/pledges/{slug}/events", progress("65,000 count:trees"))["event"]["id"]
    page = tab(f"/record?pledge={slug}&type=FigureRestated&event={event}", refused=True)
    use_key(page)
    expect(page.locator("[data-pointer='/figure/quantity']")).to_have_value("65,000 count:trees")
    expect(page.locator("[data-pointer='/figure/basis']")).to_have_value("cumulative")
    page.locator("[data-pointer='/figure/quantity']").fill("70,000 count:trees")
    page.get_by_label("Said on").fill("2025-08-10")
    page.get_by_label("Reason").fill("They counted again.")
    page.get_by_label("Publisher").fill("Example Gazette")
    expect(page.locator("[data-preview]")).to_contain_text("Figure: 65,000 trees → 70,000 trees")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 3 of {slug}")
    for fact_type, fill in (("FigureRanked", "deprecated"), ("EventVoided", None)):
        page.goto(f"/record?pledge={slug}&type={fact_type}&event={event}")
        use_key(page)
        expect(page.locator("[data-pointer='/event']")).to_have_value(event)
        expect(page.locator("[data-pointer='/event'] option:checked")).to_contain_text("2 · 10")
        if fill:
            page.locator("[data-pointer='/rank']").select_option(fill)
        page.get_by_label("Reason").fill("It is vague.")
        page.get_by_role("button", name="Record it").click()
        expect(page.locator("[data-receipt]")).to_contain_text("Recorded")
    types = [one["fact"]["type"] for one in site.get(f"/v1/pledges/{slug}/events")["items"]]
    assert types[2:] == ["FigureRestated", "FigureRanked", "EventVoided"]


def test_a_passage_fills_fields_when_its_chips_are_pressed(tab: Opener, site: Site) -> None:
    slug = planting(site)
    page = tab(f"/record?pledge={slug}&type=ProgressReported", refused=True)
    use_key(page)
    page.locator("[data-passage] > summary").click()
    page.get_by_label("Passage of the source").fill("On 10 October 2025 Belgium said that over 65,000 trees stand.")
    page.get_by_role("button", name="Find what it says").click()
    chips = page.locator("[data-chip]")
    expect(chips.first).to_be_focused()
    assert page.locator("[data-pointer='/figure/quantity']").input_value() == ""  # nothing is filled in by itself
    chips.filter(has_text="over 65,000 trees").click()
    expect(page.locator("[data-pointer='/figure/quantity']")).to_have_value("over 65,000 trees")
    chips.filter(has_text="10 October 2025").click()
    expect(page.get_by_label("Said on")).to_have_value("2025-10-10")
    chips.filter(has_text="Belgium (BE)").click()
    expect(page.get_by_label("Speaker", exact=True)).to_have_value("Belgium")
    expect(page.get_by_label("Speaker's code")).to_have_value("BE")
    chips.filter(has_text="The passage").click()
    expect(page.get_by_label("Quote", exact=True)).to_have_value(re.compile("^On 10 October"))
    page.get_by_label("Published on").focus()
    chips.filter(has_text="10 October 2025").click()  # into the field that was in use
    expect(page.get_by_label("Published on")).to_have_value("2025-10-10")


def test_a_dropped_file_is_kept_and_named_by_the_fact(tab: Opener, site: Site, tmp_path: Path) -> None:
    slug = planting(site)
    page = tab(f"/record?pledge={slug}&type=StatementMade", refused=True)
    use_key(page)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    data = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['%PDF-1.7 a page'], 'page.pdf', { type: 'application/pdf' })); return data; }"
    )
    page.locator(".record-form").dispatch_event("drop", {"dataTransfer": data})
    expect(page.locator("[data-capture]")).to_contain_text("Kept: page.pdf, 15 bytes")
    page.get_by_label("Said on").fill("2025-08-01")
    page.get_by_label("Publisher").fill("Example Gazette")
    page.get_by_label("Summary").fill("Talk.")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 2 of {slug}")
    page.goto(f"/pledges/{slug}/record")
    expect(page.get_by_text("A copy is kept here, and it matches.")).to_be_visible()


def test_several_members_are_recorded_at_once_or_not_at_all(tab: Opener, site: Site) -> None:
    slug = planting(site)
    page = tab(f"/record?pledge={slug}&type=MemberReported", refused=True)
    use_key(page)
    page.get_by_label("Said on").fill("2025-08-01")
    page.get_by_label("Publisher").fill("Example Gazette")
    page.get_by_label("Basis").select_option("level")
    page.get_by_text("Several members at once").click()
    page.get_by_label("Belgium: result").select_option("met")
    page.get_by_label("Belgium: figure").fill("1,000 count:trees")
    page.get_by_label("Netherlands: result").select_option("not_met")
    page.get_by_label("Netherlands: figure").fill("a few")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_label("Netherlands: figure")).to_be_focused()
    assert len(site.get(f"/v1/pledges/{slug}/events")["items"]) == 1
    page.get_by_label("Netherlands: figure").fill("900 count:trees")
    expect(page.locator("[data-preview]")).to_contain_text("1 of 3 met it, 1 did not")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text("Recorded: 2 facts")
    facts = [event["fact"] for event in site.get(f"/v1/pledges/{slug}/events")["items"][1:]]
    assert [(fact["member"], fact["verdict"], fact["figure"]["quantity"]["value"]) for fact in facts] == [
        ("BE", "met", "1000"),
        ("NL", "not_met", "900"),
    ]


def test_a_fact_of_ones_own_is_undone_with_a_reason(tab: Opener, site: Site) -> None:
    slug = planting(site)
    mona = Holder(site, "monitor")
    event = mona.post(f"/v1/pledges/{slug}/events", progress("65,000 count:trees"))["event"]["id"]
    page = tab(f"/record?pledge={slug}&type=StatementMade")
    use_key(page, mona.key)
    row = page.locator(f"li[data-own='{event}']")
    expect(row).to_contain_text("2 · 10")
    row.get_by_role("button", name=re.compile("^Undo")).click()
    row.get_by_role("button", name="Void it").click()
    expect(row.locator(".error")).to_contain_text("Give a reason")
    expect(row.get_by_label("Why should it not have been recorded?")).to_be_focused()
    page.keyboard.type("The wrong pledge.")
    page.keyboard.press("Enter")
    expect(row.locator(".flag")).to_have_text("void")
    voided = site.get(f"/v1/pledges/{slug}/events")["items"][-1]
    assert (voided["fact"]["type"], voided["fact"]["event"], voided["fact"]["reason"], voided["recorded_by"]) == (
        "EventVoided", event, "The wrong pledge.", mona.name,
    )  # fmt: skip
    assert site.get(f"/v1/pledges/{slug}")["actual"] is None


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Site]:
    """A server on each of the stores."""
    if request.param == "sqlite":
        yield site
        return
    url = request.getfixturevalue("postgres_url")
    prepare(url)
    with serving(tmp_path, seeded=False, TRACKER_DATABASE_URL=url, TRACKER_STATE_DIR=str(tmp_path / "state")) as other:
        yield other


@pytest.mark.slow
def test_a_proposal_is_accepted_one_returned_and_revised_and_one_declined(store: Site, tab: Opener) -> None:
    carla, mona = Holder(store, "contributor"), Holder(store, "monitor")
    slug = opened(store)
    kept = carla.proposes(slug, progress("over €50bn"))
    returned = carla.proposes(slug, progress("60bn EUR", stated_on="2025-08-10"))
    declined = carla.proposes(slug, progress("700bn EUR", stated_on="2025-09-10"))
    page = tab("/proposals", base=store, refused=True)
    use_key(page, mona.key)
    box = page.locator(f"[data-proposal='{kept}']")
    expect(box.locator(".change-box")).to_contain_text("Exceeded")
    expect(box.locator(".change-box")).to_contain_text("Reported— → over 50,000,000,000 EUR")
    box.focus()
    page.keyboard.press("a")
    expect(box).to_have_count(0)
    assert carla.state(kept)["state"] == "accepted"
    box = page.locator(f"[data-proposal='{returned}']")
    box.get_by_label("Reason").fill("Which page?")
    box.get_by_role("button", name="Return it").click()
    expect(box).to_have_count(0)
    box = page.locator(f"[data-proposal='{declined}']")
    box.get_by_label("Reason").fill("No source says so.")
    box.get_by_role("button", name="Decline it").click()
    expect(box).to_have_count(0)
    assert carla.state(declined)["state"] == "declined"

    hers = tab("/proposals", base=store, refused=True)
    use_key(hers, carla.key)
    hers.get_by_label("Show").select_option("returned")
    box = hers.locator(f"[data-proposal='{returned}']")
    box.get_by_role("link", name="Revise your own").click()
    expect(hers.locator("[data-returned]")).to_contain_text("Which page?")
    expect(hers.locator("[data-pointer='/figure/quantity']")).to_have_value("60bn EUR")
    hers.get_by_label("Place in it").fill("page 3")
    hers.keyboard.press("Control+Enter")
    expect(hers.locator("[data-receipt]")).to_contain_text("It is revision 2.")
    found = carla.state(returned)
    assert (found["state"], found["revision"], found["fact"]["source"]["locator"]) == ("open", 2, "page 3")
    page.get_by_label("Show").select_option("declined")
    page.get_by_label("Show").select_option("open")
    box = page.locator(f"[data-proposal='{returned}']")
    expect(box).to_contain_text("revision 2")
    carla.post(f"/v1/proposals/{returned}/revise", {"fact": progress("61bn EUR", stated_on="2025-08-10")})
    box.get_by_role("button", name="Accept and record it").click()  # of the revision that was looked at
    expect(box.locator("[role=alert]")).to_contain_text("read it again")
    expect(box).to_contain_text("revision 3")
    expect(box).to_contain_text("61bn EUR")
    expect(box).to_be_focused()
    assert carla.state(returned)["state"] == "open"
    assert len(store.get(f"/v1/pledges/{slug}/events")["items"]) == 2


def test_two_monitors_at_once_lose_nothing_and_overwrite_nothing(tab: Opener, site: Site) -> None:
    slug = planting(site)
    event = site.post(f"/v1/pledges/{slug}/events", progress("65,000 count:trees"))["event"]["id"]
    pages = []
    for name in ("mona", "milo"):
        page = tab(f"/record?pledge={slug}&type=StatementMade", refused=True)
        use_key(page, Holder(site, "monitor").key)
        expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
        page.get_by_label("Said on").fill("2025-08-01")
        page.get_by_label("Publisher").fill("Example Gazette")
        page.get_by_label("Summary").fill(f"Talk of {name}.")
        pages.append(page)
    for page in pages:
        page.get_by_role("button", name="Record it").click()
    for page in pages:
        expect(page.locator("[data-receipt]")).to_contain_text(re.compile(rf"event [34] of {slug}"))
    summaries = {one["fact"].get("summary") for one in site.get(f"/v1/pledges/{slug}/events")["items"]}
    assert {"Talk of mona.", "Talk of milo."} <= summaries

    page = pages[1]
    page.get_by_label("What happened").select_option("ProgressReported")  # what stands there already
    expect(page.get_by_role("heading", name=re.compile("^Progress reported on"))).to_be_visible()
    page.get_by_label("Said on").fill("2025-07-10")
    page.locator("[data-pointer='/figure/quantity']").fill("65,000 count:trees")
    page.get_by_label("Basis").select_option("cumulative")
    page.get_by_label("Covers from").fill("2025-01-01")
    page.get_by_label("Covers to").fill("2025-06-30")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-error-form]").get_by_role("link", name="See the event.")).to_be_visible()

    for page in pages:
        with page.expect_navigation():
            page.goto(f"/record?pledge={slug}&type=EventCorrected&event={event}")
        use_key(page, Holder(site, "monitor").key)
        expect(page.locator("[data-pointer='/changes/figure/quantity']")).to_have_value("65,000 count:trees")
    for page, quantity in zip(pages, ("6,500 count:trees", "7,500 count:trees"), strict=True):
        page.locator("[data-pointer='/changes/figure/quantity']").fill(quantity)
        page.locator("[data-pointer='/reason']").fill("A slip.")
        page.get_by_role("button", name="Record it").click()
        if page is pages[0]:
            expect(page.locator("[data-receipt]")).to_contain_text("Recorded")
    expect(pages[1].locator("[data-error-form]")).to_contain_text("Somebody recorded on this pledge")
    assert site.get(f"/v1/pledges/{slug}")["actual"]["value"] == "6500"
    pages[1].get_by_role("link", name="Open it anew.").click()
    expect(pages[1].locator("[data-pointer='/changes/figure/quantity']")).to_have_value("6,500 count:trees")
    expect(pages[1].locator("[data-pointer='/reason']")).to_have_value("")


@pytest.mark.slow
def test_the_form_is_accessible_and_fits_a_phone(tab: Opener, site: Site) -> None:
    slug = planting(site)
    event = site.post(f"/v1/pledges/{slug}/events", progress("65,000 count:trees"))["event"]["id"]
    for where in ("type=PledgeMade", f"pledge={slug}&type=TallyReported", f"pledge={slug}&type=MemberReported",
                  f"pledge={slug}&type=EventCorrected&event={event}", f"pledge={slug}&type=PledgeRevised"):  # fmt: skip
        page = tab(f"/record?{where}", refused=True)
        use_key(page)
        expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
        page.evaluate("document.querySelectorAll('.record-form details').forEach((fold) => { fold.open = true; })")
        for button in page.locator("[data-add-row]").all():
            button.click()
        page.get_by_role("button", name="Record it").click()
        expect(page.locator("[data-error-form] li").first).to_be_visible()
        for width in (1440, 320):
            page.set_viewport_size(SIZES[width])  # type: ignore[arg-type]
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert violations(page) == [], where
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where
