"""What each store does its own way: connections that are lost, what it refuses to change, its settings."""

import socket
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from eventsourcing.sqlite import SQLiteConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from tests.log.test_proposals import MONA, NOW, new_id, proposal
from tests.support.log_lines import append, line
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.application import Tracker
from tracker.errors import Unavailable
from tracker.log.open import open_recorder, recorder_environment
from tracker.log.postgres import PostgresLog
from tracker.log.rows import EPOCH
from tracker.log.sqlite import SQLiteLog
from tracker.proposals import Proposals, Sent

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


def test_who_loses_the_answer_to_an_acceptance_has_accepted_once(postgres_url: str) -> None:
    with losing_commits(postgres_url) as (proxy, url), closing(Tracker(url)) as tracker:
        proposals = Proposals(tracker)
        kept = proposals.propose(proposal(), Sent()).proposal
        proxy.times = 1
        (row,) = proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent()).events
        assert proxy.times == 0
        found = proposals.get(kept.id)
        assert (found.state, found.event, tracker.log.head()) == ("accepted", row.event_id, 1)


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


def test_a_writer_whose_transaction_the_server_ended_for_standing_still_writes_on_a_new_connection(
    postgres_url: str,
) -> None:
    def stand_still(state: bytes, _: object) -> bytes:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            if not stood:
                stood.append(other.execute(idle).fetchone())
                wait_until(lambda: other.execute(idle).fetchone() == (0,))
        return state

    stood: list[object] = []
    with closing(open_recorder(postgres_url)) as log:
        append(log, line("p", 1))
        early = replace(line("p", 2), recorded_at=EPOCH)
        assert [row.position for row in log.append([early], restamp=stand_still)] == [2]
        assert stood == [(1,)]
        assert log.head() == 2


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
        with log._connection() as (connection, _):
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
            with closing(Tracker(url, create_table=False)) as tracker:
                proposals = Proposals(tracker)
                kept = proposals.propose(proposal(), Sent()).proposal
                proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent())
            with psycopg.connect(url, autocommit=True) as writer:
                for table in ("tracker_events", "tracker_events_log", "tracker_events_proposals"):
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
            assert owner.head() == 4
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
