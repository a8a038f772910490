"""The field's words for people: statuses, flags, fact types, dates and parties. Amounts are in `api.amounts`.

What is new in the rules needs a row here, and a test fails until it is there:

    a status      STATUS and STATUS_MEANS; also an icon in pages/templates/_icons.html, a colour in pages/static/app.css
    a flag        FLAG
    a fact type   TYPE; ACTED_ON too, if it acts on other facts; the words of its fields in pages/form_words.py

Every other value of a status document has its table below. A member of a document that is not called in plain English
is in DOCUMENT_MEMBER; any other name is read as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pycountry

from api.meanings import STATUS as STATUS
from api.meanings import STATUS_MEANS as STATUS_MEANS
from api.meanings import means as means
from tracker.values import end_of, slug_of

NBSP = "\u00a0"
"""The space at which a line is not broken."""

FLAG = {
    "disputed": ("Disputed", "reports contradict each other"),
    "suspected_duplicate": ("Duplicate?", "two reports may be of one payment; both count until a reviewer ranks one"),
    "added_totals": ("Added totals", "totals of separate years are added up"),
    "suspected_unit_error": ("Unit error?", "the same digits in two currencies"),
    "falling_total": ("Falling total", "a running total went down without a restatement"),
    "overlap": ("Overlap", "increments overlap in part, so they are not added up"),
    "assertion_conflict": ("Claim conflicts", "a claim is contradicted by its own figure"),
    "unproven_claim": ("Unproven claim", "somebody claims it without a figure that proves it"),
    "tally_mismatch": ("Tally mismatch", "the count and the members' reports disagree"),
    "converted": ("Converted", "compared across currencies, at the ECB's rate or as the source says"),
    "late": ("Late", "after the first deadline, or after the day a step was due"),
    "revised_target": ("Revised target", "the target is not the first one"),
    "revised_after_close": (
        "Revised after close",
        "terms were changed when the time was up, which moves no answer",
    ),
    "envelope": ("Envelope", "“up to” so much was promised: compared as that much"),
    "conditional": ("Conditional", "a condition that it hangs on is open or failed"),
    "instalment_overdue": ("Instalment overdue", "less is reported than was promised for by now"),
    "reinstated": ("Reinstated", "withdrawn once, and promised again"),
    "broken_period": ("Broken period", "the target was not kept in a period that is over"),
    "estimated": ("Estimated", "the figure is an estimate"),
    "provisional": ("Provisional", "the figure may still change"),
    "stale": ("Stale", "nothing said for half a year while it is open, a year and more where it runs long"),
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
    "closed": "settled, and not kept",
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

PERIODS = {"year": "years", "half": "half-years", "quarter": "quarters", "month": "months"}
"""The periods of a recurring pledge."""

ROLE = {
    "reader": "read, where reads are not public",
    "contributor": "read, and propose facts that a monitor accepts",
    "monitor": "read, record, propose, and decide on what others proposed",
    "auditor": "read, and have the log replayed",
    "admin": "all of it",
}
"""What a key with a role may do."""

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


def schedule(status: Mapping[str, Any]) -> str:
    """Where a status document stands to the window in force, in words; what was taken back was never on time."""
    if status["lifecycle"] != "active":
        return f"no longer stands: it was {status['lifecycle']}"
    if status["status"] == "indeterminate":
        return "closed, and nobody can say whether it was kept"
    return SCHEDULE[status["schedule"]["current"]]


def instalment(one: Mapping[str, Any], as_of: str) -> str:
    """Where an instalment stands on a day, in words: one that is due, and neither certainly paid nor short, is open."""
    if one["state"] == "open" and end_of(one["due"]) < date.fromisoformat(as_of):
        return "due, and not certainly paid"
    return INSTALMENT[one["state"]]


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
    """A period or window from one day to another; a whole year, half, quarter or month is called so."""
    if period is None:
        return "—"
    start, end = period.get("start"), period.get("end")
    if start and end:
        whole = next((name for name in _beginning(start) if end_of(name).isoformat() == end), None)
        return f"{day(start)} – {day(end)}" if whole is None else day(whole)
    return f"from {day(start)}" if start else f"until {day(end)}" if end else "—"


def _beginning(start: str) -> Iterator[str]:
    """The partial dates that begin on a day, the longest first: a year, a half, a quarter, a month."""
    year, month, number = start.split("-")
    if number == "01":
        if month == "01":
            yield year
        if month in ("01", "07"):
            yield f"{year}-H{1 if month == '01' else 2}"
        if month in ("01", "04", "07", "10"):
            yield f"{year}-Q{(int(month) + 2) // 3}"
        yield f"{year}-{month}"


def for_span(period: Mapping[str, str] | None) -> str:
    """What a figure is for, in words: for 2024, or until 31 Jan 2024; empty without a period."""
    if not period or not (period.get("start") or period.get("end")):
        return ""
    return f"for {span(period)}" if period.get("start") and period.get("end") else span(period)


def party(value: Mapping[str, str] | None) -> str:
    """The name of a party; an empty string for none."""
    return "" if value is None else value["name"]


def party_key(value: Mapping[str, str]) -> str:
    """The key of a party, by which its page is found: its code, else the slug of its name."""
    return value.get("code") or slug_of(value["name"])


def member(code: str) -> str:
    """The name of a state by its code; any other code is a name already."""
    found = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    if found is None:
        return {"EU": "European Union", "XK": "Kosovo"}.get(code, code)
    return str(getattr(found, "common_name", found.name)).partition(",")[0]


def in_words(name: str) -> str:
    """A name of the API in words: past_targets → earlier targets, on_track → on track."""
    return DOCUMENT_MEMBER.get(name, name.replace("_", " "))
