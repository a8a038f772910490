"""Pledges for the tests of the timeline: facts in short, a real log, and the statuses that the rules give."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from projections import table_writer
from projections.document_codec import StoredDocument, unpack
from projections.queries import TIMELINE, Clocks
from projections.runner import ProjectionRunner
from projections.tables import OPEN_DATE, open_engine, table_set
from projections.timeline import Timeline
from projections.words import words_on
from seeds import seed_files
from tests.support.waiting import wait_until
from tracker.application import Tracker
from tracker.event import Event, event_id
from tracker.fact_reading import read_fact
from tracker.log.open import open_recorder
from tracker.requests import Draft, Request
from tracker.rules.status import StatusFold, complete

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class World:
    """A log with its projector and its reads. Time goes on by a minute with every fact."""

    def __init__(self, url: str, *, batch: int = 1000) -> None:
        self.url = url
        self.now = START
        self.random = random.Random(7)
        self.tracker = Tracker(url)
        self.log = self.tracker.log
        self.engine: Engine = open_engine(url)
        self.runners: list[ProjectionRunner] = []
        self.runner = self.another_runner(batch=batch)
        self.timeline = Timeline(self.engine, self.log)

    def another_runner(self, **settings: Any) -> ProjectionRunner:
        runner = ProjectionRunner(self.url, self.log, lambda: self.now, engine=self.engine, **settings)
        self.runners.append(runner)
        return runner

    @staticmethod
    @contextmanager
    def reading_only(url: str) -> Iterator[Timeline]:
        """The reads of a database that has a log and no projector yet."""
        log, engine = open_recorder(url), open_engine(url)
        try:
            yield Timeline(engine, log)
        finally:
            engine.dispose()
            log.close()

    def record(self, pledge: str, fact: dict[str, Any]) -> str:
        """Record a fact; the id of its event.

        Raises: BatchRefused.
        """
        self.now += timedelta(minutes=1)
        id_ = event_id(self.now, self.random.randbytes(10))
        self.tracker.record(Request((Draft(pledge, read_fact(fact), id_),), "tester", self.now))
        return id_

    def seed(self) -> None:
        refs: dict[str, str] = {}
        for file in seed_files():
            for line in file.read_text("utf-8").splitlines():
                item = json.loads(line)
                fact = item["fact"]
                for name in ("event", "of"):
                    if isinstance(fact.get(name), dict):
                        fact[name] = refs[fact[name]["ref"]]
                id_ = self.record(item["pledge"], fact)
                if "ref" in item:
                    refs[item["ref"]] = id_

    def pledges(self) -> list[str]:
        return sorted({row.pledge for row in self.log.read(limit=100_000)})

    def events(self, pledge: str) -> list[Event]:
        return list(self.tracker.events_of(pledge).events)

    def clocks(self, as_of: str | date = "2025-07-01", position: int | None = None) -> Clocks:
        day = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        return Clocks(day, self.timeline.position() if position is None else position)

    def one(self, pledge: str, as_of: str | date = "2025-07-01", position: int | None = None) -> dict[str, Any] | None:
        document = self.timeline.one(pledge, self.clocks(as_of, position))
        return None if document is None else json.loads(document)

    def close(self) -> None:
        for runner in self.runners:
            runner.stop()
        self.tracker.close()
        self.engine.dispose()


def reach(runner: ProjectionRunner, position: int) -> None:
    """Wake a runner and wait until it has projected a position, or seen it projected."""
    runner.wake()
    wait_until(lambda: runner.position >= position)


@contextmanager
def world(url: str, **settings: Any) -> Iterator[World]:
    it = World(url, **settings)
    try:
        yield it
    finally:
        it.close()


def made(**given: Any) -> dict[str, Any]:
    return {
        "type": "PledgeMade",
        "stated_on": "2024-01-10",
        "source": source("Ministry"),
        "title": "Aid",
        "pledgor": {"name": "NATO Allies", "code": "NATO"},
        "kind": "money",
        "target": {"op": "ge", "value": "40", "unit": "EUR"},
        "window": {"start": "2024-01-01", "end": "2024-12-31"},
    } | given


def progress(value: str | int, stated_on: str, **given: Any) -> dict[str, Any]:
    figure = {
        "quantity": value if isinstance(value, str) else {"op": "eq", "value": str(value), "unit": "EUR"},
        "stage": "committed",
        "basis": "cumulative",
        **given.pop("figure", {}),
    }
    publisher = given.pop("publisher", "News")
    return {
        "type": "ProgressReported", "stated_on": stated_on, "source": source(publisher), "figure": figure,
    } | given  # fmt: skip


def said(type_: str, stated_on: str, **given: Any) -> dict[str, Any]:
    return {"type": type_, "stated_on": stated_on, "source": source("News")} | given


def kept(type_: str, stated_on: str, event: str, **given: Any) -> dict[str, Any]:
    return {"type": type_, "stated_on": stated_on, "event": event, "reason": "checked again"} | given


def source(publisher: str) -> dict[str, str]:
    return {"publisher": publisher, "tier": "media"}


def expected(it: World, pledge: str, clocks: Clocks) -> bytes | None:
    """The document that the rules give for a point, from the log itself."""
    known = [event for event in it.events(pledge) if event.position <= clocks.position]
    status = StatusFold(known).status(clocks.as_of) if known else None
    if status is None:
        return None
    last = known[-1]
    return complete(
        status.body, as_of=clocks.as_of, known_at=clocks.known_at, position=last.position, version=last.version
    )


def assert_equals_log(it: World, upto: int) -> int:
    """Every point up to a position, and the days before and after it, has the one rectangle that the rules give."""
    with it.engine.connect() as conn:
        live = next(s for s in table_writer.states(conn, TIMELINE) if s.active)
        tables = table_set(live.number)
        rows, words = dict[str, list[Any]](), dict[str, list[Any]]()
        outlines = {(row.pledge, row.outline): row.body for row in conn.execute(select(tables.outlines))}
        for table, of in ((tables.timeline, rows), (tables.words, words)):
            for row in conn.execute(select(table)):
                of.setdefault(row.pledge, []).append(row)
    checked = 0
    for pledge in it.pledges():
        events = [event for event in it.events(pledge) if event.position <= upto]
        days: set[date] = {date(1990, 1, 1), OPEN_DATE - DAY}
        for count in range(len(events) + 1):
            record = StatusFold(events[:count])
            days |= {day + DAY * step for day in record.boundaries() for step in (-1, 0, 1)}
        for count in range(len(events) + 1):
            record = StatusFold(events[:count])
            position = events[count - 1].position if count else 0
            known, named = (
                [r for r in of.get(pledge, ()) if r.known_from <= position < r.known_to] for of in (rows, words)
            )
            ids = [event.id for event in events]
            for day in days:
                found = [
                    (unpack(StoredDocument(r.body, outlines[pledge, r.outline]), ids), r.changed)
                    for r in known
                    if r.valid_from <= day < r.valid_to
                ]
                status = record.status(day) if count else None
                wanted = [] if status is None else [(status.body, record.changed_on(day))]
                assert found == wanted, f"{pledge} on {day} known at {position}"
                if status is not None:
                    texts = sorted((r.version, r.text) for r in named if r.valid_from <= day < r.valid_to)
                    assert texts == sorted(words_on(record.history, day)), f"{pledge} on {day} known at {position}"
                checked += 1
    return checked


def rows_of(it: World) -> set[tuple[Any, ...]]:
    """All rows of the set that answers, each with the name of its table."""
    with it.engine.connect() as conn:
        live = next(s for s in table_writer.states(conn, TIMELINE) if s.active)
        tables = table_set(live.number).tables
        return {(name, *row) for name, table in tables.items() for row in conn.execute(select(table))}


def many(it: World, count: int = 45) -> None:
    """Pledges of all sorts, some alike in what they are sorted by."""
    dice = random.Random(3)
    for number in range(count):
        day = date(2024, 1, 1) + timedelta(days=dice.randrange(60))
        kind = dice.choice(["money", "money", "count", "qualitative"])
        unit = {"money": dice.choice(["EUR", "USD"]), "count": "count:shells", "qualitative": None}[kind]
        more: dict[str, Any] = {}
        if dice.random() < 0.7:
            more["beneficiary"] = dice.choice([{"name": "Ukraine", "code": "UA"}, {"name": "Česko % _"}])
        if dice.random() < 0.3:
            more["window"] = None
        elif dice.random() < 0.5:
            more["window"] = {"end": dice.choice(["2024-06-30", "2024-12-31", "2026-12-31"])}
        if unit is None:
            more["measurable"] = dice.random() < 0.5
        target = None if unit is None else {"op": "ge", "value": str(dice.choice([3, 40])), "unit": unit}
        title = f"{dice.choice(['Aid', 'aid', 'Élan', 'Shells 100%_'])} {dice.randrange(9)}"
        tags = dice.sample(["nato", "nato-plus", "ukraine"], dice.randrange(3))
        pledgor = dice.choice(
            [{"name": "NATO Allies", "code": "NATO"}, {"name": "Straße"}, {"name": "Belgium", "code": "BE"}]
        )
        fact = made(
            stated_on=day.isoformat(), kind=kind, target=target, title=title, tags=tags, pledgor=pledgor, **more
        )
        it.record(f"pledge-{number:03d}", {name: value for name, value in fact.items() if value is not None})
        if unit is not None and dice.random() < 0.7:
            value = {
                "op": dice.choice(["eq", "gt"]),
                "value": dice.choice(["1", "10", "39.9999999", "40", "41"]),
                "unit": unit,
            }
            said_on = (day + timedelta(days=dice.randrange(200))).isoformat()
            it.record(f"pledge-{number:03d}", progress(1, said_on, figure={"quantity": value}))
    it.runner.catch_up()
