"""The settings and the stores that the commands open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy import Engine

from api.cli.group import fail
from api.cli.terminal import say
from api.http import access_keys
from api.http.system_clock import now, since_boot
from api.outgoing import webhooks
from api.settings import Settings, unknown_keys
from projections import tables
from projections.ledger.reader import Ledger
from projections.ledger.remembered import RememberedCheckpoints
from projections.ledger.signer import LedgerSigner
from projections.runner import PROJECTION_VERSION, Busy, ProjectionRunner
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.log.clock_watch import ClockWatch
from tracker.log.memory import LogMemory
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow


def read_settings() -> Settings:
    """The settings of the environment.

    Raises: click.UsageError if one of them cannot be; the sentence names it, without its value.
    """
    try:
        return Settings.model_validate({})
    except SettingsError as unreadable:
        raise click.UsageError(str(unreadable)) from None
    except ValidationError as invalid:
        raise click.UsageError("; ".join(map(_named, invalid.errors()))) from None


def _named(error: ErrorDetails) -> str:
    setting = "_".join(map(str, error["loc"])).upper()
    said = error["msg"].removeprefix("Value error, ")
    return f"TRACKER_{setting}: {said}" if setting else said


@dataclass(frozen=True, slots=True)
class Stores:
    """The tracker with its log, and the database of the read models."""

    settings: Settings
    tracker: Tracker
    engine: Engine
    memory: LogMemory

    @property
    def log(self) -> LogRecorder:
        """The log."""
        return self.tracker.log

    def runner(self, signer: LedgerSigner | None = None) -> ProjectionRunner:
        """A projector of these stores, for the caller to start and stop; with a signer it makes checkpoints too."""
        return ProjectionRunner(self.settings.database_url, self.log, now, engine=self.engine, signer=signer)

    @property
    def ledger(self) -> Ledger:
        """What is published of the log."""
        return Ledger(self.engine, self.log, self.settings.log_origin)

    def signer(self, *, replaces_lost_keys: bool = False) -> LedgerSigner:
        """What signs the log; who `replaces_lost_keys` makes a new key where the one that signed before is lost."""
        keys = self.settings.signing_keys(replaces_lost_keys=replaces_lost_keys)
        return LedgerSigner(self.ledger, keys, RememberedCheckpoints(self.settings.state_directory), now)


@contextmanager
def opened_stores(*, create: bool = False, must_exist: bool = False) -> Iterator[Stores]:
    """The stores that the settings name, closed at the end. On SQLite missing tables are made.

    `create` makes the tables of the log on PostgreSQL as well. With `must_exist` no SQLite file is made where there is
    none: a command that only reads makes no store. A command that recorded something leaves behind what it knows of the
    log; one that only read leaves nothing.

    Raises: click.UsageError if the settings or the address of the database cannot be; CommandFailed if `must_exist` and
    there is no log.
    """
    settings = read_settings()
    for sentence in unknown_keys():
        say(sentence)
    if must_exist and settings.sqlite and not Path(settings.store_name).exists():
        fail(f"there is no log at {settings.store_name}: `tracker init` makes one, TRACKER_DATABASE_URL names another")
    with _usage_of_url():
        engine = tables.open_engine(settings.database_url, read_seconds=settings.read_timeout)
        tracker = Tracker(
            settings.database_url,
            create_table=create or settings.sqlite,
            read_seconds=settings.read_timeout,
            clock=None if settings.trust_clock else ClockWatch(now, since_boot),
        )
    memory = LogMemory(tracker.log, settings.state_directory, settings.store_name)
    try:
        if settings.sqlite:
            make_tables(engine)
        memory.begin()
        yield Stores(settings, tracker, engine, memory)
    finally:
        if tracker.log.guard.has_recorded:
            memory.keep(at_once=True)
        tracker.close()
        engine.dispose()


@contextmanager
def made_stores() -> Iterator[Stores]:
    """The stores that the settings name, with all their tables, for a log that comes from elsewhere.

    No clock refuses its stamps, and it is not held against what is remembered of a log before it.
    """
    settings = read_settings()
    with _usage_of_url():
        engine = tables.open_engine(settings.database_url, read_seconds=settings.read_timeout)
        tracker = Tracker(settings.database_url, read_seconds=settings.read_timeout)
    try:
        make_tables(engine)
        yield Stores(settings, tracker, engine, LogMemory(tracker.log, settings.state_directory, settings.store_name))
    finally:
        tracker.close()
        engine.dispose()


@contextmanager
def _usage_of_url() -> Iterator[None]:
    try:
        yield
    except ValueError as wrong:
        raise click.UsageError(f"TRACKER_DATABASE_URL: {wrong}") from None


def make_tables(engine: Engine, app_role: str | None = None) -> None:
    """Make what is missing of the read models' tables and the table of keys, for `app_role` to write to."""
    tables.prepare(engine, app_role=app_role)
    access_keys.create_tables(engine, app_role=app_role)
    webhooks.create_tables(engine, app_role=app_role)


def timeline_at(stores: Stores, position: int) -> Timeline:
    """The read model, once it has reached a position; it is projected here if no other process does.

    Raises: CommandFailed if another process holds the projection and is not there yet.
    """
    timeline = Timeline(stores.engine, stores.log)
    runner = stores.runner()
    try:
        if (built_by := timeline.progress().version) not in ("", PROJECTION_VERSION):
            say(f"The read models are of version {built_by}; building those of {PROJECTION_VERSION}.")
            runner.rebuild()
        if timeline.position() < position:
            runner.catch_up()
    except Busy as busy:
        fail(f"{busy}; try again later")
    finally:
        runner.stop()
    return timeline


def event_row(stores: Stores, event: str) -> LogRow:
    """The row of an event by its id.

    Raises: click.UsageError if the log has none.
    """
    rows = stores.log.by_event_ids([event])
    if not rows:
        raise click.UsageError(f"the log has no event {event!r}; the ids are those of `tracker export --events`.")
    return rows[0]
