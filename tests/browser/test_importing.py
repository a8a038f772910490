"""The page of imports in a browser: a file is checked, its problems are seen, and it is recorded with the key."""

from __future__ import annotations

import uuid
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.test_access import violations
from tests.support.browser import SIZES, Opener, Site, use_key

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
    expect(result).to_contain_text("2 facts recorded.")
    assert site.get(f"/v1/pledges/{slug}")["actual"]["value"] == "5"


def test_without_a_key_nothing_is_sent(tab: Opener) -> None:
    page = tab("/import")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("alert").filter(has_text="Give your key above first.")).to_be_visible()
