"""The promise as it stands on a day: PledgeMade with its revisions, and the goalposts (DOMAIN §4, §6; POINTS).

A revision after the window in force had closed changes no answer, unless it opens a new window: so there are the terms
that are shown, and those by which the pledge is judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from tracker.comparison import Direction, is_raised
from tracker.promise_facts import REVISABLE, PledgeMade, PledgeRevised
from tracker.promises import (
    BELOW_BASELINE,
    RELATIVE_UNITS,
    Baseline,
    Condition,
    Instalment,
    JointParty,
    Recurrence,
)
from tracker.quantity import EXACT, Interval, Quantity, spanning
from tracker.rules.days import ONE_DAY
from tracker.rules.rates import convert
from tracker.rules.views import FactInForce, View
from tracker.values import Group, Kind, Party, Stage, Window, fits_kind

GOALPOSTS = ("target", "baseline", "required_stage", "group", "instalments", "conditions")
"""What a revision after the close changes in what is shown, and in no answer."""


class Promise(NamedTuple):
    """What is promised from a day on. `target` is as said; `absolute` is what it comes to against the baseline."""

    title: str
    pledgor: Party
    beneficiary: Party | None
    joint: tuple[JointParty, ...]
    tags: tuple[str, ...]
    kind: Kind
    stated_direction: Direction
    target: Quantity | None
    absolute: Quantity | None
    baseline: Baseline | None
    window: Window | None
    recurrence: Recurrence | None
    required_stage: Stage | None
    group: Group | None
    instalments: tuple[Instalment, ...]
    conditions: tuple[Condition, ...]

    @property
    def direction(self) -> Direction:
        """Whether more or less keeps it; a share below the baseline has direction down by itself."""
        return "down" if self.target is not None and self.target.unit == BELOW_BASELINE else self.stated_direction

    @property
    def is_relative(self) -> bool:
        """Whether the target is said against the baseline."""
        return self.target is not None and self.target.unit in RELATIVE_UNITS

    @property
    def base(self) -> Quantity | None:
        """The number of the baseline."""
        return None if self.baseline is None else self.baseline.quantity

    @property
    def is_ceiling(self) -> bool:
        """Whether what goes beyond it has broken it for good: direction down without a baseline (DOMAIN §6)."""
        return self.direction == "down" and self.baseline is None

    @property
    def counts_members(self) -> bool:
        """Whether members decide, each by its own result."""
        return self.group is not None and self.group.rule != "aggregate"

    def fits(self, quantity: Quantity) -> bool:
        """Whether the quantity measures what the kind promises; kinds that are not measured take any."""
        return self.kind in ("milestone", "qualitative") or fits_kind(quantity, self.kind)


class Evening(NamedTuple):
    """What had been answered on the evening before a day: all that the terms of the day ask of it."""

    status: str
    is_conditional: bool
    """A condition was open or failed and the target not met, withdrawn or not (POINTS)."""

    deadline: date | None
    """The latest reading of the deadline in force, that of the last step included."""

    last_due: date | None
    """The last day on which a step is due, where steps decide."""

    target: Quantity | None
    window: Mapping[str, Any] | None


EveningOf = Callable[[date], Evening | None]
"""The evening of a day; None while the pledge does not exist."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised on a day. `causes` are the ids of the events that made it so."""

    judged: Promise
    shown: Promise
    first: Promise
    """As `PledgeMade` says it."""

    history: tuple[tuple[date, Promise], ...]
    """The promise that was judged from each day on."""

    entries: tuple[date, ...]
    """The days on which a target changed, or a window that had closed: what stood before is in `past_targets`."""

    reopened: tuple[date, ...]
    new_questions: tuple[date, ...]
    """The days on which the target was raised or a closed window opened again."""

    revised_target: bool
    revised_after_close: bool
    causes: frozenset[str]

    def judged_on(self, day: date) -> Promise:
        """The promise that was judged on a day; before the first day the first one."""
        return self.history[max(bisect_right(self.history, day, key=lambda pair: pair[0]) - 1, 0)][1]

    def asked_anew(self, upto: date) -> date | None:
        """The last day by another on which the question became a new one: what was said before it answers it not."""
        return max((day for day in self.new_questions if day <= upto), default=None)


