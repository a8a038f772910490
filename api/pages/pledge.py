"""The page of one pledge: its verdict and why, the promise, the latest report, charts, and a timeline of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json

from api import amounts
from api.http import clocks, system_clock
from api.http.contract import Parameter
from api.http.parameters import choice, day, invalid
from api.http.problems import pledge_not_found
from api.http.responses import BytesResponse, Redirect
from api.pages.chart import chart_data
from api.pages.charts import charts_of
from api.pages.frame import PageRequest, page_contract
from api.pages.pledge_rows import PledgeRow, pledge_row
from api.pages.pledge_story import (
    PledgeStory,
    changes_of_status,
    named_members,
    status_days,
    tell,
    timeline,
    told_flags,
)
from api.pages.repairs import differences
from api.pages.ways_out import ways_out
from api.resources.read_request import ReadRequest, must_be_slug
from projections.queries import Clocks
from tracker.errors import PledgeNotFound
from tracker.event import stamp
from tracker.pledge_events import PledgeEvents
from tracker.rules.status_history import Axis

AXES: tuple[Axis, ...] = ("as_of", "known")
"""The clocks along which the steps of a pledge are told."""

AXIS = Parameter("axis", "How its status came to be: as it was said, or as we recorded it.", {"enum": list(AXES)})
PLEDGE_CONTRACT = page_contract(
    "One pledge.",
    Parameter("from", "The first day that the chart shows.", clocks.AS_OF.schema),
    Parameter("to", "The last day that the chart shows.", clocks.AS_OF.schema),
    Parameter("axis", "Where this page had the steps of both clocks once: the record's address answers.", AXIS.schema),
    problems=("pledge_not_found",),
)

_MOST_CHIPS = 8
"""Changes of status that the time control offers, at most: the last ones."""


def draw_pledge(page: PageRequest, name: str) -> BytesResponse | Redirect:
    """The page at `/pledges/{id}`. An address of the time when it had the steps of both clocks leads to the record."""
    if "axis" in page.query:
        axis = choice(page.query, "axis", AXES, "as_of")
        return Redirect(page.link(f"{page.path}/record", axis=axis) + "#history")
    since, until = day(page.query, "from"), day(page.query, "to")
    if since is not None and until is not None and until <= since:
        raise invalid("to", "is no later than 'from'")
    seen = look_at(page, name, "as_of")
    status, story, at = seen.status, seen.story, seen.at
    data = chart_data(status, story.figures, story.history, story.segments, story.counted, at.as_of, seen.digits)
    if data is not None:
        data = replace(data, since=since, until=until)
    members = named_members(story.members)
    made = next((event for event in story.events if event["type"] == "PledgeMade"), None)
    reasons = [seen.by_id[id_] for id_ in status["because"]["status"] if id_ in seen.by_id]
    html = page.render(
        "pledge.html",
        at,
        **seen.context(page),
        made=made,
        ways=ways_out(page, at, seen.row, made),
        latest=seen.latest,
        reasons=reasons,
        successor=next((e["fact"]["by"] for e in reversed(reasons) if e["type"] == "PledgeSuperseded"), None),
        attesting=[seen.by_id[id_] for id_ in story.attested.events if id_ in seen.by_id],
        members=members,
        charts=charts_of(status, data, members, at.as_of, seen.row.progress, seen.digits, seen.by_id),
        changes=changes_of_status(story, at.as_of),
        timeline=timeline(story.events),
        chips=_chips(page, status, story),
        comparison=seen.comparison,
    )
    return page.about_pledge(name, seen.version, html)


class SeenPledge:
    """A pledge at the clocks of a page: its document, its story, and what both pages of it show."""

    def __init__(self, page: PageRequest, name: str, at: Clocks, body: bytes, events: PledgeEvents, axis: Axis) -> None:
        self.at, self.status = at, from_json(body)
        self.story, self.known = events.fold(lambda known: tell(known, at.as_of, axis))
        self.comparison = _comparison(page, at, self.status, self.story, name)
        self.by_id: dict[str, Mapping[str, Any]] = {event["id"]: event for event in self.story.events}
        self.digits = amounts.distinct_digits(
            self.status,
            self.story.figures,
            self.comparison,
            [(event["fact"], event["recorded"]) for event in self.story.events],
            [segment.status.document["actual"] for segment in self.story.segments],
        )
        self.row: PledgeRow = pledge_row(self.status, self.digits)
        self.latest = None if self.story.reported is None else self.by_id[self.story.reported]
        self.version: int = page.services.tracker.log.heads([name], at.position)[name][0]
        self.recorded_later: str | None = None

    def context(self, page: PageRequest) -> dict[str, Any]:
        """What the templates of both pages read."""
        known = self.known.events
        return {
            "status": self.status,
            "row": self.row,
            "digits": self.digits,
            "events": self.story.events,
            "by_id": self.by_id,
            "flags": told_flags(self.status, self.by_id, self.story.attested),
            "unread": [event.json for event in self.known.unread],
            "recorded_later": self.recorded_later,
            "measurable_note": getattr(known[0].fact, "measurable_note", None) if known else None,
        }


def look_at(page: PageRequest, name: str, axis: Axis) -> SeenPledge:
    """A pledge at the clocks of a page. Before it was recorded: what is known today of what had been said by then.

    Raises: PledgeNotFound if there is none; it names the day on which it was first spoken of, if that is later.
    """
    at = page.projected()
    body = page.services.timeline.one(must_be_slug(name), at)
    recorded_later = None
    if body is None and (recorded_later := page.first_recorded_after(name)) is not None:
        page.at = replace(page.at, position=None, known_at=None, numbered=False)
        at = page.projected()
        body = page.services.timeline.one(name, at)
    if body is None:
        raise not_said_yet(page, name, at)
    seen = SeenPledge(page, name, at, body, page.taken_in(name, at.position), axis)
    seen.recorded_later = None if recorded_later is None else stamp(recorded_later)
    return seen


def _chips(page: PageRequest, status: Mapping[str, Any], story: PledgeStory) -> list[dict[str, Any]]:
    """The days that the time control offers: today, the deadline, and each change of status."""
    today = system_clock.today()
    found = [{"words": "Today", "on": today.isoformat(), "link": page.link(as_of=None), "status": None}]
    if status["deadline"] is not None:
        found.append(_chip(page, "Deadline", status["deadline"], None))
    found += [_chip(page, "", d.on.isoformat(), d.status) for d in status_days(story.segments, today)[-_MOST_CHIPS:]]
    return found


def _chip(page: PageRequest, words: str, on: str, status: str | None) -> dict[str, Any]:
    return {"words": words, "on": on, "link": page.link(as_of=on), "status": status}


def not_said_yet(page: ReadRequest, name: str, at: Clocks) -> PledgeNotFound:
    """The refusal of a pledge that is not there; it names the day on which it was first spoken of, if that is later."""
    rectangles = page.services.timeline.rectangles(name)
    later = [r["valid_from"] for r in rectangles if r["known_to"] is None and r["valid_from"] > at.as_of.isoformat()]
    if not later:
        return pledge_not_found(name, page.services.timeline.unread(name, at.position))
    return PledgeNotFound(
        f"there is no pledge {name!r} by {at.as_of}", first_said_on=min(later), as_of=at.as_of.isoformat()
    )


def _comparison(
    page: PageRequest, at: Clocks, status: Mapping[str, Any], story: PledgeStory, name: str
) -> dict[str, Any] | None:
    """The same day twice, side by side.

    A page without a position is compared with the record as it would be without our repairs, and only if they change
    what is shown; a page with one is compared with what is known now.
    """
    if page.at.position is None:
        repaired = story.repaired
        if repaired is None:
            return None
        then, now = repaired.without, status
        at_then = Clocks(at.as_of, repaired.position, None)
        repairs = repaired.repairs
    else:
        body = page.services.timeline.one(name, Clocks(at.as_of, page.services.timeline.position(), None))
        then, now = status, {} if body is None else from_json(body)
        at_then, repairs = at, ()
    return {
        "then": then or None,
        "now": now or None,
        "at": None if at_then.known_at is None else stamp(at_then.known_at),
        "repairs": repairs,
        "link": page.link(known_on=None, known_at=None, at_position=str(at_then.position)),
        "now_link": page.link(known_on=None, known_at=None, at_position=None),
        "is_then": page.at.position is not None,
        "differs": differences(then, now),
    }
