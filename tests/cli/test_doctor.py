"""`tracker doctor`: one screen that is well while all is well, and says what to do of each thing that is wrong."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
from sqlalchemy import update

from faults import moved_clock
from projections.ledger.tables import STATE as LEDGER_STATE
from projections.tables import open_engine, writing
from tests.projections.test_runner import broken
from tests.support.log_lines import append, line
from tests.support.outages import can_mount, locked, read_only, small_disk
from tests.support.servers import serving
from tests.support.shell import Shell, with_tables
from tests.support.waiting import HANG_SECONDS
from tracker.event import Event
from tracker.log.identity import LogPoint
from tracker.log.remembered import RememberedLogs

WELL = {"TRACKER_ADMIN_KEY": "k" * 32}


def wrongs(shell: Shell, **env: str) -> dict[str, str]:
    """What the doctor finds wrong, by the name of the check, with what to do; none is exit code 0."""
    found: dict[str, str] = {}
    name = ""
    result = shell.run("doctor", code=1, **{**WELL, **env})
    for said in result.stdout.splitlines()[1:]:
        mark, _, rest = said.partition(" ")
        if mark == "wrong":
            name, _, rest = rest.strip().partition(" ")
            found[name] = rest.strip()
        elif not mark and name:  # what to do, and what does not fit on a line
            found[name] += f" {said.strip()}"
        else:
            name = ""
    assert found
    assert all("→" in told for told in found.values())
    return found


def test_a_service_that_is_well_is_one_screen(shell: Shell) -> None:
    with serving(shell) as server:
        server.comes(lambda: not server.failing())
        said = shell.run("doctor", **WELL).stdout
    lines = said.splitlines()
    assert len(lines) <= 24
    for name in ("versions", "settings", "disk", "files", "store", "roles", "clock", "projector", "ledger"):
        assert any(told.split()[1:2] == [name] for told in lines), name
    assert "up to position 68" in said
    assert "admin_key=(set)" in said
    assert "k" * 32 not in said


def test_nothing_is_made(sqlite_url: str, tmp_path: Path) -> None:
    shell = Shell(sqlite_url, tmp_path)
    assert "tracker init" in wrongs(shell)["store"]
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_tables_says_so(postgres_url: str, tmp_path: Path) -> None:
    assert "tracker init" in wrongs(Shell(postgres_url, tmp_path))["store"]


def test_a_store_that_is_away_is_told_in_bounded_time_and_without_the_password(tmp_path: Path) -> None:
    shell = Shell("postgresql://me:secret@127.0.0.1:1/x", tmp_path)
    found = wrongs(shell, TRACKER_READ_TIMEOUT="0.5", TRACKER_STATE_DIR=str(tmp_path))
    assert found.keys() == {"store"}
    assert "does not answer" in found["store"]
    assert "secret" not in found["store"]


def test_a_store_that_is_locked_is_told_in_bounded_time(postgres_url: str, tmp_path: Path) -> None:
    shell = Shell(postgres_url, tmp_path)
    shell.run("init")
    with locked(postgres_url):
        found = wrongs(shell, TRACKER_READ_TIMEOUT="0.5")
    assert found.keys() == {"store"}
    assert "cannot be looked at" in found["store"]


def test_a_log_that_is_not_signed_any_more(shell: Shell) -> None:
    shell.run("log", "export", "published")
    engine = open_engine(shell.url)
    with writing(engine).begin() as conn:
        conn.execute(update(LEDGER_STATE).values(fault="the tree is another one"))
    engine.dispose()
    assert "the tree is another one" in wrongs(shell)["ledger"]


def test_settings_that_are_none_or_cannot_be(shell: Shell) -> None:
    shell.write(".env", "TRACKER_RATELIMIT=5\n")
    assert "TRACKER_RATE_LIMIT is one" in wrongs(shell)["settings"]
    (shell.directory / ".env").unlink()
    assert "TRACKER_RATE_LIMIT" in wrongs(shell, TRACKER_RATE_LIMIT="many")["settings"]
    assert "TRACKER_ELSEWHERE" in shell.run("doctor", code=1, TRACKER_ELSEWHERE="1").stdout


def test_a_log_that_went_back(shell: Shell) -> None:
    with shell.log() as log:
        known = log.standing()
    state = shell.directory / "known"
    RememberedLogs(state).note("elsewhere", known.log, LogPoint(99, "gone", b"\0" * 32))
    found = wrongs(shell, TRACKER_STATE_DIR=str(state))["store"]
    assert "the log went back" in found
    assert "tracker log fork" in found


def test_a_store_that_takes_no_writes(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    with read_only(postgres_url):
        assert "takes no writes" in wrongs(shell)["store"]


def test_a_role_that_lacks_what_it_needs(postgres_url: str, tmp_path: Path) -> None:
    owner = with_tables(postgres_url, tmp_path)
    role = f"doctor_{tmp_path.name.replace('-', '_')[:40]}".lower()
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
        try:
            app = Shell(_as(postgres_url, role), tmp_path)
            owner.run("init", TRACKER_APP_ROLE=role)
            assert "may add to the record, and not change it" in app.run("doctor", code=1).stdout
            conn.execute(f"REVOKE INSERT ON tracker_events_log FROM {role}")
            found = wrongs(app)["roles"]
            assert "INSERT on tracker_events_log" in found
            assert f"TRACKER_APP_ROLE={role} tracker init" in found
        finally:
            conn.execute(f"DROP OWNED BY {role}")
            conn.execute(f"DROP ROLE {role}")


def _as(url: str, role: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}:x@{rest.rpartition('@')[2] if '@' in rest.partition('?')[0] else rest}"


def test_a_clock_that_cannot_be_right(shell: Shell) -> None:
    hour = shell.write("hour", "3600")
    if shell.url.startswith("postgres"):
        process = shell.start("doctor", program=moved_clock.PROGRAM, **WELL, **{moved_clock.VARIABLE: str(hour)})
        said, _ = process.communicate(timeout=HANG_SECONDS)
        assert process.returncode == 1
        assert "s from PostgreSQL's clock" in next(
            told for told in said.splitlines() if told.startswith("wrong  clock")
        )
    with shell.log() as log:
        append(log, line("ahead", recorded_at=datetime.now(UTC) + timedelta(days=365)))
    assert "the last event is stamped" in wrongs(shell)["clock"]


def test_a_disk_that_is_nearly_full(shell: Shell, tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("this process may not mount a small disk")
    with small_disk(tmp_path / "small", megabytes=2) as disk:
        found = wrongs(shell, TRACKER_STATE_DIR=str(disk / "state"))["disk"]
        assert "make room" in found


def test_files_that_others_may_read(shell: Shell) -> None:
    secret = shell.write(".env", f"TRACKER_ADMIN_KEY={'k' * 32}\n")
    secret.chmod(0o644)
    assert "chmod go= .env" in wrongs(shell)["files"]
    secret.chmod(0o600)
    assert "files" not in wrongs(shell)
    if shell.url.startswith("sqlite"):
        Path(shell.url.removeprefix("sqlite:///")).chmod(0o640)
        assert "tracker.db" in wrongs(shell)["files"]


def test_nobody_projects_or_too_slowly_or_not_all(shell: Shell) -> None:
    assert "tracker serve" in wrongs(shell)["projector"]
    shell.run("status")
    with shell.log() as log:
        append(log, line("late"), line("later"))
    assert "2 events wait" in wrongs(shell, TRACKER_MAX_LAG="1")["projector"]


def test_events_that_could_not_be_folded(shell: Shell) -> None:
    with patch.object(Event, "read", broken(2)):
        shell.run("status")
    assert "tracker parked" in wrongs(shell)["projector"]


def test_a_state_directory_that_cannot_be_written(shell: Shell) -> None:
    if os.geteuid() == 0:
        assert wrongs(shell, TRACKER_STATE_DIR="/proc/nowhere").keys() >= {"disk"}
    else:
        place = shell.directory / "closed"
        place.mkdir(mode=0o500)
        assert "may not write" in wrongs(shell, TRACKER_STATE_DIR=str(place))["disk"]


def test_an_archive_that_cannot_be_written_or_is_none(shell: Shell) -> None:
    place = shell.write("place", "a file")
    found = wrongs(shell, TRACKER_ARCHIVE_DIR=str(place))["disk"]
    assert "copies of sources" in found
    assert "is a file" in found
    said = shell.run("doctor", code=1).stdout
    assert ("TRACKER_ARCHIVE_DIR names no directory" in said) == shell.url.startswith("postgres")
    assert not (shell.directory / "archive").exists()


def test_a_state_directory_that_is_a_file_says_so(shell: Shell) -> None:
    place = shell.write("place", "a file")
    assert "is a file" in wrongs(shell, TRACKER_STATE_DIR=str(place))["disk"]
