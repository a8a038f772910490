"""What is due and what has gone quiet: the pledges that fall due soon, and those of which nothing was said for long."""

from __future__ import annotations

from datetime import date

from litestar import Controller
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import from_json

from api.http.contract import AnyRequest, Parameter, read
from api.http.parameters import integer
from api.http.responses import BytesResponse, Redirect
from api.pages.frame import PageRequest, page_contract
from api.pages.list_pages import LIST_ROWS
from api.pages.pledge_rows import pledge_row
from api.resources.contracts import DUE_DAYS, MAX_DUE_DAYS
from api.resources.deadlines import MAX_DUE_PLEDGES, due
from api.services import Services
from projections.queries import Filters

_DAYS = Parameter(
    "days", "Up to how many days ahead.", {"type": "integer", "minimum": 1, "maximum": MAX_DUE_DAYS, "default": 30}
)
DEADLINES_CONTRACT = page_contract("What is due, and what has gone quiet.", _DAYS)

SHOWN_DEADLINES = 50
"""Deadlines that the page lists, the nearest; the calendar has more."""

OFFERED_DAYS = (7, 30, 90, 365)
"""The days ahead that the page offers."""

_STALE = Filters(flag=("stale",))


class DeadlinePageController(Controller):
    """The page of what is due."""

    @read("/deadlines", DEADLINES_CONTRACT)
    def deadlines(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """The pledges that fall due soon, and those of which nothing was said for long."""
        page = PageRequest(request, services)
        return Redirect(page.link()) if page.has_blanks else _draw(page)


def _draw(page: PageRequest) -> BytesResponse:
    at, timeline = page.projected(), page.services.timeline
    days = integer(page.query, "days", 1, MAX_DUE_DAYS, DUE_DAYS)
    found = due(timeline, Filters(), at, days)
    flags = {one["key"]: one["count"] for one in timeline.facets(Filters(), at)["flag"]}
    stale_total = flags.get(_STALE.flag[0], 0)
    stale = timeline.listed(_STALE, at, "last_stated_on", LIST_ROWS, 0) if stale_total else []
    quiet = [from_json(listed.document) for listed in stale]
    body = page.render(
        "deadlines.html",
        at,
        days=days,
        offered=[(offered, page.link(days=str(offered))) for offered in OFFERED_DAYS],
        due=[
            (pledge_row(status), (date.fromisoformat(status["deadline"]) - at.as_of).days)
            for status in found[:SHOWN_DEADLINES]
        ],
        total=len(found),
        is_cut=len(found) == MAX_DUE_PLEDGES,
        stale=[
            (pledge_row(status), (at.as_of - date.fromisoformat(status["last_stated_on"])).days) for status in quiet
        ],
        stale_total=stale_total,
        calendar=page.address(f"/v1/deadlines.ics{'' if days == DUE_DAYS else f'?days={days}'}"),
    )
    return page.about_all(at.position, body)
