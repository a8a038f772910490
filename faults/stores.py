"""Faults of the stores: away, cut off, full, read-only, locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faults.places import PostgresPlace
from faults.trial import Trial
from tests.support.outages import fill, locked, read_only, terminate


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
