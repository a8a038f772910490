"""The promise as it stands on a day: PledgeMade with its revisions, and what it was before (DOMAIN §4, §6)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from tracker.comparison import Direction
from tracker.facts import Fact, PledgeMade, PledgeRevised
from tracker.quantity import Quantity
from tracker.rules.pledge_history import FactInForce, View
from tracker.rules.rates import convert
from tracker.values import Group, Kind, Stage, Window, fits_kind


@dataclass(frozen=True, slots=True)
class TermsChange:
    """The target and window in force from a point on: `(day, version)` of the fact that set them."""

    since: tuple[date, int]
    target: Quantity | None
    window: Window | None
    is_new_question: bool
    """The target was raised (`down`: lowered): figures said before do not answer it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised on a day. `causes` are the ids of PledgeMade, its revisions and their corrections."""

    title: str
    kind: Kind
    direction: Direction
    target: Quantity | None
    window: Window | None
    required_stage: Stage | None
    group: Group | None
    changes: tuple[TermsChange, ...]
    causes: frozenset[str]
    last_raised: tuple[date, int] | None
    """`(day, version)` of the last revision that made the target a new question."""

    @property
    def first_window(self) -> Window | None:
        """The window as first promised."""
        return self.changes[0].window

    @property
    def deadline(self) -> date | None:
        """The latest reading of the deadline in force."""
        return None if self.window is None else self.window.deadline

    def fits(self, quantity: Quantity) -> bool:
        """Whether the quantity measures what the kind promises."""
        return fits_kind(quantity, self.kind)

    def at(self, item: FactInForce[Fact]) -> TermsChange:
        """The terms in force when something was first said; a restatement answers the question of its figure."""
        return self.changes[max(bisect_right(self.changes, _said(item), key=lambda change: change.since) - 1, 0)]

    def ended_by(self, end: date | None, item: FactInForce[Fact]) -> bool:
        """Whether a period reaches the end of the window, the one in force now or when it was said (DOMAIN §6)."""
        if end is None:
            return False
        windows = (self.window, self.at(item).window)
        return any(w is not None and w.earliest_deadline is not None and end >= w.earliest_deadline for w in windows)

    def raised_after(self, item: FactInForce[Fact]) -> bool:
        """Whether the target became a new question after this was said."""
        return self.last_raised is not None and self.last_raised > _said(item)


def _said(item: FactInForce[Fact]) -> tuple[date, int]:
    return (item.first_said_on, item.first_version)


def terms_of(view: View) -> Terms:
    """The terms in force on the view's days."""
    made = view.made.fact
    title, target, window = made.title, made.target, made.window
    required_stage, group = made.required_stage, made.group
    changes = [TermsChange(view.made.last_said, target, window, is_new_question=False)]
    causes = set(view.made.causes)
    for item in sorted(view.of(PledgeRevised), key=lambda item: item.last_said):
        revision = item.fact
        raised = _is_raised(target, revision.target, made.direction, item.said_on)
        title, target, window = revision.title or title, revision.target or target, _moved(window, revision.window)
        required_stage, group = revision.required_stage or required_stage, revision.group or group
        causes |= set(item.causes)
        if revision.target is not None or revision.window is not None:
            changes.append(TermsChange(item.last_said, target, window, raised))
    return Terms(
        title=title,
        kind=made.kind,
        direction=made.direction,
        target=target,
        window=window,
        required_stage=required_stage,
        group=group,
        changes=tuple(changes),
        causes=frozenset(causes | view.acting_on(PledgeMade, PledgeRevised)),
        last_raised=max((change.since for change in changes if change.is_new_question), default=None),
    )


def _moved(before: Window | None, after: Window | None) -> Window | None:
    """The window of a revision; a deadline that moves leaves the start where it was unless it gives another."""
    if before is None or after is None or after.start is not None or before.start is None:
        return after or before
    deadline = after.earliest_deadline
    return after if deadline is None or deadline < before.start else after.model_copy(update={"start": before.start})


def _is_raised(before: Quantity | None, after: Quantity | None, direction: Direction, on: date) -> bool:
    """A higher target (`down`: a lower one) is a new question; other currencies are compared at the day's rates."""
    if before is None or after is None:
        return False
    same, _ = convert(after, before.unit, on)
    if same is None:
        return False
    return same.value > before.value if direction == "up" else same.value < before.value