def terms_of(view: View, evening: EveningOf) -> Terms:
    """The terms in force on the view's days."""
    made = view.made
    day_made = made.said_on
    first = _first(made.fact)
    revisions = sorted(view.of(PledgeRevised), key=lambda item: item.last_said)
    early = [item for item in revisions if item.said_on <= day_made]
    told = _Story(_revised(first, early), day_made)
    for day, items in _by_day(revisions[len(early) :]):
        told.turn(day, items, evening)
    causes = {id_ for item in (made, *revisions) for id_ in item.causes}
    return Terms(
        judged=told.judged,
        shown=told.shown,
        first=first,
        history=tuple(told.history),
        entries=tuple(told.entries),
        reopened=tuple(told.reopened),
        new_questions=tuple(told.new_questions),
        revised_target=told.revised_target,
        revised_after_close=told.revised_after_close,
        causes=frozenset(causes | view.acting_on(PledgeMade, PledgeRevised)),
    )


def _by_day(
    revisions: Sequence[FactInForce[PledgeRevised]],
) -> Iterator[tuple[date, list[FactInForce[PledgeRevised]]]]:
    days: dict[date, list[FactInForce[PledgeRevised]]] = {}
    for item in revisions:
        days.setdefault(item.said_on, []).append(item)
    return iter(days.items())


class _Story:
    """The terms day by day, from the promise as made."""

    def __init__(self, promise: Promise, since: date) -> None:
        self.judged = self.shown = promise
        self.history = [(since, promise)]
        self.entries: list[date] = []
        self.reopened: list[date] = []
        self.new_questions: list[date] = []
        self.revised_target = self.revised_after_close = False

    def turn(self, day: date, revisions: Sequence[FactInForce[PledgeRevised]], evening: EveningOf) -> None:
        """The revisions of one day, compared with the evening before: the last of each field counts."""
        old, new = self.shown, _revised(self.shown, revisions)
        closed = _had_closed(self.judged, day, evening)
        moved = _when(old) != _when(new)
        if _changes_target(old, new) or (closed and moved):
            self.entries.append(day)
        self.revised_target = self.revised_target or _changes_value(old, new)
        if closed and not (moved and not _has_passed(new, day)):
            if moved or any(getattr(old, name) != getattr(new, name) for name in GOALPOSTS):
                self.revised_after_close = True
            before = self.judged
            self.judged = new._replace(
                window=before.window,
                recurrence=before.recurrence,
                absolute=before.absolute,
                **{name: getattr(before, name) for name in GOALPOSTS},
            )
        else:
            if closed:
                self.reopened.append(day)
                self.revised_after_close = False
            if closed or _asks_more(self.judged, new, day):
                self.new_questions.append(day)
            self.judged = new
        self.shown = new
        self.history.append((day, self.judged))


def _first(made: PledgeMade) -> Promise:
    return Promise(
        title=made.title,
        pledgor=made.pledgor,
        beneficiary=made.beneficiary,
        joint=made.joint,
        tags=made.tags,
        kind=made.kind,
        stated_direction=made.direction,
        target=made.target,
        absolute=absolute(made.target, made.baseline),
        baseline=made.baseline,
        window=made.window,
        recurrence=made.recurrence,
        required_stage=made.required_stage,
        group=made.group,
        instalments=made.instalments,
        conditions=made.conditions,
    )


def _revised(before: Promise, revisions: Sequence[FactInForce[PledgeRevised]]) -> Promise:
    """The promise after revisions; window and recurrence replace each other."""
    found: dict[str, Any] = {}
    for item in revisions:
        given = {name: value for name in REVISABLE if (value := getattr(item.fact, name)) is not None}
        if "window" in given:
            given |= {"window": _moved(before.window, given["window"]), "recurrence": None}
        elif "recurrence" in given:
            given["window"] = None
        found |= given
    if not found:
        return before
    after = before._replace(**found)
    if found.keys() & {"target", "baseline"}:
        return after._replace(absolute=absolute(after.target, after.baseline))
    return after


