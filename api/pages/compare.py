"""Two points beside each other: how many pledges went from which status to which, and each of them with its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pydantic_core import from_json

from api import wording
from api.http import system_clock
from api.http.addresses import encoded
from api.http.clocks import AS_OF, end_of
from api.http.contract import Parameter
from api.http.parameters import choice, day, invalid
from api.http.responses import BytesResponse
from api.pages.frame import PageRequest, page_contract
from api.resources import list_filters
from api.resources.contracts import FILTERS
from api.resources.differences import Differences
from projections.queries import Clocks, Filters
from projections.trait_runs import StatusMove
from tracker.event import stamp
from tracker.rules.causes import Cause

NO_PLEDGE = "none"
"""What stands for the status of a pledge that is not there, in addresses."""

MAX_EXPLAINED = 100
"""Changes that one page tells with their cause: each is folded from the log."""

DEFAULT_SPAN = timedelta(days=30)
"""How long before the later day the earlier one lies, where none is given."""

_CAUSES: tuple[tuple[Cause, str], ...] = (
    ("said", "Said in the world"),
    ("time", "A deadline passed"),
    ("repaired", "We repaired the record"),
)

_STATUSES = (*wording.STATUS, NO_PLEDGE)
_TOLD_MOVES = 3
"""Kinds of changes that the sentence for the press names; it adds up the others."""

COMPARE_CONTRACT = page_contract(
    "What changed between two days, in the world or in our record.",
    *FILTERS,
    Parameter("from", "The earlier day; thirty days before the later one by default.", AS_OF.schema),
    Parameter("to", "The later day; today by default.", AS_OF.schema),
    Parameter(
        "axis",
        "Whether the days are those of what had been said, or of what we had recorded by their end.",
        {"enum": ["said", "recorded"], "default": "said"},
    ),
    Parameter("before", "Only what had this status at the earlier point.", {"enum": list(_STATUSES)}),
    Parameter("after", "Only what has this status at the later point.", {"enum": list(_STATUSES)}),
)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """The number of pledges that went from one status to another, and the address that lists them or all again."""

    pledges: int
    link: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class MoveMatrix:
    """The changes of status: a row for each status before, a column for each after; cells without any are None."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    cells: Mapping[tuple[str, str], MatrixCell]


@dataclass(frozen=True, slots=True)
class TwoPoints:
    """What a page compares: the two points, their days, and whether those are days of our record."""

    earlier: Clocks
    later: Clocks
    since: date
    until: date
    is_record: bool


def draw_compare(page: PageRequest) -> BytesResponse:
    """The page at `/compare`."""
    timeline, filters = page.services.timeline, list_filters.filters(page.query)
    two = _points(page)
    moves = timeline.moves(filters, two.earlier, two.later)
    chosen = _of_cell(moves, *_opened(page))
    # A pledge that is named is told of whatever has changed about it.
    names = list(filters.pledge) if filters.pledge else [move.pledge for move in chosen]
    items = list(_explained(page, names[:MAX_EXPLAINED], two))
    total = timeline.listed_total(filters, two.later)
    body = page.render(
        "compare.html",
        two.later,
        two=two,
        since=two.since.isoformat(),
        until=two.until.isoformat(),
        moved=len(moves),
        chosen=len(chosen),
        is_cell=len(chosen) < len(moves) or "before" in page.query or "after" in page.query,
        matrix=_matrix(page, moves),
        groups=[(words, found) for cause, words in _CAUSES if (found := [i for i in items if i["cause"] == cause])],
        explained=min(len(names), MAX_EXPLAINED),
        listed=len(names),
        sentence=press_sentence(
            moves, total, two, is_filtered=filters != Filters(), title=_one_title(page, filters, two)
        ),
        chips=list(_chips(page, two)),
        csv=_csv(page, two),
        pinned=_pinned(page, two),
        is_filtered=filters != Filters(),
    )
    return page.about_all(two.later.position, body)


