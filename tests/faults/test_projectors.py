"""Projectors as processes: one that is frozen or gone is replaced, and one that wakes up writes nothing more."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION
from projections.tables import LEASE, STATE, create_tables
from tests.support.shell import IMPATIENT, PROGRAM, Shell, ended, gone
from tests.support.timelines import made, progress, world
from tests.support.waiting import HANG_SECONDS, wait_until

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


def holder(engine: Engine) -> int:
    """The process id of the instance at work; 0 for none."""
    with engine.connect() as conn:
        name = conn.scalar(select(LEASE.c.holder)) or ""
    return int(name.split(":")[1]) if name else 0


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
        return bool(conn.scalar(select(LEASE.c.has_lock)))


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
