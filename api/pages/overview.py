"""The overview: counts, filters, pledges as rows, and what changed since a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from pydantic_core import from_json

from api import amounts, wording
from api.http import clocks
from api.http.clocks import CLOCKS, end_of
from api.http.contract import Parameter
from api.http.parameters import choice, day
from api.http.responses import BytesResponse
from api.pages.bars import Bar, bar_of
from api.pages.frame import CLOCK_NAMES, PageRequest, page_contract
from api.resources import list_filters
from api.resources.contracts import CURSOR, FILTERS, SORT
from api.resources.names import SORT_NAMES
from projections.queries import Clocks, Filters
from tracker.event import Event, fact_json, raw_event, stamp
from tracker.pledge_events import raw_in_force_on
from tracker.rules.event_days import days, said_between
from tracker.rules.judged import judged_target

SINCE = Parameter("since", "Show what changed since this day.", CLOCKS[0].schema)
AXIS = Parameter("axis", "What changed in the world, or in our record.", {"enum": ["said", "recorded"]})
OVERVIEW_CONTRACT = page_contract("All pledges and where they stand.", *FILTERS, SORT, CURSOR, SINCE, AXIS)

OVERVIEW_PAGE_ROWS = 100
"""Pledges on a page."""

DEFAULT_SORT = "-ratio"
"""The order in which people are shown the list: what is furthest comes first."""

_MAX_CHANGES = 50
_FACET_PLEDGES = 500
"""The number of pledges among which the choices of the filters are looked for."""

_MARKED_EVENTS = 1_000
"""The number of latest events whose days are marked on the slider."""

_QUIET_MEMBERS = {"as_of", "known_at", "position", "version", "because", "last_stated_on", "claimed_trajectory"}
"""Members of a status document whose change alone is not shown as a change of the pledge."""

SORT_WORDS = {
    "pledge": "Name",
    "title": "Title",
    "due": "Deadline, next first",
    "-due": "Deadline, last first",
    "-ratio": "Progress",
    "ratio": "Progress, least first",
    "-last_stated_on": "Newest word first",
    "last_stated_on": "Oldest word first",
}


@dataclass(frozen=True, slots=True)
class PledgeRow:
    """A pledge as a row: its status document, its bar, and how far it is, abbreviated and exact."""

    status: Mapping[str, Any]
    bar: Bar | None
    progress: str
    exact: str
    share: str | None
    """The actual in percent of the target; None without one, and where the line and the bar count members."""

    @property
    def says_more(self) -> bool:
        """Whether the line counts members or steps, and does not set the actual beside the target."""
        counts_members = (self.status.get("members") or {}).get("met") is not None
        return counts_members or (self.status["actual"] is None and bool(self.status.get("milestones")))


@dataclass(frozen=True, slots=True)
class StatusTile:
    """The number of pledges with a headline, and the address that narrows the list to them or widens it again."""

    status: str
    count: int
    link: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ChangedPledge:
    """A pledge that changed: its status documents before and after, None for none, and the events between them."""

    pledge: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    events: list[dict[str, Any]]

    @property
    def title(self) -> str:
        """The title of the pledge, the later one."""
        known = self.after or self.before
        assert known is not None
        return str(known["title"])


def draw_overview(page: PageRequest) -> BytesResponse:
    """The page at `/`."""
    query, timeline = page.query, page.services.timeline
    sort = choice(query, "sort", SORT_NAMES, DEFAULT_SORT)
    narrowed = list_filters.filters(query)
    question = list_filters.given_filters(query, *CLOCK_NAMES) | {"sort": sort}
    cursor = list_filters.Cursor.read(query, question, page.log, page.services.tracker.log)
    if cursor is not None:
        page.at = cursor.at
    begun_on = None
    if page.at.position == 0:
        # Before our first record the list shows what is known today of what had been said by then.
        begun_on = page.services.tracker.log.recorded_at(1)
        page.at = replace(page.at, position=None, known_at=None, numbered=False)
    at = page.projected()
    found = timeline.page(narrowed, at, sort, OVERVIEW_PAGE_ROWS, None if cursor is None else cursor.after)
    following = None
    if found.next is not None:
        frozen = replace(page.at, position=at.position)
        beyond = list_filters.Cursor(frozen, at.position, found.next, page.log)
        following = page.link(cursor=beyond.write(question))
    whole = timeline.summary(replace(narrowed, status=()), at)
    body = page.render(
        "overview.html",
        at,
        begun_on=None if begun_on is None else stamp(begun_on),
        rows=[pledge_row(from_json(document)) for document in found.items],
        total=found.total,
        following=following,
        begun=page.link(cursor=None) if cursor is not None else None,
        tiles=_tiles(page, whole["by_status"], narrowed),
        distribution=_distribution(whole["by_status"]),
        summary=timeline.summary(narrowed, at) if narrowed.status else whole,
        facets=_facets(page, at),
        sorts=SORT_WORDS,
        sort=sort,
        is_filtered=bool(list_filters.given_filters(query)),
        slider=_time_slider(page, at),
        changes=_changes(page, at, narrowed),
    )
    return page.about_all(at.position, body)


def pledge_row(status: Mapping[str, Any], digits: amounts.Digits | None = None) -> PledgeRow:
    """A pledge as a row; `digits` are those of all amounts shown with it, by default of its own two."""
    progress, exact = progress_of(status, digits or amounts.distinct_digits(judged_target(status), status["actual"]))
    share = amounts.ratio(status["ratio"], status["actual"])
    if (status.get("members") or {}).get("met") is not None or status.get("periods_tally"):
        share = None
    elif "baseline" in status:
        share = f"{amounts.ratio(status['progress'])} of the way" if status["progress"] else None
    return PledgeRow(status, bar_of(status), progress, exact, share)


def progress_of(status: Mapping[str, Any], digits: amounts.Digits) -> tuple[str, str]:
    """How far a pledge is, in a line: abbreviated and exact. "Over" never turns into "equals"."""
    target, actual = amounts.amount(judged_target(status), digits), amounts.amount(status["actual"], digits)
    members = status.get("members")
    if status.get("periods_tally"):
        line = amounts.counted(status) or ""
        return line, line
    if members is not None and members["met"] is not None:
        line = amounts.counted(status) or ""
        line += " members" if isinstance(members["met"], int) else ""
        return line, line
    if actual is not None and target is not None:
        return f"{actual.short} of {target.short}", f"{actual.exact} of {target.exact}"
    if actual is not None:
        return actual.short, actual.exact
    if target is not None:
        what = "each member " if members is not None else ""
        return f"nothing reported of {what}{target.short}", f"nothing reported of {what}{target.exact}"
    if steps := status.get("milestones"):
        line = f"{amounts.counted(status)}{' milestones reached' if len(steps) > 1 else ''}"
        return line, line
    return "no number to check", "no number to check"


def _tiles(page: PageRequest, counts: Mapping[str, int], narrowed: Filters) -> list[StatusTile]:
    tiles = []
    for status in wording.STATUS:
        chosen = status in narrowed.status
        if status in counts or chosen:
            others = [s for s in narrowed.status if s != status] if chosen else [*narrowed.status, status]
            link = page.link(status=",".join(others) or None, cursor=None)
            tiles.append(StatusTile(status, counts.get(status, 0), link, chosen))
    return tiles


def _distribution(counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """(status, x, width) of the bar over the tiles, in percent."""
    total, x = sum(counts.values()), 0
    found = []
    for status in wording.STATUS:
        if n := counts.get(status, 0):
            found.append((status, f"{100 * x / total:.3f}%", f"{100 * n / total:.3f}%"))
            x += n
    return found


def _facets(page: PageRequest, at: Clocks) -> dict[str, list[tuple[str, str, bool]]]:
    """The choices of each filter, from the first pledges at these clocks: (value, words, whether it is chosen)."""
    found: dict[str, dict[str, str]] = {"pledgor": {}, "beneficiary": {}, "tag": {}, "kind": {}, "flag": {}}
    for document in page.services.timeline.page(Filters(), at, limit=_FACET_PLEDGES).items:
        status = from_json(document)
        for name in ("pledgor", "beneficiary"):
            if (who := status[name]) is not None:
                found[name][who.get("code", who["name"])] = who["name"]
        found["tag"] |= {tag: tag for tag in status["tags"]}
        found["kind"][status["kind"]] = status["kind"]
        found["flag"] |= {flag: wording.FLAG.get(flag, (flag, ""))[0] for flag in status["flags"]}
    return {name: _offered(offered, page.query.get(name)) for name, offered in found.items()}


def _offered(offered: dict[str, str], asked: str | None) -> list[tuple[str, str, bool]]:
    """The choices in order; the one asked for is found by its value or its words, in any case, else added."""
    chosen = asked
    if asked is not None:
        same = asked.casefold()
        chosen = next((v for v, said in offered.items() if same in (v.casefold(), said.casefold())), asked)
        offered.setdefault(chosen, asked)
    ordered = sorted(offered.items(), key=lambda pair: pair[1].casefold())
    return [(value, said, value == chosen) for value, said in ordered]


def _time_slider(page: PageRequest, at: Clocks) -> dict[str, Any]:
    """The slider over `as_of`: from the first day on which anything was said until today, with those days marked."""
    last = max(clocks.today(), at.as_of)
    marks: dict[date, int] = {}
    for on in _recent_days(page, at):
        marks[on] = marks.get(on, 0) + 1
    said = sorted(marks)
    first = next((d for d in said if d.year >= said[-1].year - 5), last) - timedelta(days=31) if said else last
    first = min(first.replace(day=1), at.as_of)
    span = max((last - first).days, 1)
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "days": span,
        "value": (at.as_of - first).days,
        "marks": [(f"{100 * (d - first).days / span:.2f}%", n) for d, n in sorted(marks.items()) if first <= d <= last],
        "years": [
            (f"{100 * (date(y, 1, 1) - first).days / span:.2f}%", y)
            for y in range(first.year + 1, last.year + 1)
            if 0.02 < (date(y, 1, 1) - first).days / span < 0.97
        ],
    }


def _recent_days(page: PageRequest, at: Clocks) -> list[date]:
    """The days on which the latest events were said, as they were posted."""
    after = max(0, at.position - _MARKED_EVENTS)
    rows = page.services.tracker.log.read(after, _MARKED_EVENTS, upto=at.position)
    found = (raw_in_force_on(raw_event(row.state, row.position)) for row in rows)
    return [on for on in found if on is not None]


def _changes(page: PageRequest, at: Clocks, narrowed: Filters) -> dict[str, Any] | None:
    """What changed since a day, in what had been said or in what we had recorded, for the pledges of the list.

    A pledge that has left the list since is not among them: the filters are asked at one point, that of the page.
    """
    since = day(page.query, "since")
    if since is None:
        return None
    recorded = choice(page.query, "axis", ("said", "recorded"), "said") == "recorded"
    if recorded:
        then = end_of(since)
        position = min(page.services.tracker.log.position_at(then), at.position)
        earlier = Clocks(at.as_of, position, then)
    else:
        earlier = replace(at, as_of=min(since, at.as_of))
    pages = page.services.timeline.diff(earlier, at, narrowed)
    differences = list(islice((found for some in pages for found in some), _MAX_CHANGES + 1))
    changes = [
        ChangedPledge(
            d.pledge,
            None if d.before is None else from_json(d.before),
            None if d.after is None else from_json(d.after),
            _events_between(page, d.pledge, earlier, at),
        )
        for d in differences[:_MAX_CHANGES]
    ]
    visible = [change for change in changes if _is_visible(change)]
    return {
        "since": since.isoformat(),
        "recorded": recorded,
        "items": visible,
        "only_words": len(changes) - len(visible),
        "more": len(differences) > _MAX_CHANGES,
    }


def _is_visible(change: ChangedPledge) -> bool:
    """Whether more has changed than what was merely said."""
    if change.before is None or change.after is None:
        return True
    shown = change.after.keys() - _QUIET_MEMBERS
    return any(not amounts.same(change.before.get(name), change.after.get(name)) for name in shown)


def _events_between(page: PageRequest, pledge: str, earlier: Clocks, later: Clocks) -> list[dict[str, Any]]:
    def between(events: Sequence[Event]) -> list[Event]:
        if earlier.as_of != later.as_of:
            return said_between(events, earlier.as_of, later.as_of)
        on = days(events)
        return [e for e in events if e.position > earlier.position and on[e.id] <= later.as_of]

    found, _ = page.taken_in(pledge, later.position).fold(between)
    return [{"id": e.id, "type": e.type, "fact": fact_json(e.fact)} for e in found]
