"""Everybody can use the pages: no violation that axe finds, at any width, in light and dark, by keyboard, on paper."""

import pytest
from playwright.sync_api import expect

from tests.support.api import ADMIN
from tests.support.axe import violations
from tests.support.browser import SIZES, Opener

PAGES = {
    "overview": "/",
    "an overview of the past": "/?as_of=2025-03-01&kind=milestone",
    "two days": "/compare?from=2024-12-31&to=2025-03-01",
    "our record on two days": "/compare?axis=recorded&from=2024-12-31",
    "nothing found": "/?q=nothing-is-called-so",
    "pledge": "/pledges/nato-ukraine-2024",
    "pledge in the past": "/pledges/nato-ukraine-2024?as_of=2024-10-16&at_position=20",
    "record of a pledge": "/pledges/nato-ukraine-2024/record",
    "members": "/pledges/nato-2-percent-2024",
    "milestones": "/pledges/commercial-space-strategy",
    "audit": "/audit",
    "replay": "/audit?pledge=nato-ukraine-2024&replay=true",
    "statement": "/pledges/nato-ukraine-2024/statement?as_of=2025-03-01&at_position=28",
    "record": "/record?pledge=nato-ukraine-2024&type=EventCorrected",
    "new pledge": "/record",
    "proposals": "/proposals",
    "problem": "/no-such-page",
    "api": "/schema",
    "parties": "/parties",
    "party": "/parties/NATO?as_of=2025-03-01",
    "tag": "/tags/nato",
    "deadlines": "/deadlines?as_of=2024-12-20&days=90",
    "rules": "/about/rules",
    "developers": "/developers",
    "frame": "/embed/nato-ukraine-2024",
    "wrong question": "/?asof=2024-10-16",
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(tab: Opener, name: str) -> None:
    page = tab(PAGES[name])
    for folded in page.locator("details[id^=v1], details[id^=schema-Status], .pledge-page details").all():
        folded.evaluate("element => { element.open = true; }")
    for width in (1440, 320):
        page.set_viewport_size(SIZES[width])  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == [], f"{name}, {scheme}, {width}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"


def test_axe_finds_no_violation_when_a_fact_is_refused(tab: Opener) -> None:
    page = tab("/record?pledge=nato-ukraine-2024", refused=True)
    page.get_by_label("Your key").fill(ADMIN)
    page.get_by_label("Your key").press("Enter")
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    page.get_by_label("Publisher").fill("Example Gazette")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == []


def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(tab: Opener) -> None:
    page = tab("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    seen = []
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen.append(
            page.evaluate(
                "() => { const e = document.activeElement; const s = getComputedStyle(e);"
                " return [e.id || e.textContent.trim(), s.outlineStyle, parseFloat(s.outlineWidth)]; }"
            )
        )
    reached = [name for name, _, _ in seen]
    for wanted in (
        "as-of",
        "q",
        "Ukraine's irreversible path to NATO membership",
    ):
        assert wanted in reached
    assert [name for name, style, width in seen if style == "none" or width < 2] == []


def test_targets_are_large_enough_for_a_finger(tab: Opener) -> None:
    page = tab("/", width=320)
    small = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select, .tile, .site nav a')]"
        ".filter(e => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24)).map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []


def test_a_status_is_never_told_by_colour_alone(tab: Opener) -> None:
    page = tab("/")
    for mark in page.locator(".status").all():
        assert mark.locator("svg use").count() == 1
        assert mark.text_content()


def test_on_paper_there_are_the_figures_and_nothing_to_click(tab: Opener) -> None:
    page = tab("/pledges/nato-ukraine-2024")
    page.emulate_media(media="print")
    expect(page.locator("svg.drawing-wide")).to_be_visible()
    expect(page.locator("svg.drawing-narrow")).to_be_hidden()
    for name in ("Show", "Draw"):
        expect(page.get_by_role("button", name=name)).to_be_hidden()
    expect(page.locator(".ways")).to_be_hidden()
    expect(page.locator(".provenance")).to_be_visible()
