"""The whole record of one pledge: every figure and whether it counts, each step on both clocks, every event in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.archive import Archive
from api.http.parameters import choice
from api.http.responses import BytesResponse
from api.pages.copies import copies_of
from api.pages.frame import PageRequest, page_contract
from api.pages.pledge import AXES, AXIS, SeenPledge, look_at
from api.pages.pledge_story import told_steps
from tracker.acting import may_act_on_type
from tracker.rules.status_history import Axis

_ACTIONS = {
    "EventCorrected": "correct it",
    "FigureRestated": "restate it",
    "StatementRetracted": "it was taken back",
    "FigureRanked": "rank it",
    "SourceCaptured": "keep a copy",
    "EventVoided": "void it",
}
"""What the form can do to an event, in the words of the page."""

PLEDGE_RECORD_CONTRACT = page_contract(
    "The whole record of one pledge.",
    AXIS,
    problems=("pledge_not_found",),
)


def draw_pledge_record(page: PageRequest, name: str) -> BytesResponse:
    """The page at `/pledges/{id}/record`."""
    axis: Axis = "known" if choice(page.query, "axis", AXES, "as_of") == "known" else "as_of"
    seen = look_at(page, name, axis)
    copies = copies_of(seen.story.events, Archive(page.services.settings.archive_directory))
    html = page.render(
        "pledge_record.html",
        seen.at,
        **seen.context(page),
        figures=seen.story.figures,
        steps=told_steps(seen.story.steps),
        axis=axis,
        copies=copies,
        may_act={event["id"]: _acts_on(seen, event) for event in seen.story.events if not event["is_void"]},
    )
    return page.about_pledge(name, seen.version, html, from_events_alone=not copies)


def _acts_on(seen: SeenPledge, event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the form can do to an event: (type of the fact, its words)."""
    fact = next(known.fact for known in seen.known.events if known.id == event["id"])
    return [(name, words) for name, words in _ACTIONS.items() if may_act_on_type(name, fact)]
