"""What `tracker doctor` looks at: each check is a function that says how things stand and, where wrong, what to do.

Nothing is made and nothing is written. Who asks bounds the time of each check (`api.cli.doctor`).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr

from api.http.access_keys import list_keys
from api.http.system_clock import now
from api.settings import Settings, foreign_variables, unknown_keys
from projections.lease import BEAT_SECONDS
from projections.ledger.reader import Ledger
from projections.liveness import ProjectorLiveness
from projections.postgres_sessions import SCHEMA
from projections.runner import PROJECTION_VERSION
from projections.tables import open_engine
from projections.timeline import Timeline
from tracker.log.clock_watch import MAX_FROM_DATABASE
from tracker.log.memory import LogMemory
from tracker.log.open import open_recorder
from tracker.log.postgres_connection import connect
from tracker.log.recorder import LogRecorder
from tracker.rules.status_document import RULES_VERSION

MIN_FREE_BYTES = 256 * 1024 * 1024
"""Bytes that must be free on a disk that is written to: SQLite's own log of a large batch, and some hours."""

MIN_POSTGRES, MAX_POSTGRES = 15, 18
"""The versions of PostgreSQL that the tracker is tested on."""

HEARTBEAT_SECONDS = 2 * BEAT_SECONDS
"""Seconds that the check of the projector waits for a new heartbeat if the last one is old by this machine's clock."""

LOOK_SECONDS = 0.25
"""Seconds between two looks at the heartbeat."""

SECRETS_DIRECTORY = Path("/run/secrets")
"""Where containers get secrets; whoever mounts them decides on their modes."""

_MEGABYTE = 1024 * 1024

_RIGHTS = (
    ("INSERT", "tracker_events"), ("SELECT", "tracker_events"),
    ("INSERT", "tracker_events_log"), ("SELECT", "tracker_events_log"),
    ("SELECT", "tracker_events_log_identity"), ("INSERT", "tracker_events_log_identity"),
    ("SELECT", "tracker_events_withheld"), ("INSERT", "tracker_events_withheld"),
    ("SELECT", "tracker_events_proposals"), ("INSERT", "tracker_events_proposals"),
    ("SELECT", "access_keys"), ("UPDATE", "access_keys"),
)  # fmt: skip
"""What a role of PostgreSQL needs in order to serve and to project."""


class Finding(NamedTuple):
    """One line of the doctor: `mend` says what to do, and is empty unless something is wrong."""

    mark: Literal["ok", "note", "wrong"]
    said: str
    mend: str = ""


def ok(said: str) -> Finding:
    """All is well."""
    return Finding("ok", said)


def note(said: str) -> Finding:
    """Worth to be known, and not wrong."""
    return Finding("note", said)


def wrong(said: str, mend: str) -> Finding:
    """Something is wrong, and this mends it."""
    return Finding("wrong", said, mend)


@dataclass(frozen=True, slots=True)
class Installation:
    """What is looked at: the settings, and the log where it could be opened."""

    settings: Settings
    log: LogRecorder


@contextmanager
def opened_log(settings: Settings) -> Iterator[Installation]:
    """The log as it is; nothing is made."""
    log = open_recorder(settings.database_url, create_table=False, read_seconds=settings.read_timeout)
    try:
        yield Installation(settings, log)
    finally:
        log.close()


# Without the store


def versions() -> Finding:
    """The versions of what runs here."""
    names = ("eventsourcing", "litestar", "pydantic", "sqlalchemy", "psycopg")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    return ok(
        f"tracker {version('commitments-tracker')}, rules {RULES_VERSION}, Python {sys.version.split()[0]},"
        f" SQLite {sqlite3.sqlite_version}, {libraries}"
    )


def settings_in_force(settings: Settings) -> Iterator[Finding]:
    """The settings that are not left at their defaults, and keys that are none."""
    changed = [
        f"{name}={_shown(settings, name)}"
        for name, field in Settings.model_fields.items()
        if getattr(settings, name) != field.default
    ]
    yield ok(", ".join(changed) or "all are left at their defaults")
    for sentence in unknown_keys():
        yield wrong(sentence, "correct its name, or remove it")
    if foreign := foreign_variables():
        yield note(f"in the environment, and no settings: {', '.join(foreign)}")


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name == "database_url":
        return f"{settings.database_url.partition(':')[0]} {settings.store_name}"
    if isinstance(value, SecretStr):
        return "(set)"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def disks(settings: Settings) -> Iterator[Finding]:
    """What is free where the tracker writes."""
    places = {"the state": settings.state_directory}
    if settings.sqlite:
        places = {"the log": Path(settings.store_name).parent, **places}
    if settings.archive_directory is not None:
        places["copies of sources"] = settings.archive_directory
    for what, path in places.items():
        yield _free(what, path)
    if settings.archive_directory is None:
        yield note("no copies of sources are kept: TRACKER_ARCHIVE_DIR names no directory")
    if not settings.sqlite:
        yield note("PostgreSQL's own disk is not seen from here")


