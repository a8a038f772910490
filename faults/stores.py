"""Faults of the stores: away, cut off, full, read-only, locked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from faults.places import PostgresPlace
from faults.trial import Trial
from tests.support.outages import fill, frozen, locked, read_only, terminate
from tests.support.servers import READ_SECONDS

ANSWERED_SECONDS = 4 * READ_SECONDS
"""Seconds within which a read is answered whose store stands still: the read time-out, on a busy machine."""


def postgres_stopped(trial: Trial) -> None:
    """PostgreSQL is stopped at once, as by a crash, and started again once readiness said so.

    Writes are 503 meanwhile and MUST go on without a restart of the server.
    """
    place = trial.place
    if not isinstance(place, PostgresPlace):
        raise TypeError(f"{place.name} cannot be stopped")
    with trial.on_fresh_store():
        trial.serve()
        trial.writers.open()
        trial.rounds(place.stopped)


def postgres_frozen(trial: Trial) -> None:
    """Every process of PostgreSQL is stopped with SIGSTOP, and woken once readiness said so.

    No connection is lost and none answers: a read MUST be 503 within the read time-out all the same.
    """
    days = count(1)

    @contextmanager
    def standing() -> Iterator[None]:
        with frozen(trial.shell.url):
            yield
            began = time.monotonic()
            path = f"/v1/pledges/shared/history?as_of=2024-01-{next(days):02}"  # no memory has it
            status = trial.servers[0].get(path).status_code
            took = time.monotonic() - began
        trial.must(status == 503 and took < ANSWERED_SECONDS, f"a read was answered {status} after {took:.1f} s")

    with trial.on_fresh_store():
        trial.serve()
        trial.writers.open()
        trial.rounds(standing)


def connections_terminated(trial: Trial) -> None:
    """Every connection of the server is terminated by the database while eight writers record.

    There is nothing to be noticed: new ones are opened. No write may be lost or recorded twice.
    """

    @contextmanager
    def terminated() -> Iterator[None]:
        terminate(trial.shell.url)
        yield

    with trial.on_fresh_store():
        trial.serve()
        trial.writers.open()
        trial.rounds(terminated, notice=False)


def store_read_only(trial: Trial) -> None:
    """The database takes no writes, as a standby or a full volume makes it, until readiness said so.

    The server MUST write again without a restart: connections that were opened meanwhile are not used again.
    """
    with trial.on_fresh_store():
        trial.serve()
        trial.writers.open()
        trial.rounds(lambda: read_only(trial.shell.url))


def store_locked(trial: Trial) -> None:
    """Another process locks the log until readiness said so: PostgreSQL's table for everybody, SQLite's for writers."""
    with trial.on_fresh_store():
        trial.serve()
        trial.writers.open()
        trial.rounds(lambda: locked(trial.shell.url))


def disk_full(trial: Trial) -> None:
    """The file system of the store (PostgreSQL: its tablespace) is filled to the brim until readiness said so."""

    @contextmanager
    def full() -> Iterator[None]:
        assert trial.disk is not None
        filler = fill(trial.disk)
        yield
        filler.unlink()

    with trial.on_fresh_store(own_disk=True):
        trial.serve()
        trial.writers.open()
        trial.rounds(full)
