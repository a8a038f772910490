"""A server whose store, tables or projector go away says so, answers nothing old, and goes on by itself afterwards."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from api.cli import project
from faults import moved_clock
from projections import liveness
from projections.queries import TIMELINE
from projections.runner import PROJECTION_VERSION
from projections.tables import create_tables, writing
from tests.support.api import problem
from tests.support.log_lines import append, line
from tests.support.outages import read_only
from tests.support.servers import serving
from tests.support.shell import ALIVE_SECONDS, BEAT_SECONDS, IMPATIENT, Shell, gone, with_tables
from tests.support.waiting import wait_until
from tracker.errors import Unavailable
from tracker.log.open import open_recorder


def log_tables(engine: Engine) -> tuple[str, str]:
    return ("log", "stored_events") if engine.dialect.name == "sqlite" else ("tracker_events_log", "tracker_events")


def run(engine: Engine, *statements: str) -> None:
    with writing(engine).begin() as conn:
        for statement in statements:
            conn.execute(text(statement))


# Tables that go away


def test_a_log_table_that_is_away_for_a_while_is_told_and_then_followed_again(shell: Shell, engine: Engine) -> None:
    log = log_tables(engine)[0]
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: not server.failing())
        tag = server.get("/v1/pledges").headers["etag"]
        run(engine, f"ALTER TABLE {log} RENAME TO put_aside")
        assert "store" in server.failing("/health/reads")
        assert "store" in server.failing()
        server.comes(lambda: server.client.get("/v1/pledges", headers={"If-None-Match": tag}).status_code >= 500)
        run(engine, f"ALTER TABLE put_aside RENAME TO {log}")
        server.comes(lambda: not server.failing() and not server.failing("/health/reads"))
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2)


def test_read_models_that_were_dropped_are_made_again(shell: Shell, engine: Engine) -> None:
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1)
        if engine.dialect.name == "sqlite":
            run(engine, *(f"DROP TABLE {name}" for name in ("projection_state", "projection_lease", "parked",
                                                            "timeline_1", "catalogue_1")))  # fmt: skip
        else:
            run(engine, "DROP SCHEMA projections CASCADE")
        server.comes(lambda: server.total() == 1 and not server.failing())
        assert server.add("shells").status_code == 201
        server.comes(lambda: server.total() == 2)


# Nobody projects


@pytest.fixture
def impatient(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The store, with processes that call a projector silent after a few seconds, as this process does."""
    monkeypatch.setattr(liveness, "ALIVE_SECONDS", ALIVE_SECONDS)
    monkeypatch.setattr(project, "CHECK_SECONDS", 2 * BEAT_SECONDS)
    return replace(shell, program=IMPATIENT)


def test_readiness_says_that_nobody_projects(impatient: Shell, engine: Engine) -> None:
    shell = impatient
    create_tables(engine, TIMELINE, PROJECTION_VERSION)
    with serving(shell, "--no-projector") as server:
        assert "projector" in server.failing()
        assert server.failing("/health/reads") == {}
        shell.run("project", "--check", code=1)
        projector = shell.start("project")
        try:
            server.comes(lambda: not server.failing())
            assert "at work" in shell.run("project", "--check").stderr
            projector.send_signal(signal.SIGSTOP)
            assert server.add().status_code in (201, 202)
            server.comes(lambda: "projector" in server.failing())
            assert server.failing("/health/reads") == {}
            shell.run("project", "--check", code=1)
            projector.send_signal(signal.SIGCONT)
            server.comes(lambda: not server.failing() and server.total() == 1)
        finally:
            projector.send_signal(signal.SIGCONT)
            gone(projector)


# A store that takes no writes


def test_a_database_that_was_read_only_is_written_to_again_without_a_restart(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1)
        with read_only(postgres_url):
            server.comes(lambda: "read-only" in server.failing().get("writes", ""))
            assert server.add("shells").status_code == 503
            server.comes(lambda: server.total() == 1 and not server.failing("/health/reads"))
        server.comes(lambda: server.add("shells").status_code == 201)
        server.comes(lambda: server.total() == 2 and not server.failing())


