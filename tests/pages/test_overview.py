"""The overview: what it counts, how it is narrowed, sorted and paged, and what it says of an empty record."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest

from api.http.system_clock import today
from api.pages.list_pages import LIST_ROWS
from api.pages.status_area import MAX_COUNTED_DAYS, counted_days
from tests.support.api import SOURCE, Api, progress
from tests.support.pages import BROWSER, part, shown, text_of
from tracker.rules.days import ONE_DAY

NATO = {"name": "NATO Allies", "code": "nato-allies"}
UKRAINE = {"name": "Ukraine", "code": "UA"}


def listed(page: str) -> list[str]:
    return re.findall(r'class="pledge" id="p-([^"]+)"', page)


def links(page: str, pattern: str) -> dict[str, str]:
    """The links of a part of the page, by their words."""
    found = re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', part(page, pattern), re.DOTALL)
    return {text_of(words): unescape(link) for link, words in found}


def open_some(api: Api) -> None:
    """Three pledges: one exceeded, one overdue, one that was only announced."""
    api.open(pledgor=NATO, beneficiary=UKRAINE, tags=["aid"])
    api.add(progress("over 50bn EUR"))
    api.open("trees", title="Plant trees", tags=["green"], pledgor={"name": "Belgium", "code": "BE"})
    api.open("roads", title="Build roads", pledgor={"name": "Belgium", "code": "BE"}, window=None)


# --- counts and filters


def test_counts_with_shares_narrow_the_list_and_widen_it_again(lite: Api) -> None:
    open_some(lite)
    tiles = links(shown(lite, "/"), r'<ul class="tiles">.*?</ul>')
    assert {re.sub(r"\s+", " ", words) for words in tiles} == {
        "Exceeded 1 33 %", "Announced 1 33 %", "Overdue 1 33 %",
    }  # fmt: skip
    overdue = next(link for words, link in tiles.items() if words.startswith("Overdue"))
    assert overdue == "/?status=overdue"
    narrowed = shown(lite, overdue)
    assert listed(narrowed) == ["trees"]
    both = next(link for words, link in links(narrowed, r'<ul class="tiles">.*?</ul>').items() if "Exceeded" in words)
    assert both == "/?status=overdue,exceeded"
    assert set(listed(shown(lite, both))) == {"aid-2024", "trees"}
    again = links(shown(lite, both), r'<ul class="tiles">.*?</ul>')
    assert next(link for words, link in again.items() if "Exceeded" in words) == overdue


def test_facets_have_counts_and_take_several_values(lite: Api) -> None:
    open_some(lite)
    facets = links(shown(lite, "/"), r'<nav class="facets".*?</nav>')
    assert facets["Belgium 2"] == "/?pledgor=BE#list"
    belgian = shown(lite, "/?pledgor=BE")
    assert set(listed(belgian)) == {"trees", "roads"}
    both = links(belgian, r'<nav class="facets".*?</nav>')["NATO Allies 1"]
    assert both == "/?pledgor=BE&pledgor=nato-allies#list"
    assert len(listed(shown(lite, both.partition("#")[0]))) == 3
    tagged = links(shown(lite, "/?tag=aid"), r'<nav class="facets".*?</nav>')
    assert tagged["aid 1"] == "/#list"
    assert tagged["green 1"] == "/?tag=aid,green#list"


@pytest.mark.parametrize("asked", ["beneficiary=ua", "beneficiary=UKRAINE", "pledgor=nato+allies", "beneficiary=UA"])
def test_what_is_asked_for_stands_once_among_the_choices_and_can_be_taken_away(lite: Api, asked: str) -> None:
    open_some(lite)
    page = shown(lite, f"/?{asked}")
    assert "1 pledge found" in text_of(page)
    chosen = re.findall(r'<a href="([^"]*)"[^>]*aria-current="true">', part(page, r'<nav class="facets".*?</nav>'))
    assert chosen == ["/#list"]


def test_a_value_that_no_pledge_has_is_shown_as_chosen(lite: Api) -> None:
    open_some(lite)
    page = shown(lite, "/?pledgor=nobody")
    assert "No pledge fits" in page
    assert links(page, r'<nav class="facets".*?</nav>')["nobody 0"] == "/#list"


def test_all_filters_stay_when_the_words_or_the_day_are_set(lite: Api) -> None:
    open_some(lite)
    page = shown(
        lite, "/?unit=EUR&due_before=2030-01-01&status=overdue&pledgor=BE&pledgor=nato-allies&page=1&sort=title"
    )
    form = part(page, r'<form class="seek".*?</form>')
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    assert hidden == [
        ("unit", "EUR"), ("due_before", "2030-01-01"), ("status", "overdue"), ("pledgor", "BE"),
        ("pledgor", "nato-allies"), ("sort", "title"),
    ]  # fmt: skip


# --- the list


def test_the_latest_change_of_status_comes_first_and_a_column_sorts(lite: Api) -> None:
    open_some(lite)
    lite.add(progress("45bn EUR", stated_on="2025-06-01", figure={"period": {"start": "2024-01-01",
             "end": "2024-12-31"}}), "trees")  # fmt: skip
    page = shown(lite, "/")
    assert listed(page)[0] == "trees"
    columns = links(page, r'<table class="pledges".*?</thead>')
    assert columns["Status, since▼"] == "/?sort=changed#list"
    assert columns["Pledge"] == "/?sort=title#list"
    by_title = shown(lite, "/?sort=title")
    assert listed(by_title) == ["aid-2024", "roads", "trees"]
    assert 'aria-sort="ascending"' in by_title
    assert links(by_title, r'<table class="pledges".*?</thead>')["Pledge▲"] == "/?sort=-title#list"
    assert listed(shown(lite, "/?sort=-title")) == ["trees", "roads", "aid-2024"]


def test_pledges_without_a_deadline_come_last_whatever_the_direction(lite: Api) -> None:
    open_some(lite)
    assert listed(shown(lite, "/?sort=due"))[-1] == "roads"
    assert listed(shown(lite, "/?sort=-due"))[-1] == "roads"


def test_pages_are_numbered_and_hold_every_pledge_once(kept_many: Api) -> None:
    first = shown(kept_many, "/?sort=title")
    pages = links(first, r'<nav class="pages".*?</nav>')
    assert pages == {
        "1": "/?sort=title#list",
        "Page 2": "/?sort=title&page=2#list",
        "Page 3": "/?sort=title&page=3#list",
    }
    assert f"1–{LIST_ROWS} of 60" in text_of(first)
    names = [name for number in (1, 2, 3) for name in listed(shown(kept_many, f"/?sort=title&page={number}"))]
    assert names == [f"pledge-{number:03d}" for number in range(60)]
    beyond = shown(kept_many, "/?sort=title&page=99")
    assert listed(beyond) == names[50:]
    for wrong in ("0", "x", "-1", "1e3"):
        assert kept_many.get(f"/?page={wrong}", headers=BROWSER).status_code == 400


@pytest.fixture
def kept_many(lite: Api) -> Api:
    items = [{"pledge": f"pledge-{number:03d}", "fact": made_on(number)} for number in range(60)]
    assert lite.post("/v1/events", items).status_code == 201
    return lite


def made_on(number: int) -> dict[str, Any]:
    return {
        "type": "PledgeMade", "stated_on": (date(2020, 1, 10) + timedelta(days=20 * number)).isoformat(),
        "title": f"Promise {number:03d}", "pledgor": NATO, "kind": "money", "target": "at least 40bn EUR",
        "source": SOURCE,
    }  # fmt: skip


def test_this_data_is_exactly_the_list_that_is_shown(lite: Api) -> None:
    open_some(lite)
    page = shown(lite, "/?pledgor=BE&sort=title")
    data = links(page, r'<p class="this-data">.*?</p>')
    assert list(data) == ["CSV", "XLSX", "JSON", "feed"]
    assert [item["pledge"] for item in lite.get(data["JSON"]).json()["items"]] == listed(page)
    rows = lite.get(data["CSV"]).text.splitlines()
    assert [row.split(",")[0] for row in rows[1:3]] == listed(page)
    for link in data.values():
        assert lite.get(link).status_code == 200, link
    pinned = links(shown(lite, "/?as_of=2024-02-01&at_position=1"), r'<p class="this-data">.*?</p>')
    assert "as_of=2024-02-01&at_position=1" in pinned["JSON"]
    assert [item["pledge"] for item in lite.get(pinned["JSON"]).json()["items"]] == ["aid-2024"]


# --- over time


def test_a_month_of_the_areas_sets_the_day(lite: Api) -> None:
    open_some(lite)
    page = shown(lite, "/")
    months = re.findall(r'<a href="([^"]*)" tabindex="-1" data-stay><rect[^>]*><title>([^<]*)', page)
    by_link = {unescape(link): words for link, words in months}
    assert by_link["/?as_of=2024-07-31"] == "31\xa0Jul\xa02024: exceeded 1, announced 2"
    assert list(by_link)[-1] == "/"
    on_the_day = shown(lite, "/?as_of=2024-01-31")
    table = part(on_the_day, r'<div class="scroll area-table".*?</table>')
    assert 'href="/?as_of=2024-01-31" aria-current="date"' in table


def test_the_areas_are_of_the_filters_and_add_up_to_the_counts(lite: Api) -> None:
    open_some(lite)
    page = shown(lite, "/?pledgor=BE")
    first = part(page, r'<div class="scroll area-table".*?</table>')
    newest = re.findall(r"<tr>(.*?)</tr>", first, re.DOTALL)[1]
    assert sum(int(n) for n in re.findall(r'<td class="right num">(\d+)</td>', newest)) == 2


def test_months_are_counted_up_to_today_and_around_a_day_of_long_ago() -> None:
    recent = counted_days(date(1970, 5, 1), date(2026, 3, 1), date(2026, 3, 1))
    assert (len(recent), recent[-1], recent[-2]) == (MAX_COUNTED_DAYS, date(2026, 3, 1), date(2026, 2, 28))
    old = counted_days(date(1970, 5, 1), date(1985, 6, 10), date(2026, 3, 1))
    assert len(old) == MAX_COUNTED_DAYS
    assert old[0] < date(1985, 6, 10) < old[-1] < date(1989, 1, 1)
    ahead = counted_days(date(2025, 1, 1), date(2027, 1, 15), date(2026, 3, 1))
    assert (ahead[0], ahead[-1]) == (date(2025, 1, 31), date(2027, 1, 15))
    first = counted_days(date(1970, 5, 1), date(1960, 1, 1), date(2026, 3, 1))
    assert date(1960, 1, 31) in first


def test_days_to_look_at_are_today_the_ends_of_month_and_year_and_the_last_change(lite: Api) -> None:
    open_some(lite)
    chips = links(shown(lite, "/"), r'<ul class="chips".*?</ul>')
    month = today().replace(day=1) - ONE_DAY
    assert list(chips.values()) == [
        "/", f"/?as_of={month}", f"/?as_of={date(today().year - 1, 12, 31)}", "/?as_of=2025-01-01",
    ]  # fmt: skip


# --- what changed last


def test_the_latest_changes_name_their_cause(lite: Api) -> None:
    open_some(lite)
    told = lite.add(progress("60bn EUR", stated_on="2025-02-01", figure={"period": {"start": "2024-01-01",
                     "end": "2024-12-31"}}), "trees")["event"]["id"]  # fmt: skip
    changes = part(shown(lite, "/"), r'<ul class="change-list">.*?</ul>')
    items = [text_of(item) for item in re.findall(r"<li.*?</li>", changes, re.DOTALL)]
    assert items[0] == "1 Feb 2025 Plant trees Overdue → Exceeded Progress reported"
    assert items[1].endswith("Overdue A deadline passed")
    assert len(items) == 5
    assert items[4] == "10 Jan 2024 Build roads new → Announced Pledge made"
    assert f'href="/pledges/trees#event-{told}">Progress reported</a>' in changes


# --- totals and the beginning


def test_totals_are_of_what_can_be_compared_and_never_of_percentages(lite: Api) -> None:
    open_some(lite)
    lite.open("share", title="A share", kind="ratio", target="at least 2 percent:gdp")
    lite.add(progress("1.5 percent:gdp"), "share")
    folded = part(shown(lite, "/"), r'<section aria-labelledby="totals-title".*?</section>')
    assert list(links(folded, "(?s).*").values()) == ["/?totals=true#totals"]
    totals = part(shown(lite, "/?totals=true"), r'<section aria-labelledby="totals-title".*?</section>')
    rows = [[text_of(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in totals.split("<tr")[1:]]
    assert rows == [["Unit", "Pledges", "Promised", "Reported"], ["EUR", "1", "at least €40bn", "over €50bn"]]


def test_an_empty_record_says_how_to_begin(lite: Api) -> None:
    page = shown(lite, "/")
    assert "The record is empty" in page
    begin = part(page, r'<section class="empty begin".*?</section>')
    assert "tracker seed" in begin
    assert set(links(begin, "(?s).*").values()) == {"/import", "/record", "/schema"}
    for address in ("/import", "/record", "/schema"):
        assert lite.get(address, headers=BROWSER).status_code == 200
    assert 'class="pledges"' not in page
    lite.open()
    assert "The record is empty" not in shown(lite, "/")
    assert "The record is empty" not in shown(lite, "/?as_of=2000-01-01")