def press_sentence(
    moves: Sequence[StatusMove], total: int, two: TwoPoints, *, is_filtered: bool, title: str | None = None
) -> str:
    """What changed, in a sentence that can be quoted.

    `total` is the number of pledges that are found at the later point, and `title` that of the one pledge that is asked
    for, if it is one.
    """
    when = f"Between {wording.day(two.since)} and {wording.day(two.until)}"
    if title is not None:
        return f"{when}, {_told_of_one(moves, title, is_record=two.is_record)}."
    changed = [move for move in moves if move.before is not None and move.after is not None]
    came = sum(move.before is None for move in moves)
    gone = len(moves) - len(changed) - came
    n, subject = len(changed), "our record of " if two.is_record else ""
    among = f" of the {total} found" if is_filtered else ""
    who = f"{n or 'no'} pledge{'s' if n > 1 else ''}{among}"
    verb = "changed" if two.is_record and changed else f"changed {'their' if n > 1 else 'its'} status"
    said = f"{when}, {subject}{who} {verb}"
    if changed:
        said += f": {_told(changed)}"
    if came:
        said += f"; {came} {'were' if came != 1 else 'was'} {'recorded' if two.is_record else 'made'}"
    if gone:
        said += f"; {gone} {'are' if gone != 1 else 'is'} no longer there"
    return f"{said}." if is_filtered else f"{said}. {total} pledge{'s are' if total != 1 else ' is'} tracked."


def _told_of_one(moves: Sequence[StatusMove], title: str, *, is_record: bool) -> str:
    """What changed about one pledge."""
    named, of = f"“{title}”", "our record of " if is_record else ""
    if not moves:
        return f"{of}{named} did not change its status"
    move = moves[0]
    if move.after is None:
        return f"{named} went: it is no longer there"
    after = wording.STATUS[move.after].lower()
    if move.before is None:
        return f"{named} was {'recorded' if is_record else 'made'}, and was then {after}"
    return f"{of}{named} changed from {wording.STATUS[move.before].lower()} to {after}"


def _told(changed: Sequence[StatusMove]) -> str:
    """The commonest changes, and how many others there are."""
    counts = Counter((move.before or "", move.after or "") for move in changed)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [
        f"{n} from {wording.STATUS[before].lower()} to {wording.STATUS[after].lower()}"
        for (before, after), n in ordered[:_TOLD_MOVES]
    ]
    if others := sum(n for _, n in ordered[_TOLD_MOVES:]):
        told.append(f"{others} otherwise")
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def _points(page: PageRequest) -> TwoPoints:
    """The two points that a query names.

    Raises: InvalidParameter if the later day is before the earlier one, lies in the future of our record, or the
    query has a clock that the pair of days sets.
    """
    query, today = page.query, system_clock.today()
    is_record = choice(query, "axis", ("said", "recorded"), "said") == "recorded"
    until = day(query, "to", today)
    since = day(query, "from", max(until - DEFAULT_SPAN, date(1800, 1, 1)))
    if until < since:
        raise invalid("to", "is not before 'from'")
    if not is_record:
        if "as_of" in query:
            raise invalid("as_of", "goes with 'axis=recorded'; 'to' is the later day here")
        at = page.projected()
        return TwoPoints(replace(at, as_of=since), replace(at, as_of=until), since, until, is_record)
    if page.at.position is not None:
        raise invalid("axis", "compares two days of our record, so that no other day of it can be given")
    if until > today:
        raise invalid("to", "lies in the future of our record")
    at, log = page.projected(), page.services.tracker.log
    earlier = replace(at, position=min(log.position_at(end_of(since)), at.position), known_at=end_of(since))
    later = at
    if until < today:
        later = replace(at, position=min(log.position_at(end_of(until)), at.position), known_at=end_of(until))
    return TwoPoints(earlier, later, since, until, is_record)


def _pinned(page: PageRequest, two: TwoPoints) -> str:
    """The address at which the page stays the same; of our record two days that are over are that by themselves."""
    days = {"from": two.since.isoformat(), "to": two.until.isoformat()}
    clock = {"as_of": two.later.as_of.isoformat()} if two.is_record else {"at_position": str(two.later.position)}
    return page.link(**{**days, "known_on": None, "known_at": None, **clock})