def _moved(before: Window | None, after: Window) -> Window:
    """The window of a revision; a deadline that moves leaves the start where it was unless it gives another."""
    if before is None or after.start is not None or before.start is None:
        return after
    deadline = after.earliest_deadline
    if deadline is not None and deadline < before.start:
        return after
    return Window.model_construct(start=before.start, end=after.end, latest=after.latest, text=after.text)


def _when(promise: Promise) -> tuple[Any, ...]:
    """The time that is promised, without the words for it."""
    window = promise.window
    days = None if window is None else (window.start, window.earliest_deadline, window.deadline)
    return days, promise.recurrence


def _has_passed(promise: Promise, day: date) -> bool:
    last = promise.recurrence.end if promise.recurrence is not None else None
    if promise.window is not None:
        last = promise.window.deadline
    return last is not None and day > last


def _had_closed(judged: Promise, day: date, evening: EveningOf) -> bool:
    """Whether a revision of the day finds the window closed; a conditional pledge has no close (POINTS, Closed)."""
    given = judged.recurrence is not None or (judged.window is not None and judged.window.deadline is not None)
    if given and not judged.conditions:
        return _has_passed(judged, day)
    before = evening(day - ONE_DAY)
    if before is None or before.is_conditional:
        return False
    if given:
        return _has_passed(judged, day)
    return before.last_due is not None and day > before.last_due


def _changes_target(old: Promise, new: Promise) -> bool:
    """Whether a target, or the baseline of one, is another; one where none was changes nothing (POINTS, Entries)."""
    if old.target is None:
        return False
    if old.target != new.target:
        return True
    return old.baseline is not None and _number(old) != _number(new)


def _number(promise: Promise) -> tuple[Quantity | None, str | None]:
    return promise.base, None if promise.baseline is None else promise.baseline.on


def _changes_value(old: Promise, new: Promise) -> bool:
    """Whether the target's value changed: that of an absolute one by itself, of a relative one by the baseline too."""
    if old.target is None:
        return False
    if old.target != new.target:
        return True
    return old.is_relative and old.absolute is not None and old.absolute != new.absolute


def _asks_more(old: Promise, new: Promise, day: date) -> bool:
    """Whether the target is raised (`down`: lowered); other currencies are compared at the rates of the day."""
    if old.absolute is None or new.absolute is None or old.direction != new.direction:
        return False
    after, _ = convert(new.absolute, old.absolute.unit, day)
    return after is not None and is_raised(old.absolute, after, new.direction)


HUNDREDTH = Decimal("0.01")
"""One percent."""


def absolute(target: Quantity | None, baseline: Baseline | None) -> Quantity | None:
    """The target in the baseline's unit: 55 % below 100 is at most 45. None for a share of a baseline not known."""
    if target is None or target.unit not in RELATIVE_UNITS:
        return target
    return None if baseline is None else turned(target, baseline.quantity)


def turned(share: Quantity, baseline: Quantity) -> Quantity:
    """A share by which an amount lies below or above the baseline, as that amount; bounds are turned round below it."""
    interval = turned_interval(share.interval, share.unit, baseline)
    if share.op in ("le", "lt") and share.unit != BELOW_BASELINE:
        interval = Interval(None, interval.high, high_open=interval.high_open)
    return spanning(interval, baseline.unit)


def turned_interval(shares: Interval, unit: str, baseline: Quantity) -> Interval:
    """Shares below or above the baseline, in percent, as amounts."""
    part = EXACT.multiply(baseline.value, HUNDREDTH)
    return shares.times(part.copy_negate() if unit == BELOW_BASELINE else part).shifted(baseline.value)
