"""What an administrator of the database can do to a log behind the tracker's back: the triggers are no obstacle."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

SQLITE_NAMES = {"log": "log", "events": "stored_events", "number": "rowid"}
POSTGRES_NAMES = {"log": "tracker_events_log", "events": "tracker_events", "number": "notification_id"}


def tamper(url: str, *statements: str, **values: Any) -> None:
    """Run statements with `{log}`, `{events}`, `{number}` (of an event) and `:values`; the triggers do not run."""
    if url.startswith("sqlite"):
        _tamper_sqlite(url, statements, values)
    else:
        _tamper_postgres(url, statements, values)


def _tamper_sqlite(url: str, statements: tuple[str, ...], values: dict[str, Any]) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as conn:
        triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        conn.execute("BEGIN IMMEDIATE")
        for name, _ in triggers:
            conn.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            conn.execute(statement.format(**SQLITE_NAMES), values)
        for _, sql in triggers:
            conn.execute(sql)
        conn.execute("COMMIT")


def _tamper_postgres(url: str, statements: tuple[str, ...], values: dict[str, Any]) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("SET session_replication_role = replica")  # no trigger runs
        conn.execute("SET search_path TO public, projections")
        for statement in statements:
            sql = statement.format(**POSTGRES_NAMES)
            for name in values:
                sql = sql.replace(f":{name}", f"%({name})s")
            conn.execute(sql, values)  # type: ignore[call-overload]
