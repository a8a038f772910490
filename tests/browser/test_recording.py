"""The form that records a fact, in a browser: nothing typed is lost, and nothing is recorded twice."""

import re
import uuid

from playwright.sync_api import Browser, Page, Route, expect

from tests.support.api import ADMIN
from tests.support.browser import ARGUMENTS, CHROMIUM, Opener, Site, opened, use_key, wait_on


def fill(page: Page, quantity: str) -> None:
    page.get_by_label("Said on").fill("2025-07-10")
    page.get_by_label("Figure", exact=False).first.fill(quantity)
    page.get_by_label("Basis").select_option("cumulative")
    page.get_by_label("Publisher").fill("Example Gazette")


def test_a_monitor_records_a_fact_and_sees_what_it_would_give(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/pledges/{slug}", refused=True)
    page.get_by_role("link", name="Record a fact").click()
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("Recording needs a monitor’s key")).to_be_visible()
    use_key(page, "wrong")
    expect(page.locator("#key-error")).to_contain_text("this is no key, or it was mistyped")
    use_key(page)
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    fill(page, "over 50")
    quantity = page.locator("[data-field='/figure/quantity']")
    expect(quantity.locator(".error")).not_to_be_empty()
    expect(quantity.get_by_role("textbox")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Record it").click()
    expect(quantity.get_by_role("textbox")).to_be_focused()
    quantity.get_by_role("textbox").fill("over €50bn")
    expect(quantity.locator(".parsed")).to_have_text("over 50,000,000,000 EUR")
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("Exceeded")
    expect(preview).to_contain_text("over 125 %")
    assert len(site.get(f"/v1/pledges/{slug}/events")["items"]) == 1
    page.get_by_role("button", name="Record it").click()
    receipt = page.locator("[data-receipt]")
    expect(receipt).to_contain_text(f"event 2 of {slug}")
    expect(page.get_by_label("Said on")).to_be_focused()  # the next fact
    receipt.get_by_role("link").click()
    expect(page.locator(".headline")).to_contain_text("Exceeded")
    page.get_by_role("link", name="Record a fact").click()  # the key goes along
    expect(page.get_by_text("A key is held in this tab’s memory")).to_be_visible()
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.href]")
    assert kept[:3] == [0, 0, ""]
    assert ADMIN not in kept[3]
    page.reload()
    expect(page.get_by_label("Your key")).to_be_visible()


def test_what_is_odd_is_shown_before_it_is_recorded(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=ProgressReported", refused=True)  # half of it may be tried
    use_key(page)
    fill(page, "4 billion US dollars")
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("Look again")
    expect(preview.get_by_role("listitem")).to_contain_text("had none in USD")
    preview.get_by_role("link", name="see it").click()
    expect(page).to_have_url(re.compile(f"/pledges/{slug}#event-"))


def test_a_fact_sent_again_after_a_broken_answer_is_recorded_once(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=StatementMade", refused=True)
    keys: list[str] = []

    def broken(route: Route) -> None:
        if route.request.method != "POST" or "dry_run" in route.request.url:
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(keys) == 1:
            route.fulfill(status=408, body="<html>a proxy gave up</html>", content_type="text/html")
        else:
            route.fulfill(response=answer)

    page.route("**/v1/**", broken)
    use_key(page)
    page.get_by_label("Said on").fill("2025-08-01")
    page.get_by_label("Publisher").fill("Example Gazette")
    page.get_by_label("Summary").fill("Talk.")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("it will be recorded once at most")).to_be_visible()
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text("It was recorded already")
    assert keys[0] == keys[1]
    assert len(site.get(f"/v1/pledges/{slug}/events")["items"]) == 2


def test_a_new_pledge_is_opened_from_the_page(tab: Opener, site: Site) -> None:
    slug = f"trees-{uuid.uuid4().hex[:8]}"
    page = tab("/record", refused=True)
    use_key(page)
    page.get_by_label("Slug").fill("No Slug")
    page.get_by_label("Said on").fill("2025-01-15")
    page.get_by_label("Title").first.fill("Plant trees")
    page.get_by_label("Who promises").fill("City of Example")
    page.get_by_label("Kind", exact=False).first.select_option("count")
    page.get_by_label("Target").fill("at least 10k count:trees")
    page.get_by_label("Publisher").fill("City of Example")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-error='/pledge']")).not_to_be_empty()
    page.get_by_label("Slug").fill(slug)
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 1 of {slug}")
    assert site.get(f"/v1/pledges/{slug}")["target"]["value"] == "10000"


