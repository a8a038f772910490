"""Recurring pledges: each period judged by itself (DOMAIN §6; POINTS, Recurrence)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .clocks import Said
from .dates import Window
from .figures import Figure, read_figure
from .quantities import ratio
from .verdict import Case, Judgement, judge, kept_since

if TYPE_CHECKING:
    from .law import Law

KEPT, NOT_KEPT, UNDECIDED = ("met", "exceeded"), ("partly_met", "missed"), ("indeterminate",)


@dataclass
class Period:
    """One period, its question and its answer."""

    window: Window
    case: Case
    judgement: Judgement
    is_closed: bool

    @property
    def kept_late(self) -> bool:
        """Whether what kept it lies after its end."""
        if self.judgement.status not in KEPT or self.window.latest is None:
            return False
        day = kept_since(self.case, self.window)
        return day is not None and day > self.window.latest

    def json(self) -> dict[str, Any]:
        """API.md, `periods[]`."""
        choice, target = self.judgement.choice, self.case.terms.target
        share = None
        if choice is not None and choice.compared is not None and target is not None:
            share = ratio(choice.compared, target, self.case.terms.direction)
        return {
            **self.window.json(),
            "status": self.judgement.status,
            "actual": None if choice is None else choice.shown,
            "ratio": share,
        }


def lies_in(figure: Figure, period: Window) -> bool:
    """POINTS: a total without a start or a period is set aside; a level goes by its end, an increment by its period."""
    assert period.start is not None
    assert period.end is not None
    if figure.basis == "level":
        return period.start <= figure.dated <= period.end
    if figure.basis == "increment" and not figure.has_period:
        return period.start <= figure.day <= period.end
    if figure.start is None:
        return False
    return period.start <= figure.start and figure.dated <= period.end


def claims_of(law: Law, as_of: date, windows: list[Window], index: int, inside: list[Figure]) -> list[Said]:
    """POINTS: a claim without a figure belongs to the latest closed period; one with a figure to the figure's."""
    events = {figure.event for figure in inside}
    found = []
    for claim in law.claims(as_of):
        if claim.figure is not None:
            if claim.id in events:
                found.append(claim)
            continue
        closed = [i for i, window in enumerate(windows) if window.passed(claim.day)]
        if closed and closed[-1] == index:
            found.append(claim)
    return found


def periods_at(law: Law, as_of: date) -> list[Period]:
    """§6: each period is judged as a pledge with that window."""
    story = law.story(as_of)
    recurrence = story.judged.recurrence
    if recurrence is None:
        return []
    windows = recurrence.periods(as_of)
    stopped = law.stopped(as_of)
    found = []
    for index, window in enumerate(windows):
        assert window.end is not None
        upto = min(as_of, window.end)
        terms = story.judged_on(upto) if window.passed(as_of) else story.judged
        figures = [f for s in law.reports(as_of) if (f := read_figure(s, terms.baseline)) is not None]
        inside = [f for f in figures if lies_in(f, window)]
        case = Case(
            terms,
            window,
            inside,
            claims_of(law, as_of, windows, index, inside),
            [day for day in story.new_questions if day <= upto],
            as_of,
            law.rates,
            has_no_close=law.has_open_condition(as_of),
        )
        judgement = judge(case)
        if stopped is not None and not window.passed(stopped[0]):
            judgement.status = stopped[1]
        found.append(Period(window, case, judgement, window.passed(as_of)))
    return found


def tally_of(periods: list[Period], has_end: bool) -> dict[str, int]:
    """POINTS: closed = kept + not_kept + unreported + undecided."""
    closed = [
        p.judgement.status for p in periods if p.is_closed and p.judgement.status not in ("withdrawn", "superseded")
    ]
    counts = Counter(
        "kept"
        if status in KEPT
        else "not_kept"
        if status in NOT_KEPT
        else "undecided"
        if status in UNDECIDED
        else "unreported"
        for status in closed
    )
    tally = {"closed": len(closed)} | {n: counts[n] for n in ("kept", "not_kept", "unreported", "undecided")}
    return ({"total": len(periods)} if has_end else {}) | tally


def status_of_periods(periods: list[Period], tally: dict[str, int], has_closed: bool) -> str:
    """§6: the headline of a recurring pledge."""
    if not has_closed:
        return "in_progress" if any(p.judgement.choice is not None for p in periods) else "announced"
    if tally["kept"] == len(periods):
        return "met"
    if tally["kept"] > 0:
        return "partly_met"
    return "overdue" if tally["undecided"] or tally["unreported"] else "missed"


def last_with_figure(periods: list[Period]) -> Period | None:
    """POINTS: `actual` and `ratio` are those of the last period with a figure."""
    return next((p for p in reversed(periods) if p.judgement.choice is not None), None)
