"""Reads over many pledges on both stores, and their plans: lists, sums, counts and differences.

    python -m benchmarks.many_pledges [--pledges 1000] [--copies 100] [--store sqlite|postgres]

So many synthetic pledges are recorded and projected, and the rows of the read models are copied under other names: that
takes minutes, and folding as many pledges an hour. The log has none of the copies, so that a page is its rows without
their documents. Each read is asked by a fresh process of nothing kept, then after an event, then once more.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from benchmarks.generate import load
from benchmarks.harness import run_tracker
from benchmarks.one_pledge import facts
from benchmarks.writes import STORES
from projections.queries import Clocks, Filters
from projections.runner import ProjectionRunner
from projections.table_reader import QueryReply
from projections.tables import TableSet, building, open_engine, table_set
from projections.timeline import Timeline
from tests.support.stores import postgres_database, postgres_server
from tracker.application import Tracker
from tracker.event import event_id
from tracker.fact_reading import read_fact
from tracker.requests import Draft, Request

TODAY = date(2026, 11, 1)
LONG_AGO = date(2020, 3, 1)


class RowsAlone(Timeline):
    """Reads without the documents: they are made with the log, which has none of the copies."""

    def _documents(self, bodies: Sequence[tuple[str, bytes]], clocks: Clocks, reply: QueryReply) -> list[bytes]:
        return [b"" for _ in bodies]


READS: dict[str, Callable[[Timeline, int], object]] = {
    "a page of 100": lambda it, at: it.page(Filters(), Clocks(TODAY, at)),
    "`-last_stated_on`, long ago": lambda it, at: it.page(Filters(), Clocks(LONG_AGO, at), "-last_stated_on"),
    "`-ratio`, long ago": lambda it, at: it.page(Filters(), Clocks(LONG_AGO, at), "-ratio"),
    "a status that nothing has": lambda it, at: it.page(Filters(status=("superseded",)), Clocks(TODAY, at)),
    "`q` that nothing has": lambda it, at: it.page(Filters(q="xylophone"), Clocks(TODAY, at)),
    "the first of a difference over a week": lambda it, at: next(
        it.diff(Clocks(date(2025, 6, 2), at), Clocks(date(2025, 6, 9), at)), None
    ),
    "summary": lambda it, at: it.summary(Filters(), Clocks(TODAY, at)),
    "summary by pledgor": lambda it, at: it.summary(Filters(), Clocks(TODAY, at), "pledgor"),
    "statuses of a day": lambda it, at: list(it.statuses(Filters(), [TODAY], Clocks(TODAY, at))),
    "facets": lambda it, at: it.facets(Filters(), Clocks(TODAY, at)),
}
"""The reads by their names."""


@dataclass
class Asked:
    """The statements of a read, with their parameters."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def of(self, engine: Engine) -> Iterator[None]:
        """Note what an engine is asked meanwhile."""

        def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            self.statements.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        yield
        event.remove(engine, "before_cursor_execute", note)


def grow(engine: Engine, tables: TableSet, copies: int) -> None:
    """Copy the rows of a set under other names, so many times in all."""
    is_postgres = engine.dialect.name == "postgresql"
    numbers = (
        f"generate_series(1, {copies - 1}) AS n(i)" if is_postgres else
        f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies - 1}) SELECT i FROM n)"
    )  # fmt: skip
    with building(engine).begin() as conn:
        made = tables.indexing(engine.dialect.name)
        for statement in made:
            words = statement.split()
            gone = f"DROP INDEX {words[2]}" if words[0] == "CREATE" else " ".join([*words[:3], "DROP", *words[4:6]])
            conn.execute(text(gone))
        for table in tables.tables.values():
            names = [column.name for column in table.columns]
            of = ", ".join("t.pledge || '-' || i" if name == "pledge" else f"t.{name}" for name in names)
            conn.execute(
                text(f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {of} FROM {table.name} t, {numbers}")
            )
        for statement in [*made, *(f"ANALYZE {table.name}" for table in tables.tables.values())]:
            conn.execute(text(statement))


def measured(url: str, pledges: int, copies: int) -> None:
    """Print a row of Markdown for each read, and the plans of what it asked after an event."""
    load(url, pledges)
    env = {"TRACKER_DATABASE_URL": url}
    run_tracker(env, "init")
    run_tracker(env, "rebuild")
    engine, tracker = open_engine(url, read_seconds=600), Tracker(url)
    runner = ProjectionRunner(url, tracker.log, lambda: datetime.now(UTC), engine=engine)
    tables = table_set(Timeline(engine, tracker.log).head().set)
    grow(engine, tables, copies)
    made = next(facts(0, "increment", newest_first=False))
    plans: dict[str, list[str]] = {}
    print(f"\n| {pledges * copies:,} pledges, {engine.dialect.name}: ms by the clock (of this process)"
          " | the first of a process | after an event | again |\n|--|--:|--:|--:|")  # fmt: skip
    try:
        for name, read in READS.items():
            timeline, cells, asked = RowsAlone(engine, tracker.log), [], Asked()
            cells.append(_taken(lambda read=read, it=timeline: read(it, it.position())))  # type: ignore[misc]
            pledge = f"new-{secrets.token_hex(4)}"
            draft = Draft(pledge, read_fact(made), event_id(datetime.now(UTC), secrets.token_bytes(10)))
            tracker.record(Request((draft,), by="benchmark", now=datetime.now(UTC)))
            runner.catch_up()
            with asked.of(engine):
                cells.append(_taken(lambda read=read, it=timeline: read(it, it.position())))  # type: ignore[misc]
            cells.append(_taken(lambda read=read, it=timeline: read(it, it.position())))  # type: ignore[misc]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
            plans[name] = _plans(engine, asked)
    finally:
        engine.dispose()
        tracker.close()
    for name, lines in plans.items():
        print(f"\n{name}\n" + "\n".join(f"    {line}" for line in lines))


def _taken(work: Callable[[], object]) -> str:
    clock, own = time.perf_counter(), time.process_time()
    work()
    return f"{1000 * (time.perf_counter() - clock):,.1f} ({1000 * (time.process_time() - own):,.1f})"


def _plans(engine: Engine, asked: Asked) -> list[str]:
    """The plans of the statements that look at rows of statuses, each once."""
    word = "EXPLAIN (COSTS OFF)" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    found: dict[str, None] = {}
    with engine.connect() as conn:
        for statement, parameters in asked.statements:
            if any(name in statement for name in ("timeline_", "catalogue_", "words_")):
                rows = conn.exec_driver_sql(f"{word} {statement}", parameters).fetchall()
                found |= dict.fromkeys(str(row[-1]) for row in rows)
    return list(found)


def main() -> None:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--pledges", type=int, default=1_000)
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--store", choices=STORES, action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for store in given.store or STORES:
            if store == "sqlite":
                measured(f"sqlite:///{folder}/many.db", given.pledges, given.copies)
                continue
            with postgres_server(Path(folder)) as server, postgres_database(server) as url:
                measured(url, given.pledges, given.copies)


if __name__ == "__main__":
    main()
