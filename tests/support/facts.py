"""Facts as they are posted, and the terms that they are made of; `given` records them."""

from __future__ import annotations

from typing import Any

AUDIT = "2026-06-01"
"""The day on which record-keeping is done unless a test says otherwise."""


class Posted:
    """A fact on its way into the record."""

    def __init__(self, fact: dict[str, Any], recorded: str | None = None) -> None:
        self.fact = {name: value for name, value in fact.items() if value is not None}
        self.recorded = recorded


# --- periods and windows


def year(number: int) -> dict[str, str]:
    """The whole year."""
    return {"start": f"{number}-01-01", "end": f"{number}-12-31"}


def first_half(number: int) -> dict[str, str]:
    """January to June."""
    return {"start": f"{number}-01-01", "end": f"{number}-06-30"}


def quarter(number: int, of: int) -> dict[str, str]:
    """A quarter of a year."""
    starts, ends = ("01-01", "04-01", "07-01", "10-01"), ("03-31", "06-30", "09-30", "12-31")
    return {"start": f"{of}-{starts[number - 1]}", "end": f"{of}-{ends[number - 1]}"}


def until(end: str, start: str | None = None, latest: str | None = None) -> dict[str, str]:
    """A period or window that ends on a day."""
    return {k: v for k, v in (("start", start), ("end", end), ("latest", latest)) if v is not None}


def source(publisher: str = "News", tier: str = "media", **more: Any) -> dict[str, Any]:
    """Where it is written."""
    return {"publisher": publisher, "tier": tier, **more}


def group(members: str, rule: str = "each_member", **more: Any) -> dict[str, Any]:
    """The members by their codes, in one string."""
    return {"rule": rule, "members": members.split(), **more}


def condition(slug: str, text: str = "if it agrees") -> dict[str, str]:
    """What a promise hangs on."""
    return {"condition": slug, "text": text}


def instalment(due: str, quantity: str) -> dict[str, str]:
    """How much was promised for when."""
    return {"due": due, "quantity": quantity}


def yearly(first: int, last: int | None = None) -> dict[str, str]:
    """The same again each year."""
    return {"every": "year", "start": f"{first}-01-01", **({} if last is None else {"end": f"{last}-12-31"})}


# --- facts


def _fact(type_: str, given: dict[str, Any]) -> Posted:
    given = dict(given)
    recorded = given.pop("recorded", None)
    where = given.pop("source", None)
    fact = {"type": type_, **given}
    if where is not None or type_ not in RECORD_KEEPING:
        fact["source"] = source(where) if isinstance(where, str) else where or source()
    return Posted(fact, recorded)


RECORD_KEEPING = ("EventCorrected", "EventVoided", "FigureRanked", "SourceCaptured", "AssessmentIssued")
_FIGURE = ("quantity", "equivalent", "stage", "basis", "nature", "period", "attribution", "final")


def _figure(quantity: Any, given: dict[str, Any]) -> dict[str, Any] | None:
    parts = {name: given.pop(name) for name in _FIGURE if name in given}
    if quantity is None:
        return None
    return {"quantity": quantity, "basis": "cumulative", **{k: v for k, v in parts.items() if v is not None}}


def pledge(target: Any = "at least 40bn EUR", **given: Any) -> Posted:
    """A promise made on 2024-01-10, by default of money."""
    first = {"title": "Aid", "pledgor": {"name": "Allies"}, "kind": "money", "stated_on": "2024-01-10"}
    return _fact("PledgeMade", {**first, "target": target, **given})


def progress(quantity: Any, **given: Any) -> Posted:
    """A reported figure, cumulative unless given otherwise."""
    figure = _figure(quantity, given)
    return _fact("ProgressReported", {"stated_on": "2024-07-01", "figure": figure, **given})


def met(quantity: Any = None, **given: Any) -> Posted:
    """Somebody says it is met, with or without a figure."""
    return _claim("PledgeMet", quantity, given)


def exceeded(quantity: Any = None, **given: Any) -> Posted:
    """Somebody says it is exceeded, with or without a figure."""
    return _claim("PledgeExceeded", quantity, given)


def missed(quantity: Any = None, **given: Any) -> Posted:
    """Somebody says it is missed, with or without a figure."""
    return _claim("PledgeMissed", quantity, given)


