"""From one event to the rectangles it changes: the pure half of the timeline.

An event at position ``p`` closes, at ``p``, the open rectangles whose status it changes, and opens others from ``p``
on. It can only change what lies on or after ``StatusFold.acts_from(event)`` on the valid axis. A deadline is a boundary
in advance: "overdue from 2025-08-01" is a rectangle as soon as the pledge is made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import from_json, to_json

from projections.document_codec import pack
from projections.tables import OPEN_DATE, OPEN_POSITION
from tracker.event import Event
from tracker.quantity import EXACT, Interval, Op, OpenEnds, Quantity, plain, possible
from tracker.rules.status import Status, StatusFold


class TimelineRow(NamedTuple):
    """What one row of ``timeline_<n>`` says, without its pledge and bounds."""

    status: str
    flags: str
    ratio: str | None
    last_stated_on: date
    amounts: bytes
    body: bytes


class CatalogueRow(NamedTuple):
    """What one row of ``catalogue_<n>`` says, without its pledge and bounds."""

    title: str
    kind: str
    pledgor: str
    pledgor_name: str
    pledgor_code: str | None
    beneficiary: str | None
    beneficiary_name: str | None
    beneficiary_code: str | None
    part_of: str | None
    unit: str | None
    due: date | None
    tags: str
    search: str


C = TypeVar("C", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Rectangle(Generic[C]):
    """[valid_from, valid_to) × [known_from, known_to), and what holds there. ``stored`` if the table has it."""

    valid_from: date
    valid_to: date
    known_from: int
    content: C
    known_to: int = OPEN_POSITION
    stored: bool = False


@dataclass(frozen=True, slots=True)
class OpenRectangles:
    """The rectangles of one pledge that reach into now on the known axis, in order of the valid axis."""

    sheets: tuple[Rectangle[TimelineRow], ...] = ()
    cards: tuple[Rectangle[CatalogueRow], ...] = ()

    @property
    def as_stored(self) -> OpenRectangles:
        """The same once the table has them."""
        return OpenRectangles(
            tuple(replace(r, stored=True) for r in self.sheets), tuple(replace(r, stored=True) for r in self.cards)
        )


@dataclass(frozen=True, slots=True)
class ClosedRectangles:
    """The rectangles of one pledge that events have closed."""

    sheets: tuple[Rectangle[TimelineRow], ...] = ()
    cards: tuple[Rectangle[CatalogueRow], ...] = ()

    def __add__(self, later: ClosedRectangles) -> ClosedRectangles:
        return ClosedRectangles(self.sheets + later.sheets, self.cards + later.cards)


def fold(now: OpenRectangles, record: StatusFold, event: Event) -> tuple[OpenRectangles, ClosedRectangles]:
    """What is open after an event, and what it closed. ``record`` has all events of the pledge up to this one."""
    since = record.acts_from(event)
    segments, versions = record.segments(since), record.history.versions
    sheets = [(s.valid_from, s.valid_to or OPEN_DATE, sheet_of(s.status, versions)) for s in segments]
    cards = [(s.valid_from, s.valid_to or OPEN_DATE, card_of(s.status)) for s in segments]
    open_sheets, closed_sheets = _supersede(now.sheets, since, sheets, event.position)
    open_cards, closed_cards = _supersede(now.cards, since, cards, event.position)
    return OpenRectangles(open_sheets, open_cards), ClosedRectangles(closed_sheets, closed_cards)


def _supersede(
    now: Sequence[Rectangle[C]], since: date, stretches: Iterable[tuple[date, date, C]], position: int
) -> tuple[tuple[Rectangle[C], ...], tuple[Rectangle[C], ...]]:
    """Put the stretches in the place of what is open from ``since`` on; what they repeat stays as it is."""
    kept = bisect_left(now, since, key=lambda r: r.valid_to)
    opened, now = [*now[:kept]], now[kept:]
    before: list[tuple[date, date, C]] = [
        (r.valid_from, min(r.valid_to, since), r.content) for r in now if r.valid_from < since
    ]
    left = {(r.valid_from, r.valid_to): r for r in now}
    for valid_from, valid_to, content in _joined([*before, *stretches]):
        same = left.get((valid_from, valid_to))
        if same is not None and same.content == content:
            opened.append(left.pop((valid_from, valid_to)))
        else:
            opened.append(Rectangle(valid_from, valid_to, position, content))
    return tuple(opened), tuple(replace(r, known_to=position) for r in left.values())


def _joined(stretches: Iterable[tuple[date, date, C]]) -> list[tuple[date, date, C]]:
    """Neighbours that say the same are one stretch."""
    joined: list[tuple[date, date, C]] = []
    for valid_from, valid_to, content in stretches:
        if joined and joined[-1][1] == valid_from and joined[-1][2] == content:
            joined[-1] = (joined[-1][0], valid_to, content)
        else:
            joined.append((valid_from, valid_to, content))
    return joined


def sheet_of(status: Status, versions: Mapping[str, int]) -> TimelineRow:
    """What changes with the status. ``versions`` are those of the pledge's events, by id."""
    return TimelineRow(
        status=status.status,
        flags=listed(status.flags),
        ratio=None if status.ratio is None else sortable(status.ratio.value),
        last_stated_on=status.last_stated_on,
        amounts=_amounts(status),
        body=pack(status.document, versions),
    )


