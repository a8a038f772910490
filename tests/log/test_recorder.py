"""The log on both stores: no holes, no second copy, no event a follower could miss, nothing taken back."""

import socket
import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import TestCase

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from tests.support.waiting import HANG_SECONDS
from tracker.errors import Unavailable
from tracker.log.postgres import PostgresLog
from tracker.log.recorder import LogRecorder, LogRow, NewLogRow, leaf_hash, open_recorder, recorder_environment
from tracker.log.sqlite import SQLiteLog

# The library's test cases import its cipher, which needs a package that they and we do without.
with pytest.MonkeyPatch.context() as without:
    without.setitem(sys.modules, "eventsourcing.cipher", SimpleNamespace(AESCipher=None))
    from eventsourcing.tests import persistence as library

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def line(pledge: str = "p", version: int = 1, **given: Any) -> NewLogRow:
    event_id = given.pop("event_id", None) or uuid.uuid4().hex
    given = {"type": "ProgressReported", "state": b"{}", "recorded_at": NOON} | given
    return NewLogRow(pledge=pledge, version=version, event_id=event_id, **given)


def stamp(state: bytes, recorded_at: datetime) -> bytes:
    return b"restamped " + recorded_at.isoformat().encode()


def append(log: LogRecorder, *lines: NewLogRow) -> list[LogRow]:
    return log.append(lines, restamp=stamp)


@pytest.fixture
def log(database_url: str) -> Iterator[LogRecorder]:
    with closing(open_recorder(database_url)) as log:
        yield log


# Appending


def test_what_is_read_is_what_was_appended(log: LogRecorder) -> None:
    given = line(state=b'{"a": 1}', key="k", key_index=0, payload_hash=b"h" * 32)
    (row,) = append(log, given)
    assert row == LogRow(
        1, "p", 1, "ProgressReported", given.event_id, NOON, b'{"a": 1}', "k", 0, b"h" * 32, leaf_hash(b'{"a": 1}')
    )
    assert log.read() == [row]
    assert log.read()[0].recorded_at.tzinfo is UTC
    assert (log.head(), log.last_recorded_at(), log.recorded_at(1)) == (1, NOON, NOON)


def test_an_empty_log_has_no_head(log: LogRecorder) -> None:
    log.ping()
    assert append(log) == []
    assert (log.head(), log.last_recorded_at(), log.recorded_at(1), log.read()) == (0, None, None, [])
    assert (log.version("p"), log.heads(["p"]), log.heads([]), log.by_key("k")) == (0, {}, {}, [])
    assert (log.position_at(NOON), log.changed_since(0, 10), log.leaves(0, 10)) == (0, [], [])


@pytest.mark.parametrize(
    "second",
    [
        line("p", 1, event_id="new"),
        line("q", 1, event_id="taken"),
        line("q", 1, event_id="new", key="k", key_index=0),
        line("q", 1, event_id="new", key="k"),
    ],
    ids=["version", "event id", "key", "a key without its index"],
)
def test_a_conflict_leaves_no_hole_and_nothing_behind(log: LogRecorder, second: NewLogRow) -> None:
    append(log, line("p", 1, event_id="taken", key="k", key_index=0))
    with pytest.raises(IntegrityError):
        append(log, line("r", 1), second)
    assert log.head() == 1
    assert log.version("r") == 0
    assert [row.position for row in append(log, line("p", 2))] == [2]


