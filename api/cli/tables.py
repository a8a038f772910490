"""`tracker init` and `tracker rebuild`: the tables that everything stands on."""

from __future__ import annotations

import os
import signal
from types import FrameType

import click
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from api.cli.group import fail
from api.cli.stores import make_tables, opened_stores
from api.cli.terminal import progress, say
from projections.postgres_sessions import SCHEMA
from projections.runner import Busy
from tracker.log.postgres import PostgresLog

MAX_REBUILD_PROCESSES = 8
"""Processes in which a rebuild folds, at most."""


@click.command()
def init() -> None:
    """Create or upgrade the tables; run it again as often as you like.

    On PostgreSQL TRACKER_DATABASE_URL names the role that is to own the tables. With TRACKER_APP_ROLE another role may
    then add to the record and read it, and never change it. On SQLite it is done by itself.

    \b
    Examples:
      tracker init
      TRACKER_APP_ROLE=tracker_app tracker init
    """
    with opened_stores(create=True) as stores:
        role, log = stores.settings.app_role, stores.log
        make_tables(stores.engine, None if stores.settings.sqlite else role)
        if isinstance(log, PostgresLog) and role is not None:
            _grant(log, stores.engine, role)
            say(f"The tables are there, and {role} may add to the record.")
        else:
            say("The tables are there.")


def _grant(log: PostgresLog, engine: Engine, role: str) -> None:
    """Let the role add to the log and read it, and own the read models."""
    log.grant_append_only(role)
    # Read models that are older than the role become its own: a rebuild under the role must be able to drop them.
    quote = engine.dialect.identifier_preparer.quote_identifier
    with engine.begin() as conn:
        names = conn.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": SCHEMA})
        for name in names.all():
            table = f"{quote(SCHEMA)}.{quote(name)}"
            try:
                with conn.begin_nested():
                    conn.execute(text(f"ALTER TABLE {table} OWNER TO {quote(role)}"))
            except ProgrammingError:  # only a member of the role may give the role a table
                conn.execute(text(f"GRANT ALL ON {table} TO {quote(role)}"))


@click.command()
def rebuild() -> None:
    """Build the read models anew beside those that answer, then switch.

    \b
    Example:
      tracker rebuild
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    with opened_stores(must_exist=True) as stores:
        runner = stores.runner()
        done = 0
        try:
            with progress("Rebuilding", stores.log.head()) as advance:

                def report(so_far: int, _of: int) -> None:
                    nonlocal done
                    advance(so_far - done)
                    done = so_far

                position = runner.rebuild(report, processes=min(os.cpu_count() or 1, MAX_REBUILD_PROCESSES))
        except Busy as busy:
            fail(str(busy))
        finally:
            runner.stop()
        say(f"The projection is built anew, up to position {position}.")
