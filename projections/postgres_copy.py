"""Rows that PostgreSQL takes by COPY, the fastest way for many of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, cast

import psycopg
from sqlalchemy import BigInteger, Connection, Date, LargeBinary, Table
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.sql import ColumnElement


def copy_rows(conn: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows whose values are in the order of the table's columns.

    Raises: OperationalError if the server is away, DatabaseError if it refuses a row, or a value is none of its type.
    """
    try:
        _copy(conn, table, rows)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise OperationalError("COPY", None, error) from error
    except (psycopg.Error, ValueError, OverflowError) as error:
        raise DatabaseError("COPY", None, error) from error


def _copy(conn: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    names = ", ".join(column.name for column in table.columns)
    raw = cast("psycopg.Connection[Any]", conn.connection.driver_connection)
    with raw.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([postgres_type(column) for column in table.columns])
        for row in chain([first], rows):
            copy.write_row(row)


def postgres_type(column: ColumnElement[Any]) -> str:
    """PostgreSQL's name of a column's type."""
    match column.type:
        case Date():
            return "date"
        case BigInteger():
            return "int8"
        case LargeBinary():
            return "bytea"
    return "text"