def test_restamping_that_fails_leaves_nothing_behind(log: LogRecorder) -> None:
    append(log, line("p", 1))
    with pytest.raises(ZeroDivisionError):
        log.append([line("p", 2, recorded_at=NOON - SECOND)], restamp=lambda *_: bytes(1 // 0))
    assert [row.position for row in append(log, line("p", 2))] == [2]


def test_a_clock_set_back_does_not_set_back_the_log(log: LogRecorder) -> None:
    append(log, line("p", 1))
    rows = append(
        log,
        line("p", 2, recorded_at=NOON - SECOND),
        line("p", 3, recorded_at=NOON + SECOND, state=b"as given"),
        line("p", 4, recorded_at=NOON),
    )
    assert [row.recorded_at for row in rows] == [NOON, NOON + SECOND, NOON + SECOND]
    assert [row.state for row in rows] == [stamp(b"", NOON), b"as given", stamp(b"", NOON + SECOND)]
    assert [row.leaf for row in rows] == [leaf_hash(row.state) for row in rows]
    assert log.read(after=1) == rows


def test_an_instant_without_an_offset_is_refused(log: LogRecorder) -> None:
    with pytest.raises(ValueError, match="offset"):
        append(log, line(recorded_at=datetime(2026, 1, 1)))
    with pytest.raises(ValueError, match="offset"):
        log.position_at(datetime(2026, 1, 1))


def test_another_offset_is_the_same_instant(log: LogRecorder) -> None:
    append(log, line(recorded_at=datetime.fromisoformat("2026-01-01T14:00:00.000001+02:00")))
    assert log.last_recorded_at() == NOON + timedelta(microseconds=1)
    assert log.position_at(NOON) == 0


def test_ten_thousand_lines_are_one_append(log: LogRecorder) -> None:
    state = b"x" * 700
    rows = append(log, *(line(f"p-{n // 10}", n % 10 + 1, state=state) for n in range(10_000)))
    assert [row.position for row in rows] == list(range(1, 10_001))
    assert log.head() == 10_000
    assert log.read(after=9_998) == rows[-2:]


def test_appending_the_same_lines_again_answers_the_first_time(log: LogRecorder) -> None:
    lines = [line("p", 1), line("p", 2, recorded_at=NOON - SECOND)]
    rows = append(log, *lines)
    assert append(log, *lines) == rows
    with pytest.raises(IntegrityError):
        append(log, *reversed(lines))
    assert log.head() == 2


# Reading


def test_reads_select_by_position_pledge_and_type(log: LogRecorder) -> None:
    append(log, line("p", 1, type="PledgeMade"), line("q", 1, type="PledgeMade"), line("p", 2), line("p", 3))

    def positions(rows: Sequence[LogRow]) -> list[int]:
        return [row.position for row in rows]

    assert positions(log.read()) == [1, 2, 3, 4]
    assert positions(log.read(1, 2)) == [2, 3]
    assert positions(log.read(1, upto=3)) == [2, 3]
    assert positions(log.read(type="PledgeMade")) == [1, 2]
    assert positions(log.read(pledge="p", after=1)) == [3, 4]
    assert positions(log.read(pledge="p", type="PledgeMade", limit=1)) == [1]
    assert positions(log.pledge_rows("p")) == [1, 3, 4]
    assert positions(log.pledge_rows("p", upto=3)) == [1, 3]
    assert log.heads(["q", "p", "none"]) == {"p": (3, 4), "q": (1, 2)}
    assert log.heads(["q", "p"], upto=1) == {"p": (1, 1)}
    assert (log.version("p"), log.version("none")) == (3, 0)
    assert log.changed_since(1, 2) == [(2, "q", 1), (3, "p", 2)]
    assert log.leaves(2, 10) == [row.leaf for row in log.read(2)]


def test_a_key_gives_its_rows_in_the_order_of_their_index(log: LogRecorder) -> None:
    append(log, line("p", 1, key="k", key_index=1), line("p", 2, key="k", key_index=0), line("p", 3))
    assert [row.version for row in log.by_key("k")] == [2, 1]
    assert log.by_key("other") == []


def test_known_at_is_the_last_position_recorded_by_then(log: LogRecorder) -> None:
    for version, seconds in enumerate([0, 0, 2], start=1):
        append(log, line("p", version, recorded_at=NOON + seconds * SECOND))
    tick = timedelta(microseconds=1)
    asked = [NOON - tick, NOON, NOON + tick, NOON + 2 * SECOND - tick, NOON + 2 * SECOND, NOON + 3 * SECOND]
    assert [log.position_at(known_at) for known_at in asked] == [0, 2, 2, 2, 3, 3]


# Many at once


def test_a_follower_sees_every_position_once_and_in_order(log: LogRecorder, database_url: str) -> None:
    writers, each, size = 6, 15, 3
    done = threading.Event()

    def write(writer: int) -> None:
        for n in range(each):
            append(log, *(line(f"w{writer}", n * size + k + 1) for k in range(size)))
            with pytest.raises(IntegrityError):
                append(log, line(f"w{writer}", 1))

    def follow() -> list[int]:
        seen: list[int] = []
        with closing(open_recorder(database_url)) as reader:
            while True:
                last_round = done.is_set()
                rows = reader.read(after=seen[-1] if seen else 0, limit=50)
                seen += [row.position for row in rows]
                if last_round and not rows:
                    return seen

    with ThreadPoolExecutor(writers + 1) as threads:
        follower = threads.submit(follow)
        for written in [threads.submit(write, writer) for writer in range(writers)]:
            written.result()
        done.set()
        assert follower.result() == list(range(1, writers * each * size + 1))


def test_a_writer_held_open_hides_itself_and_those_who_wait_for_it(log: LogRecorder, database_url: str) -> None:
    inside, go_on = threading.Event(), threading.Event()
    append(log, line("p", 1, recorded_at=NOON + SECOND))

    def held(state: bytes, recorded_at: datetime) -> bytes:
        inside.set()
        assert go_on.wait(HANG_SECONDS)
        return state

    with closing(open_recorder(database_url)) as other, ThreadPoolExecutor(2) as threads:
        first = threads.submit(log.append, [line("a", 1)], restamp=held)
        assert inside.wait(HANG_SECONDS)
        second = threads.submit(append, other, line("b", 1))
        try:
            with suppress(TimeoutError):
                second.result(timeout=0.3)
            assert not second.done()
            assert log.head() == 1
            assert log.read(after=1) == []
        finally:
            go_on.set()
        assert [row.position for row in first.result()] == [2]
        assert [row.position for row in second.result()] == [3]
    assert [row.pledge for row in log.read()] == ["p", "a", "b"]


def test_two_processes_may_make_the_tables_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        logs = list(threads.map(lambda _: open_recorder(database_url), range(8)))
    for version, opened in enumerate(logs, start=1):
        with closing(opened):
            append(opened, line("p", version))
            assert opened.head() == version


# Connections


class CommitAnswersGetLost:
    """Stands before a PostgreSQL server; closes the connection in place of the answer to a COMMIT, `times` times."""

    def __init__(self) -> None:
        self.times = 0
        self.open = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self, connect: Callable[[], socket.socket]) -> None:
        while self.open:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                client.close()
                return
            server = connect()
            for source, sink, watched in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.forward, args=(source, sink, watched), daemon=True).start()

    def forward(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if watched and self.times and b"COMMIT\x00" in data:
                    self.times -= 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self.open = False
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self.listener.close()


@contextmanager
def losing_commits(postgres_url: str) -> Iterator[tuple[CommitAnswersGetLost, str]]:
    at = conninfo_to_dict(postgres_url)
    host, port = str(at.get("host") or "localhost"), int(at.get("port") or 5432)

    def connect() -> socket.socket:
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    with closing(CommitAnswersGetLost()) as proxy:
        serving = threading.Thread(target=proxy.serve, args=(connect,), daemon=True)
        serving.start()
        password = f":{at['password']}" if at.get("password") else ""
        yield proxy, f"postgresql://{at['user']}{password}@127.0.0.1:{proxy.port}/{at['dbname']}"


def test_who_loses_the_answer_to_a_commit_gets_its_own_rows(postgres_url: str) -> None:
    with losing_commits(postgres_url) as (proxy, url), closing(open_recorder(url)) as log:
        append(log, line("p", 1))
        lines = [line("p", 2), line("q", 1, key="k", key_index=0)]
        proxy.times = 1
        rows = append(log, *lines)
        assert proxy.times == 0
        assert [(row.position, row.event_id) for row in rows] == [(2, lines[0].event_id), (3, lines[1].event_id)]
        assert [row.position for row in append(log, line("q", 2))] == [4]


def test_on_sqlite_too_who_loses_the_answer_gets_its_own_rows(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = SQLiteConnection.commit

    def commit_and_fail(connection: SQLiteConnection) -> None:
        commit(connection)
        monkeypatch.undo()
        raise sqlite3.OperationalError("disk I/O error")

    with closing(open_recorder(sqlite_url)) as log:
        append(log, line("p", 1))
        monkeypatch.setattr(SQLiteConnection, "commit", commit_and_fail)
        assert [row.position for row in append(log, line("p", 2))] == [2]
        assert log.head() == 2


def test_connections_killed_in_the_pool_are_replaced(postgres_url: str) -> None:
    with closing(open_recorder(postgres_url)) as log, psycopg.connect(postgres_url, autocommit=True) as admin:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        for version in range(1, 4):
            append(log, line("p", version))
            admin.execute(f"{kill} AND pid <> pg_backend_pid()")
            assert log.head() == version
            admin.execute(f"{kill} AND pid <> pg_backend_pid()")


def test_a_store_that_is_away_is_unavailable_until_it_is_back(postgres_server_url: str, postgres_url: str) -> None:
    name = conninfo_to_dict(postgres_url)["dbname"]
    allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with closing(open_recorder(postgres_url)) as log, psycopg.connect(postgres_server_url, autocommit=True) as admin:
        assert isinstance(log, PostgresLog)
        append(log, line("p", 1))
        log.datastore.pool.timeout = 0.3
        admin.execute(allow.format(Identifier(str(name)), SQL("false")))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(Unavailable):
            log.head()
        with pytest.raises(Unavailable):
            append(log, line("p", 2))
        admin.execute(allow.format(Identifier(str(name)), SQL("true")))
        log.datastore.pool.timeout = HANG_SECONDS
        assert log.head() == 1
        assert [row.position for row in append(log, line("p", 2))] == [2]


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_recorder(f"sqlite:///{tmp_path}/no/such/directory/tracker.db")


def test_closing_waits_for_who_is_still_reading(sqlite_url: str) -> None:
    log = open_recorder(sqlite_url)
    append(log, line())
    assert isinstance(log, SQLiteLog)
    with ThreadPoolExecutor(1) as threads:
        with log._connection() as connection:
            closing_it = threads.submit(log.close)
            with suppress(TimeoutError):
                closing_it.result(timeout=0.1)
            assert not closing_it.done()
            assert not connection.closed
        closing_it.result()
        assert connection.closed


# Append-only


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {0}", "TRUNCATE {0}"])
@pytest.mark.parametrize("table", ["tracker_events", "tracker_events_log"])
def test_postgres_refuses_to_change_what_is_recorded(postgres_url: str, change: str, table: str) -> None:
    column = "topic" if table == "tracker_events" else "type"
    with closing(open_recorder(postgres_url)) as log, psycopg.connect(postgres_url) as owner:
        append(log, line())
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            owner.execute(change.format(table, column, column).encode())
        assert log.head() == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET type = 'x'",
        "DELETE FROM log",
        "UPDATE stored_events SET topic = 'x'",
        "DELETE FROM stored_events",
        "INSERT OR REPLACE INTO stored_events VALUES ('p', 1, 'x', 'x')",
        "INSERT OR REPLACE INTO stored_events (rowid, originator_id, originator_version) VALUES (1, 'z', 1)",
        "INSERT OR REPLACE INTO log SELECT 1, 'z', 9, 'z', type, recorded_at, NULL, NULL, NULL, leaf FROM log",
        "INSERT OR REPLACE INTO log SELECT 2, 'z', 9, event_id, type, recorded_at, NULL, NULL, NULL, leaf FROM log",
        "INSERT INTO log SELECT 3, 'z', 9, 'z', type, recorded_at, NULL, NULL, NULL, leaf FROM log",
    ],
)
def test_sqlite_refuses_to_change_what_is_recorded(sqlite_url: str, change: str) -> None:
    with closing(open_recorder(sqlite_url)) as log:
        (row,) = append(log, line())
        owner = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
        with closing(owner), pytest.raises(sqlite3.IntegrityError, match="append-only"):
            owner.execute(change)
        assert log.read() == [row]


