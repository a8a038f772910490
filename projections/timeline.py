"""Reads of the timeline: the status of one pledge, or of many, at any point on both clocks.

A read selects stored documents; it never folds. What it says of a point it will always say: rectangles on the known
axis up to a position do not change once that position is reached.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, TypeVar, cast

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, Select, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections import changes, queries
from projections.changes import StatusChange
from projections.document_codec import brief, needs_ids, unpack
from projections.fold import CatalogueRow, TimelineRow
from projections.pledge_counts import PledgeCounts
from projections.queries import SORTS, STALE_FLAG, TIMELINE, Clocks, Filters, PageStart, StatusPage
from projections.summary import Pledged, summarize
from projections.table_writer import ParkedEvent, load_parked, states
from projections.tables import OPEN_DATE, OPEN_POSITION, PARKED, TableSet, is_missing_table, table_set
from tracker.errors import Unavailable
from tracker.log.recorder import LogRecorder
from tracker.rules.status import complete

__all__ = [
    "SORTS",
    "STALE_FLAG",
    "Clocks",
    "Filters",
    "PledgeDifference",
    "ProjectionProgress",
    "StatusPage",
    "Timeline",
]

_TOTALS = 512
"""Totals kept in memory; a page of a list that was counted at the same clocks does not count again."""

_EXPORTED = 500
"""Documents fetched at a time in a stream."""

_SUMMED = 2_000
"""Rows fetched at a time for a sum."""

T = TypeVar("T")
_Reply = tuple[Sequence[Any], TableSet, int]
"""Rows, the set that they came from, and whether anything is parked beside it (0 if not)."""


@dataclass(frozen=True, slots=True)
class ProjectionProgress:
    """How far the projection is behind the log. ``heartbeat`` is when a projector was last at work (RFC 3339)."""

    position: int
    head: int
    lag: int
    heartbeat: str | None
    parked: int
    set: int
    version: str


@dataclass(frozen=True, slots=True)
class ProjectionHead:
    """The position of the last event that is projected, the set that has it, and a number for what is parked beside it:
    0 for nothing, another one whenever that changes.
    """

    position: int = 0
    set: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class PledgeDifference:
    """A pledge whose document is not the same at two points; None where it does not exist."""

    pledge: str
    before: bytes | None
    after: bytes | None


class Timeline:
    """The read side of the timeline on one database.

    A point beyond ``position()`` MUST NOT be asked for: clamp or wait first. Every read raises ``Unavailable`` when the
    store does not answer.
    """

    def __init__(self, engine: Engine, log: LogRecorder) -> None:
        # A statement is its own transaction on PostgreSQL: no round trips for BEGIN and ROLLBACK.
        plain = engine.dialect.name != "postgresql"
        self._engine = engine if plain else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._log = log
        self._set: int | None = None
        self._totals: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._census, self._counts_of = PledgeCounts(), (0, 0)
        self._lock = Lock()

    # Where it stands

    def position(self) -> int:
        """The position of the last event that the answers know; 0 before there is any."""
        return self.head().position

    def head(self) -> ProjectionHead:
        """How far the answers know the log, and what they stand on: while that is equal they never change."""

        def ask(conn: Connection) -> ProjectionHead:
            row = conn.execute(queries.head()).first()
            return ProjectionHead() if row is None else ProjectionHead(*row)

        return self._answered(ask, ProjectionHead())

    def progress(self) -> ProjectionProgress:
        """How far it is behind the log, and what could not be folded."""

        def ask(conn: Connection) -> ProjectionProgress:
            state = next(s for s in states(conn, TIMELINE) if s.active)
            parked = conn.scalar(select(func.count()).where(PARKED.c.set == state.number)) or 0
            head = max(self._log.head(), state.position)
            return ProjectionProgress(
                position=state.position, head=head, lag=head - state.position, heartbeat=state.heartbeat,
                parked=parked, set=state.number, version=state.version,
            )  # fmt: skip

        head = self._log.head()
        return self._answered(ask, ProjectionProgress(0, head, head, None, 0, 0, ""))

    def parked(self) -> list[ParkedEvent]:
        """The events that could not be folded, with their bytes and why."""

        def ask(conn: Connection) -> list[ParkedEvent]:
            return load_parked(conn, next(s.number for s in states(conn, TIMELINE) if s.active))

        return self._answered(ask, [])

    # What it says

    def one(self, pledge: str, clocks: Clocks) -> bytes | None:
        """The document of one pledge; None where it does not exist at these clocks."""
        rows, tables, parked = self._read(lambda tables: queries.one(tables, pledge, clocks))
        if not rows:
            return None
        return self._documents([(pledge, rows[0].body)], clocks, tables, parked)[0]

    def page(
        self,
        filters: Filters,
        clocks: Clocks,
        sort: str = "pledge",
        limit: int = 100,
        after: Sequence[Any] | None = None,
    ) -> StatusPage:
        """One page of documents. ``after`` is the ``next`` of the page before it.

        Errors: ``ValueError`` for an unknown sort or an ``after`` that no page gave.
        """
        last = _after(sort, after)
        rows, tables, parked = self._rows_of_page(filters, clocks, sort, limit + 1, last)
        more, rows = len(rows) > limit, rows[:limit]
        items = self._documents([(row.pledge, row.body) for row in rows], clocks, tables, parked)
        key = _text(rows[-1].key) if rows else None
        total = len(items) if after is None and not more else self._total(filters, clocks, tables, parked)
        return StatusPage(items, (key, rows[-1].pledge) if more else None, total)

    def export(self, clocks: Clocks, filters: Filters | None = None) -> Iterator[bytes]:
        """All documents in order of their pledges; a few hundred are in memory at a time."""
        last: PageStart | None = None
        while True:
            rows, tables, parked = self._rows_of_page(filters or Filters(), clocks, "pledge", _EXPORTED, last)
            yield from self._documents([(row.pledge, row.body) for row in rows], clocks, tables, parked)
            if len(rows) < _EXPORTED:
                return
            last = PageStart(None, rows[-1].pledge)

    def held(self, pledges: Sequence[str], clocks: Clocks) -> dict[str, tuple[list[TimelineRow], list[CatalogueRow]]]:
        """What the tables have of some pledges at a point, for who checks them: one row of each where all is right."""
        found: dict[str, tuple[list[TimelineRow], list[CatalogueRow]]] = {pledge: ([], []) for pledge in pledges}
        for row in self._read(lambda tables: queries.rows(tables.timeline, pledges, clocks))[0]:
            found[row.pledge][0].append(TimelineRow(*row[5:-2]))
        for row in self._read(lambda tables: queries.rows(tables.catalogue, pledges, clocks))[0]:
            found[row.pledge][1].append(CatalogueRow(*row[5:-2]))
        return found

    def names(self, clocks: Clocks) -> Iterator[list[str]]:
        """The pledges that either table has at a point, some at a time; one may come twice."""
        for which in ("timeline", "catalogue"):
            last = ""
            while rows := self._read(lambda t: queries.names(getattr(t, which), clocks, last, _SUMMED))[0]:  # noqa: B023
                yield [row.pledge for row in rows]
                last = rows[-1].pledge

    def stalled(self, clocks: Clocks) -> frozenset[str]:
        """The pledges with an event that could not be folded, known at the clocks."""
        standing = self.head()
        return self._stalled(clocks, table_set(standing.set), standing.parked)

    def rectangles(self, pledge: str, position: int = OPEN_POSITION - 1) -> list[dict[str, Any]]:
        """The rectangles known by a position, as JSON objects; an end that is open, or was by then, is None."""
        rows, tables, parked = self._read(lambda tables: queries.rectangles(tables, pledge, position))
        waiting = self._waits_from(pledge, position, tables) if parked else OPEN_POSITION
        items = []
        for row in rows:
            body = brief(row.body)
            items.append(
                {
                    "valid_from": row.valid_from.isoformat(),
                    "valid_to": None if row.valid_to == OPEN_DATE else row.valid_to.isoformat(),
                    "known_from": row.known_from,
                    "known_to": None if row.known_to > position else row.known_to,
                    **{name: body[name] for name in ("status", "actual", "ratio")},
                    "flags": [*body["flags"], *([STALE_FLAG] if row.known_to > waiting else [])],
                }
            )
        return items

    def summary(
        self, filters: Filters, clocks: Clocks, by: str | None = None, currency: str | None = None
    ) -> dict[str, Any]:
        """Counts and sums over pledges, as API.md has them; ``by`` is ``pledgor``, ``beneficiary`` or ``tag``."""
        whole, _, _ = self._read(lambda tables: queries.parts(tables, clocks))
        pledges = self._pledged(filters, clocks)
        return summarize(pledges, {part.pledge: part.part_of for part in whole}, by, currency)

    def _pledged(self, filters: Filters, clocks: Clocks) -> Iterator[Pledged]:
        last = ""
        while True:
            rows, tables, parked = self._read(lambda t: queries.amounts(t, filters, clocks, last, _SUMMED))  # noqa: B023
            stalled = self._stalled(clocks, tables, parked)
            yield from (Pledged.of(row, stale=row.pledge in stalled) for row in rows)
            if len(rows) < _SUMMED:
                return
            last = rows[-1].pledge

    def diff(self, before: Clocks, after: Clocks, filters: Filters | None = None) -> Iterator[list[PledgeDifference]]:
        """The pledges whose documents differ between two points, by pledge; a few hundred at a time.

        With filters those of them that pass at the second point.
        """
        last, listed = "", (filters or Filters(), after)
        while True:
            old, tables, parked = self._read(lambda t: queries.differing(t, before, after, last, _EXPORTED, listed))  # noqa: B023
            new, _, _ = self._read(lambda t: queries.differing(t, after, before, last, _EXPORTED, listed))  # noqa: B023
            # Where one of the two goes on, what lies beyond its end is not compared yet.
            ends = [rows[-1].pledge for rows in (old, new) if len(rows) == _EXPORTED]
            was, became = ({r.pledge: r.body for r in rows if not ends or r.pledge <= min(ends)} for rows in (old, new))
            changed = sorted(p for p in was.keys() | became.keys() if was.get(p) != became.get(p))
            first = self._by_pledge({p: was[p] for p in changed if p in was}, before, tables, parked)
            second = self._by_pledge({p: became[p] for p in changed if p in became}, after, tables, parked)
            yield [PledgeDifference(p, first.get(p), second.get(p)) for p in changed]
            if not ends:
                return
            last = min(ends)

    def changes(self, filters: Filters, clocks: Clocks, limit: int) -> list[StatusChange]:
        """The headlines that changed last, on either axis: some more than the limit, in no order."""
        found: set[tuple[str, date]] = set()
        for by_position in (True, False):
            rows, _, _ = self._read(
                lambda tables: changes.latest(tables, filters, clocks, 8 * limit, by_position=by_position)  # noqa: B023
            )
            found |= {(row.pledge, row.valid_from) for row in rows}
        rectangles: dict[str, list[Any]] = {}
        for pledges in _some({pledge for pledge, _ in found}, _EXPORTED):
            rows, _, _ = self._read(lambda tables: changes.statuses(tables, pledges, clocks))  # noqa: B023
            for row in rows:
                rectangles.setdefault(row.pledge, []).append(row)
        seen = (changes.change(p, on, rectangles.get(p, ()), clocks.position) for p, on in found)
        return [change for change in seen if change is not None]

    # How

    def _rows_of_page(
        self, filters: Filters, clocks: Clocks, sort: str, limit: int, after: PageStart | None
    ) -> tuple[list[Any], TableSet, int]:
        """Rows with a sort key, then those without one."""

        def ask(nulls: bool, limit: int, after: PageStart | None) -> _Reply:
            return self._read(lambda tables: queries.page(tables, filters, clocks, sort, limit, after, nulls=nulls))

        nullable = sort.removeprefix("-") in ("due", "ratio")
        rows: list[Any] = []
        if not (nullable and after is not None and after.key is None):
            found, tables, parked = ask(False, limit, after)
            rows += found
            if not nullable or len(rows) >= limit:
                return rows, tables, parked
            after = None
        found, tables, parked = ask(True, limit - len(rows), after)
        return rows + list(found), tables, parked

    def _total(self, filters: Filters, clocks: Clocks, tables: TableSet, parked: int) -> int:
        """How many pledges pass the filters: counted by the census where there are none, else by a query, once."""
        if filters == Filters() and (counted := self._counted(clocks, tables.number, parked)) is not None:
            return counted
        asked = (filters, clocks.as_of, clocks.position, tables.number, parked)
        with self._lock:
            if asked in self._totals:
                self._totals.move_to_end(asked)
                return self._totals[asked]
        rows, _, _ = self._read(lambda tables: queries.count(tables, filters, clocks))
        total = cast(int, rows[0][0])
        with self._lock:
            self._totals[asked] = total
            if len(self._totals) > _TOTALS:
                self._totals.popitem(last=False)
        return total

    def _counted(self, clocks: Clocks, number: int, parked: int) -> int | None:
        """The census of a point; None while the set is being switched, and beyond what is projected."""
        with self._lock:
            if self._counts_of != (number, parked):
                # Another set, or an event that was parked is folded now and has changed the past.
                self._counts_of, self._census = (number, parked), PledgeCounts()
            census = self._census
        if census.position < clocks.position:
            upto, after = self.position(), census.position
            rows, tables, still = self._read(lambda tables: queries.corners(tables, after, upto))
            if clocks.position > upto or (tables.number, still if rows else parked) != (number, parked):
                return None
            census.extend(rows, upto)
        return census.count(clocks.position, queries.day_of(clocks))

    def _by_pledge(self, bodies: dict[str, bytes], clocks: Clocks, tables: TableSet, parked: int) -> dict[str, bytes]:
        return dict(zip(bodies, self._documents(list(bodies.items()), clocks, tables, parked), strict=True))

    def _documents(
        self, rows: Sequence[tuple[str, bytes]], clocks: Clocks, tables: TableSet, parked: int
    ) -> list[bytes]:
        """The stored bodies with the clocks, and with the version and position of the pledge's last event by then."""
        if not rows:
            return []
        stalled = self._stalled(clocks, tables, parked)
        heads = self._log.heads([pledge for pledge, _ in rows], clocks.position)
        long = [pledge for pledge, body in rows if needs_ids(body)]
        ids = self._log.ids_of(long, clocks.position) if long else {}
        documents = []
        for pledge, body in rows:
            version, position = heads[pledge]
            body = unpack(body, ids.get(pledge, ()))
            if pledge in stalled:
                body = _flagged(body)
            documents.append(
                complete(body, as_of=clocks.as_of, known_at=clocks.known_at, position=position, version=version)
            )
        return documents

    def _stalled(self, clocks: Clocks, tables: TableSet, parked: int) -> frozenset[str]:
        """The pledges with a parked event that is known at the clocks."""
        if not parked:
            return frozenset()
        none: list[ParkedEvent] = []
        found = self._answered(lambda conn: load_parked(conn, tables.number, clocks.position), none)
        return frozenset(p.pledge for p in found)

    def _waits_from(self, pledge: str, position: int, tables: TableSet) -> int:
        """The position of the pledge's first event by then that could not be folded; ``OPEN_POSITION`` without one."""
        none: list[ParkedEvent] = []
        found = self._answered(lambda conn: load_parked(conn, tables.number, position), none)
        return min((p.position for p in found if p.pledge == pledge), default=OPEN_POSITION)

    def _read(self, ask: Callable[[TableSet], Select[Any]]) -> _Reply:
        """The rows of one statement from the set that answers, also while it is switched."""
        for _ in range(5):
            number = self._active_set() if self._set is None else self._set
            if number is None:
                return [], table_set(0), 0
            tables = table_set(number)
            query = ask(tables).add_columns(*queries.answering())
            rows = self._answered(lambda conn: _all(conn, query), None)  # noqa: B023
            if rows and rows[0][-2] == number:
                return rows, tables, rows[0][-1]
            if rows is not None and not rows and (standing := self.head()).set == number:
                return rows, tables, standing.parked
            self._set = None
        raise Unavailable("the projection is being switched; ask again")

    def _active_set(self) -> int | None:
        self._set = self.head().set or None
        return self._set

    def _answered(self, ask: Callable[[Connection], T], missing: T) -> T:
        """The answer of the store, or ``missing`` where the table is not there; tries a lost connection once more."""
        for last in (False, True):
            try:
                with self._engine.connect() as conn:
                    return ask(conn)
            except DBAPIError as error:
                if is_missing_table(error):
                    return missing
                if not isinstance(error, (OperationalError, InterfaceError)):
                    raise
                if last or not error.connection_invalidated:
                    raise Unavailable(f"the store does not answer: {error.orig}") from error
        raise AssertionError("the second attempt answers or raises")


def _some(pledges: set[str], many: int) -> Iterator[list[str]]:
    ordered = sorted(pledges)
    return (ordered[at : at + many] for at in range(0, len(ordered), many))


def _after(sort: str, after: Sequence[Any] | None) -> PageStart | None:
    if sort.removeprefix("-") not in SORTS:
        raise ValueError(f"no list is sorted by {sort!r}")
    if after is None:
        return None
    last = PageStart(*after) if len(after) == 2 else None
    if last is None or not isinstance(last.pledge, str) or not _is_key(sort.removeprefix("-"), last.key):
        raise ValueError("no page ends there")
    return last


def _is_key(name: str, key: object) -> bool:
    if name in ("due", "last_stated_on") and isinstance(key, str):
        try:
            date.fromisoformat(key)
        except ValueError:
            return False
    return key is None or isinstance(key, str)


def _all(conn: Connection, query: Select[Any]) -> Sequence[Any] | None:
    return conn.execute(query).all()


def _text(key: date | str | None) -> str | None:
    return key.isoformat() if isinstance(key, date) else key


def _flagged(body: bytes) -> bytes:
    document = from_json(body)
    document["flags"] = [*document["flags"], STALE_FLAG]
    return to_json(document)