def _claim(type_: str, quantity: Any, given: dict[str, Any]) -> Posted:
    figure = _figure(quantity, given)
    return _fact(type_, {"stated_on": "2025-02-12", "figure": figure, **given})


def revised(**given: Any) -> Posted:
    """The promise itself changed."""
    return _fact("PledgeRevised", {"reason": "decided anew", **given})


def reaffirmed(**given: Any) -> Posted:
    """The promise said again."""
    return _fact("PledgeReaffirmed", given)


def withdrawn(**given: Any) -> Posted:
    """The promise taken back."""
    return _fact("PledgeWithdrawn", {"reason": "no majority", **given})


def superseded(by: str, **given: Any) -> Posted:
    """Another pledge in its place."""
    return _fact("PledgeSuperseded", {"by": by, **given})


def member(code: str, verdict: str, quantity: Any = None, **given: Any) -> Posted:
    """One member's result."""
    nature = given.pop("nature", None)
    figure = _figure(quantity, given)
    fields = {"stated_on": "2025-02-01", "member": code, "verdict": verdict, "figure": figure, "nature": nature}
    return _fact("MemberReported", {**fields, **given})


def tally(**given: Any) -> Posted:
    """How many, or which, met it."""
    return _fact("TallyReported", {"stated_on": "2025-02-01", **given})


def share(subset: str, words: Any, **given: Any) -> Posted:
    """How much of it a part of them gave."""
    return _fact("ShareReported", {"stated_on": "2025-02-12", "subset": subset, "share": words, **given})


def scheduled(milestone: str, **given: Any) -> Posted:
    """A named step."""
    return _fact("MilestoneScheduled", {"stated_on": "2024-01-10", "milestone": milestone, **given})


def reached(milestone: str, **given: Any) -> Posted:
    """A step is reached."""
    return _fact("MilestoneReached", {"milestone": milestone, **given})


def not_reached(milestone: str, **given: Any) -> Posted:
    """A step is missed."""
    return _fact("MilestoneMissed", {"milestone": milestone, **given})


def condition_reported(condition: str, state: str, **given: Any) -> Posted:
    """What became of a condition."""
    return _fact("ConditionReported", {"condition": condition, "state": state, **given})


def statement(**given: Any) -> Posted:
    """Talk."""
    return _fact("StatementMade", given)


def restated(event: Posted, quantity: Any, **given: Any) -> Posted:
    """The source changed its figure."""
    figure = _figure(quantity, given)
    return _fact("FigureRestated", {"event": event, "figure": figure, "reason": "new method", **given})


def retracted(event: Posted, **given: Any) -> Posted:
    """The speaker or the source took it back."""
    return _fact("StatementRetracted", {"event": event, "reason": "said in error", **given})


def corrected(event: Posted, changes: dict[str, Any], **given: Any) -> Posted:
    """Our record was wrong."""
    fields = {"stated_on": AUDIT, "event": event, "changes": changes, "reason": "typed wrongly"}
    return _fact("EventCorrected", {**fields, **given})


def voided(event: Posted, **given: Any) -> Posted:
    """Our record should not have been."""
    return _fact("EventVoided", {"stated_on": AUDIT, "event": event, "reason": "recorded in error", **given})


def ranked(event: Posted, rank: str, **given: Any) -> Posted:
    """A reviewer settles which figure counts."""
    return _fact("FigureRanked", {"stated_on": AUDIT, "event": event, "rank": rank, "reason": "checked", **given})


def captured(event: Posted, **given: Any) -> Posted:
    """The proof that the source said so."""
    return _fact("SourceCaptured", {"stated_on": AUDIT, "event": event, "sha256": "ab" * 32, **given})


def assessed(rating: str, **given: Any) -> Posted:
    """A verdict beside the status."""
    rubric = {"rubric": "Pledge Tracker", "rubric_version": "3", "reasoning": "By the rubric."}
    return _fact("AssessmentIssued", {"stated_on": AUDIT, "rating": rating, **rubric, **given})


def quarterly(*amounts: str, **more: Any) -> list[Posted]:
    """An increment for each quarter of 2024, said in the month after it."""
    days = ("2024-04-10", "2024-07-10", "2024-10-10", "2025-01-10")
    return [
        progress(words, basis="increment", period=quarter(n, of=2024), stated_on=days[n - 1], **more)
        for n, words in enumerate(amounts, start=1)
    ]
