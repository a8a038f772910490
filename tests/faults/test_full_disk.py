"""A full disk makes a server not ready for as long as it is full, although small writes fit into what is there."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import Engine, event

from faults.places import PostgresPlace, SqlitePlace
from projections.queries import TIMELINE
from projections.room import ASK_SECONDS, FULL, REFUSAL_SECONDS, StoreRoom
from projections.runner import PROJECTION_VERSION
from projections.tables import create_tables, open_engine
from tests.support.outages import can_mount, fill, small_disk
from tests.support.servers import Server, serving
from tests.support.shell import with_tables

LOOKS = 20
"""How often health is asked whether it still says what it said."""

LARGE = base64.b64encode(random.Random(1).randbytes(2_900)).decode()
"""A text of a fact that no store compresses into a page that is there."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A directory that PostgreSQL's own user may enter, and in which file systems can be mounted."""
    if not can_mount(tmp_path):
        pytest.skip("a small file system cannot be mounted here")
    with TemporaryDirectory(prefix="tracker-disk-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def says_full(server: Server) -> bool:
    return server.failing().get("writes") == FULL


def test_readiness_believes_no_small_write_that_fits_into_the_pages_of_a_full_disk(
    postgres: PostgresPlace, folder: Path
) -> None:
    with (
        small_disk(folder / "disk", megabytes=postgres.disk_megabytes) as disk,
        postgres.fresh(folder, disk) as url,
        serving(with_tables(url, folder)) as server,
    ):
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        filler = fill(disk)
        assert server.add("large", summary=LARGE).status_code == 503
        assert "writes" in server.failing()
        assert server.add("small").status_code == 201
        for _ in range(LOOKS):
            assert says_full(server)
        assert server.failing("/health/reads") == {}
        filler.unlink()
        server.comes(lambda: not server.failing())
        assert server.add("large", summary=LARGE).status_code == 201


def test_a_full_disk_beside_a_sqlite_file_is_seen_without_a_write(folder: Path) -> None:
    with (
        small_disk(folder / "disk", megabytes=SqlitePlace.disk_megabytes) as disk,
        serving(with_tables(f"sqlite:///{disk}/tracker.db", folder)) as server,
    ):
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        filler = fill(disk)
        for _ in range(LOOKS):
            assert says_full(server)
        assert server.failing("/health/reads") == {}
        statuses = {server.add(f"filling-{number}", summary=LARGE).status_code for number in range(40)}
        assert 503 in statuses
        assert statuses <= {201, 202, 503}
        assert says_full(server)
        filler.unlink()
        server.comes(lambda: server.add("shells").status_code in (201, 409))
        server.comes(lambda: not server.failing())


# What is asked of PostgreSQL


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def tables(engine: Engine) -> int:
    with engine.connect() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM pg_class").scalar_one())


def test_room_is_asked_for_after_a_refusal_until_it_is_found(postgres_url: str) -> None:
    engine, clock = open_engine(postgres_url), Clock()
    create_tables(engine, TIMELINE, PROJECTION_VERSION)
    asked: list[str] = []
    room = StoreRoom(engine, clock)
    before = tables(engine)

    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *_: asked.append(statement))
    assert room.why_none(None) is None
    assert not asked
    assert room.why_none(clock.at - 1) is None
    assert sum("CREATE UNLOGGED TABLE" in statement for statement in asked) == 1
    asked.clear()
    assert room.why_none(clock.at - 1) is None
    assert not asked
    clock.at += 0.5 * ASK_SECONDS
    assert room.why_none(clock.at) == FULL
    assert not asked
    clock.at += ASK_SECONDS
    assert room.why_none(clock.at - ASK_SECONDS) is None
    assert asked
    assert tables(engine) == before
    engine.dispose()


@pytest.fixture
def may_make_nothing(postgres_url: str) -> Iterator[str]:
    """The database, for a role that may make no table in it."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        create_tables(engine := open_engine(postgres_url), TIMELINE, PROJECTION_VERSION)
        engine.dispose()
        admin.execute("CREATE ROLE makes_nothing LOGIN PASSWORD 'x'")
        admin.execute("GRANT USAGE ON SCHEMA projections TO makes_nothing")
        address = urlsplit(postgres_url)
        place = address.netloc.rpartition("@")[2]
        try:
            yield urlunsplit(address._replace(netloc=f"makes_nothing:x@{place}"))
        finally:
            admin.execute("DROP OWNED BY makes_nothing")
            admin.execute("DROP ROLE makes_nothing")


def test_a_refusal_counts_for_a_while_where_the_role_may_make_no_table(may_make_nothing: str) -> None:
    engine, clock = open_engine(may_make_nothing), Clock()
    room, refused_at = StoreRoom(engine, clock), clock.at
    assert room.why_none(refused_at) == FULL
    clock.at += REFUSAL_SECONDS
    assert room.why_none(refused_at) == FULL
    clock.at += ASK_SECONDS
    assert room.why_none(refused_at) is None
    engine.dispose()
