"""`tracker backup` and `tracker restore`: a copy of a live log, and a log from a copy."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

import click
from psycopg import Error as PostgresError
from psycopg.conninfo import conninfo_to_dict

from api.cli.group import fail
from api.cli.stores import opened_stores, read_settings
from api.cli.terminal import progress, say
from api.settings import Settings
from tracker.log.guard import LogGuard
from tracker.log.identity import LogStanding
from tracker.log.postgres_connection import connect
from tracker.log.sqlite_copy import CopyRefused, copy_log

OWNER = "tracker_owner"
"""The role that is named as the owner of the tables where the database does not say: the one of docker-compose.yml."""

_OWNER = """
SELECT coalesce((SELECT tableowner FROM pg_tables WHERE tablename = 'tracker_events_log' LIMIT 1),
                (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()))
"""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy a live SQLite log into a new file; on PostgreSQL exit with 2 and say which command does it.

    The copy is one moment of the log, whole, and its owner's alone to read. Servers and the projector go on meanwhile.
    It holds everything in the file: events, keys, what is withheld, read models. The state directory, with the highest
    known event, and the archive are files of their own.

    \b
    Example:
      tracker backup tracker-2026-11-26.db
    """
    settings = read_settings()
    if not settings.sqlite:
        raise click.UsageError(_postgres_backup(settings, file))
    found = _copied(Path(settings.store_name), file, "Copying")
    say(f"{file} has log {found.log} up to position {found.head.position}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Put a copy where there is no log yet; on PostgreSQL exit with 2 and say which commands do it.

    TRACKER_DATABASE_URL names a SQLite file that is not there. Stop the servers and move the old file and its -wal and
    -shm away first. The state directory stays as it is: it tells whether events are missing that readers have. Then
    nothing is written to the log until `tracker log fork`.

    \b
    Example:
      tracker restore tracker-2026-11-26.db
    """
    settings = read_settings()
    if not settings.sqlite:
        raise click.UsageError(_postgres_restore(settings, file))
    found = _copied(file, Path(settings.store_name), "Restoring")
    say(f"{settings.store_name} has log {found.log} up to position {found.head.position}.")
    with opened_stores(must_exist=True) as stores:
        say_what_is_known(stores.log.guard, settings)


def _copied(source: Path, target: Path, description: str) -> LogStanding:
    try:
        with progress(description, 100) as advance:
            shown = 0

            def report(done: int, of: int) -> None:
                nonlocal shown
                advance(100 * done // max(of, 1) - shown)
                shown = 100 * done // max(of, 1)

            return copy_log(source, target, report)
    except CopyRefused as refused:
        fail(str(refused))
    except (OSError, sqlite3.Error) as error:
        fail(f"{target} was not made: {error}")


def say_what_is_known(guard: LogGuard, settings: Settings) -> None:
    """What a restored log means to readers, as far as the state directory knows what they may have."""
    refusal = guard.refusal
    if refusal is not None:
        members = refusal.members
        say(
            f"By {settings.state_directory} events up to position {members['known_position']} were recorded, and this"
            f" copy ends at {members['head']}: readers may have those that are missing. Reads are answered; writes are"
            " refused (log_went_back) until `tracker log fork --reason …` gives the log a new id. Readers of the old"
            " one are then told 409 other_log and begin anew."
        )
    else:
        say(
            f"By {settings.state_directory} nothing is missing that was recorded: the log keeps its id, and readers go"
            " on. If events were recorded that it does not know of, run `tracker log fork --reason …` before the"
            " servers."
        )


def _postgres_backup(settings: Settings, file: Path) -> str:
    owner, place, name = _owner(settings), _place(settings), shlex.quote(str(file))
    return (
        f"PostgreSQL makes its own backups. As the role {owner}, which may read everything:\n\n"
        f"  umask 077; pg_dump {place} --username={shlex.quote(owner)} --format=custom --file={name}\n\n"
        "It is one moment of the record, and servers go on meanwhile. `tracker restore` says how to put it back."
    )


def _postgres_restore(settings: Settings, file: Path) -> str:
    owner, place = _owner(settings), _place(settings)
    role = settings.app_role or (settings.database_user if settings.database_user != owner else None)
    given = f"TRACKER_APP_ROLE={shlex.quote(role)} " if role else ""
    return (
        f"PostgreSQL restores its own backups. Into an empty database, as the role {owner}:\n\n"
        f"  pg_restore {place} --username={shlex.quote(owner)} --exit-on-error --single-transaction --no-owner"
        f" --no-privileges {shlex.quote(str(file))}\n"
        f"  {given}tracker init\n\n"
        "The second command is run with TRACKER_DATABASE_URL of that role. Keep the state directory: if it knows of"
        " events that the copy has not, writes are refused (log_went_back) until `tracker log fork --reason …`."
    )


def _owner(settings: Settings) -> str:
    """The role that owns the log's tables, or that is to own them: the database's own."""
    try:
        with connect(settings.database_url, settings.read_timeout) as conn:
            found = conn.execute(_OWNER).fetchone()
    except PostgresError:
        found = None
    return OWNER if found is None else str(found[0])


def _place(settings: Settings) -> str:
    """Where the database is, as options of PostgreSQL's commands; never with a password."""
    given = conninfo_to_dict(f"postgresql://{settings.database_url.partition('://')[2]}")
    options = [("host", "host"), ("port", "port"), ("dbname", "dbname")]
    return " ".join(f"--{option}={shlex.quote(str(given[name]))}" for name, option in options if given.get(name))
