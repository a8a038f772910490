"""A state machine of facts, projectors that crash and race, and reads: what every one of its runs must leave right."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection

from projections import table_writer
from projections.lease import Lease
from projections.queries import Clocks
from tests.support.folded_reads import assert_reads_equal_log
from tests.support.long_way import dying_after, long_way
from tests.support.stores import postgres_database
from tests.support.timelines import World, assert_equals_log, kept, made, progress, rows_of, said
from tracker.errors import BatchRefused

DAYS = st.integers(0, 900).map(lambda days: (date(2023, 10, 1) + timedelta(days=days)).isoformat())
VALUES = st.integers(0, 60)
PLEDGES = st.sampled_from(["aid", "shells", "spending"])
WHOLES = st.sampled_from([None, None, "aid", "shells"])
REVISED = st.sampled_from(["window", "target", "title", "pledgor"])
PRECISIONS = st.sampled_from(["day", "day", "month", "quarter", "year"])


class TimelineMachine(RuleBasedStateMachine):
    """Random facts on three pledges, projected in random batches by projectors that crash, wait and race."""

    database: Callable[[], AbstractContextManager[str]]

    def __init__(self) -> None:
        super().__init__()
        self._database = type(self).database()
        self.world = World(self._database.__enter__())
        self.rival = self.world.another_runner()
        self.world.runner.catch_up()

    def teardown(self) -> None:
        try:
            self.world.runner.catch_up()
            assert self.world.timeline.position() == self.world.log.head()
            assert_equals_log(self.world, self.world.log.head())
            found = rows_of(self.world)
            self.world.runner.rebuild()
            assert rows_of(self.world) == found
        finally:
            self.world.close()
            self._database.__exit__(None, None, None)

    def _record(self, pledge: str, fact: dict[str, Any]) -> None:
        with suppress(BatchRefused):  # a duplicate, or nothing that this can act on: nothing was left behind
            self.world.record(pledge, fact)

    def _event(self, data: st.DataObject, pledge: str) -> str:
        return data.draw(st.sampled_from([event.id for event in self.world.events(pledge)]))

    def _has_events(self) -> bool:
        return self.world.log.head() > 0

    @rule(pledge=PLEDGES, day=DAYS, precision=PRECISIONS, end=DAYS, whole=WHOLES)
    def promise(self, pledge: str, day: str, precision: str, end: str, whole: str | None) -> None:
        fact = made(stated_on=day, precision=precision, window={"end": end}, title=f"Aid {pledge}")
        self._record(pledge, fact if whole in (None, pledge) else {**fact, "part_of": whole})

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS, precision=PRECISIONS, value=VALUES, end=DAYS, publisher=st.sampled_from("AB"))
    def report(self, pledge: str, day: str, precision: str, value: int, end: str, publisher: str) -> None:
        figure = {"period": {"end": end}}
        self._record(pledge, progress(value, day, precision=precision, figure=figure, publisher=publisher))

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS, type_=st.sampled_from(["PledgeReaffirmed", "PledgeMissed", "PledgeMet"]))
    def say(self, pledge: str, day: str, type_: str) -> None:
        self._record(pledge, said(type_, day))

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS, end=DAYS, value=VALUES, which=REVISED)
    def revise(self, pledge: str, day: str, end: str, value: int, which: str) -> None:
        target = {"op": "ge", "value": str(value), "unit": "EUR"}
        pledgor = {"name": "Belgium", "code": "BE"} if value % 2 else {"name": "Union"}
        change = {"window": {"end": end}, "target": target, "title": f"Aid {value}", "pledgor": pledgor}[which]
        self._record(pledge, said("PledgeRevised", day, reason="new plan", **{which: change}))

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS, rating=st.sampled_from("AB"))
    def judge(self, pledge: str, day: str, rating: str) -> None:
        under = {"rubric": "R", "rubric_version": "1", "reasoning": "seen"}
        self._record(pledge, {"type": "AssessmentIssued", "stated_on": day, "rating": rating, **under})

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS)
    def withdraw(self, pledge: str, day: str) -> None:
        self._record(pledge, said("PledgeWithdrawn", day, reason="no money"))

    @precondition(_has_events)
    @rule(pledge=PLEDGES, day=DAYS, due=DAYS, type_=st.sampled_from(["MilestoneScheduled", "MilestoneReached"]))
    def milestone(self, pledge: str, day: str, due: str, type_: str) -> None:
        self._record(pledge, said(type_, day, milestone="First step", due=due))

    @precondition(_has_events)
    @rule(data=st.data(), pledge=PLEDGES, day=DAYS, to=DAYS, value=VALUES)
    def correct(self, data: st.DataObject, pledge: str, day: str, to: str, value: int) -> None:
        if not self.world.events(pledge):
            return
        changes: dict[str, Any] = data.draw(
            st.sampled_from(
                [
                    {"stated_on": to},
                    {"figure": {"quantity": {"value": str(value)}}},
                    {"window": {"end": to}},
                    {"tags": ["mended"]},
                ]
            )
        )
        self._record(pledge, kept("EventCorrected", day, self._event(data, pledge), changes=changes))

    @precondition(_has_events)
    @rule(data=st.data(), pledge=PLEDGES, day=DAYS, type_=st.sampled_from(["EventVoided", "FigureRanked"]))
    def keep_record(self, data: st.DataObject, pledge: str, day: str, type_: str) -> None:
        if not self.world.events(pledge):
            return
        more = {"rank": "preferred"} if type_ == "FigureRanked" else {}
        self._record(pledge, kept(type_, day, self._event(data, pledge), **more))

    @precondition(_has_events)
    @rule(data=st.data(), pledge=PLEDGES, day=DAYS, value=VALUES, restate=st.booleans())
    def take_back(self, data: st.DataObject, pledge: str, day: str, value: int, restate: bool) -> None:
        if not self.world.events(pledge):
            return
        event = self._event(data, pledge)
        if restate:
            quantity = {"op": "eq", "value": str(value), "unit": "EUR"}
            figure = {"quantity": quantity, "stage": "committed", "basis": "cumulative"}
            self._record(pledge, said("FigureRestated", day, event=event, figure=figure, reason="revised"))
        else:
            self._record(pledge, said("StatementRetracted", day, event=event, reason="wrong"))

    @rule(size=st.integers(1, 6))
    def project(self, size: int) -> None:
        self.world.runner._batch = size
        self.world.runner.run_once()

    @rule()
    def crash(self) -> None:
        """The projector dies after its rows are written and before they are committed."""
        before = self.world.timeline.position()
        write = table_writer.write

        def dies(*args: Any) -> None:
            write(*args)
            raise MemoryError("killed")

        with long_way(), patch.object(table_writer, "write", dies):
            if self.world.log.head() > before:
                with pytest.raises(MemoryError):
                    self.world.runner.run_once()
        assert self.world.timeline.position() == before

    @precondition(lambda self: self.world.engine.dialect.name == "sqlite")
    @rule(rows=st.integers(0, 3))
    def crash_in_a_turn(self, rows: int) -> None:
        """The projector dies when the rows of some tables are written, or before its commit.

        Where events wait or are parked the turn is not written at once.
        """
        before = self.world.timeline.position()
        with dying_after(rows):
            try:
                self.world.runner.run_once()
            except MemoryError:
                assert self.world.timeline.position() == before

    @rule()
    def take_over(self) -> None:
        """The other one gets the lease, and works on."""
        self.world.runner._lease.release()
        self.rival.run_once()
        self.rival._lease.release()

    @rule()
    def race(self) -> None:
        """The lease has failed: two work at once, each from where it believes to be."""
        head = self.world.log.head()
        self.world.runner.run_once()
        with patch.object(self.rival, "_lease", AlwaysHeld(self.world.runner._lease)):
            self.rival.run_once()
            self.world.runner.run_once()
        assert self.world.timeline.position() <= head

    @rule()
    def rebuild(self) -> None:
        self.world.runner.rebuild()

    @invariant()
    def never_ahead_of_the_log(self) -> None:
        assert self.world.timeline.position() <= self.world.log.head()

    @rule()
    def compare(self) -> None:
        assert_equals_log(self.world, self.world.timeline.position())

    @rule(data=st.data(), days=st.tuples(DAYS, DAYS), recorded=st.booleans())
    def read(self, data: st.DataObject, days: tuple[str, str], recorded: bool) -> None:
        """Reads over many pledges, at two points that differ on one axis."""
        first, last = sorted(date.fromisoformat(day) for day in days)
        reached = self.world.timeline.position()
        position = data.draw(st.integers(0, reached))
        later = Clocks(last, reached if recorded else position)
        assert_reads_equal_log(self.world, Clocks(last if recorded else first, position), later)


class AlwaysHeld:
    """A lease that fails to exclude anybody: its holder is that of another one."""

    session = None
    is_held = True
    is_beat_due = False

    def __init__(self, held: Lease) -> None:
        self.name, self.holder, self.has_lock = held.name, held.holder, held.has_lock

    def acquire(self) -> bool:
        return True

    def fence(self, conn: Connection) -> None:
        pass

    def note_beat(self) -> None:
        pass

    def beating(self) -> AbstractContextManager[None]:
        return nullcontext()

    def lost(self) -> None:
        pass

    def release(self) -> None:
        pass


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield f"sqlite:///{Path(directory) / 'tracker.db'}"


def run(machine: type[TimelineMachine], store: str, examples: int, request: pytest.FixtureRequest) -> None:
    """Run a machine on a store, so many times."""

    class Machine(machine):  # type: ignore[misc, valid-type]
        pass

    if store == "sqlite":
        Machine.database = staticmethod(_sqlite)
    else:
        server = request.getfixturevalue("postgres_server_url")
        Machine.database = staticmethod(lambda: postgres_database(server))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            phases=[Phase.explicit, Phase.generate],
            print_blob=True,
        ),
    )
