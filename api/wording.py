"""The field's words for people: statuses, flags, fact types, dates and parties. Amounts are in `api.amounts`.

What is new in the rules needs a row here, and a test fails until it is there:

    a status      STATUS and STATUS_MEANS; also an icon in pages/templates/_icons.html, a colour in pages/static/app.css
    a flag        FLAG
    a fact type   TYPE; ACTED_ON too, if it acts on other facts; the fields of its form in pages/form_fields.py

Every other value of a status document has its table below. A member of a document that is not called in plain English
is in DOCUMENT_MEMBER; any other name is read as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pycountry

NBSP = "\u00a0"
"""The space at which a line is not broken."""

STATUS = {
    "exceeded": "Exceeded",
    "met": "Met",
    "partly_met": "Partly met",
    "in_progress": "In progress",
    "announced": "Announced",
    "overdue": "Overdue",
    "missed": "Missed",
    "indeterminate": "Indeterminate",
    "not_measurable": "Not measurable",
    "withdrawn": "Withdrawn",
    "superseded": "Superseded",
    "conditional": "Conditional",
}
"""Headlines in the order in which a page lists them."""

STATUS_MEANS = {
    "conditional": "the promise hangs on a condition that is open or failed, and it is not kept all the same",
    "exceeded": "every possible value of what is reported lies beyond the target",
    "met": "what is reported keeps the promise",
    "partly_met": "what is final falls short of the target, and is not certainly nothing",
    "in_progress": "something that counts is reported, and nothing that is final for the target in force",
    "announced": "nothing that counts is reported yet, which is not the same as nothing done",
    "overdue": "the latest reading of the deadline has passed without a final figure",
    "missed": "the final report is nothing, or it was admitted while nothing is known to be done",
    "indeterminate": "the final figure is too vague to say whether it keeps the promise",
    "not_measurable": "there is nothing that decides whether it is kept",
    "withdrawn": "the promise was taken back",
    "superseded": "another pledge took its place",
}
"""What each headline means where a figure decides; see `means` for the rest."""

_BASELINE_MEANS = {
    "partly_met": "what is final falls short of the target, and is, or may be, a step from the baseline towards it",
    "missed": "what is final, or what was admitted, is no step from the baseline towards the target",
    "not_measurable": "its target is said against a baseline that nobody gave",
}
_CEILING_MEANS = {
    "partly_met": "what is final does not keep the promise",
    "missed": "what is reported lies beyond the ceiling, or it was admitted",
}
_GROUP_MEANS = {
    "met": "everybody who is bound by it met it",
    "partly_met": "some of those who are bound by it met it, but not as many as were asked for",
    "missed": "nobody who is bound by it is known to have met it, by a complete report or an admission",
    "in_progress": "some results are reported, and they do not decide it yet",
    "overdue": "the time is up, and the results that are reported do not decide it",
}
_ENOUGH_MET = "as many of those who are bound by it met it as were asked for"
_MILESTONES_MEAN = {
    "met": "every milestone that is needed is reached",
    "partly_met": "some milestones are reached or partly reached, but not all, and the time is up or it was admitted",
    "missed": "no milestone is reached, and the time is up or it was admitted",
    "in_progress": "something is reported of it, and not every milestone is reached",
    "announced": "no milestone is reported to be reached, which is not the same as nothing done",
    "overdue": "the last day for it has passed, and nobody reported that it was reached",
}
_PERIODS_MEAN = {
    "met": "every period was kept",
    "partly_met": "the last period has closed, and some periods were kept, but not all of them",
    "missed": "the last period has closed, and none was kept",
    "in_progress": "there are reports, and the last period has not closed",
    "announced": "no report of any period counts yet, which is not the same as nothing done",
    "overdue": "the last period has closed, none is known to be kept, and not all are decided",
}

FLAG = {
    "disputed": ("Disputed", "reports contradict each other"),
    "suspected_unit_error": ("Unit error?", "the same digits in two currencies"),
    "suspected_duplicate": ("Counted twice?", "two payments may be one; both count until a reviewer ranks one"),
    "falling_total": ("Falling total", "a running total went down without a restatement"),
    "added_totals": ("Added totals", "totals of separate years are added up"),
    "overlap": ("Overlap", "increments overlap in part, so they are not added up"),
    "assertion_conflict": ("Claim conflicts", "a claim is contradicted by its own figure"),
    "unproven_claim": ("Unproven claim", "somebody claims it without a figure that proves it"),
    "tally_mismatch": ("Tally mismatch", "the count and the members' reports disagree"),
    "converted": ("Converted", "compared across currencies, by the source's own equivalent or the ECB's rate"),
    "late": ("Late", "after the first deadline"),
    "revised_target": ("Revised target", "the target is not the first one"),
    "revised_after_close": ("Changed too late", "the terms were changed after the time was up: the answer stays"),
    "envelope": ("Up to", "the promise names the most it may come to, and is compared with that"),
    "conditional": ("Conditional", "a condition is open or failed"),
    "instalment_overdue": ("Instalment overdue", "the day of an instalment has passed without what was due by then"),
    "reinstated": ("Reinstated", "it was taken back, and promised again"),
    "broken_period": ("Broken period", "a period has closed without being kept"),
    "provisional": ("Provisional", "the figure may still change"),
    "estimated": ("Estimated", "the figure is an estimate"),
    "stale": ("Stale", "nothing was said for long while it is open (180 days, 400 for a window over three years)"),
    "single_source": ("Single source", "what counts here goes back to one origin"),
    "stale_projection": ("Being repaired", "an event could not be taken in yet"),
}
"""Flags: (name, what it means)."""

EVIDENCE = {
    "none": "no report that counts",
    "single_source": "one origin",
    "corroborated": "two origins or more",
    "disputed": "disputed",
    "retracted": "retracted",
}
SCHEDULE = {
    "no_deadline": "no deadline",
    "open": "open",
    "due_soon": "due soon",
    "overdue": "overdue",
    "kept_on_time": "kept on time",
    "kept_late": "kept late",
    "closed": "closed",
}
TRAJECTORY = {"ahead": "ahead", "on_track": "on track", "behind": "behind", "unknown": "not known"}
VERDICT = {
    "met": "Met",
    "not_met": "Not met",
    "not_applicable": "Does not apply",
    "opted_out": "Opted out",
    "not_reported": "Not reported",
}
"""Results of members, in the order in which a page lists them."""

MILESTONE = {
    "scheduled": "Not reached yet",
    "reached": "Reached",
    "partly_reached": "Partly reached",
    "missed": "Missed",
}
CONDITION = {"open": "open", "fulfilled": "fulfilled", "failed": "failed", "waived": "waived"}
INSTALMENT = {"open": "not due yet", "paid": "paid", "overdue": "overdue"}
EVERY = {"year": "each year", "half": "each half-year", "quarter": "each quarter", "month": "each month"}
"""For how long the target of a recurring pledge holds each time."""

TYPE = {
    "PledgeMade": "Pledge made",
    "PledgeReaffirmed": "Pledge reaffirmed",
    "PledgeRevised": "Pledge revised",
    "ConditionReported": "Condition reported",
    "PledgeWithdrawn": "Pledge withdrawn",
    "PledgeSuperseded": "Pledge superseded",
    "ProgressReported": "Progress reported",
    "PledgeMet": "Claimed to be met",
    "PledgeExceeded": "Claimed to be exceeded",
    "PledgeMissed": "Claimed to be missed",
    "MemberReported": "Member reported",
    "TallyReported": "Tally reported",
    "ShareReported": "Share reported",
    "MilestoneScheduled": "Milestone scheduled",
    "MilestoneReached": "Milestone reached",
    "MilestoneMissed": "Milestone missed",
    "StatementMade": "Statement",
    "FigureRestated": "Figure restated by its source",
    "StatementRetracted": "Statement retracted",
    "EventCorrected": "Our record corrected",
    "EventVoided": "Our record voided",
    "FigureRanked": "Figure ranked by a reviewer",
    "SourceCaptured": "Source captured",
    "AssessmentIssued": "Assessment issued",
}
"""Types of facts."""

ACTED_ON = {
    "EventCorrected": "corrected by us",
    "EventVoided": "voided by us",
    "FigureRanked": "ranked by a reviewer",
    "SourceCaptured": "source captured",
    "FigureRestated": "restated by its source",
    "StatementRetracted": "taken back",
}
"""What happened to an event on which a fact of the type acts."""

DOCUMENT_MEMBER = {
    "because": "reasons",
    "claimed_trajectory": "what speakers claim",
    "past_targets": "earlier targets",
}

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LONG_MONTHS = "January February March April May June July August September October November December".split()


def means(status: Mapping[str, Any]) -> str:
    """What the headline of a status document means for a pledge of its kind."""
    headline: str = status["status"]
    special: Mapping[str, str] = {}
    match status["decided_by"]:
        case "periods":
            special = _PERIODS_MEAN
        case "members":
            members = status["members"]
            special = _GROUP_MEANS | ({} if members["met"] == members["eligible"] else {"met": _ENOUGH_MET})
        case "steps":
            special = _MILESTONES_MEAN
        case _:
            if "baseline" in status or "relative_target" in status:
                special = _BASELINE_MEANS
            elif status["direction"] == "down":
                special = _CEILING_MEANS
    return special.get(headline, STATUS_MEANS[headline])


def day(value: date | str | None) -> str:
    """A date in words: 16 Oct 2024; also one that is only a year, a half, a quarter or a month."""
    if value is None:
        return "—"
    text = value if isinstance(value, str) else value.isoformat()
    year, _, rest = text.partition("-")
    if not rest:
        return year
    if rest[0] == "H":
        return f"{'first' if rest[1] == '1' else 'second'} half of {year}"
    if rest[0] == "Q":
        return f"{rest} {year}"
    month, _, number = rest.partition("-")
    name = _MONTHS[int(month) - 1]
    return f"{int(number)}{NBSP}{name}{NBSP}{year}" if number else f"{name}{NBSP}{year}"


def stated(fact: Mapping[str, Any]) -> str:
    """When a fact was said, no more precisely than the source has it: July 2024."""
    on, precision = date.fromisoformat(fact["stated_on"]), fact.get("precision", "day")
    match precision:
        case "month":
            return f"{_LONG_MONTHS[on.month - 1]}{NBSP}{on.year}"
        case "quarter":
            return f"Q{(on.month + 2) // 3} {on.year}"
        case "half":
            return day(f"{on.year}-H{1 if on.month <= 6 else 2}")
        case "year":
            return str(on.year)
    return day(on)


def instant(stamp: str | None) -> str:
    """When we recorded it, to the second: 21 Nov 2026, 16:00:00 UTC."""
    if stamp is None:
        return "now"
    on, _, at = stamp.partition("T")
    return f"{day(on)}, {at[:8]}{NBSP}UTC"


def span(period: Mapping[str, str] | None) -> str:
    """A period or window from one day to another; a whole year or half is called so."""
    if period is None:
        return "—"
    start, end = period.get("start"), period.get("end")
    if start and end and start[:4] == end[:4]:
        for first, last, name in (("01-01", "12-31", ""), ("01-01", "06-30", "-H1"), ("07-01", "12-31", "-H2")):
            if (start[5:], end[5:]) == (first, last):
                return day(start[:4] + name)
    if start and end:
        return f"{day(start)} – {day(end)}"
    return f"from {day(start)}" if start else f"until {day(end)}" if end else "—"


def party(value: Mapping[str, str] | None) -> str:
    """The name of a party; an empty string for none."""
    return "" if value is None else value["name"]


def member(code: str) -> str:
    """The name of a state by its code; any other code is a name already."""
    found = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    if found is None:
        return {"EU": "European Union", "XK": "Kosovo"}.get(code, code)
    return str(getattr(found, "common_name", found.name)).partition(",")[0]


def in_words(name: str) -> str:
    """A name of the API in words: past_targets → earlier targets, on_track → on track."""
    return DOCUMENT_MEMBER.get(name, name.replace("_", " "))
