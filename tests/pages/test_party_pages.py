"""The pages of parties, tags and deadlines: whole by themselves, the same on both stores, and small."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from tests.support.api import SOURCE, Api, made, progress
from tests.support.pages import BROWSER, text_of

BELGIUM, UKRAINE = {"name": "Belgium", "code": "BE"}, {"name": "Ukraine", "code": "UA"}
FRANCE = {"name": "France", "code": "FR"}
FRANCE_BANK = {"name": "Bank of France", "code": "BDF"}
DAY = "as_of=2025-02-15"
MAX_WIRE_BYTES = 60_000


@pytest.fixture(scope="module")
def told(module_api: Api) -> Api:
    """One API of each kind for all tests of this module, which change nothing."""
    fill(module_api)
    return module_api


def revised(on: str, **fields: Any) -> dict[str, Any]:
    return {"type": "PledgeRevised", "stated_on": on, "source": SOURCE, "reason": "renamed", **fields}


def fill(api: Api) -> None:
    late = {"start": "2024-01-01", "end": "2025-02-28"}
    items: list[dict[str, Any]] = [
        {"pledge": "kept", "fact": made(pledgor=BELGIUM, beneficiary=UKRAINE, tags=["winter"], title="Kept")},
        {"pledge": "kept", "fact": progress("over 50bn EUR", stated_on="2024-07-01")},
        {"pledge": "over", "fact": made(pledgor=BELGIUM, tags=["winter"], title="Overdue", target="10bn EUR")},
        {"pledge": "over", "fact": progress("2bn EUR", stated_on="2024-08-01")},
        {"pledge": "soon", "fact": made(pledgor=BELGIUM, title="Due soon", window=late, kind="count",
                                        target="3 count:tanks", joint=[{"party": FRANCE, "share": "25"}])},
        {"pledge": "open", "fact": made(pledgor={"name": "Old Bank", "code": "OBK"}, title="Loans", target="100 USD",
                                        window={"start": "2024-01-01"})},
        {"pledge": "open", "fact": revised("2024-06-01", pledgor={"name": "New Bank", "code": "NBK"})},
        {"pledge": "mint", "fact": made(pledgor={"name": "Old Bank", "code": "OBK"}, title="Mint",
                                        stated_on="2024-07-01", target="30 USD", joint=[{"party": FRANCE_BANK}])},
        {"pledge": "mint", "fact": progress("9 USD", stated_on="2024-07-02")},
        {"pledge": "mint", "fact": revised("2024-08-01", joint=[])},
        {"pledge": "roof", "fact": made(pledgor={"name": "Turquie", "code": "TR"}, title="A roof", kind="count",
                                        target="1 count:roof")},
        {"pledge": "road", "fact": made(pledgor={"name": "Turkey", "code": "TR"}, title="A road", kind="count",
                                        target="1 count:road")},
        {"pledge": "road", "fact": revised("2024-06-01", pledgor={"name": "Türkiye", "code": "TR"})},
    ]  # fmt: skip
    answer = api.post("/v1/events", items)
    assert answer.status_code == 201, answer.text


def page(api: Api, path: str) -> tuple[str, str]:
    """The HTML of a page, and its text with non-breaking spaces as plain ones."""
    answer = api.get(path, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    assert len(gzip.compress(answer.content)) < MAX_WIRE_BYTES
    return answer.text, text_of(answer.text.replace("</td>", "</td> ").replace("</dt>", "</dt> ")).replace(
        "\u00a0", " "
    )


def rows_of(html: str) -> list[str]:
    """The keys of the parties that a page lists, in order."""
    return re.findall(r'<tr role="row" data-key="(\w+)"', html)


def test_parties_are_listed_with_what_they_kept_of_what_was_due(told: Api) -> None:
    html, text = page(told, f"/parties?{DAY}")
    assert "6 parties" in text
    assert re.search(r"Belgium BE 3 1 of 2 50 % 1 0", text)
    assert re.search(r"Ukraine UA 0 none due 0 1", text)
    assert rows_of(html)[0] == "BE"
    assert re.findall(r'data-key="(\w+)"', page(told, f"/parties?{DAY}&sort=name")[0]) == [
        "BE",
        "FR",
        "NBK",
        "OBK",
        "TR",
        "UA",
    ]
    assert re.findall(r'data-key="(\w+)"', page(told, f"/parties?{DAY}&q=bank")[0]) == ["NBK", "OBK"]
    assert "No party fits." in page(told, "/parties?q=nobody")[1]


def test_a_party_is_one_page(told: Api) -> None:
    html, text = page(told, f"/parties/be?{DAY}")
    assert "<h1>Belgium</h1>" in html
    assert "Kept of due 1 of 2 50 %" in text
    assert "3 pledges that it made" in text
    # Over the same pledges: what is promised of tanks has no report, and stands in no sum.
    assert re.search(r"EUR ?2 at least €50bn over €52bn", text)
    assert "Promised and reported, over the same pledges" in text
    assert "Joint with France (25 %)" in text
    assert re.search(r"1 Jan 2025\s+Overdue\s+In progress → Overdue\s+A deadline passed", text)
    table = re.findall(r'<tr><th scope="row"><a[^>]*>([^<]*)</a></th>(.*?)</tr>', html)
    shares = {day.replace("\u00a0", " "): re.findall(r">([^<>]*)</td>", cells) for day, cells in table}
    assert shares["31 Dec 2024"] == ["1", "1", "100\u00a0%"]
    assert shares["31 Jan 2025"] == ["1", "2", "50\u00a0%"]
    assert 'type="application/atom+xml" title="Changes of Belgium" href="/v1/feed.atom?pledgor=BE"' in html
    for link in re.findall(r'href="(/v1/[^"]+)"', html):
        assert told.get(link.replace("&amp;", "&")).status_code == 200, link


def test_a_joint_pledge_is_that_of_each_party(told: Api) -> None:
    _, text = page(told, f"/parties/FR?{DAY}")
    assert "1 pledge that it made" in text
    assert "Due soon" in text


def test_what_was_promised_to_a_party_is_shown_as_that(told: Api) -> None:
    _, text = page(told, f"/parties/UA?{DAY}")
    assert "1 pledge promised to it" in text
    assert "Kept of due 1 of 1 100 %" in text


def test_former_names_and_predecessors_are_told(told: Api) -> None:
    assert "Formerly Turkey." in page(told, f"/parties/TR?{DAY}")[1]
    html, text = page(told, f"/parties/NBK?{DAY}")
    assert "In the place of Old Bank." in text
    assert f'href="/parties/OBK?{DAY}"' in html
    gone = page(told, f"/parties/OBK?{DAY}")[1]
    assert "New Bank took its place." in gone
    assert "1 pledge that it made" in page(told, "/parties/OBK?as_of=2024-03-01")[1]


def test_a_party_has_the_pledges_and_the_sums_of_those_that_are_its_own(told: Api) -> None:
    html, text = page(told, f"/parties/OBK?{DAY}")
    assert "1 pledge that it made" in text
    assert re.findall(r'id="p-([a-z]+)"', html) == ["mint"]
    assert re.search(r"USD ?1 US\$30 US\$9 ", text)
    totals = told.get(f"/v1/parties/OBK?{DAY}").json()["as_pledgor"]["totals"]
    assert [(one["pledges"], one["target"]["value"]) for one in totals] == [(1, "30")]
    assert "also have 1 pledge of which it was a party before" in text
    assert "was a party before" not in page(told, f"/parties/NBK?{DAY}")[1]


def test_whoever_leaves_a_joint_pledge_has_nobody_in_its_place(told: Api) -> None:
    assert "its place" not in page(told, f"/parties/BDF?{DAY}")[1]
    assert "In the place of" not in page(told, f"/parties/OBK?{DAY}")[1]


def test_a_name_that_another_pledge_gives_a_party_now_is_no_former_one(told: Api) -> None:
    text = page(told, f"/parties/TR?{DAY}")[1]
    assert "Formerly Turkey." in text
    assert re.search(r"Also written (Turquie|Türkiye)\.", text)


def test_the_data_of_a_party_is_all_of_its_list_in_its_order(told: Api) -> None:
    html, _ = page(told, f"/parties/BE?{DAY}&sort=-title")
    data = {words: link.replace("&amp;", "&") for link, words in re.findall(r'href="(/v1/[^"]+)"[^>]*>([A-Z]+)<', html)}
    shown = re.findall(r'id="p-([a-z]+)"', html)
    assert shown == ["over", "kept", "soon"]
    assert [item["pledge"] for item in told.get(data["JSON"]).json()["items"]] == shown
    assert [line.split(",")[0] for line in told.get(data["CSV"]).text.splitlines()[1:]] == shown
    assert "limit=500" in data["JSON"]


def test_a_tag_is_read_as_a_party_is(told: Api) -> None:
    html, text = page(told, f"/tags/winter?{DAY}")
    assert "2 pledges with the tag" in text
    assert "Kept of due 1 of 2 50 %" in text
    assert 'href="/v1/feed.atom?tag=winter"' in html


@pytest.mark.parametrize("path", ["/parties/nobody", "/parties/No%20body", "/tags/nothing", "/tags/UPPER", "/tags/a,b"])
def test_what_nobody_ever_named_is_no_page(told: Api, path: str) -> None:
    answer = told.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_what_is_due_and_what_has_gone_quiet_is_listed(told: Api) -> None:
    html, text = page(told, f"/deadlines?{DAY}")
    assert "1 due within 30 days" in text
    assert "Due soon" in text
    assert 'href="/v1/deadlines.ics"' in html
    quiet = text.split("gone quiet", 1)[1]
    assert "Loans" in quiet
    assert "Kept" not in quiet.partition("As of")[0]
    assert 'href="/v1/deadlines.ics?days=7"' in page(told, f"/deadlines?{DAY}&days=7")[0]
    assert "0 due within 7 days" in page(told, f"/deadlines?{DAY}&days=7")[1]


def test_the_pages_are_whole_before_the_first_record(told: Api) -> None:
    for path in ("/parties", "/deadlines"):
        page(told, f"{path}?at_position=0")
        page(told, f"{path}?as_of=2020-01-01")
    assert told.get("/parties/BE?as_of=2020-01-01", headers=BROWSER).status_code == 404


def test_the_page_of_a_pledge_leads_to_its_parties_and_tags(told: Api) -> None:
    html, _ = page(told, "/pledges/kept")
    for link in ("/parties/BE", "/parties/UA", "/tags/winter"):
        assert f'href="{link}"' in html