def test_the_production_role_can_append_and_nothing_else(postgres_url: str) -> None:
    role = f"writer_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin, closing(open_recorder(postgres_url)) as owner:
        admin.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'writer'").format(Identifier(role)))
        try:
            assert isinstance(owner, PostgresLog)
            owner.grant_append_only(role)
            owner.grant_append_only(role)
            at = conninfo_to_dict(postgres_url)
            url = f"postgresql://{role}:writer@/{at['dbname']}?host={at['host']}&port={at.get('port') or 5432}"
            with closing(open_recorder(url, create_table=False)) as log:
                assert [row.position for row in append(log, line("p", 1), line("p", 2))] == [1, 2]
                assert len(log.read()) == 2
            with closing(open_recorder(url)) as log:  # nothing to create, so no right to create is needed
                append(log, line("p", 3))
            with psycopg.connect(url, autocommit=True) as writer:
                for table in ("tracker_events", "tracker_events_log"):
                    for refused in (
                        f"UPDATE {table} SET state = ''"
                        if table == "tracker_events"
                        else f"UPDATE {table} SET type = ''",
                        f"DELETE FROM {table}",
                        f"TRUNCATE {table}",
                        f"DROP TABLE {table}",
                        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                    ):
                        with pytest.raises(psycopg.errors.InsufficientPrivilege):
                            writer.execute(refused.encode())
            assert owner.head() == 3
        finally:
            admin.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(role)))


