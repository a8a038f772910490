"""Who builds a dashboard: from the page for developers to a chart on a page of their own, and polling by entity tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Opener, Site, opened, progress
from tests.support.file_servers import serving_files

POLLING = """async () => {
  const first = await changed();
  return { first: first.status, second: await changed() };
}"""


@pytest.fixture
def own_page(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Page, Path, str]]:
    """A page of another origin, the folder that its files are served from, and its address."""
    with serving_files(tmp_path) as url:
        context = chromium.new_context()
        yield context.new_page(), tmp_path, url
        context.close()


def test_four_lines_make_a_chart_on_any_page_and_polling_costs_nothing(
    tab: Opener, site: Site, own_page: tuple[Page, Path, str]
) -> None:
    slug = opened(site)
    site.post(f"/v1/pledges/{slug}/events", progress("over 40bn EUR"))
    page = tab("/")
    page.get_by_label("Site").get_by_role("link", name="Developers").click()
    expect(page.get_by_role("heading", name="A chart in four lines")).to_be_visible()
    chart = page.locator("[data-snippet=chart] code")
    expect(chart).to_contain_text(f'fetch("{site.url}/v1/statuses?every=month")')
    mine, folder, url = own_page
    polling = page.locator("[data-snippet=polling] code").inner_text()
    (folder / "mine.html").write_text(
        f"<!doctype html><title>Mine</title>{chart.inner_text()}<script>{polling}</script>", encoding="utf-8"
    )
    answers: list[tuple[str, int]] = []
    mine.on("response", lambda answer: answers.append((answer.url, answer.status)))
    mine.goto(f"{url}/mine.html")
    line = mine.locator("#kept polyline")
    expect(line).to_have_attribute("points", re.compile(r"^0,\d[\d., ]+ 600,5$"))
    # The month's ends that the line has are those that the API answers.
    months = site.get("/v1/statuses?every=month")["items"]
    assert len((line.get_attribute("points") or "").split()) == len(months)
    # Polling: the second time the tag is sent, and what comes is a 304 without a body.
    polled = mine.evaluate(POLLING)
    assert polled["second"] is None
    about = [status for address, status in answers if re.search(r"/v1/pledges/[^/?]+$", address)]
    assert about[-2:] == [200, 304]


def test_the_badge_and_the_frame_of_the_page_are_shown_elsewhere(
    tab: Opener, site: Site, own_page: tuple[Page, Path, str]
) -> None:
    page = tab("/developers")
    badge, frame = (page.locator(f"[data-snippet={name}] code").inner_text() for name in ("badge", "frame"))
    mine, folder, url = own_page
    (folder / "shown.html").write_text(f"<!doctype html><title>Mine</title>{badge}{frame}", encoding="utf-8")
    mine.goto(f"{url}/shown.html")
    expect(mine.frame_locator("iframe").get_by_role("link", name="Every source and why")).to_be_visible()
    assert mine.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 20
