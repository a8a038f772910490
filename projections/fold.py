"""From one event to the rectangles it changes: the pure half of the timeline.

An event at position `p` closes, at `p`, the open rectangles whose status it changes, and opens others from `p`
on. It can only change what lies on or after `StatusFold.acts_from(event)` on the valid axis. A deadline is a boundary
in advance: "overdue from 2025-08-01" is a rectangle as soon as the pledge is made.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from projections import party_lines
from projections.document_codec import PackedDocument, pack, pack_outline
from projections.summary_amounts import stored_amounts
from projections.tables import OPEN_DATE, OPEN_POSITION
from projections.words import WordsRow, WordsStretch, words_after
from tracker.event import Event
from tracker.quantity import EXACT
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import Status, StatusFold
from tracker.values import Party


class TimelineRow(NamedTuple):
    """One row of `timeline_<n>` without its pledge and bounds."""

    status: str
    flags: str
    ratio: str | None
    last_stated_on: date
    changed: date
    amounts: bytes
    outline: bytes
    body: bytes


class CatalogueRow(NamedTuple):
    """One row of `catalogue_<n>` without its pledge and bounds."""

    title: str
    kind: str
    pledgor: str
    pledgors: str
    beneficiary: str | None
    beneficiaries: str
    parties: str
    part_of: str | None
    rating: str | None
    rubric: str | None
    unit: str | None
    due: date | None
    tags: str


RowT = TypeVar("RowT", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Rectangle(Generic[RowT]):
    """[valid_from, valid_to) × [known_from, known_to), and the row that holds there; `stored` if it is in the table."""

    valid_from: date
    valid_to: date
    known_from: int
    content: RowT
    known_to: int = OPEN_POSITION
    stored: bool = False


@dataclass(frozen=True, slots=True)
class OpenRectangles:
    """The rectangles of one pledge that are still known, for each table: in order of the valid axis, words in none."""

    timeline: tuple[Rectangle[TimelineRow], ...] = ()
    catalogue: tuple[Rectangle[CatalogueRow], ...] = ()
    words: tuple[Rectangle[WordsRow], ...] = ()
    outlines: Mapping[bytes, bytes] = field(default_factory=dict)
    """The outlines that are not in the table yet, as stored, by what the rows call them."""

    @property
    def as_stored(self) -> OpenRectangles:
        """The same rectangles once they are written."""
        return OpenRectangles(_stored(self.timeline), _stored(self.catalogue), _stored(self.words))


def _stored(rectangles: tuple[Rectangle[RowT], ...]) -> tuple[Rectangle[RowT], ...]:
    if all(r.stored for r in rectangles):
        return rectangles
    return tuple(
        r if r.stored else Rectangle(r.valid_from, r.valid_to, r.known_from, r.content, r.known_to, stored=True)
        for r in rectangles
    )


@dataclass(frozen=True, slots=True)
class ClosedRectangles:
    """The rectangles of one pledge that events have closed, for each table."""

    timeline: tuple[Rectangle[TimelineRow], ...] = ()
    catalogue: tuple[Rectangle[CatalogueRow], ...] = ()
    words: tuple[Rectangle[WordsRow], ...] = ()

    def __add__(self, later: ClosedRectangles) -> ClosedRectangles:
        return ClosedRectangles(
            self.timeline + later.timeline, self.catalogue + later.catalogue, self.words + later.words
        )


class EventReach(NamedTuple):
    """The day from which on an event may change the status, and the words of the facts that it may change."""

    since: date
    words: Mapping[int, Sequence[WordsStretch]]

    @classmethod
    def of(cls, event: Event, history: PledgeHistory) -> EventReach:
        """The reach of an event, which is the last of a history."""
        return cls(history.acts_from(event), words_after(history, event))


def fold(now: OpenRectangles, statuses: StatusFold, event: Event) -> tuple[OpenRectangles, ClosedRectangles]:
    """The rectangles that are open after an event, and those that it closed.

    `statuses` has folded all events of the pledge up to this one.
    """
    return fold_at_once(now, statuses, [EventReach.of(event, statuses.history)])


def fold_at_once(
    now: OpenRectangles, statuses: StatusFold, reaches: Sequence[EventReach]
) -> tuple[OpenRectangles, ClosedRectangles]:
    """The rectangles that are open after the last of several events, and those that are closed at its position.

    What held between the events is in neither. `statuses` has folded all events of the pledge up to the last one.
    """
    position = statuses.events[-1].position
    since = min(reach.since for reach in reaches)
    words = {version: stretches for reach in reaches for version, stretches in reach.words.items()}
    place = bisect_left(now.timeline, since, key=lambda r: r.valid_to)
    known = {r.content.outline for r in now.timeline[place:]} | now.outlines.keys()
    timeline, catalogue, outlines = _rows(now.timeline, statuses, since, known)
    open_timeline, closed_timeline = _supersede(now.timeline, since, timeline, position)
    open_catalogue, closed_catalogue = _supersede(now.catalogue, since, catalogue, position)
    open_words, closed_words = _reworded(now.words, words, position)
    return (
        OpenRectangles(open_timeline, open_catalogue, open_words, {**now.outlines, **outlines}),
        ClosedRectangles(closed_timeline, closed_catalogue, closed_words),
    )


def _rows(
    now: Sequence[Rectangle[TimelineRow]], statuses: StatusFold, since: date, known: Set[bytes]
) -> tuple[list[tuple[date, date, TimelineRow]], list[tuple[date, date, CatalogueRow]], dict[bytes, bytes]]:
    """The rows of each segment from a day on, and the outlines that are not known; what is the same whatever the day is
    made once for those that share it.

    The day since which a headline is what it is (`StatusFold.changed_on`) may lie before: what is open then still is.
    """
    timeline: list[tuple[date, date, TimelineRow]] = []
    catalogue: list[tuple[date, date, CatalogueRow]] = []
    status, changed, ends = _headline_before(now, since)
    outline, amounts, outlines = None, b"", dict[bytes, bytes]()
    for segment in statuses.each_segment(since):
        one, valid_to = segment.status, segment.valid_to or OPEN_DATE
        if (one.status, segment.valid_from) != (status, ends):
            status, changed = one.status, segment.valid_from
        is_of_last = outline is one.outline
        if not is_of_last:
            amounts = stored_amounts(one)
        packed = pack(one.document, one.outline, statuses.history.versions)
        if packed.outline not in known and packed.outline not in outlines:
            outlines[packed.outline] = pack_outline(packed.outline_json)
        timeline.append((segment.valid_from, valid_to, timeline_row(one, changed, packed, amounts)))
        filtered = catalogue[-1][2]._replace(due=one.deadline) if is_of_last else catalogue_row(one)
        catalogue.append((segment.valid_from, valid_to, filtered))
        outline, ends = one.outline, valid_to
    return timeline, catalogue, outlines


def _headline_before(now: Sequence[Rectangle[TimelineRow]], since: date) -> tuple[str, date, date]:
    """The headline on the evening before a day, since when it is so, and when it ends: on that day."""
    place = bisect_left(now, since, key=lambda r: r.valid_to)
    last = now[place] if place < len(now) and now[place].valid_from < since else None
    return ("", since, since) if last is None else (last.content.status, last.content.changed, since)


def _reworded(
    now: tuple[Rectangle[WordsRow], ...], words: Mapping[int, Sequence[WordsStretch]], position: int
) -> tuple[tuple[Rectangle[WordsRow], ...], tuple[Rectangle[WordsRow], ...]]:
    """The words that are open after the facts of some versions got these ones, and those that are closed by it."""
    kept, left = now, dict[tuple[object, ...], Rectangle[WordsRow]]()
    if len(words) > 1:  # else it is the event's own fact alone, of which nothing is open yet
        kept = tuple(r for r in now if r.content.version not in words)
        left = {(r.valid_from, r.valid_to, r.content): r for r in now if r.content.version in words}
    opened = []
    for stretches in words.values():
        for valid_from, end, row in stretches:
            valid_to = end or OPEN_DATE
            same = left.pop((valid_from, valid_to, row), None)
            opened.append(same or Rectangle(valid_from, valid_to, position, row))
    return (*kept, *opened), tuple(replace(r, known_to=position) for r in left.values())


def _supersede(
    now: Sequence[Rectangle[RowT]], since: date, stretches: Iterable[tuple[date, date, RowT]], position: int
) -> tuple[tuple[Rectangle[RowT], ...], tuple[Rectangle[RowT], ...]]:
    """Replace what is open from `since` on by the stretches; a rectangle that a stretch repeats stays open.

    Returns the rectangles that are open now, and those that are closed at `position`.
    """
    kept = bisect_left(now, since, key=lambda r: r.valid_to)
    opened, now = [*now[:kept]], now[kept:]
    before: list[tuple[date, date, RowT]] = [
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


def _joined(stretches: Iterable[tuple[date, date, RowT]]) -> list[tuple[date, date, RowT]]:
    """The stretches, with neighbours of the same content joined into one."""
    joined: list[tuple[date, date, RowT]] = []
    for valid_from, valid_to, content in stretches:
        if joined and joined[-1][1] == valid_from and joined[-1][2] == content:
            joined[-1] = (joined[-1][0], valid_to, content)
        else:
            joined.append((valid_from, valid_to, content))
    return joined


def timeline_row(status: Status, changed: date, packed: PackedDocument, amounts: bytes | None = None) -> TimelineRow:
    """The columns that change with the status.

    `changed` is the day since which the headline is what it is. `amounts` are the stored ones of the status, where they
    are known.
    """
    return TimelineRow(
        status=status.status,
        flags=listed(status.flags),
        ratio=None if status.ratio is None else sortable(status.ratio.value),
        last_stated_on=status.last_stated_on,
        changed=changed,
        amounts=stored_amounts(status) if amounts is None else amounts,
        outline=packed.outline,
        body=packed.body,
    )


def catalogue_row(status: Status) -> CatalogueRow:
    """The columns that lists are filtered by and that seldom change."""
    pledgor, beneficiary = status.pledgor, status.beneficiary
    quantity = status.target or status.actual
    assessment = status.document.get("assessment", {})
    joint = [Party.model_construct(**{"code": None, **one["party"]}) for one in status.document.get("joint", ())]
    parties = [
        *party_lines.lines_of("pledgor", [pledgor, *joint], status.pledgors),
        *party_lines.lines_of("beneficiary", [] if beneficiary is None else [beneficiary], status.beneficiaries),
    ]
    return CatalogueRow(
        title=status.title.casefold(),
        kind=status.kind,
        pledgor=pledgor.code or pledgor.name,
        pledgors=lines(_names(status.pledgors)),
        beneficiary=None if beneficiary is None else beneficiary.code or beneficiary.name,
        beneficiaries=lines(_names(status.beneficiaries)),
        parties=party_lines.written(parties),
        part_of=status.part_of,
        rating=assessment.get("rating"),
        rubric=assessment.get("rubric"),
        unit=None if quantity is None else quantity.unit,
        due=status.deadline,
        tags=listed(status.tags),
    )


def _names(parties: Iterable[Party]) -> set[str]:
    """The names of parties, and their codes or keys."""
    return {word for party in parties for word in (party.name, party_lines.key_of(party))}


def lines(words: Iterable[str]) -> str:
    """Names as one text, case-folded, each between line breaks, which no name has; empty for none."""
    folded = sorted({word.casefold() for word in words})
    return "\n".join(("", *folded, "")) if folded else ""


def listed(words: Sequence[str]) -> str:
    """Slugs as one text, each between commas: ",late,stale,"; empty for none."""
    return f",{','.join(words)}," if words else ""


def sortable(value: Decimal) -> str:
    """A decimal of at most 6 places as text that sorts alike: sign, number of digits, digits; complements below 0."""
    digits = str(abs(int(value.scaleb(6, EXACT))))
    if value >= 0:
        return f"1{len(digits):03d}{digits}"
    return f"0{999 - len(digits):03d}{''.join(chr(105 - ord(d)) for d in digits)}"  # 9 for 0 … 0 for 9


def from_sortable(text: str) -> Decimal:
    """The decimal that `sortable` wrote."""
    if text[0] == "1":
        return Decimal(int(text[4:])).scaleb(-6, EXACT)
    return -Decimal(int("".join(chr(105 - ord(d)) for d in text[4:]))).scaleb(-6, EXACT)
