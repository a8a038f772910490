"""What the commands share: the stores they open, the clocks they take, and how they fail: one sentence, no trace."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import click
import psycopg
from eventsourcing.persistence import PersistenceError
from pydantic import ValidationError
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.settings import Settings
from tracker.application import Tracker
from tracker.errors import TrackerError
from tracker.log.recorder import LogRecorder

_Command = TypeVar("_Command", bound=Callable[..., Any])

STORE_ERRORS = (PersistenceError, SQLAlchemyError, psycopg.Error, sqlite3.Error)


class Wrong(click.ClickException):
    """Something was found wrong: exit code 1."""

    exit_code = 1


class Tidy(click.Group):
    """A group whose commands fail with a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TrackerError as error:
            raise Wrong(error.detail) from None
        except STORE_ERRORS as error:
            raise Wrong(_store_sentence(error)) from None


def _store_sentence(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, psycopg.errors.UndefinedTable) or "no such table" in str(cause):
            return "the tables are not there; run `tracker init` first, as the role that is to own them"
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            return f"the database role may not do this: {_first_line(cause)}; run `tracker init` with TRACKER_APP_ROLE"
        cause = cause.__cause__
    return f"the store does not answer: {_first_line(getattr(error, 'orig', None) or error)}"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def read_settings() -> Settings:
    """The settings of the environment; what is wrong with them is wrong usage."""
    try:
        return Settings.model_validate({})
    except ValidationError as invalid:
        said = (f"TRACKER_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in invalid.errors())
        raise click.UsageError("; ".join(said)) from None


@dataclass(frozen=True, slots=True)
class Stores:
    """The record and the database of the read models."""

    settings: Settings
    tracker: Tracker
    engine: Engine

    @property
    def log(self) -> LogRecorder:
        """The log."""
        return self.tracker.log


@contextmanager
def opened_stores(*, create: bool = False) -> Iterator[Stores]:
    """The stores that the settings name, for as long as this lasts. On SQLite missing tables are made."""
    from projections.tables import open_engine

    settings = read_settings()
    with _usage_of_url():
        engine = open_engine(settings.database_url)
        tracker = Tracker(settings.database_url, create_table=create or settings.sqlite)
    try:
        if settings.sqlite:
            make_tables(engine)
        yield Stores(settings, tracker, engine)
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
    """Make what is missing of the read models' tables and the table of keys."""
    from api.http import auth
    from projections import tables

    tables.prepare(engine, app_role=app_role)
    auth.create_tables(engine, app_role=app_role)


def now() -> datetime:
    """The clock, read at the edge."""
    return datetime.now(UTC)


def clocked(command: _Command) -> _Command:
    """Add the options of the two clocks."""
    for option in (
        click.option("--at-position", metavar="N", help="What we had recorded up to this place in the log."),
        click.option("--known-at", metavar="INSTANT", help="What we had recorded by then: 2026-11-21T16:00:00Z."),
        click.option("--as-of", metavar="DAY", help="What had been said by then: 2024-12-31. [default: today]"),
    ):
        command = option(command)
    return command


def say(message: str) -> None:
    """Tell on stderr, so that stdout holds the answer alone."""
    click.echo(message, err=True)


def wrong(message: str) -> NoReturn:
    """End with exit code 1."""
    raise Wrong(message)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; call what it yields with how many are done now."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def columns(*names: str) -> Table:
    """An empty table with these columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def show(*tables: RenderableType) -> None:
    """Print as wide as the terminal, or for a pipe as wide as it takes and without styles."""
    terminal = sys.stdout.isatty()
    console = Console(
        highlight=False, markup=False, emoji=False, width=None if terminal else 240, no_color=not terminal
    )
    with console.capture() as captured:
        console.print(*tables, sep="\n")
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