def card_of(status: Status) -> CatalogueRow:
    """What a list is filtered by and what seldom changes."""
    pledgor, beneficiary = status.pledgor, status.beneficiary
    quantity = status.target or status.actual
    words = [status.title, pledgor.name, pledgor.code, status.pledge, *status.tags]
    if beneficiary is not None:
        words += [beneficiary.name, beneficiary.code]
    return CatalogueRow(
        title=status.title.casefold(),
        kind=status.kind,
        pledgor=pledgor.code or pledgor.name,
        pledgor_name=pledgor.name.casefold(),
        pledgor_code=_folded(pledgor.code),
        beneficiary=None if beneficiary is None else beneficiary.code or beneficiary.name,
        beneficiary_name=None if beneficiary is None else beneficiary.name.casefold(),
        beneficiary_code=None if beneficiary is None else _folded(beneficiary.code),
        part_of=status.part_of,
        unit=None if quantity is None else quantity.unit,
        due=status.deadline,
        tags=listed(status.tags),
        search="\n".join(word for word in words if word is not None).casefold(),
    )


def listed(words: Sequence[str]) -> str:
    """Slugs in one text, each between commas: ",late,stale,"; empty for none."""
    return f",{','.join(words)}," if words else ""


def sortable(value: Decimal) -> str:
    """Text in whose order decimals of at most 6 places lie: sign, number of digits, digits; below 0 the complement."""
    digits = str(abs(int(value.scaleb(6, EXACT))))
    if value >= 0:
        return f"1{len(digits):03d}{digits}"
    return f"0{999 - len(digits):03d}{''.join(chr(105 - ord(d)) for d in digits)}"  # 9 for 0 … 0 for 9


class SummaryAmount(NamedTuple):
    """A quantity without its words, for sums over many."""

    op: Op
    value: Decimal
    upper: Decimal | None
    unit: str
    open: OpenEnds | None = None

    @classmethod
    def of(cls, quantity: Quantity) -> SummaryAmount:
        """The amount of a quantity."""
        return cls(quantity.op, quantity.value, quantity.upper, quantity.unit, quantity.open)

    @property
    def quantity(self) -> Quantity:
        """The same as a quantity; it was checked when it was recorded."""
        return Quantity.model_construct(
            op=self.op, value=self.value, upper=self.upper, unit=self.unit, text=None, open=self.open
        )

    @property
    def interval(self) -> Interval:
        """Its possible values."""
        return possible(self.op, self.value, self.upper, self.open)


class SummaryAmounts(NamedTuple):
    """What a summary adds up: the target, the actual in the source's unit and in the target's.

    ``rates_of`` is the day whose rates convert them: that of the actual's latest figure, else the last statement's.
    """

    target: SummaryAmount | None
    actual: SummaryAmount | None
    converted: SummaryAmount | None
    rates_of: date


def _amounts(status: Status) -> bytes:
    return to_json(
        [
            *(None if q is None else _terse(q) for q in (status.target, status.actual, status.converted)),
            status.rates_of.isoformat(),
        ]
    )


def read_amounts(stored: bytes) -> SummaryAmounts:
    """What ``timeline_<n>.amounts`` says."""
    target, actual, converted, day = from_json(stored)
    said = _read(actual)
    return SummaryAmounts(
        _read(target), said, said if converted == actual else _read(converted), date.fromisoformat(day)
    )


def _terse(quantity: Quantity) -> list[str | None]:
    upper = quantity.upper
    terse = [quantity.op, plain(quantity.value), None if upper is None else plain(upper), quantity.unit]
    return terse if quantity.open is None else [*terse, quantity.open]


def _read(terse: Any) -> SummaryAmount | None:
    if terse is None:
        return None
    op, value, upper, unit, *open_ends = terse
    return SummaryAmount(op, Decimal(value), None if upper is None else Decimal(upper), unit, *open_ends)


def _folded(word: str | None) -> str | None:
    return None if word is None else word.casefold()
