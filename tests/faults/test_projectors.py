"""Projectors as processes: one that is frozen or gone is replaced, and one that wakes up writes nothing more."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from projections.lease import TAKEOVER_SECONDS
from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION
from projections.tables import LEASE, LEASE_OF_PROJECTOR, LEASE_OF_REBUILD, STATE, create_tables, open_engine
from tests.support.shell import Shell, ended, gone
from tests.support.timelines import made, progress, world
from tests.support.waiting import HANG_SECONDS, wait_until

REBUILD_SECONDS = 30.0
"""Seconds that a rebuild of some hundred events takes on a busy machine, and more."""

LOOK_SECONDS = 0.02
"""Seconds for which a process goes on before it is frozen again."""

TAKEOVER_BOUND = 15.0
"""Seconds within which a standby projects after the one at work is frozen."""


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    shell = Shell(database_url, tmp_path)
    shell.run("init")
    return shell


@pytest.fixture
def engine(shell: Shell) -> Iterator[Engine]:
    engine = open_engine(shell.url)
    create_tables(engine, TIMELINE, PROJECTION_VERSION)
    yield engine
    engine.dispose()


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


def holder(engine: Engine, lease: str = LEASE_OF_PROJECTOR) -> int:
    """The process id of the instance at work; 0 for none."""
    with engine.connect() as conn:
        name = conn.scalar(select(LEASE.c.holder).where(LEASE.c.name == lease)) or ""
    return int(name.split(":")[1]) if name else 0


def test_a_standby_takes_over_from_a_frozen_projector_and_the_one_that_wakes_stands_by(
    shell: Shell, engine: Engine
) -> None:
    with world(shell.url) as it, projecting(shell) as first:
        it.record("aid", made())
        wait_until(lambda: position(engine) == 1, first)
        with projecting(shell) as second:
            assert holder(engine) == first.pid
            first.send_signal(signal.SIGSTOP)
            frozen = time.monotonic()
            it.record("aid", progress(10, "2024-02-01"))
            wait_until(lambda: position(engine) == 2, second)
            took = time.monotonic() - frozen
            assert took < TAKEOVER_BOUND, took
            assert holder(engine) == second.pid
            first.send_signal(signal.SIGCONT)
            for version in range(3, 8):
                it.record("aid", progress(version, f"2024-0{version}-01"))
            wait_until(lambda: position(engine) == 7, second)
            assert holder(engine) == second.pid
            # The second one has the lock in the end, so its own end is noticed at once.
            wait_until(lambda: has_lock(engine), second)
            second.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            it.record("aid", progress(80, "2024-08-01"))
            wait_until(lambda: position(engine) == 8, first)
            assert time.monotonic() - killed < TAKEOVER_SECONDS
            assert holder(engine) == first.pid
            assert ended(first) == 0
        assert holder(engine) == 0


def has_lock(engine: Engine) -> bool:
    with engine.connect() as conn:
        return bool(conn.scalar(select(LEASE.c.has_lock).where(LEASE.c.name == LEASE_OF_PROJECTOR)))


def test_a_rebuild_that_is_frozen_is_taken_over_and_the_one_that_wakes_writes_nothing(
    shell: Shell, engine: Engine
) -> None:
    with world(shell.url) as it:
        for number in range(60):
            for version in range(1, 13):
                fact = made() if version == 1 else progress(version, f"2024-{version:02}-01")
                it.record(f"aid-{number}", fact)
        it.runner.catch_up()
        first = frozen_rebuild(shell, engine)
        try:
            frozen = time.monotonic()
            shell.run("rebuild")
            assert time.monotonic() - frozen < TAKEOVER_BOUND + REBUILD_SECONDS
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


def test_a_projector_that_is_told_to_stop_hands_over_at_once(shell: Shell, engine: Engine) -> None:
    with world(shell.url) as it, projecting(shell) as first:
        it.record("aid", made())
        wait_until(lambda: position(engine) == 1, first)
        with projecting(shell) as second:
            assert ended(first) == 0
            stopped = time.monotonic()
            it.record("aid", progress(10, "2024-02-01"))
            wait_until(lambda: position(engine) == 2, second)
            assert time.monotonic() - stopped < TAKEOVER_SECONDS
