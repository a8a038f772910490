"""The peer of the writes: a Litestar handler that validates the same fact, inserts one row and answers its number.

Set up as is fast: on PostgreSQL an asynchronous handler over psycopg's pool of connections in autocommit, where a
statement is one round trip; on SQLite one connection in WAL mode with the durability of the record (`synchronous=FULL`)
in a thread, which a lock hands from one request to the next.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from psycopg_pool import AsyncConnectionPool
from pydantic_core import to_json

from tracker.fact_reading import read_fact

URL = os.environ["BENCH_DATABASE_URL"]
POOL = 16

_INSERT = "INSERT INTO facts (pledge, type, state) VALUES ({0}, {0}, {0}) RETURNING id"
_CREATE = "CREATE TABLE IF NOT EXISTS facts (id {} PRIMARY KEY, pledge text NOT NULL, type text NOT NULL, state {})"

AnyRequest = Request[Any, Any, Any]


@get("/ready", sync_to_thread=False)
def ready() -> str:
    """Whether it answers."""
    return ""


def _answer(number: int, body: bytes) -> Response[bytes]:
    return Response(b'{"position":%d,"fact":%s}' % (number, body), status_code=201, media_type="application/json")


def sqlite_app() -> Litestar:
    """The handler on a SQLite file."""
    conn = sqlite3.connect(URL.removeprefix("sqlite:///"), check_same_thread=False, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute(_CREATE.format("INTEGER", "blob"))
    lock, insert = Lock(), _INSERT.format("?")

    @post("/facts/{pledge:str}", sync_to_thread=True)
    def add(pledge: FromPath[str], body: bytes) -> Response[bytes]:
        fact = read_fact(body)
        with lock:
            (number,) = conn.execute(insert, (pledge, fact.type, to_json(fact))).fetchone()
        return _answer(number, body)

    return Litestar(route_handlers=[add, ready], openapi_config=None, logging_config=None)


def postgres_app() -> Litestar:
    """The handler on PostgreSQL."""
    pool = AsyncConnectionPool(URL, min_size=POOL, max_size=POOL, open=False, kwargs={"autocommit": True})
    insert = _INSERT.format("%s")

    @asynccontextmanager
    async def opened(_: Litestar) -> AsyncIterator[None]:
        async with pool, pool.connection() as conn:
            await conn.execute(_CREATE.format("bigint GENERATED ALWAYS AS IDENTITY", "bytea"))
            yield

    @post("/facts/{pledge:str}")
    async def add(request: AnyRequest, pledge: FromPath[str]) -> Response[bytes]:
        body = await request.body()
        fact = read_fact(body)
        async with pool.connection() as conn:
            found = await (await conn.execute(insert, (pledge, fact.type, to_json(fact)))).fetchone()
        return _answer(found[0], body)  # type: ignore[index]

    return Litestar(route_handlers=[add, ready], lifespan=[opened], openapi_config=None, logging_config=None)


def app() -> Litestar:
    """The handler on the store of `BENCH_DATABASE_URL`."""
    return sqlite_app() if URL.startswith("sqlite") else postgres_app()
