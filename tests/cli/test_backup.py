"""`tracker backup` and `tracker restore`: what they write, what they refuse, and what they say of PostgreSQL."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.shell import Shell, with_tables


@pytest.fixture
def seeded(lite: Shell) -> Shell:
    lite.run("seed")
    return lite


def live(shell: Shell) -> Path:
    return Path(shell.url.removeprefix("sqlite:///"))


def lose(shell: Shell) -> None:
    for path in live(shell).parent.glob(f"{live(shell).name}*"):
        if path.is_file():
            path.unlink()


def test_a_copy_has_what_stands_in_the_wal_and_is_one_private_file(seeded: Shell) -> None:
    with closing(sqlite3.connect(live(seeded))) as keeps_the_wal:
        assert keeps_the_wal.execute("SELECT count(*) FROM log").fetchone() == (68,)
        seeded.run("keys", "create", "--name", "desk", "--role", "monitor")
        said = seeded.run("backup", "copy.db").stderr
    assert "up to position 68" in said
    copy = seeded.directory / "copy.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in seeded.directory.glob("*copy.db*")] == ["copy.db"]
    lose(seeded)
    seeded.run("restore", copy)
    assert live(seeded).stat().st_mode & 0o777 == 0o600
    assert seeded.head() == 68
    assert "desk" in seeded.run("keys", "list").stdout
    assert "no difference" in seeded.run("replay", "--compare").stderr


def test_nothing_is_written_over(seeded: Shell) -> None:
    there = seeded.write("there.db", "precious")
    assert "nothing is written over it" in seeded.run("backup", there, code=1).stderr
    assert there.read_text("utf-8") == "precious"
    seeded.run("backup", "copy.db")
    assert "nothing is written over it" in seeded.run("restore", "copy.db", code=1).stderr
    wal = Path(f"{live(seeded)}-wal")
    lose(seeded)
    wal.write_bytes(b"of the file before")
    refused = seeded.run("restore", "copy.db", code=1).stderr
    assert f"{wal} is there already" in refused
    assert not live(seeded).exists()


def test_what_is_no_log_is_neither_copied_nor_put_back(lite: Shell) -> None:
    assert "there is no file" in lite.run("backup", "copy.db", code=1).stderr
    assert not live(lite).exists()
    text = lite.write("text.db", "no database")
    assert "has no log of the tracker" in lite.run("restore", text, code=1).stderr
    empty = lite.write("empty.db", "")
    assert "has no log of the tracker" in lite.run("restore", empty, code=1).stderr
    assert "there is no file" in lite.run("restore", "nowhere.db", code=1).stderr
    assert {path.name for path in lite.directory.iterdir()} == {"text.db", "empty.db"}


def test_a_copy_that_lost_events_is_not_put_back(seeded: Shell) -> None:
    seeded.run("backup", "copy.db")
    with closing(sqlite3.connect(seeded.directory / "copy.db")) as conn:
        conn.execute("DROP TRIGGER stored_events_no_delete")
        conn.execute("DELETE FROM stored_events WHERE rowid = 17")
        conn.commit()
    lose(seeded)
    assert "broken" in seeded.run("restore", "copy.db", code=1).stderr
    assert not live(seeded).exists()


def test_a_restored_log_says_whether_events_are_missing_that_readers_have(seeded: Shell) -> None:
    seeded.run("backup", "whole.db")
    seeded.run("import", seeded.write("more.ndjson", MORE))
    seeded.run("backup", "later.db")
    lose(seeded)
    said = seeded.run("restore", "whole.db").stderr
    assert "up to position 69 were recorded, and this copy ends at 68" in said
    assert "tracker log fork" in said
    lose(seeded)
    assert "nothing is missing that was recorded" in seeded.run("restore", "later.db").stderr


def test_postgres_is_told_the_command_and_the_role(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    secret = postgres_url.replace("//", "//somebody:secret@", 1) if "@" not in postgres_url else postgres_url
    refused = shell.run("backup", "my log.dump", code=2, TRACKER_DATABASE_URL=secret).stderr
    assert "pg_dump" in refused
    assert "--file='my log.dump'" in refused
    assert "--username=" in refused
    refused = shell.run("restore", "my log.dump", code=2, TRACKER_APP_ROLE="app").stderr
    assert "pg_restore" in refused
    assert "TRACKER_APP_ROLE=app tracker init" in refused
    assert not (tmp_path / "my log.dump").exists()


def test_the_password_is_not_told(tmp_path: Path) -> None:
    shell = Shell("postgresql://owner:sesame@127.0.0.1:1/tracker", tmp_path)
    for command in ("backup", "restore"):
        said = shell.run(command, "log.dump", code=2).stderr
        assert "--host=127.0.0.1 --port=1 --dbname=tracker" in said
        assert "sesame" not in said


MORE = (
    '{"pledge": "nato-ukraine-2024", "fact": {"type": "StatementMade", "stated_on": "2025-07-01",'
    ' "source": {"publisher": "P", "tier": "media"}}}'
)


def test_a_copy_by_cp_is_no_copy(seeded: Shell) -> None:
    with closing(sqlite3.connect(live(seeded))) as open_elsewhere:
        open_elsewhere.execute("SELECT count(*) FROM log").fetchone()
        seeded.run("import", seeded.write("more.ndjson", MORE))
        shutil.copyfile(live(seeded), seeded.directory / "cp.db")
        seeded.run("backup", "copy.db")
    with closing(sqlite3.connect(seeded.directory / "copy.db")) as conn:
        assert conn.execute("SELECT count(*) FROM log").fetchone() == (69,)
    with closing(sqlite3.connect(seeded.directory / "cp.db")) as conn:
        assert conn.execute("SELECT count(*) FROM log").fetchone() != (69,)
