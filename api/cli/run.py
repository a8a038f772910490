"""``tracker serve``, ``project``, ``init`` and ``rebuild``: what runs and what it stands on."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import FrameType
from typing import Any

import click

from api.cli.common import Stores, Wrong, make_tables, now, opened_stores, progress, read_settings, say

_MOST_PROCESSES = 8
"""A rebuild folds in so many processes at most."""

_GRACE = 10
"""Seconds that requests at work are given when the server is told to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes; PostgreSQL only.")
@click.option("--no-projector", is_flag=True, help="Leave the read models to `tracker project`.")
def serve(host: str, port: int, workers: int, no_projector: bool) -> None:
    """Serve the API and the dashboard, and keep the read models up to date.

    \b
    Examples:
      tracker serve
      tracker serve --host 0.0.0.0 --port 8000 --workers 4
    """
    import uvicorn

    from api.http.shutdown import AbortingProtocol

    settings = read_settings()
    if workers > 1 and settings.sqlite:
        raise click.UsageError("several workers need PostgreSQL: a SQLite record is served by one process")
    if no_projector:
        os.environ["TRACKER_PROJECTOR"] = "false"  # the workers read the settings themselves
    _must_be_ready()
    listening = _listen(host, port)
    config: dict[str, Any] = {
        "app": "api.cli.run:application",
        "factory": True,
        "host": host,
        "port": listening.getsockname()[1],
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": _GRACE,
        "http": AbortingProtocol,
    }
    server = uvicorn.Server(uvicorn.Config(**config))

    def told_to_stop(_signal: int, _frame: FrameType | None) -> None:
        # Told before uvicorn listens for signals, or once more after it: it raises them again when it is done.
        server.should_exit = True
        if workers > 1:
            raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    address = f"[{host}]" if ":" in host else host
    say(f"Commitments Tracker is on http://{address}:{config['port']} (Ctrl-C stops it)")
    if workers > 1:
        listening.close()
        uvicorn.run(workers=workers, **config)
        return
    with listening:
        server.run(sockets=[listening])
    if not server.started:
        raise Wrong("the server did not start")


def application() -> Any:
    """The ASGI application, for a process that has the environment alone."""
    from api.app import create_app

    # uvicorn asks inside its event loop, and the application is put together outside of one.
    with ThreadPoolExecutor(1) as outside:
        return outside.submit(create_app, read_settings()).result()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as taken:
        listening.close()
        raise Wrong(f"{host} port {port} cannot be listened on: {taken.strerror or taken}") from None
    return listening


def _must_be_ready() -> None:
    """Whether the store answers and has its tables; warns when nobody could write to it."""
    from api.http.auth import list_keys

    with opened_stores() as stores:
        stores.journal.ping()
        in_force = [key for key in list_keys(stores.engine) if key.revoked_at is None]
        if not in_force and stores.settings.admin_key is None:
            say("Nobody can write yet. Make a key with `tracker keys create`, or set TRACKER_ADMIN_KEY.")


@click.command()
def project() -> None:
    """Keep the read models up to date until stopped, beside `tracker serve --no-projector`.

    One projector works at a time; others stand by.

    \b
    Example:
      tracker project
    """
    from api.http.json_logging import log_as_json
    from projections.runner import Runner

    stopping = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log_as_json()
    with opened_stores() as stores:
        runner = Runner(stores.settings.database_url, stores.journal, now, engine=stores.engine)
        runner.start()
        say("Projecting (Ctrl-C stops it)")
        stopping.wait()
        runner.stop()


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
        role = stores.settings.app_role
        make_tables(stores.engine, None if stores.settings.sqlite else role)
        if not stores.settings.sqlite and role is not None:
            _grant(stores, role)
            say(f"The tables are there, and {role} may add to the record.")
        else:
            say("The tables are there.")


def _grant(stores: Stores, role: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    from projections.tables import SCHEMA
    from tracker.log.postgres import PostgresLog

    assert isinstance(stores.journal, PostgresLog)
    stores.journal.grant_append_only(role)
    # Read models that were made before there was this role become its own: it must drop them when they are rebuilt.
    quote = stores.engine.dialect.identifier_preparer.quote_identifier
    with stores.engine.begin() as conn:
        names = conn.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": SCHEMA})
        for name in names.all():
            table = f"{quote(SCHEMA)}.{quote(name)}"
            try:
                with conn.begin_nested():
                    conn.execute(text(f"ALTER TABLE {table} OWNER TO {quote(role)}"))
            except ProgrammingError:  # only a member of the role may give it something
                conn.execute(text(f"GRANT ALL ON {table} TO {quote(role)}"))


@click.command()
def rebuild() -> None:
    """Build the read models anew beside those that answer, then switch.

    \b
    Example:
      tracker rebuild
    """
    from projections.runner import Busy, Runner

    def told_to_stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, told_to_stop)
    with opened_stores() as stores:
        runner = Runner(stores.settings.database_url, stores.journal, now, engine=stores.engine)
        done = 0
        try:
            with progress("Rebuilding", stores.journal.head()) as advance:

                def report(so_far: int, _of: int) -> None:
                    nonlocal done
                    advance(so_far - done)
                    done = so_far

                position = runner.rebuild(report, processes=min(os.cpu_count() or 1, _MOST_PROCESSES))
        except Busy as busy:
            raise Wrong(str(busy)) from None
        finally:
            runner.stop()
        say(f"The projection is built anew, up to position {position}.")