def _free(what: str, path: Path) -> Finding:
    there = next(p for p in (path, *path.resolve().parents) if p.exists())
    if not there.is_dir():
        return wrong(f"{what}: {path} cannot be a directory, since {there} is a file", "name another directory")
    if not os.access(there, os.W_OK):
        return wrong(f"{what}: this user may not write to {path}", f"give it to this user: {there}")
    free = shutil.disk_usage(there).free
    said = f"{free // _MEGABYTE:,} MB are free for {what} in {path}"
    is_low = free < MIN_FREE_BYTES
    return wrong(said, "make room: writes are refused once it is full (docs/operations.md)") if is_low else ok(said)


def file_modes(settings: Settings) -> Finding:
    """Whether files with secrets are their owner's alone."""
    open_to_others = [path for path in _private_files(settings) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not open_to_others:
        return ok("files with keys or hashes are their owner's alone")
    names = " ".join(map(str, open_to_others))
    return wrong(f"others may read {names}", f"chmod go= {names}")


def _private_files(settings: Settings) -> Iterator[Path]:
    if settings.sqlite:
        log = Path(settings.store_name)
        yield from (p for p in (log, Path(f"{log}-wal"), Path(f"{log}-shm")) if p.exists())
    if settings.state_directory.is_dir():
        # What is there of the log's height is no secret; a key is.
        yield from (p for p in settings.state_directory.iterdir() if p.is_file() and "key" in p.name)
    env = Path(".env")
    secrets = ("ADMIN_KEY=", "SIGNING_KEY=", "PASSWORD=", "@")
    if env.is_file() and any(name in env.read_text("utf-8", "replace") for name in secrets):
        yield env
    for name, value in os.environ.items():
        is_named = name.startswith("TRACKER_") and name.endswith("_FILE") and (path := Path(value)).is_file()
        if is_named and SECRETS_DIRECTORY not in path.resolve().parents:
            yield path


# With the store


def store(installation: Installation) -> Iterator[Finding]:
    """Whether the store answers, takes writes, and has the log that is known."""
    settings, log = installation.settings, installation.log
    LogMemory(log, settings.state_directory, settings.store_name).begin()
    found = log.look()
    kind = "SQLite" if settings.sqlite else "PostgreSQL"
    yield ok(f"{kind} {settings.store_name}: log {found.log} up to position {found.head.position}")
    if log.guard.refusal is not None:
        yield wrong("the log went back", log.guard.refusal.detail)
    if (why := log.why_read_only()) is not None:
        yield wrong(
            f"the store takes no writes: {why}", "make it writable, or point TRACKER_DATABASE_URL at the primary"
        )


def roles(installation: Installation) -> Iterator[Finding]:
    """What the database's role may do, and PostgreSQL's version; who may use the API."""
    settings = installation.settings
    if settings.sqlite:
        yield ok("SQLite has no roles: who may write to the file may change the record")
    else:
        with closing(connect(settings.database_url, settings.read_timeout)) as conn:
            yield from _postgres_roles(conn)
    engine = open_engine(settings.database_url, read_seconds=settings.read_timeout)
    try:
        in_force = [key for key in list_keys(engine) if key.is_in_force(now())]
    finally:
        engine.dispose()
    if in_force or settings.admin_key is not None:
        admin = ", and the admin key" if settings.admin_key is not None else ""
        number = "1 key is" if len(in_force) == 1 else f"{len(in_force)} keys are"
        yield ok(f"{number} in force{admin}")
    else:
        yield note("nobody can write: no key is in force; `tracker keys create` makes one")


def _postgres_roles(conn: Any) -> Iterator[Finding]:
    number = conn.info.server_version // 10_000
    if not MIN_POSTGRES <= number <= MAX_POSTGRES:
        yield wrong(f"PostgreSQL is of version {number}", f"use PostgreSQL {MIN_POSTGRES} to {MAX_POSTGRES}")
    role, owner, is_super = conn.execute(
        "SELECT current_user, tableowner, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
        " FROM pg_tables WHERE tablename = 'tracker_events_log'"
    ).fetchone()
    missing = [
        f"{right} on {table}"
        for right, table in _RIGHTS
        if not conn.execute("SELECT has_table_privilege(%s, %s)", (table, right)).fetchone()[0]
    ]
    if not conn.execute("SELECT has_schema_privilege(%s, 'CREATE')", (SCHEMA,)).fetchone()[0]:
        missing.append(f"CREATE in schema {SCHEMA}")
    if missing:
        mend = f"as {owner}: TRACKER_APP_ROLE={role} tracker init"
        yield wrong(f"the role {role} lacks {', '.join(missing)}", mend)
    elif is_super or role == owner:
        yield note(
            f"PostgreSQL {number}, role {role}, which owns the record and could change it: give servers a role of"
            " their own with TRACKER_APP_ROLE and `tracker init`"
        )
    else:
        yield ok(f"PostgreSQL {number}, role {role} may add to the record, and not change it")


def clock(installation: Installation) -> Finding:
    """Whether this machine's clock can be right, by the database's and by the last event."""
    settings = installation.settings
    last = installation.log.last_recorded_at()
    here = now()
    if last is not None and last - here > MAX_FROM_DATABASE:
        return wrong(
            f"the last event is stamped {_words(last)}, and it is {_words(here)}: stamps never decrease, so events are"
            " stamped alike until then",
            "set this machine's clock if it is behind (docs/operations.md: A clock jumped)",
        )
    if settings.sqlite:
        return ok(f"it is {_words(here)}; the last event is not ahead of it")
    with closing(connect(settings.database_url, settings.read_timeout)) as conn:
        before = now()
        row = conn.execute("SELECT clock_timestamp()").fetchone()
    database: datetime = row[0].astimezone(UTC) if row else before
    apart = abs(database - before)
    said = f"it is {_words(before)}, and {apart.total_seconds():.1f} s from PostgreSQL's clock"
    if apart > MAX_FROM_DATABASE:
        mend = "set the clock of this machine or the database's; writes are refused (clock_implausible)"
        return wrong(said, mend)
    return ok(said)


def projector(installation: Installation) -> Iterator[Finding]:
    """Whether a projector is at work and keeps up, and what it could not fold."""
    settings = installation.settings
    engine = open_engine(settings.database_url, read_seconds=settings.read_timeout)
    try:
        timeline, liveness = Timeline(engine, installation.log), ProjectorLiveness(now)
        deadline = time.monotonic() + HEARTBEAT_SECONDS
        while True:
            progress = timeline.progress()
            liveness.note(progress.heartbeat, progress.position, progress.head)
            if liveness.is_alive or progress.heartbeat is None or time.monotonic() > deadline:
                break
            time.sleep(LOOK_SECONDS)
    finally:
        engine.dispose()
    if progress.set == 0:
        yield wrong("there are no read models yet", "start `tracker serve` or `tracker project`")
        return
    if not liveness.is_alive:
        yield wrong(
            f"no projector is at work; the last heartbeat is of {progress.heartbeat or 'no time at all'}, and"
            f" {progress.lag} events wait",
            "start `tracker serve` or `tracker project` (docs/operations.md: Projector stalled)",
        )
    elif progress.lag > settings.max_lag:
        yield wrong(f"{progress.lag} events wait for the projector", "docs/operations.md: Projector stalled")
    else:
        yield ok(f"at work, {progress.lag} events behind")
    if progress.parked:
        yield wrong(f"{progress.parked} events could not be folded", "`tracker parked` lists them, with the reasons")
    if progress.version != PROJECTION_VERSION:
        yield note(
            f"the read models are of version {progress.version}: those of {PROJECTION_VERSION} are being built beside"
            " them, or will be when a projector of this release starts"
        )


def ledger(installation: Installation) -> Finding:
    """Whether the log is signed."""
    settings, log = installation.settings, installation.log
    log.look()
    engine = open_engine(settings.database_url, read_seconds=settings.read_timeout)
    try:
        published = Ledger(engine, log, settings.log_origin)
        checkpoint, fault = published.checkpoint(), published.state().fault
    finally:
        engine.dispose()
    if fault:
        return wrong(f"nothing is signed: {fault}", "docs/operations.md: The ledger")
    if checkpoint is None:
        return note("nothing is signed yet; a projector does it within a second")
    return ok(f"{checkpoint.size} events are signed, the last time at {checkpoint.signed_at}")


def _words(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