# Settings


def test_a_url_says_where_the_store_is() -> None:
    sqlite = recorder_environment("sqlite:////var/lib/tracker.db")
    assert sqlite["SQLITE_DBNAME"] == "/var/lib/tracker.db"
    assert recorder_environment("sqlite:///tracker.db")["SQLITE_DBNAME"] == "tracker.db"
    postgres = recorder_environment("postgresql://u:p%40ss@db.example:5433/tracker?sslmode=require", create_table=False)
    names = {name: value for name, value in postgres.items() if name.startswith("POSTGRES_")}
    assert names["POSTGRES_HOST"] == "db.example"
    assert names["POSTGRES_PORT"] == "5433"
    assert names["POSTGRES_USER"] == "u"
    assert names["POSTGRES_PASSWORD"] == "p@ss"
    assert names["POSTGRES_DBNAME"] == "tracker"
    assert names["POSTGRES_CONNINFO"] == make_conninfo("", sslmode="require")
    assert postgres["CREATE_TABLE"] == "n"
    assert recorder_environment("postgresql:///t?host=/tmp")["POSTGRES_HOST"] == "/tmp"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://u:secret@h/d", "tracker.db"])
def test_another_url_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///") as refused:
        recorder_environment(url)
    assert "secret" not in str(refused.value)


