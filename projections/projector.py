"""One table set following the log: read a batch, fold it, write rows and position in one transaction.

The fold is done outside the transaction, so that on SQLite writers of the log wait for the rows to be written only.
An event that cannot be folded is parked with its bytes, and its pledge stays as it was before that event. It is tried
again when the next event of the pledge arrives, or when an operator asks for it. The other pledges go on.
A pledge of which something is withheld is folded anew, from its first event on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic, thread_time, time_ns

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from projections import gaps, long_pledges, table_writer
from projections.fold import ClosedRectangles, OpenRectangles
from projections.folded_pledge import FoldedPledge, refusal_of, reparked, set_aside, tell_parked, unfolded
from projections.gaps import Gap
from projections.long_pledges import LongPledges, waits
from projections.projected import Ahead, Projected
from projections.queries import TIMELINE
from projections.table_writer import WAITS, ParkedEvent, PledgeChange
from projections.tables import is_missing_table, projecting, table_set, writing
from projections.turns import Turn
from tracker import tracing
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow
from tracker.pledge_events import PledgeEvents
from tracker.rules.status import StatusFold

CACHED_EVENTS = 10_000
"""Events of recently changed pledges that are kept in memory."""

FOLD_SECONDS = 0.5
"""Seconds of folding after which a batch is written as far as it got: readers see it, and a stop is noticed."""

FEW_EVENTS, FEW_SECONDS = 64, 0.015
"""Where only so many events wait, somebody probably waits for them: they are written after so many seconds of folding,
and those who waited for the first ones write again while the others are folded."""


@dataclass(slots=True)
class _Batch:
    """A batch of the log, folded as far as it was taken in: the first `taken` of its rows.

    `parked` has the events that stay parked, of each pledge that the batch touches.
    """

    pledges: dict[str, FoldedPledge]
    parked: dict[str, list[ParkedEvent]] = field(default_factory=dict)
    taken: int = 0


class Projector:
    """Keeps one table set up with the log. Safe to run twice on a table set: the slower instance gets Superseded.

    `fence` is called in every transaction that writes, and raises Superseded if this instance may not write any more.
    """

    def __init__(
        self,
        engine: Engine,
        log: LogRecorder,
        number: int,
        now: Callable[[], str],
        *,
        active: bool,
        fence: Callable[[Connection], None] = lambda conn: None,
        turn: Turn | None = None,
    ) -> None:
        self.tables = table_set(number)
        self.position = 0
        self._engine, self._writing, self._projecting = engine, writing(engine), projecting(engine)
        self._log, self._now = log, now
        self._active, self._fence, self._turn = active, fence, turn
        self._cache: OrderedDict[str, FoldedPledge] = OrderedDict()
        self._cached_events = 0
        self.parked: dict[str, list[ParkedEvent]] = {}
        self._withheld = 0
        self._long = LongPledges(self)
        self.refresh()

    @property
    def has_waiting(self) -> bool:
        """Whether events of a long pledge wait for their turn, or are missing in a gap."""
        return self._long.has_work

    def refresh(self) -> None:
        """Forget everything and begin where the set stands.

        Raises: Superseded if the set is gone, or answers now and did not before, or the other way round.
        """
        self._cache.clear()
        self._cached_events = 0
        with self._engine.connect() as conn:
            state = next((s for s in table_writer.states(conn, TIMELINE) if s.number == self.tables.number), None)
            if state is None or state.active != self._active:
                raise table_writer.Superseded(f"set {self.tables.number} is not followed any more")
            self.position = state.position
            self._withheld = table_writer.withheld_upto(conn, self.tables.number)
            self.parked = {}
            for parked in table_writer.load_parked(conn, self.tables.number):
                self.parked.setdefault(parked.pledge, []).append(parked)
            self._long.begin_with(gaps.load(conn, self.tables.number))

    def step(self, limit: int, *, hurry: bool = False, ahead: Ahead | None = None) -> int:
        """Take in up to `limit` events, fewer if they are costly; the number taken in. `hurry` writes few ones sooner.
        `ahead` is what the log has after the position, looked at just now.

        Raises: Superseded if another instance moved the set on.
        """
        if ahead is None or ahead.found.withheld > self._withheld:
            self.withhold()
        rows = self._log.read(self.position, limit) if ahead is None else ahead.rows
        if rows:
            began = time_ns()
            taken = self._apply(rows, FEW_SECONDS if hurry and len(rows) <= FEW_EVENTS else FOLD_SECONDS)
            if self._active and taken:
                tracing.projected(began, rows[0].position, rows[taken - 1].position)
            return taken + self._go_on_with_long(0.0, may_begin=taken == len(rows) < limit)
        if self.has_waiting:
            return self._go_on_with_long(long_pledges.LOOK_SECONDS)
        if self.parked:
            self._retry()
        return 0

    def _go_on_with_long(self, seconds: float, *, may_begin: bool = True) -> int:
        try:
            return self._long.go_on(seconds, may_begin=may_begin)
        except DatabaseError as error:
            if is_missing_table(error):
                raise table_writer.Superseded(f"set {self.tables.number} was dropped") from error
            raise

    def withhold(self) -> None:
        """Fold those pledges anew of which something was withheld since: their rows still have the words.

        Raises: Superseded if another instance moved the set on.
        """
        since = self._log.withheld_since(self._withheld)
        if not since:
            return
        for name in sorted({pledge for _, pledge in since}):
            self._replace(name)
        with self.here() as conn:
            table_writer.note_withheld(conn, self.tables.number, since[-1][0])
        self._withheld = since[-1][0]

    def _replace(self, name: str) -> None:
        """Fold one pledge from its first event on, in the place of what the set has of it."""
        self._forget([name])
        events = [unfolded(row) for row in self._log.pledge_rows(name, self.position)]
        try:
            self._write_replaced(name, events, [])
        except DatabaseError as error:
            before = self.parked.get(name)
            if isinstance(error, OperationalError) or is_missing_table(error) or not before:
                raise
            # The store refused the rows of an event of this pledge before.
            taken = [event for event in events if event.position < before[0].position]
            self._write_replaced(name, taken, set_aside(events[len(taken) :], refusal_of(error)))

    def _write_replaced(self, name: str, events: Sequence[ParkedEvent], refused: list[ParkedEvent]) -> None:
        pledge, gap, left = FoldedPledge(), None, refused
        if not refused and pledge.is_worth_leaping(events) and pledge.leap(events):
            gap = gaps.gap_of(events)
        else:
            left = pledge.take(events) + refused
        with self.here() as conn:
            change = PledgeChange(pledge.closed, pledge.open)
            table_writer.replace_pledge(conn, self.tables, name, change, left if gap is None else gap.missing)
            table_writer.forget(conn, name, self.tables.number)
        self._is_beside(name, left, gap)

    def give_up(self, name: str, gap: Gap, reason: str) -> None:
        """Let a pledge stand as before a gap; what is missing in it is parked, and with it all that stands behind."""
        self._forget([name])
        first = gap.missing[0].position
        events = [unfolded(row) for row in self._log.pledge_rows(name, self.position) if row.position >= first]
        left = set_aside(events, reason)
        with self.here() as conn:
            gaps.give_up(conn, self.tables, name, gap)
            table_writer.write_parked(conn, self.tables.number, left, [])
        self._is_beside(name, left, None)
        tell_parked(left)

    def _is_beside(self, name: str, parked: list[ParkedEvent], gap: Gap | None) -> None:
        """Note all that is beside the set of a pledge."""
        self.parked.pop(name, None)
        self._long.drop(name)
        if parked:
            self.parked[name] = parked
        if gap is not None:
            self._long.gaps[name] = [gap]

    @property
    def projected(self) -> Projected:
        """How far this set is."""
        parked = sum(one.position for left in self.parked.values() for one in left)
        return Projected(self.tables.number, parked + self._long.missing, self._withheld, self.position)

    def beat(self) -> None:
        """Write a heartbeat without an event."""
        with self.here():
            pass

    @contextmanager
    def here(self) -> Iterator[Connection]:
        """A transaction that writes to the set, where this projector left it.

        Raises: Superseded if another instance moved it on.
        """
        with self._writing.begin() as conn:
            self._advance(conn, self.position)
            yield conn

    def _advance(self, conn: Connection, position: int, notice: str | None = None) -> None:
        self._fence(conn)
        table_writer.advance(
            conn,
            TIMELINE,
            self.tables.number,
            self.position,
            position,
            heartbeat=self._now(),
            active=self._active,
            notice=notice if self._active else None,
        )

    def _apply(self, rows: Sequence[LogRow], budget: float = inf) -> int:
        """Fold and write the rows, or as many of the first of them as `budget` seconds allow; the number written."""
        try:
            batch = self._fold(rows, budget)
            rows = rows[: batch.taken]
            self._write(rows, batch)
        except DatabaseError as error:
            self._forget(row.pledge for row in rows)
            if is_missing_table(error):
                raise table_writer.Superseded(f"set {self.tables.number} was dropped") from error
            if isinstance(error, OperationalError):
                raise
            # The store refuses the rows of some pledge: halve the batch until it is found.
            if len(rows) == 1:
                self._park(rows[0], error)
            else:
                self._apply(rows[: len(rows) // 2])
                self._apply(rows[len(rows) // 2 :])
        except BaseException:
            self._forget(row.pledge for row in rows)
            raise
        return len(rows)

    def _retry(self) -> None:
        """Try the parked events again that an operator asked for (`table_writer.ask_again`), pledge by pledge."""
        with self._engine.connect() as conn:
            asked = table_writer.asked_again(conn, self.tables.number)
        for name in asked:
            self._forget([name])
            parked = self.parked.get(name, [])
            try:
                pledge = self.take_out(name)
                left = pledge.take_again(parked)
                self._write_retried(name, pledge, parked, left)
            except DatabaseError as error:
                if isinstance(error, OperationalError) or is_missing_table(error):
                    raise
                left = set_aside(parked, refusal_of(error))
                with self._writing.begin() as conn:
                    table_writer.write_parked(conn, self.tables.number, left, [p.position for p in parked])
            self.parked[name] = left
            if not left:
                del self.parked[name]
            tell_parked(left)

    def _write_retried(
        self, name: str, pledge: FoldedPledge, before: Sequence[ParkedEvent], left: Sequence[ParkedEvent]
    ) -> None:
        with self.here() as conn:
            table_writer.write(conn, self.tables, {name: PledgeChange(pledge.closed, pledge.open)})
            table_writer.write_parked(conn, self.tables.number, left, [p.position for p in before])

    def _fold(self, rows: Sequence[LogRow], budget: float) -> _Batch:
        waiting = {name for name, parked in self.parked.items() if waits(parked)}
        batch = _Batch(self._load([(row.pledge, row.version) for row in rows if row.pledge not in waiting]))
        began, spent = monotonic(), dict[str, float]()
        for row in rows:
            name, event, started = row.pledge, unfolded(row), thread_time()
            before = batch.parked.get(name, self.parked.get(name, []))
            is_next = name not in waiting and not before
            if is_next and (spent.get(name, -inf) > long_pledges.SHARE_SECONDS or batch.pledges[name].is_long(event)):
                waiting.add(name)
            if name in waiting:
                batch.parked[name] = [*before, replace(event, error=WAITS)]
            else:
                batch.parked[name] = batch.pledges[name].take_again([*before, event])
                if waits(batch.parked[name]):
                    waiting.add(name)
            batch.taken += 1
            spent[name] = spent.get(name, 0.0) + thread_time() - started
            if monotonic() - began > budget:
                break
        return batch

    def _write(self, rows: Sequence[LogRow], batch: _Batch) -> None:
        parked, freed = reparked(self.parked, batch.parked)
        changes = {name: PledgeChange(pledge.closed, pledge.open) for name, pledge in batch.pledges.items()}
        number = self.projected.parked + sum(one.position for one in parked) - sum(freed)
        projected = self.projected._replace(parked=number, position=rows[-1].position)
        if parked or freed or not self._write_at_once(projected, changes):
            with self._projecting.begin() as conn:
                self._advance(conn, projected.position, projected.told)
                table_writer.write(conn, self.tables, changes)
                table_writer.write_parked(conn, self.tables.number, parked, freed)
        self.position = projected.position
        for name, left in batch.parked.items():
            self.parked[name] = left
            if not left:
                del self.parked[name]
        for name, pledge in batch.pledges.items():
            pledge.open, pledge.closed = pledge.open.as_stored, ClosedRectangles()
            self.put_back(name, pledge)
        tell_parked(parked)

    def _write_at_once(self, projected: Projected, changes: Mapping[str, PledgeChange]) -> bool:
        return self._turn is not None and self._turn.write(
            self.position, projected.position, self._now(), projected.told, changes
        )

    def _park(self, row: LogRow, error: DatabaseError) -> None:
        """Park an event whose rows the store refused."""
        parked = replace(unfolded(row), error=refusal_of(error))
        with self._writing.begin() as conn:
            self._advance(conn, row.position)
            table_writer.write_parked(conn, self.tables.number, [parked], [])
        self.position = row.position
        self.parked.setdefault(row.pledge, []).append(parked)
        tell_parked([parked])

    def _load(self, latest: Iterable[tuple[str, int]]) -> dict[str, FoldedPledge]:
        """The pledges as they stand, from memory, or from the log and the tables.

        They are given by name, each with the version of an event that is not folded yet.
        """
        pledges: dict[str, FoldedPledge] = {}
        missing: list[str] = []
        for name, version in latest:
            if name in pledges:
                continue
            known = self._cache.pop(name, None)
            if known is not None:
                self._cached_events -= len(known.statuses.events)
            elif version > 1:
                missing.append(name)
            pledges[name] = known or FoldedPledge()
        if missing:
            with self._engine.connect() as conn:
                opened = table_writer.load_open(conn, self.tables, missing)
            for name in missing:
                first = min((p.position for p in self.parked.get(name, ())), default=self.position + 1)
                pledges[name] = self._folded(name, first, opened[name])
        return pledges

    def take_out(self, name: str) -> FoldedPledge:
        """A pledge as it stands."""
        return self._load([(name, 2)])[name]

    def before(self, name: str, gap: Gap) -> FoldedPledge:
        """A pledge as it stands before what is missing in a gap."""
        with self._engine.connect() as conn:
            opened = table_writer.load_open(conn, self.tables, [name], gap.until - 1)[name]
        return self._folded(name, gap.missing[0].position, opened)

    def _folded(self, name: str, first: int, opened: OpenRectangles) -> FoldedPledge:
        """A pledge with what is open of it in the tables, and the events before the first one that is not in these."""
        known, folded = PledgeEvents.read(self._log.pledge_rows(name, first - 1)).fold(StatusFold)
        blocked = f"event {folded.unread[0].position} before it: {folded.reason}" if folded.unread else ""
        return FoldedPledge(known, opened, blocked=blocked)

    def put_back(self, name: str, pledge: FoldedPledge) -> None:
        """Keep a pledge of which all is written."""
        self._cache[name] = pledge
        self._cached_events += len(pledge.statuses.events)
        while self._cached_events > CACHED_EVENTS and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_events -= len(oldest.statuses.events)

    def _forget(self, names: Iterable[str]) -> None:
        for name in set(names):
            self._long.forget(name)
            known = self._cache.pop(name, None)
            if known is not None:
                self._cached_events -= len(known.statuses.events)