def test_half_a_fact_stays_when_another_type_is_chosen_and_on_the_way_back(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=ProgressReported", refused=True)
    use_key(page)
    fill(page, "over €50bn")
    page.get_by_label("This is the final figure").select_option("true")
    page.get_by_label("Reason").fill("money came back")
    page.get_by_label("What happened").select_option("PledgeExceeded")
    expect(page.get_by_role("heading", name=re.compile("^Claimed to be exceeded"))).to_be_visible()
    expect(page.get_by_label("Publisher")).to_have_value("Example Gazette")
    expect(page.locator("[data-field='/figure/quantity'] .parsed")).to_have_text("over 50,000,000,000 EUR")
    expect(page.get_by_label("This is the final figure")).to_have_value("true")
    page.get_by_label("Summary").fill("in short")
    page.go_back()
    expect(page.get_by_role("heading", name=re.compile("^Progress reported"))).to_be_visible()
    expect(page.get_by_label("Figure", exact=False).first).to_have_value("over €50bn")
    expect(page.get_by_label("Basis")).to_have_value("cumulative")
    expect(page.get_by_label("Reason")).to_have_value("money came back")
    expect(page.get_by_label("Summary")).to_have_value("in short")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 2 of {slug}")
    page.get_by_label("What happened").select_option("PledgeExceeded")
    expect(page.get_by_role("heading", name=re.compile("^Claimed to be exceeded"))).to_be_visible()
    expect(page.get_by_label("Summary")).to_have_value("")  # it is recorded, so it is not half a fact any more
    expect(page.get_by_text("Same source as before: Example Gazette")).to_be_visible()
    fact = site.get(f"/v1/pledges/{slug}/events")["items"][1]["fact"]
    assert (fact["reason"], fact["summary"], fact["figure"]["final"]) == ("money came back", "in short", True)


def test_an_answer_that_comes_when_the_form_is_left_disturbs_nothing(tab: Opener, site: Site) -> None:
    slug = opened(site)
    page = tab(f"/record?pledge={slug}&type=StatementMade", refused=True)
    use_key(page)
    page.get_by_label("Said on").fill("2025-08-01")
    page.get_by_label("Publisher").fill("Example Gazette")
    page.get_by_label("Summary").fill("Talk.")
    keys: list[str] = []
    previews: list[Route] = []
    recording: list[Route] = []

    def slow(route: Route) -> None:
        if "idempotency-key" in route.request.headers:
            keys.append(route.request.headers["idempotency-key"])
            recording.append(route)
        else:
            previews.append(route)

    page.route("**/v1/**", slow)
    page.get_by_label("Summary").fill("Talk, in short.")
    wait_on(page, lambda: bool(previews))
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page.get_by_role("heading", name="Every event, in the order of recording")).to_be_visible()
    previews.pop().continue_()
    page.go_back()
    expect(page.get_by_label("Summary")).to_have_value("Talk, in short.")
    page.get_by_role("button", name="Record it").click()
    wait_on(page, lambda: bool(recording))  # it is on its way when the form is left
    page.get_by_role("link", name="Audit", exact=True).click()
    expect(page.get_by_role("heading", name="Every event, in the order of recording")).to_be_visible()
    recording.pop().fulfill(status=408, body="a proxy gave up")
    expect(page.locator("[data-announce]")).to_have_text("Not recorded: the server does not answer.")
    page.go_back()
    expect(page.get_by_label("Summary")).to_have_value("Talk, in short.")
    page.get_by_role("button", name="Record it").click()
    wait_on(page, lambda: bool(recording))
    for route in [*previews, *recording]:
        route.continue_()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 2 of {slug}")
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_half_a_fact_about_one_pledge_never_gets_into_the_form_of_another(tab: Opener, site: Site) -> None:
    one, other = opened(site), opened(site)
    page = tab(f"/record?pledge={one}&type=ProgressReported")
    fill(page, "over €50bn")
    page.get_by_label("Pledge", exact=True).fill(other)  # by its slug, or any words of its title
    page.get_by_role("button", name="Open the form").click()
    expect(page.locator(f".record-form a[href='/pledges/{other}']")).to_be_visible()
    expect(page.get_by_label("Figure", exact=False).first).to_have_value("")
    page.go_back()
    expect(page.get_by_label("Figure", exact=False).first).to_have_value("over €50bn")


def test_a_fact_is_recorded_where_the_address_is_plain_http(chromium: Browser, site: Site) -> None:
    slug = opened(site)
    elsewhere = "--host-resolver-rules=MAP tracker.lan 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, elsewhere])
    page = browser.new_page(base_url=site.url.replace("127.0.0.1", "tracker.lan"))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"/record?pledge={slug}&type=ProgressReported")
    assert page.evaluate("isSecureContext") is False
    use_key(page)
    fill(page, "over €50bn")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-receipt]")).to_contain_text(f"event 2 of {slug}")
    assert errors == []
    browser.close()
