"""The whole record of one pledge: every figure and whether it counts, each step on both clocks, every event in full."""

from __future__ import annotations

from api.http.parameters import choice
from api.http.responses import BytesResponse
from api.pages.frame import PageRequest, page_contract
from api.pages.pledge import AXES, AXIS, look_at
from api.pages.pledge_story import told_steps
from tracker.rules.status_history import Axis

PLEDGE_RECORD_CONTRACT = page_contract(
    "The whole record of one pledge.",
    AXIS,
    problems=("pledge_not_found",),
)


def draw_pledge_record(page: PageRequest, name: str) -> BytesResponse:
    """The page at `/pledges/{id}/record`."""
    axis: Axis = "known" if choice(page.query, "axis", AXES, "as_of") == "known" else "as_of"
    seen = look_at(page, name, axis)
    html = page.render(
        "pledge_record.html",
        seen.at,
        **seen.context(page),
        figures=seen.story.figures,
        steps=told_steps(seen.story.steps),
        axis=axis,
    )
    return page.about_pledge(name, seen.version, html)