def _of_cell(moves: Sequence[StatusMove], before: str | None, after: str | None) -> list[StatusMove]:
    """The changes of the cell that is opened; all where none is."""
    return [
        move
        for move in moves
        if before in (None, move.before or NO_PLEDGE) and after in (None, move.after or NO_PLEDGE)
    ]


def _opened(page: PageRequest) -> tuple[str | None, str | None]:
    """The statuses before and after of the cell that is opened; None for any.

    Raises: InvalidParameter if one is no status.
    """
    return choice(page.query, "before", _STATUSES), choice(page.query, "after", _STATUSES)


def _matrix(page: PageRequest, moves: Sequence[StatusMove]) -> MoveMatrix:
    counts = Counter((move.before or NO_PLEDGE, move.after or NO_PLEDGE) for move in moves)
    opened = _opened(page)
    cells = {}
    for pair, pledges in counts.items():
        is_open = pair == opened
        before, after = (None, None) if is_open else pair
        cells[pair] = MatrixCell(pledges, f"{page.link(before=before, after=after)}#changes", is_open)
    return MoveMatrix(
        tuple(status for status in _STATUSES if any(status == before for before, _ in counts)),
        tuple(status for status in _STATUSES if any(status == after for _, after in counts)),
        cells,
    )


def _explained(page: PageRequest, names: Sequence[str], two: TwoPoints) -> Iterator[dict[str, Any]]:
    """The changes of some pledges, each with its cause, its title and the events between."""
    if not names:
        return
    timeline, log = page.services.timeline, page.services.tracker.log
    titles = {
        name: from_json(document)["title"]
        for at in (two.earlier, two.later)
        for name, document in timeline.documents(names, at).items()
    }
    for item in Differences(timeline, log, Filters(pledge=tuple(names)), two.earlier, two.later).items():
        events = [
            {"id": event["id"], "type": event["fact"]["type"], "said": wording.stated(event["fact"]),
             "recorded_at": event["recorded_at"]}
            for event in item["events"]
        ]  # fmt: skip
        yield {**item, "title": titles.get(item["pledge"], item["pledge"]), "events": events}


def _one_title(page: PageRequest, filters: Filters, two: TwoPoints) -> str | None:
    """The title of the pledge if one is asked for, and there at the later point."""
    if len(filters.pledge) != 1:
        return None
    found = page.services.timeline.documents(filters.pledge, two.later)
    return next((str(from_json(document)["title"]) for document in found.values()), None)


def _chips(page: PageRequest, two: TwoPoints) -> Iterator[dict[str, Any]]:
    """Pairs of days that are often compared: the last month, the last quarter, and since the beginning of the year."""
    today = system_clock.today()
    month = today.replace(day=1) - timedelta(days=1)
    before_month = month.replace(day=1) - timedelta(days=1)
    pairs = (
        ("Last 30 days", today - DEFAULT_SPAN, today),
        ("Last month", before_month, month),
        ("This year", date(today.year - 1, 12, 31), today),
        ("Last year", date(today.year - 2, 12, 31), date(today.year - 1, 12, 31)),
    )
    for words, since, until in pairs:
        link = page.link(**{"from": since.isoformat(), "to": None if until == today else until.isoformat()},
                         before=None, after=None)  # fmt: skip
        yield {"words": words, "link": link, "chosen": (since, until) == (two.since, two.until)}


def _csv(page: PageRequest, two: TwoPoints) -> str:
    """The differences between the two points as CSV, those in figures too."""
    filters = list_filters.given_filters(page.query)
    if two.is_record:
        points = {"known_from": stamp(end_of(two.since))}
        if two.later.known_at is not None:
            points["known_to"] = stamp(end_of(two.until))
        if page.at.dated:
            points["as_of"] = two.later.as_of.isoformat()
    else:
        points = {"from": two.since.isoformat(), "to": two.until.isoformat()}
        if page.at.position is not None:
            points["at_position"] = str(two.later.position)
    return page.address(f"/v1/diff?{encoded({**points, **filters, 'format': 'csv'}, safe=':,')}")
