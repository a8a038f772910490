"""Reads of the table set that answers, also while another one is switched to, and of the documents stored in it.

A read selects stored documents; it never folds. What it says of a point without the flag `stale_projection` it will
always say: rectangles on the known axis up to a position change only in what such a pledge holds there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, Select, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections import queries
from projections.document_codec import StoredDocument, needs_ids, unpack
from projections.fold import CatalogueRow, TimelineRow
from projections.queries import TIMELINE, Clocks
from projections.table_writer import (
    ONLY_WAITS,
    WAITS,
    ParkedEvent,
    StalledPledge,
    gaps_of,
    load_parked,
    stalled,
    states,
    waiting,
    withheld_upto,
)
from projections.tables import PARKED, TableName, TableSet, answering_set, is_missing_table, table_set
from projections.words import WordsRow
from tracker.errors import Unavailable
from tracker.log.away import SilentStore, unavailable
from tracker.log.recorder import LogRecorder
from tracker.pledge_events import UnreadEvent
from tracker.rules.replayed import flagged
from tracker.rules.status import complete

NAME_BATCH_ROWS = 2_000
"""Names of pledges fetched at a time."""

SWITCH_ATTEMPTS = 5
"""How often a read begins anew because another table set answers meanwhile."""

AnswerT = TypeVar("AnswerT")
QueryArgs = ParamSpec("QueryArgs")


class QueryReply(NamedTuple):
    """The rows of one query, the set that they came from, and a number for the events parked beside it, 0 for none.

    The last two columns of each row are those of `queries.answering`.
    """

    rows: Sequence[Any]
    tables: TableSet
    parked: int


class StoredRows(NamedTuple):
    """The rows of one pledge that hold at a point, and the outlines of its documents."""

    timeline: list[TimelineRow]
    catalogue: list[CatalogueRow]
    words: list[WordsRow]
    outlines: list[bytes | None]


@dataclass(frozen=True, slots=True)
class ProjectionProgress:
    """How far the projection is behind the log. `heartbeat` is when a projector was last at work (RFC 3339).

    `parked` events could not be folded; `waiting` ones are those of long pledges, which are folded beside the others.
    """

    position: int
    head: int
    lag: int
    heartbeat: str | None
    parked: int
    waiting: int
    set: int
    version: str


@dataclass(frozen=True, slots=True)
class ProjectionHead:
    """The position of the last event that is projected, the set that has it, and a number for the events parked beside
    it: 0 for none, another one whenever they change. `heartbeat` is when a projector was last at work (RFC 3339).
    """

    position: int = 0
    set: int = 0
    parked: int = 0
    heartbeat: str | None = None


class TableReader:
    """Reads the projection of one database. Every read raises Unavailable if the store does not answer."""

    def __init__(self, engine: Engine, log: LogRecorder) -> None:
        # A statement is its own transaction on PostgreSQL: no round trips for BEGIN and ROLLBACK.
        plain = engine.dialect.name != "postgresql"
        self._engine = engine if plain else engine.execution_options(isolation_level="AUTOCOMMIT")
        self._log = log
        self._set: TableSet | None = None

    # How far the projection is

    def position(self) -> int:
        """The position of the last event that is projected; 0 before there is any."""
        return self.head().position

    def head(self) -> ProjectionHead:
        """How far the projection is, and which set has it."""

        def ask(conn: Connection) -> ProjectionHead:
            row = conn.execute(queries.head()).first()
            return ProjectionHead() if row is None else ProjectionHead(*row)

        return self._answered(ask, ProjectionHead())

    def withheld_upto(self) -> int:
        """The number of the last withholding that the set which answers is made with; 0 for none."""

        def ask(conn: Connection) -> int:
            live = next((s.number for s in states(conn, TIMELINE) if s.active), None)
            return 0 if live is None else withheld_upto(conn, live)

        return self._answered(ask, 0)

    def progress(self) -> ProjectionProgress:
        """How far the projection is behind the log, and how many events could not be folded."""

        def ask(conn: Connection) -> ProjectionProgress:
            state = next(s for s in states(conn, TIMELINE) if s.active)
            beside = select(func.count()).where(PARKED.c.set == state.number)
            waiting = conn.scalar(beside.where(ONLY_WAITS)) or 0
            parked = (conn.scalar(beside) or 0) - waiting
            head = max(self._log.head(), state.position)
            return ProjectionProgress(
                position=state.position, head=head, lag=head - state.position, heartbeat=state.heartbeat,
                parked=parked, waiting=waiting, set=state.number, version=state.version,
            )  # fmt: skip

        head = self._log.head()
        return self._answered(ask, ProjectionProgress(0, head, head, None, 0, 0, 0, ""))

    def parked(self) -> list[ParkedEvent]:
        """The events that could not be folded, with their bytes and why."""

        def ask(conn: Connection) -> list[ParkedEvent]:
            found = load_parked(conn, next(s.number for s in states(conn, TIMELINE) if s.active))
            return [parked for parked in found if parked.error != WAITS]

        return self._answered(ask, [])

    def unread(self, pledge: str, position: int) -> list[UnreadEvent]:
        """The events of a pledge up to a position that could not be folded, with their bytes and why."""
        number, none = self.head().set, list[ParkedEvent]()
        found = self._answered(lambda conn: load_parked(conn, number, position), none)
        return [UnreadEvent(p.position, p.pledge, p.line, p.error) for p in found if p.pledge == pledge]

    def stalled(self, clocks: Clocks) -> Mapping[str, StalledPledge]:
        """The pledges with an event that is known at the clocks and could not be folded, or is not yet."""
        head = self.head()
        return self._stalled(clocks, table_set(head.set), head.parked)

    def waiting(self, upto: int) -> Mapping[str, int]:
        """The pledges with events up to a position of which is not known yet what each changed; the first of them."""
        none, head = dict[str, int](), self.head()
        return self._answered(lambda conn: waiting(conn, head.set, upto), none) if head.parked else none

    # What the tables have, for checks

    def stored_rows(self, pledges: Sequence[str], clocks: Clocks) -> dict[str, StoredRows]:
        """The rows of some pledges that hold at a point: one in each table where all is right, and words of facts."""
        found = {pledge: StoredRows([], [], [], []) for pledge in pledges}
        for row in self._read(queries.rows, "timeline", pledges, clocks).rows:
            found[row.pledge].timeline.append(TimelineRow(*row[5:-2]))
        for row in self._read(queries.rows, "catalogue", pledges, clocks).rows:
            found[row.pledge].catalogue.append(CatalogueRow(*row[5:-2]))
        for row in self._read(queries.rows, "words", pledges, clocks).rows:
            found[row.pledge].words.append(WordsRow(*row[5:-2]))
        for row in self._read(queries.outlines, pledges, clocks).rows:
            found[row.pledge].outlines.append(row.outline)
        return found

    def stored_names(self, clocks: Clocks) -> Iterator[list[str]]:
        """The pledges that either table has at a point, NAME_BATCH_ROWS at a time; one may come twice."""
        both: tuple[TableName, ...] = ("timeline", "catalogue")
        for table in both:
            last = ""
            while rows := self._read(queries.names, table, clocks, last, NAME_BATCH_ROWS).rows:
                yield [row.pledge for row in rows]
                last = rows[-1].pledge

    def rows_of(
        self,
        query: Callable[Concatenate[TableSet, QueryArgs], Select[Any]],
        *args: QueryArgs.args,
        **kwargs: QueryArgs.kwargs,
    ) -> Sequence[Any]:
        """The rows of one query on the set that answers."""
        return self._read(query, *args, **kwargs).rows

    # How

    def _documents(
        self, bodies: Sequence[tuple[str, StoredDocument]], clocks: Clocks, reply: QueryReply
    ) -> list[bytes]:
        """The documents of `(pledge, stored body)`: with the clocks, and the last version and position by then.

        Of a pledge whose events wait for their turn those of the last event that is in it.
        """
        if not bodies:
            return []
        behind = self._stalled(clocks, reply.tables, reply.parked)
        heads = self._log.heads([pledge for pledge, _ in bodies], clocks.position)
        for pledge in [pledge for pledge, _ in bodies if pledge in behind and behind[pledge].waits]:
            heads |= self._log.heads([pledge], behind[pledge].first - 1)
        if any(pledge not in heads for pledge, _ in bodies):
            raise _ahead_of_the_log()
        without_ids = [pledge for pledge, body in bodies if needs_ids(body)]
        ids = self._log.ids_of(without_ids, clocks.position) if without_ids else {}
        documents = []
        for pledge, document in bodies:
            version, position = heads[pledge]
            try:
                body = unpack(document, ids.get(pledge, ()))
            except IndexError:
                raise _ahead_of_the_log() from None
            if pledge in behind:
                body = flagged(body)
            documents.append(
                complete(body, as_of=clocks.as_of, known_at=clocks.known_at, position=position, version=version)
            )
        return documents

    def _stalled(self, clocks: Clocks, tables: TableSet, parked: int) -> Mapping[str, StalledPledge]:
        return self._stalled_by(clocks.position, tables) if parked else {}

    def _gaps(self, pledge: str, position: int, tables: TableSet) -> list[tuple[int, int]]:
        """The stretches of positions, up to one, from which on events of the pledge are missing, and until when."""
        none: list[tuple[int, int]] = []
        return self._answered(lambda conn: gaps_of(conn, tables.number, pledge, position), none)

    def _stalled_by(self, position: int, tables: TableSet) -> Mapping[str, StalledPledge]:
        none: dict[str, StalledPledge] = {}
        return self._answered(lambda conn: stalled(conn, tables.number, position), none)

    def _read(
        self,
        query: Callable[Concatenate[TableSet, QueryArgs], Select[Any]],
        *args: QueryArgs.args,
        **kwargs: QueryArgs.kwargs,
    ) -> QueryReply:
        """The rows of one query on the set that answers; asked again if another one does by then."""
        for _ in range(SWITCH_ATTEMPTS):
            tables = self._active_set() if self._set is None else self._set
            if tables is None:
                return QueryReply([], table_set(0), 0)
            rows = self._rows(query(tables, *args, **kwargs).add_columns(*queries.answering()))
            if rows and rows[0][-2] == tables.number:
                return QueryReply(rows, tables, rows[0][-1])
            if rows is not None and not rows and (head := self.head()).set == tables.number:
                return QueryReply(rows, tables, head.parked)
            self._set = None
        raise Unavailable("the projection is being switched; ask again")

    def _active_set(self) -> TableSet | None:
        row = self._answered(lambda conn: conn.execute(queries.active()).first(), None)
        self._set = None if row is None else answering_set(*row)
        return self._set

    def _rows(self, query: Select[Any]) -> Sequence[Any] | None:
        """The rows of a query; None where its table is not there."""

        def ask(conn: Connection) -> Sequence[Any] | None:
            return conn.execute(query).all()

        return self._answered(ask, None)

    def _answered(self, ask: Callable[[Connection], AnswerT], missing: AnswerT) -> AnswerT:
        """The answer of the store, or `missing` where the table is not there; tries a lost connection once more."""
        for last in (False, True):
            try:
                with self._engine.connect() as conn:
                    return ask(conn)
            except DBAPIError as error:
                if is_missing_table(error):
                    return missing
                if not isinstance(error, (OperationalError, InterfaceError)):
                    raise
                if last or not error.connection_invalidated or isinstance(error.orig, SilentStore):
                    raise unavailable(error.orig) from error
        raise AssertionError("the second attempt answers or raises")


def stored(row: Any) -> StoredDocument:
    """The document of a row with the columns of `queries.document`."""
    return StoredDocument(row.body, row.outline or b"")


def _ahead_of_the_log() -> Unavailable:
    """An older copy of the log was put back under the read models, and they are not built anew yet."""
    return Unavailable("the read models have events that the log has not")