def test_a_sqlite_file_that_was_read_only_is_written_to_again(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "tracker.db"
    open_recorder(sqlite_url).close()
    if os.geteuid() or subprocess.run(["chattr", "+i", file], check=False, capture_output=True).returncode:
        pytest.skip("a file cannot be made immutable here")
    try:
        log = open_recorder(sqlite_url, create_table=False)
        assert log.head() == 0
        assert "readonly" in (log.why_read_only() or "")
        with pytest.raises(Unavailable, match="readonly"):
            append(log, line())
        assert log.last_failure is not None
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    with closing(log):
        assert [row.position for row in append(log, line())] == [1]
        assert log.why_read_only() is None
        assert log.last_failure is None


# A file that is broken, and a clock that is wrong


def test_a_sqlite_file_that_is_broken_is_503_and_the_right_one_put_back_is_answered_from(
    sqlite_url: str, tmp_path: Path
) -> None:
    shell = with_tables(sqlite_url, tmp_path)
    file, wal = tmp_path / "tracker.db", tmp_path / "tracker.db-wal"
    with serving(shell) as server:
        assert server.add().status_code == 201
        server.comes(lambda: server.total() == 1 and not server.failing())
        with closing(sqlite3.connect(file)) as conn, closing(sqlite3.connect(tmp_path / "kept.db")) as kept:
            conn.backup(kept)
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = (tmp_path / "kept.db").read_bytes()
        file.write_bytes(b"this is no database" * (len(whole) // 19))
        server.comes(lambda: "store" in server.failing("/health/reads") and "store" in server.failing())
        for path in ("/v1/pledges", "/v1/events", "/v1/pledges/aid-2024/history", "/"):
            statuses = {server.get(path).status_code}
            server.comes(lambda: statuses.add(server.get(path).status_code) or 503 in statuses)  # noqa: B023
            assert statuses <= {200, 503}, path  # it is answered from memory for some seconds
        assert server.add("shells").status_code == 503
        assert not wal.exists() or wal.stat().st_size == 0
        file.write_bytes(whole)
        server.comes(lambda: server.total() == 1 and not server.failing())
        server.comes(lambda: server.add("shells").status_code == 201)


def test_a_clock_that_cannot_be_right_is_a_check_of_readiness(shell: Shell) -> None:
    seconds = shell.write("clock", "0")
    with serving(shell, program=moved_clock.PROGRAM, **{moved_clock.VARIABLE: str(seconds)}) as server:
        assert server.add().status_code == 201
        server.comes(lambda: not server.failing())
        shell.write("ahead", "10800").replace(seconds)
        server.comes(lambda: "clock" in server.failing())
        assert server.failing()["clock"]
        assert problem(server.add("shells"), 503, "clock_implausible")
        assert server.failing("/health/reads") == {}
        shell.write("right", "0").replace(seconds)
        server.comes(lambda: not server.failing())
        assert server.add("shells").status_code == 201


# A password that is wrong


@pytest.fixture
def with_password(postgres_url: str) -> Iterator[str]:
    """The URL of a role that needs a password, with a wrong one."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        row = admin.execute("SHOW hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        if not os.access(rules, os.W_OK):
            pytest.skip("the rules of this server cannot be changed")
        before = rules.read_text()
        admin.execute("CREATE ROLE needs_password LOGIN PASSWORD 'right'")
        rules.write_text(f"local all needs_password scram-sha-256\nhost all needs_password all scram-sha-256\n{before}")
        admin.execute("SELECT pg_reload_conf()")
        try:
            info = psycopg.conninfo.conninfo_to_dict(postgres_url)
            host, name = info["host"], info["dbname"]
            yield f"postgresql://needs_password:wr0ng-secret@/{name}?host={host}&port={info.get('port', 5432)}"
        finally:
            rules.write_text(before)
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("DROP ROLE needs_password")


def test_a_wrong_password_is_told_as_that_and_not_shown(with_password: str, tmp_path: Path) -> None:
    shell = Shell(with_password, tmp_path)

    def refused() -> bool:
        said = shell.run("status", code=1, TRACKER_READ_TIMEOUT="1").stderr
        assert "wr0ng-secret" not in said
        return 'password authentication failed for user "needs_password"' in said

    wait_until(refused)  # the server reads its rules anew in its own time
    for command in (["serve", "--port", "0"], ["init"], ["project", "--check"]):
        said = shell.run(*command, code=1, TRACKER_READ_TIMEOUT="1").stderr
        assert "TRACKER_DATABASE_URL" in said, (command, said)
        assert "password authentication failed" in said
        assert "wr0ng-secret" not in said


# Workers


def test_a_worker_that_dies_is_replaced_and_told(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    with serving(shell, "--workers", "2") as server:
        server.comes(lambda: not server.failing())
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        assert server.process.stderr is not None
        told = (json.loads(line) for line in server.process.stderr if "a worker was replaced" in line)
        line = next(line for line in told if line["pid"] == workers[0])
        assert line["reason"] == "it was ended by SIGKILL"
        assert line["replaced_by"] not in workers
        server.comes(lambda: server.add().status_code == 201)


def test_the_shape_of_health_is_said(shell: Shell) -> None:
    with serving(shell) as server:
        server.comes(lambda: not server.failing())
        assert server.get("/health/live").json()["checks"] == {"threads": {"ok": True, "why": ""}}
        assert set(server.get("/health/reads").json()["checks"]) == {
            "threads",
            "follower",
            "store",
            "projection",
        }
        checks = set(server.get("/health/ready").json()["checks"])
        assert checks == {
            "threads",
            "follower",
            "log",
            "clock",
            "store",
            "projection",
            "writes",
            "projector",
            "backlog",
            "ledger",
        }
