"""Setting up with the command `tracker`: tables, the seed, keys, and the role of the app."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, text
from sqlalchemy.exc import IntegrityError

from api.cli.stores import make_tables
from api.http.access_keys import KEYS
from projections.queries import TIMELINE
from projections.tables import STATE, create_tables, open_engine
from tests.support.shell import Shell, with_tables


def test_init_can_be_run_again(shell: Shell) -> None:
    assert shell.run("init").stderr == "The tables are there.\n"
    assert shell.head() == 68


KEY = {"name": "desk", "role": "reader", "sha256": "", "created_at": ""}
SET = {"name": TIMELINE, "version": "", "position": 0, "active": True}


@pytest.mark.parametrize(
    ("table", "rows"),
    [(KEYS, [{**KEY, "id": "1"}, {**KEY, "id": "2"}]), (STATE, [{**SET, "set": 2}, {**SET, "set": 3}])],
    ids=["one key of a name is current", "one set of a name answers"],
)
def test_no_second_row_is_in_force(database_url: str, table: Table, rows: list[dict[str, object]]) -> None:
    engine = open_engine(database_url)
    for _ in range(2):
        make_tables(engine)
        create_tables(engine, TIMELINE, "")
    with engine.begin() as conn:
        conn.execute(table.delete())
        conn.execute(insert(table), rows[0])
    with pytest.raises(IntegrityError), engine.begin() as conn:
        conn.execute(insert(table), rows[1])
    engine.dispose()


def test_the_seed_is_loaded_once(empty: Shell) -> None:
    assert empty.run("seed").stderr == "68 facts on 12 pledges recorded.\n"
    again = empty.run("seed")
    assert again.stderr == "The seed is loaded already: 68 facts on 12 pledges. Nothing was changed.\n"
    assert empty.head() == 68
    with empty.log() as log:
        assert {row.key for row in log.read()} == {log.read()[0].key}


def test_a_seed_that_has_grown_adds_what_is_new(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    line = {
        "pledge": "nato-ukraine-2024",
        "fact": {"type": "StatementMade", "stated_on": "2025-07-01", "source": {"publisher": "P", "tier": "media"}},
    }
    grown = shell.write("z.ndjson", json.dumps(line))
    seeds = [file for file in files("seeds").iterdir() if file.name.endswith(".ndjson")]
    monkeypatch.setattr("seeds.seed_files", lambda: (*seeds, grown))
    assert shell.run("seed").stderr == "1 facts on 12 pledges recorded.\n"
    assert shell.head() == 69


# --- keys


def test_a_key_is_printed_once_and_alone(empty: Shell) -> None:
    result = empty.run("keys", "create", "--name", "desk", "--role", "monitor")
    key = result.stdout.splitlines()[-1]
    assert re.fullmatch(r"\S{40,}", key)
    assert key not in empty.run("keys", "list").stdout
    assert "in force" in empty.run("keys", "create", "--name", "desk", "--role", "reader", code=1).stderr
    assert empty.run("keys", "revoke", "desk").stderr == "The key of desk is revoked.\n"
    assert "no key named 'desk' is in force" in empty.run("keys", "revoke", "desk", code=1).stderr
    assert re.search(r"^desk +monitor +\S+ +— +— +\d{4}-", empty.run("keys", "list").stdout, flags=re.M)


# --- roles


def test_the_app_role_may_do_its_work_and_never_change_the_record(
    postgres_url: str, postgres_server_url: str, tmp_path: Path
) -> None:
    owner = with_tables(postgres_url, tmp_path)
    owner.run("seed")
    owner.run("status")
    owner.run("log", "export", tmp_path / "before")  # it signs, so the tables of the ledger are the owner's
    role = f"app_{tmp_path.name.replace('-', '_')[:40]}".lower()
    engine = open_engine(postgres_url)
    with engine.begin() as conn:
        conn.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'x'"))
        conn.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    for _ in range(2):
        assert role in owner.run("init", TRACKER_APP_ROLE=role).stderr
    app = Shell(re.sub(r"//[^@/]*@?", f"//{role}:x@", postgres_url, count=1), tmp_path)
    try:
        app.run("seed")
        app.run("status")
        app.run("rebuild")
        app.run("replay", "--compare")
        app.run("log", "export", tmp_path / "public")
        app.run("keys", "create", "--name", "desk", "--role", "monitor")
        refused = open_engine(app.url)
        for statement in ("DELETE FROM tracker_events_log", "UPDATE tracker_events SET state = state"):
            with pytest.raises(Exception, match="permission denied"), refused.begin() as conn:
                conn.execute(text(statement))
        refused.dispose()
    finally:
        with engine.begin() as conn:
            conn.execute(text(f"DROP OWNED BY {role}"))
            conn.execute(text(f"DROP ROLE {role}"))
        engine.dispose()
