"""The timeline built anew from the log, beside the one that answers, and the switch from one to the other.

The log is read once, in order. Its lines go into buckets by pledge (compressed files in the temporary directory), so
that each pledge is folded as a whole: none of its rectangles is written before its end is known, and none is updated.
Then the new set catches up with what was recorded meanwhile, and the switch is one transaction. A build that is cut
short leaves a set that no read sees, and the next build drops it.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from projections import table_writer
from projections.folded_pledge import FoldedPledge, refusal_of, tell_parked, unfolded
from projections.projector import Projector
from projections.queries import TIMELINE
from projections.table_writer import ParkedEvent, PledgeChange, TableSetState
from projections.tables import (
    MADE_OF,
    PARKED,
    STATE,
    TAKEN_OUT,
    TableSet,
    building,
    create_tables,
    is_missing_table,
    table_set,
    writing,
)
from tracker.in_processes import each_in_processes
from tracker.log.recorder import LogRecorder

Fence = Callable[[Connection], None]
"""Called in a transaction; raises LeaseLost if it MUST NOT be committed."""

Transact = Callable[[Engine], AbstractContextManager[Connection]]
"""Begins a transaction with a fence."""

Report = Callable[[int, int], None]
"""Called with the number of events that are done, and the number of all."""

BUCKET_EVENTS = 20_000
"""Events of a bucket, about: its lines are in memory at once."""

CHUNK_EVENTS = 2_000
"""Events read, or folded and written in one transaction, at a time."""

DROP_LOCK_SECONDS = 3
"""Seconds that dropping a table set waits on PostgreSQL for the reads of it to end."""

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The process ends, and the build with it. The next build begins anew."""


def rebuild(
    engine: Engine,
    log: LogRecorder,
    now: Callable[[], str],
    version: str,
    *,
    processes: int = 1,
    progress: Report | None = None,
    stopped: Callable[[], bool] = lambda: False,
    fence: Fence = lambda conn: None,
) -> int:
    """Build a new set, switch to it and drop the others; the position that the new set has reached.

    A set of another version of the rules that answered until now stays until the next build, for
    `projections.rules_diff`, if it is made of the same log.

    With more than one of `processes` the folding of a log of several chunks is done in fresh Python processes.

    `fence` is called at the end of every transaction and raises LeaseLost if another process rebuilds by now: its table
    set may have the same number.

    Raises: Stopped if `stopped()` became true, and LeaseLost; nothing has changed then. Whoever took the rebuild over
    may have dropped the set by then, so that any other error may mean the same.
    """
    create_tables(engine, TIMELINE, version)
    transact = partial(_fenced, fence)
    found = log.look()
    withheld = max((number for number, _ in log.withheld_since(0)), default=0)
    tables = _begin(transact, engine, version, log.guard.history, withheld)
    head = found.head.position
    write = partial(_write, transact, engine, tables)
    _load(write, log, head, processes, progress or (lambda done, of: None), stopped)
    _index(transact, engine, tables)
    with transact(writing(engine)) as conn:
        table_writer.advance(conn, TIMELINE, tables.number, 0, head, heartbeat=now(), active=False)
    built = Projector(engine, log, tables.number, now, active=False, fence=fence)
    built.withhold()
    while built.has_waiting or (before := _switched(transact, engine, tables)) is None:
        if stopped():
            raise Stopped
        built.step(CHUNK_EVENTS)
    _drop_unused(transact, engine, kept=before.number if _is_worth_keeping(engine, before, tables, version) else None)
    return built.position


