"""Projectors as processes: one that is frozen or gone is replaced, and one that wakes up writes nothing more."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from projections import lease
from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION
from projections.tables import LEASE, LEASE_OF_PROJECTOR, LEASE_OF_REBUILD, STATE, create_tables
from tests.support.shell import IMPATIENT, PROGRAM, TAKEOVER_SECONDS, Shell, ended, gone
from tests.support.timelines import made, progress, world
from tests.support.waiting import HANG_SECONDS, wait_until

LOOK_SECONDS = 0.02
"""Seconds for which a process goes on before it is frozen again."""

PATIENT = f"import projections.lease as lease; lease.TAKEOVER_SECONDS = {10 * HANG_SECONDS}; {PROGRAM}"
"""The command with a standby that takes the lease from nobody who may still have it."""


@pytest.fixture(autouse=True)
def read_models(engine: Engine) -> None:
    """The tables that projectors write, empty."""
    create_tables(engine, TIMELINE, PROJECTION_VERSION)


@contextmanager
def projecting(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    process = shell.start("project")
    try:
        assert process.stderr is not None
        assert any("Projecting" in line for line in process.stderr)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        gone(process)


def position(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(STATE.c.position).where(STATE.c.active)) or 0


def holder(engine: Engine, name: str = LEASE_OF_PROJECTOR) -> int:
    """The process id of the instance at work; 0 for none."""
    with engine.connect() as conn:
        holder = conn.scalar(select(LEASE.c.holder).where(LEASE.c.name == name)) or ""
    return int(holder.split(":")[1]) if holder else 0


def test_a_standby_takes_over_from_a_frozen_projector_and_the_one_that_wakes_stands_by(
    shell: Shell, engine: Engine
) -> None:
    shell = replace(shell, program=IMPATIENT)
    with world(shell.url) as it, projecting(shell) as first:
        it.record("aid", made())
        wait_until(lambda: position(engine) == 1, first)
        with projecting(shell) as second:
            assert holder(engine) == first.pid
            first.send_signal(signal.SIGSTOP)
            it.record("aid", progress(10, "2024-02-01"))
            wait_until(lambda: position(engine) == 2, second)
            assert holder(engine) == second.pid
            first.send_signal(signal.SIGCONT)
            for version in range(3, 8):
                it.record("aid", progress(version, f"2024-0{version}-01"))
            wait_until(lambda: position(engine) == 7, second)
            assert holder(engine) == second.pid
            # The second one has the lock in the end, so that its own end frees it.
            wait_until(lambda: has_lock(engine), second)
            second.send_signal(signal.SIGKILL)
            it.record("aid", progress(80, "2024-08-01"))
            wait_until(lambda: position(engine) == 8, first)
            assert holder(engine) == first.pid
            assert ended(first) == 0
        assert holder(engine) == 0


def has_lock(engine: Engine) -> bool:
    with engine.connect() as conn:
        return bool(conn.scalar(select(LEASE.c.has_lock).where(LEASE.c.name == LEASE_OF_PROJECTOR)))


def test_a_rebuild_that_is_frozen_is_taken_over_and_the_one_that_wakes_writes_nothing(
    shell: Shell, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "TAKEOVER_SECONDS", TAKEOVER_SECONDS)
    with world(shell.url) as it:
        for number in range(40):
            for version in range(1, 13):
                fact = made() if version == 1 else progress(version, f"2024-{version:02}-01")
                it.record(f"aid-{number}", fact)
        it.runner.catch_up()
        first = frozen_rebuild(shell, engine)
        try:
            shell.run("rebuild")  # the real bound is 10 s; the other one is frozen until this one is done
            taken_over = live_set(engine)
            first.send_signal(signal.SIGCONT)
            said = first.communicate(timeout=HANG_SECONDS)[1]
            assert (first.returncode, "another process took it over" in said) == (1, True), said
        finally:
            first.send_signal(signal.SIGCONT)
            gone(first)
        assert live_set(engine) == taken_over
        shell.run("replay", "--compare")
        shell.run("rebuild")


def frozen_rebuild(shell: Shell, engine: Engine) -> subprocess.Popen[str]:
    """A rebuild that stands still in the middle, between two transactions: else a SQLite file would be locked."""
    for _ in range(20):
        process = shell.start("rebuild")
        wait_until(lambda: bool(holder(engine, LEASE_OF_REBUILD)), process)
        while process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            if holder(engine, LEASE_OF_REBUILD) == process.pid and is_writable(engine):
                return process
            process.send_signal(signal.SIGCONT)
            time.sleep(LOOK_SECONDS)
        process.communicate()
    raise AssertionError("no rebuild was slow enough to be frozen")


def is_writable(engine: Engine) -> bool:
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA busy_timeout = 0")
        with suppress(OperationalError):
            conn.exec_driver_sql("DELETE FROM parked WHERE position < 0")
            return True
    return False


def live_set(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(STATE.c.set).where(STATE.c.active)) or 0


def test_a_projector_that_ends_is_replaced_before_its_silence_is_long_enough(shell: Shell, engine: Engine) -> None:
    shell = replace(shell, program=PATIENT)
    with world(shell.url) as it, projecting(shell) as first:
        it.record("aid", made())
        wait_until(lambda: position(engine) == 1, first)
        with projecting(shell) as second:
            assert ended(first) == 0
            it.record("aid", progress(10, "2024-02-01"))
            wait_until(lambda: position(engine) == 2, second)
            with projecting(shell) as third:
                second.send_signal(signal.SIGKILL)
                it.record("aid", progress(20, "2024-03-01"))
                wait_until(lambda: position(engine) == 3, third)
