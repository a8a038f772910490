"""The page of imports in a browser: a file is checked, its problems are seen, and it is recorded with the key."""

from __future__ import annotations

import uuid
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.test_proposals import Holder
from tests.support.axe import violations
from tests.support.browser import SIZES, Opener, Site, use_key, wait_on

HEADER = "Donor,Date,Amount,Currency\r\n"


def test_a_sheet_is_mapped_checked_and_recorded(tab: Opener, site: Site, tmp_path: Path) -> None:
    name = f"Donor {uuid.uuid4().hex[:8]}"
    slug = f"{name.lower().replace(' ', '-')}-example"
    path = tmp_path / "aid.csv"
    path.write_text(f"{HEADER}{name},2024-01-02,5,EUR\r\n", encoding="utf-8")
    page = tab("/import")
    use_key(page)
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("Map", exact=True).select_option("own")
    page.get_by_role("button", name="Make a first map from the file").click()
    own = page.get_by_label("My map (TOML)")
    expect(own).not_to_have_value("")
    bad = tmp_path / "bad.csv"
    bad.write_text(f"{HEADER}{name},2024-01-02,soon,EUR\r\n", encoding="utf-8")
    page.get_by_label("File", exact=True).set_input_files(bad)
    page.get_by_role("button", name="Check the file").click()
    result = page.locator("[data-import-result]")
    expect(result).to_contain_text("nothing can be recorded")
    expect(result).to_contain_text('"soon" has no number')
    for width in (1440, 320):
        page.set_viewport_size(SIZES[width])  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Record 2 facts").click()
    expect(result).to_contain_text("2 of 2 facts recorded.")
    assert site.get(f"/v1/pledges/{slug}")["actual"]["value"] == "5"


def own_file(path: Path, facts: int) -> tuple[Path, str]:
    """A file under our own column names: a pledge and statements about it, of which nobody else has any."""
    slug = f"imported-{uuid.uuid4().hex[:8]}"
    header = "pledge,type,stated_on,publisher,tier,title,pledgor,kind,summary"
    rows = [f"{slug},PledgeMade,2024-01-01,P,media,{slug},P,qualitative,"]
    rows += [f"{slug},StatementMade,2024-01-02,P,media,,,,number {number}" for number in range(facts - 1)]
    path.write_text("\r\n".join([header, *rows]) + "\r\n", encoding="utf-8")
    return path, slug


def checked(page: Page, path: Path) -> Locator:
    """The result of checking a file."""
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Check the file").click()
    return page.locator("[data-import-result]")


def only_the_first_batch_goes_through(page: Page) -> list[Route]:
    """The batches that the page sends from now on; all but the first one are held back."""
    sent: list[Route] = []

    def send(route: Route) -> None:
        sent.append(route)
        if len(sent) == 1:
            route.continue_()

    page.route("**/v1/events", send)
    return sent


def test_recording_is_stopped_and_gone_on_with(tab: Opener, site: Site, tmp_path: Path) -> None:
    path, slug = own_file(tmp_path / "many.csv", 501)
    page = tab("/import")
    use_key(page)
    result = checked(page, path)
    held = only_the_first_batch_goes_through(page)
    page.get_by_role("button", name="Record 501 facts").click()
    wait_on(page, lambda: len(held) == 2)  # the first batch is recorded, the second is on its way
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(result).to_contain_text("Stopped. 500 of 501 facts recorded; “Go on” does the rest.")
    assert page.get_by_role("progressbar").evaluate("bar => bar.value") == 500
    page.unroute("**/v1/events")
    page.get_by_role("button", name="Go on").click()
    expect(result).to_contain_text("501 of 501 facts recorded.")
    assert len(site.get(f"/v1/events?pledge={slug}&limit=1000")["items"]) == 501
    again = checked(page, path)
    expect(again).to_contain_text("501 facts recorded already.")
    expect(again).to_contain_text("Nothing is left to record.")


def test_a_page_that_was_left_in_the_middle_has_only_the_rest_to_record(
    tab: Opener, site: Site, tmp_path: Path
) -> None:
    path, _ = own_file(tmp_path / "many.csv", 501)
    page = tab("/import", away=True)
    use_key(page)
    result = checked(page, path)
    sent = only_the_first_batch_goes_through(page)
    page.get_by_role("button", name="Record 501 facts").click()
    wait_on(page, lambda: len(sent) == 2)
    sent[1].abort()
    expect(result).to_contain_text("The server does not answer. 500 of 501 facts recorded; “Go on” does the rest.")
    page.close()
    page = tab("/import")
    use_key(page)
    result = checked(page, path)
    page.get_by_role("button", name="Record 1 fact").click()
    expect(result).to_contain_text("1 of 1 fact recorded.")


def test_a_contributor_proposes_a_file_and_stops_the_check_of_another(tab: Opener, site: Site, tmp_path: Path) -> None:
    path, slug = own_file(tmp_path / "some.csv", 3)
    page = tab("/import", refused=True)
    use_key(page, Holder(site, "contributor").key)
    result = checked(page, path)
    page.get_by_role("button", name="Propose 3 facts").click()
    expect(result).to_contain_text("1 of 3 facts proposed, 2 cannot be.")
    expect(result).to_contain_text("line 3: its pledge is not recorded yet")
    assert violations(page) == []
    page.route("**/import?*", lambda route: None)  # an answer that never comes
    checked(page, path)
    page.get_by_role("button", name="Stop the check").click()
    expect(page.locator("[data-import-error]")).to_have_text("The check was stopped.")
    page.unroute("**/import?*")
    waiting = [one for one in site.get("/v1/proposals?state=open")["items"] if one["pledge"] == slug]
    assert [one["note"] for one in waiting] == ["From some.csv, line 2"]


def test_a_file_is_dropped(tab: Opener, tmp_path: Path) -> None:
    path, _ = own_file(tmp_path / "dropped.csv", 2)
    page = tab("/import")
    use_key(page)
    given = page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'dropped.csv')); return data; }",
        path.read_text(encoding="utf-8"),
    )
    page.locator("[data-drop]").dispatch_event("drop", {"dataTransfer": given})
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("button", name="Record 2 facts")).to_be_visible()


def test_without_a_key_nothing_is_sent(tab: Opener) -> None:
    page = tab("/import")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert").filter(has_text="Give your key above first.")).to_be_visible()
