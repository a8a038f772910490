"""The queue of proposals in a browser: decided on by keyboard, each with the difference that it would make."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from playwright.sync_api import expect

from api.http.access_keys import create_key
from projections.tables import open_engine
from tests.browser.test_recording import fill
from tests.support.axe import violations
from tests.support.browser import SIZES, Opener, Site, opened, progress, use_key
from tests.support.waiting import HANG_SECONDS, wait_until


class Holder:
    """One who has a key of a role."""

    def __init__(self, site: Site, role: str) -> None:
        self.name = f"{role}-{uuid.uuid4().hex[:6]}"
        engine = open_engine(site._database_url)
        try:
            self.key = create_key(engine, self.name, role)
        finally:
            engine.dispose()
        self._url = site.url
        self._how: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.key}"}, "timeout": HANG_SECONDS}
        wait_until(lambda: self._get("/v1/proposals").is_success)  # a new key is seen within a second

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self._url}{path}", **self._how)

    def post(self, path: str, body: Any) -> Any:
        answer = httpx.post(f"{self._url}{path}", json=body, **self._how)
        assert answer.is_success, answer.text
        return answer.json()

    def proposes(self, slug: str, fact: Any, note: str = "From the report.") -> str:
        return str(self.post("/v1/proposals", {"pledge": slug, "fact": fact, "note": note})["proposal"])

    def state(self, proposal: str) -> dict[str, Any]:
        found: dict[str, Any] = self._get(f"/v1/proposals/{proposal}").json()
        return found


def test_a_monitor_accepts_returns_and_declines_by_keyboard(tab: Opener, site: Site) -> None:
    carla, mona = Holder(site, "contributor"), Holder(site, "monitor")
    slug = opened(site)
    kept = carla.proposes(slug, progress("over €50bn"))
    returned = carla.proposes(slug, progress("60bn EUR", stated_on="2025-08-10"), "<b>Which page?</b>")
    declined = carla.proposes(slug, progress("700bn EUR", stated_on="2025-09-10"))
    page = tab("/proposals")
    expect(page.get_by_text("Give your key above, and what waits appears here.")).to_be_visible()
    use_key(page, mona.key)
    boxes = page.locator(".proposal")
    expect(boxes).to_have_count(3)
    first = page.locator(f"[data-proposal='{kept}']")
    expect(first.locator(".change")).to_have_text("Overdue → Exceeded")
    expect(first.locator(".change").get_by_role("img", name="becomes")).to_be_visible()
    expect(page.locator(f"[data-proposal='{returned}'] blockquote")).to_have_text("<b>Which page?</b>")
    for width in (1440, 320):
        page.set_viewport_size(SIZES[width])  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    first.focus()
    page.keyboard.press("j")
    expect(page.locator(f"[data-proposal='{returned}']")).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_text("Accepted and recorded.")).to_have_count(2)  # in the queue, and said aloud
    assert carla.state(kept)["state"] == "accepted"
    event = site.get(f"/v1/pledges/{slug}/events")["items"][-1]
    assert (event["proposal"], event["recorded_by"]) == (kept, mona.name)

    box = page.locator(f"[data-proposal='{returned}']")
    expect(box).to_be_focused()
    page.keyboard.press("r")  # without a reason nothing is done
    expect(box.locator("[role=alert]")).to_contain_text("Say why")
    expect(box.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Read jad: which page?")  # letters are letters here
    box.focus()
    page.keyboard.press("r")
    expect(box).to_have_count(0)
    assert carla.state(returned) == carla.state(returned) | {"state": "returned", "reason": "Read jad: which page?"}

    box = page.locator(f"[data-proposal='{declined}']")
    expect(box).to_be_focused()
    box.get_by_label("Reason").fill("No source says so.")
    box.get_by_role("button", name="Decline it").click()
    expect(boxes).to_have_count(0)
    assert carla.state(declined)["state"] == "declined"
    carla.post(f"/v1/proposals/{returned}/revise", {"fact": progress("61bn EUR", stated_on="2025-08-10")})
    page.get_by_label("Show").select_option("declined")
    expect(page.get_by_text("No source says so.")).to_be_visible()
    page.get_by_label("Show").select_option("open")
    expect(page.locator(f"[data-proposal='{returned}']")).to_contain_text("revision 2")
    kept_in = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept_in == [0, 0, ""]


def test_a_contributor_proposes_from_the_form(tab: Opener, site: Site) -> None:
    carla = Holder(site, "contributor")
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=ProgressReported", refused=True)
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_text("Proposing needs a key")).to_be_visible()
    use_key(page, carla.key)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    fill(page, "over 50")
    page.get_by_role("button", name="Propose it").click()
    quantity = page.locator("[data-field='/figure/quantity']").get_by_role("textbox")
    expect(quantity).to_be_focused()
    expect(quantity).to_have_attribute("aria-invalid", "true")
    quantity.fill("over €50bn")
    page.get_by_role("button", name="Propose it").click()
    receipt = page.locator("[data-receipt]")
    expect(receipt).to_contain_text("it waits in the queue for a monitor")
    expect(receipt).to_contain_text("to exceeded")
    receipt.get_by_role("link").click()  # the key goes along
    expect(page.locator(".proposal")).to_contain_text(slug)
    assert len(site.get(f"/v1/pledges/{slug}/events")["items"]) == 1

    page = tab("/record", refused=True)  # of a new pledge the slug is needed
    use_key(page, carla.key)
    page.get_by_label("Said on").fill("2025-07-10")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_label("Slug")).to_be_focused()
    expect(page.locator("[data-error='/pledge']")).to_contain_text("a proposal names its pledge")


def test_a_contributor_sees_its_own_and_withdraws_it(tab: Opener, site: Site) -> None:
    carla = Holder(site, "contributor")
    slug = opened(site)
    proposal = carla.proposes(slug, progress("over €50bn"))
    page = tab("/proposals", refused=True)
    use_key(page, carla.key)
    box = page.locator(f"[data-proposal='{proposal}']")
    expect(box.locator(".change-box")).to_contain_text("shown to monitors")
    box.get_by_role("button", name="Accept and record it").click()
    expect(box.locator("[role=alert]")).to_contain_text("needs the role monitor")
    box.get_by_role("button", name="Withdraw your own").click()
    expect(box).to_have_count(0)
    assert carla.state(proposal)["state"] == "withdrawn"
