"""The examples of the workbook to fill: facts about an invented pledge to plant trees, by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PLEDGE = "example-trees-2025"
_GROUP = "example-schools-2025"
_SOURCE = {"publisher": "Example Gazette", "tier": "media", "url": "https://example.org/trees"}


def _fact(stated_on: str, pledge: str = _PLEDGE, **cells: str) -> Mapping[str, str]:
    return {"pledge": pledge, "stated_on": stated_on, **_SOURCE, **cells}


def _record(stated_on: str, **cells: str) -> Mapping[str, str]:
    """A fact of record-keeping, which needs no source."""
    return {"pledge": _PLEDGE, "stated_on": stated_on, **cells}


def _figure(quantity: str, start: str, end: str) -> Mapping[str, str]:
    return {"quantity": quantity, "basis": "cumulative", "period_start": start, "period_end": end}


_FIRST_HALF = ("2025-01-01", "2025-06-30")
_YEAR = ("2025-01-01", "2025-12-31")

EXAMPLES: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "PledgeMade": (
        _fact(
            "2025-01-15", title="Ten thousand trees in 2025", pledgor="City of Example", kind="count",
            target="at least 10k count:trees", window_start="2025-01-01", window_end="2025-12-31", tags="trees; parks",
            quote="We will plant ten thousand trees this year.",
            conditions='[{"condition": "water", "text": "if the water board agrees"}]',
        ),
        _fact(
            "2025-01-15", _GROUP, title="Every school gets a garden", pledgor="City of Example", kind="milestone",
            rule="each_member", members="north; south", window_end="2025-12-31",
        ),
    ),
    "PledgeReaffirmed": (_fact("2025-02-10", speaker="Mayor of Example"),),
    "PledgeRevised": (_fact("2025-03-01", target="at least 12k count:trees", reason="More parks take part."),),
    "ConditionReported": (_fact("2025-03-10", condition="water", state="fulfilled"),),
    "PledgeWithdrawn": (_fact("2025-12-20", _GROUP, reason="The schools have no room for gardens."),),
    "PledgeSuperseded": (_fact("2025-12-21", _GROUP, by="example-gardens-2026"),),
    "ProgressReported": (_fact("2025-07-10", ref="first half", **_figure("over 6k count:trees", *_FIRST_HALF)),),
    "PledgeMet": (_fact("2025-12-01", ref="met", **_figure("12k count:trees", "2025-01-01", "2025-11-30")),),
    "PledgeExceeded": (_fact("2026-01-10", ref="exceeded", **_figure("over 12k count:trees", *_YEAR)),),
    "PledgeMissed": (_fact("2026-01-20", ref="missed", speaker="Opposition", reason="Dead trees do not count."),),
    "MemberReported": (_fact("2025-09-01", _GROUP, member="north", verdict="met", on="2025-08"),),
    "TallyReported": (_fact("2025-10-01", _GROUP, met="1", total="2", members_met="north", on="2025-09"),),
    "ShareReported": (_fact("2025-07-11", subset="Parks", share="more than 50 percent:trees", of="first half"),),
    "MilestoneScheduled": (_fact("2025-02-01", milestone="First tree", due="2025-03-31"),),
    "MilestoneReached": (_fact("2025-03-20", milestone="First tree", on="2025-03-19"),),
    "MilestoneMissed": (_fact("2025-11-01", milestone="Tree nursery", on="2025-10"),),
    "StatementMade": (_fact("2025-05-05", ref="talk", speaker="Mayor of Example", trajectory="on_track"),),
    "FigureRestated": (
        _fact(
            "2025-08-01", event="first half", reason="One park was counted twice.",
            **_figure("over 5k count:trees", *_FIRST_HALF),
        ),
    ),
    "StatementRetracted": (_fact("2025-06-01", event="talk", reason="The mayor was misquoted."),),
    "EventCorrected": (
        _record("2025-07-12", event="first half", changes='{"summary": "Spring planting."}', reason="A summary."),
    ),
    "EventVoided": (_record("2026-01-21", event="missed", reason="It was about another city."),),
    "FigureRanked": (_record("2026-01-12", event="exceeded", rank="preferred", reason="Counted by hand."),),
    "SourceCaptured": (_record("2025-12-02", event="met", sha256="0" * 64, media_type="text/html", bytes="1024"),),
    "AssessmentIssued": (
        _record(
            "2026-01-15", rating="Kept", rubric="Example scale", rubric_version="1",
            reasoning="More trees than promised were counted.",
        ),
    ),
}  # fmt: skip
"""Rows of each sheet by column. Together they are two pledges that can be recorded in the order of their days."""