def test_sqlite_commits_are_on_the_disk_before_they_are_acknowledged(sqlite_url: str) -> None:
    with closing(open_recorder(sqlite_url)) as log:
        assert isinstance(log, SQLiteLog)
        with log._transaction() as conn:
            assert conn.execute("PRAGMA synchronous").fetchone()[0] == 2
            assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


# The library's own test cases


class LibraryCase(TestCase):
    """A test case of the library's, which knows no fixtures with parameters: one class a store."""

    log: LogRecorder

    @pytest.fixture(autouse=True)
    def _opened(self, request: pytest.FixtureRequest) -> Iterator[None]:
        with closing(open_recorder(request.getfixturevalue(f"{self.store}_url"))) as self.log:
            yield

    store: str

    def create_recorder(self) -> Any:
        return self.log

    def new_originator_id(self) -> str:
        return uuid.uuid4().hex


class OnlyAggregates:
    """An aggregate recorder answers an insert with None; ours with positions."""

    def __init__(self, log: Any) -> None:
        self.log = log
        self.select_events = log.select_events

    def insert_events(self, stored_events: Sequence[StoredEvent]) -> None:
        self.log.insert_events(stored_events)


class AggregateCase(LibraryCase):
    def create_recorder(self) -> Any:
        return OnlyAggregates(self.log)


class TestApplicationOnSQLite(LibraryCase, library.ApplicationRecorderTestCase[Any]):
    store = "sqlite"


class TestApplicationOnPostgres(LibraryCase, library.ApplicationRecorderTestCase[Any]):
    store = "postgres"

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregatesOnSQLite(AggregateCase, library.AggregateRecorderTestCase):
    store = "sqlite"


class TestAggregatesOnPostgres(AggregateCase, library.AggregateRecorderTestCase):
    store = "postgres"


class TestOrderOnSQLite(LibraryCase, library.NonInterleavingNotificationIDsBaseCase):
    store = "sqlite"


class TestOrderOnPostgres(LibraryCase, library.NonInterleavingNotificationIDsBaseCase):
    store = "postgres"
