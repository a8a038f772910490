"""The pages about the rules and for developers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html import unescape
from typing import get_args

import pytest

from api import wording
from api.http.access_keys import Role
from tests.support.api import Api, progress, running
from tests.support.pages import BROWSER, text_of
from tracker.rules.days import DUE_SOON
from tracker.rules.flags import FLAGS
from tracker.rules.status_document import RULES_VERSION

MAX_WIRE_BYTES = 60_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('about')}/tracker.db") as api:
        api.open()
        api.add(progress())
        yield api


def test_every_status_and_flag_is_explained_and_drawn_with_its_hard_case(kept: Api) -> None:
    answer = kept.get("/about/rules", headers=BROWSER)
    page, text = answer.text, text_of(answer.text)
    for status, name in wording.STATUS.items():
        assert f"{name} {status}" in text
    for flag in FLAGS:
        assert f"{wording.FLAG[flag][0]} {flag}" in text
    drawn = re.findall(r'<div class="rule-example">(.*?)</div>', page, re.S)
    assert len(drawn) == len(wording.STATUS) + len(FLAGS)
    assert all('class="status ' in one for one in drawn)
    assert len(re.findall(r"<b>Hard case", page)) == len(drawn)
    assert "Hard case 39: A broken ceiling is missed." in text
    assert len(gzip.compress(answer.content)) < MAX_WIRE_BYTES


def test_thresholds_and_versions_are_those_of_the_code(kept: Api) -> None:
    text = text_of(kept.get("/about/rules").text)
    assert f"version {RULES_VERSION}." in text
    assert f"{DUE_SOON.days} daysA deadline that is no further away is due soon" in text
    assert "Version 2, 26 Nov 2026" in text.replace("\u00a0", " ")


def test_the_rules_are_open_where_the_record_is_not(sqlite_url: str) -> None:
    with running(sqlite_url, public_read=False) as api:
        assert api.get("/about/rules", headers=BROWSER).status_code == 200
        assert api.get("/developers", headers=BROWSER).status_code == 401


def snippets(page: str) -> dict[str, str]:
    """What the page offers to be copied, by name."""
    found = re.findall(r'<pre class="snippet"[^>]* data-snippet="(\w+)"><code>(.*?)</code></pre>', page, re.S)
    return {name: unescape(text) for name, text in found}


def test_what_is_copied_begins_with_the_address_for_readers(sqlite_url: str) -> None:
    with running(sqlite_url, public_url="https://example.org/tracker", base_path="/tracker") as api:
        assert "aid-2024" not in api.get("/developers").text
        api.open()
        page = api.get("/developers").text
        for text in snippets(page).values():
            assert "https://example.org/tracker/" in text
            assert "ADDRESS" not in text
        assert set(snippets(page)) == {"badge", "frame", "chart", "polling", "curl"}
        assert "https://example.org/tracker/v1/deadlines.ics" in page
        assert "data-here-note" not in page


def test_without_that_setting_the_page_says_what_stands_for_the_address(kept: Api) -> None:
    page = kept.get("/developers").text
    assert all("ADDRESS/" in text for text in snippets(page).values())
    assert "<code>ADDRESS</code> stands for the address" in page
    chart = snippets(page)["chart"].splitlines()
    assert len(chart[chart.index('<script type="module">') + 1 : chart.index("</script>")]) == 4


def test_every_role_is_explained(kept: Api) -> None:
    text = text_of(kept.get("/developers").text)
    assert tuple(wording.ROLE) == get_args(Role)
    for role, may in wording.ROLE.items():
        assert f"{role}{may}" in text