@contextmanager
def _fenced(fence: Fence, engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back if another process rebuilds by now.

    The fence comes last: on PostgreSQL whoever wants the lease waits from there on.
    """
    with engine.begin() as conn:
        yield conn
        fence(conn)


def _is_worth_keeping(engine: Engine, before: TableSetState, tables: TableSet, version: str) -> bool:
    """Whether a set that answered until now has other answers of the same log."""
    with engine.connect() as conn:
        log = table_writer.log_of(conn, before.number)
        return before.version != version and log in (None, table_writer.log_of(conn, tables.number))


def _begin(transact: Transact, engine: Engine, version: str, log: str, withheld: int) -> TableSet:
    """An empty set with the next number, for rows that are made with all withholdings up to a number."""
    _drop_unused(transact, engine)
    with transact(writing(engine)) as conn:
        number = max(s.number for s in table_writer.states(conn, TIMELINE)) + 1
        conn.execute(insert(STATE).values(name=TIMELINE, set=number, version=version, position=0, active=False))
        table_writer.note_log(conn, number, log)
        table_writer.note_withheld(conn, number, withheld)
        tables = table_set(number)
        tables.create(conn)
    return tables


def _load(
    write: Callable[[_Folded], None],
    log: LogRecorder,
    head: int,
    processes: int,
    report: Report,
    stopped: Callable[[], bool],
) -> None:
    done = 0
    if head <= CHUNK_EVENTS:
        processes = 1  # it is folded sooner than another Python process begins
    with TemporaryDirectory(prefix="tracker-rebuild-") as directory:
        buckets = _buckets(log, head, Path(directory), stopped)
        for folded in each_in_processes(_fold, (some for lines in buckets for some in _chunked(lines)), processes):
            if stopped():
                raise Stopped
            write(folded)
            done += sum(len(events) for events in folded.events.values())
            report(done, head)


def _chunked(lines: Iterable[ParkedEvent]) -> Iterator[dict[str, list[ParkedEvent]]]:
    """The events by pledge, in pieces of about CHUNK_EVENTS; a pledge is whole in one of them."""
    pledges: dict[str, list[ParkedEvent]] = {}
    for line in lines:
        pledges.setdefault(line.pledge, []).append(line)
    some: dict[str, list[ParkedEvent]] = {}
    size = 0
    for name, events in pledges.items():
        some[name] = events
        size += len(events)
        if size >= CHUNK_EVENTS:
            yield some
            some, size = {}, 0
    if some:
        yield some


@dataclass(frozen=True, slots=True)
class _Folded:
    """Whole pledges: their events, the changes that these make, and the events that could not be folded."""

    events: dict[str, list[ParkedEvent]]
    changes: dict[str, PledgeChange]
    parked: list[ParkedEvent]


def _fold(pledges: dict[str, list[ParkedEvent]]) -> _Folded:
    changes: dict[str, PledgeChange] = {}
    parked: list[ParkedEvent] = []
    for name, events in pledges.items():
        pledge = FoldedPledge()
        parked += pledge.take(events)
        changes[name] = PledgeChange(pledge.closed, pledge.open)
    return _Folded(pledges, changes, parked)


def _write(transact: Transact, engine: Engine, tables: TableSet, folded: _Folded) -> None:
    try:
        with transact(writing(engine)) as conn:
            table_writer.write(conn, tables, folded.changes)
            table_writer.write_parked(conn, tables.number, folded.parked, [])
        tell_parked(folded.parked)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as error:
        if is_missing_table(error):
            raise
        # The store refuses the rows of some pledge: it is found, and stays as it was before its last event.
        if len(folded.events) > 1:
            for name, events in folded.events.items():
                _write(transact, engine, tables, _fold({name: events}))
            return
        aside = {p.position for p in folded.parked}
        ((name, events),) = folded.events.items()
        taken = [event for event in events if event.position not in aside]
        if not taken:
            raise
        refused = replace(taken[-1], error=refusal_of(error))
        _write(transact, engine, tables, replace(_fold({name: taken[:-1]}), parked=[refused, *folded.parked]))


def _buckets(
    log: LogRecorder, head: int, directory: Path, stopped: Callable[[], bool]
) -> Iterator[Iterable[ParkedEvent]]:
    """The log up to `head` in buckets: each pledge is whole in one bucket, and its events are in order."""
    count = head // BUCKET_EVENTS + 1
    if count == 1:
        yield _lines(log, head)
        return
    paths = [directory / f"{number}.gz" for number in range(count)]
    with ExitStack() as stack:
        files = [stack.enter_context(gzip.open(path, "wb", compresslevel=1)) for path in paths]
        for line in _lines(log, head):
            if line.position % CHUNK_EVENTS == 0 and stopped():
                raise Stopped
            name = line.pledge.encode()
            file = files[zlib.crc32(name) % count]
            file.write(b"%d %s %d\n%s" % (line.position, name, len(line.line), line.line))
    for path in paths:
        yield _read(path)
        path.unlink()


def _lines(log: LogRecorder, head: int) -> Iterator[ParkedEvent]:
    after = 0
    while after < head:
        rows = log.read(after, CHUNK_EVENTS, upto=head)
        yield from map(unfolded, rows)
        after = rows[-1].position


def _read(path: Path) -> Iterator[ParkedEvent]:
    with gzip.open(path, "rb") as file:
        while header := file.readline():
            position, pledge, length = header.split()
            yield ParkedEvent(int(position), pledge.decode(), file.read(int(length)), "")


def _index(transact: Transact, engine: Engine, tables: TableSet) -> None:
    """Make the indexes, each in a transaction of its own: writers of a SQLite log wait for one index, not for all."""
    analyze = [f"ANALYZE {table.name}" for table in tables.tables.values()]
    for statement in (*tables.indexing(engine.dialect.name), *analyze):
        with transact(building(engine)) as conn:
            conn.execute(text(statement))


def _switched(transact: Transact, engine: Engine, tables: TableSet) -> TableSetState | None:
    """The set that answered before, once this one does.

    None if the one that answers has read more of the same log, or if more was taken out of it.
    """
    with transact(writing(engine)) as conn:
        # The row of the answering set is locked by an update, so that its projector cannot move on in between.
        conn.execute(update(STATE).where(STATE.c.name == TIMELINE, STATE.c.active).values(active=True))
        states = {s.number: s for s in table_writer.states(conn, TIMELINE)}
        live = next(s for s in states.values() if s.active)
        same_log = table_writer.log_of(conn, live.number) in (None, table_writer.log_of(conn, tables.number))
        taken_out = [table_writer.withheld_upto(conn, number) for number in (tables.number, live.number)]
        if same_log and (states[tables.number].position < live.position or taken_out[0] < taken_out[1]):
            return None
        conn.execute(update(STATE).where(STATE.c.name == TIMELINE, STATE.c.set == live.number).values(active=False))
        conn.execute(update(STATE).where(STATE.c.name == TIMELINE, STATE.c.set == tables.number).values(active=True))
    return live


def _drop_unused(transact: Transact, engine: Engine, *, kept: int | None = None) -> None:
    """Drop the sets that do not answer, but the kept one. One that is still being read stays until the next time."""
    with engine.connect() as conn:
        unused = [s.number for s in table_writer.states(conn, TIMELINE) if not s.active and s.number != kept]
    for number in unused:
        try:
            with transact(writing(engine)) as conn:
                _drop(conn, number)
        except DBAPIError as error:
            _log.warning("table set %d stays for now: %s", number, error.orig)


def _drop(conn: Connection, number: int) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"SET LOCAL lock_timeout = '{DROP_LOCK_SECONDS}s'"))
    still = conn.scalar(select(STATE.c.active).where(STATE.c.name == TIMELINE, STATE.c.set == number))
    if still:
        return
    table_set(number).drop(conn)
    for beside in (PARKED, MADE_OF, TAKEN_OUT):
        conn.execute(delete(beside).where(beside.c.set == number))
    conn.execute(delete(STATE).where(STATE.c.name == TIMELINE, STATE.c.set == number))
