"""The overview: how many pledges have which status, over time and now, what changed last, and the pledges in rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pydantic_core import from_json

from api.http import clocks, system_clock
from api.http.addresses import encoded
from api.http.contract import Parameter
from api.http.parameters import choice, day, flag
from api.http.responses import BytesResponse, Redirect
from api.pages.facet_links import facets_of, status_counts
from api.pages.frame import PageRequest, page_contract
from api.pages.latest_changes import LatestChange, latest_changes
from api.pages.list_pages import LIST_ROWS, PAGE_NUMBER, list_page, sort_columns
from api.pages.pledge_rows import PledgeRow, pledge_row
from api.pages.status_area import status_area
from api.resources import list_filters
from api.resources.contracts import FILTERS, MAX_PAGE_PLEDGES, SORT
from api.resources.names import SORT_NAMES
from projections.queries import Clocks
from tracker.event import stamp

_SINCE = Parameter(
    "since", "Where the list told once what changed since a day: that page answers.", clocks.AS_OF.schema
)
_AXIS = Parameter("axis", "Goes with `since`: whether the day is one of our record.", {"enum": ["said", "recorded"]})
_TOTALS = Parameter("totals", "Unfolds the totals of what is promised and reported.", {"type": "boolean"})
OVERVIEW_CONTRACT = page_contract(
    "All pledges and where they stand.", *FILTERS, SORT, PAGE_NUMBER, _TOTALS, _SINCE, _AXIS
)

DEFAULT_SORT = "-changed"
"""The order in which people are shown the list: the latest change of status comes first."""

_DATA = (("csv", "CSV"), ("xlsx", "XLSX"), ("json", "JSON"))
"""The formats in which the list of a page is offered."""


@dataclass(frozen=True, slots=True)
class ListedPledge:
    """A pledge of the list, and the day since which its status is what it is."""

    row: PledgeRow
    changed: date


@dataclass(frozen=True, slots=True)
class DataLink:
    """The list of a page in another format."""

    words: str
    link: str
    is_file: bool


def draw_overview(page: PageRequest) -> BytesResponse | Redirect:
    """The page at `/`. An address of the time when it told what changed since a day leads to that page."""
    if (since := day(page.query, "since")) is not None:
        return Redirect(_changed_since(page, since))
    query, timeline = page.query, page.services.timeline
    sort = choice(query, "sort", SORT_NAMES, DEFAULT_SORT)
    narrowed = list_filters.filters(query)
    begun_on = None
    if page.at.position == 0:
        # Before our first record the list shows what is known today of what had been said by then.
        begun_on = page.services.tracker.log.recorded_at(1)
        page.at = replace(page.at, position=None, known_at=None, numbered=False)
    at = page.projected()
    counted = timeline.facets(narrowed, at)
    chosen = [one["count"] for one in counted["status"] if not narrowed.status or one["key"] in narrowed.status]
    shown = list_page(page, sum(chosen))
    found = timeline.listed(narrowed, at, sort, LIST_ROWS, (shown.number - 1) * LIST_ROWS) if shown.total else []
    changes = latest_changes(page, narrowed, at)
    body = page.render(
        "overview.html",
        at,
        begun_on=None if begun_on is None else stamp(begun_on),
        is_empty=timeline.first_day(at) is None,
        rows=[ListedPledge(pledge_row(from_json(listed.document)), listed.changed) for listed in found],
        shown=shown,
        columns=sort_columns(page, sort, DEFAULT_SORT),
        counts=status_counts(page, counted["status"], narrowed.status),
        facets=facets_of(page, counted, shown.total),
        area=status_area(timeline, narrowed, at, system_clock.today(), lambda on: _as_of(page, on)),
        changes=changes,
        chips=list(_chips(page, changes)),
        compare=_compare_link(page),
        data=list(_data_links(page, at, shown.total, sort)),
        totals=compared_totals(timeline.summary(narrowed, at)) if flag(query, "totals") else None,
        is_filtered=bool(list_filters.given_filters(query)),
    )
    return page.about_all(at.position, body)


def compared_totals(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The totals whose promised and reported amounts are of the same pledges, and may be set side by side."""
    return [total for total in summary["totals"] if total["compared"]["target"] and total["compared"]["actual"]]


def _changed_since(page: PageRequest, since: date) -> str:
    """The page that compares a day with this page's own, among the same pledges."""
    is_record = choice(page.query, "axis", ("said", "recorded"), "said") == "recorded"
    until = page.query.get("known_on" if is_record else "as_of", system_clock.today().isoformat())
    two = {"from": min(since.isoformat(), until), "to": None if until == system_clock.today().isoformat() else until}
    # Of our record two days are compared, so that no other point of it goes along.
    clock = (
        {"axis": "recorded", "known_on": None, "known_at": None, "at_position": None} if is_record else {"as_of": None}
    )
    return page.link("/compare", **two, **list_filters.given_filters(page.query), **clock)


def _compare_link(page: PageRequest) -> str:
    """The page that compares two days, the later of them this page's own, among the same pledges."""
    later = {"to": page.query["as_of"]} if "as_of" in page.query else {}
    return page.link("/compare", **later, **list_filters.given_filters(page.query), as_of=None)


def _as_of(page: PageRequest, on: date) -> str:
    return page.link(as_of=None if on == system_clock.today() else on.isoformat(), page=None)


def _chips(page: PageRequest, changes: Sequence[LatestChange]) -> Iterator[dict[str, Any]]:
    """The days that the time control offers: today, the ends of the last month and year, the last change of status."""
    today = system_clock.today()
    month = today.replace(day=1) - timedelta(days=1)
    year = date(today.year - 1, 12, 31)
    days = [("Today", today), ("", month), ("", year), *(("Last change", change.on) for change in changes[:1])]
    for words, on in days:
        yield {"words": words, "on": on.isoformat(), "link": _as_of(page, on), "status": None}


def _data_links(page: PageRequest, at: Clocks, total: int, sort: str) -> Iterator[DataLink]:
    """This very list in other formats: what is live here is live there, what is pinned is pinned.

    A list that is longer than a page of the API is its export, which is in order of the pledges.
    """
    filters = list_filters.given_filters(page.query)
    clock = {"as_of": at.as_of.isoformat()} if page.at.dated else {}
    if page.at.position is not None:
        clock["at_position"] = str(at.position)
    is_page = total <= MAX_PAGE_PLEDGES
    path = "/v1/pledges" if is_page else "/v1/export"
    more = {"sort": sort, "limit": str(MAX_PAGE_PLEDGES)} if is_page else {}
    for name, words in _DATA:
        query = encoded({**filters, **clock, **more, "format": name}, safe=":,")
        yield DataLink(words, page.address(f"{path}?{query}"), is_file=name != "json")
    feed = encoded(filters, safe=":,")
    yield DataLink("feed", page.address(f"/v1/feed.atom{'?' if feed else ''}{feed}"), is_file=False)
