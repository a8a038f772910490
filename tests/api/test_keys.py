"""Keys over their life: their form, their end, their replacement, their scope, their last use, and failed ones."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from api.http.access_keys import (
    KEYS,
    RESERVED_NAMES,
    KeyRefused,
    create_key,
    create_tables,
    hash_of,
    id_of,
    list_keys,
    new_key,
    revoke_key,
    rotate_key,
)
from api.http.auth import KeyRing
from api.http.limits import FailedKeyLimit
from api.http.problems import RateLimited, Unauthorized
from projections.tables import open_engine, writing
from tests.support.api import ADMIN, Api, made, prepare, problem, running, statement
from tests.support.shell import with_tables
from tests.support.waiting import wait_until


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with its tables."""
    prepare(database_url)
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def ring(engine: Engine) -> KeyRing:
    """The keys as they are now."""
    keys = KeyRing(engine, None)
    keys.refresh()
    return keys


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is asked of the table of keys."""
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if KEYS.name in sql:
            asked.append(sql)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


# --- the form


def test_a_key_is_found_by_scanners_and_knows_itself() -> None:
    key = new_key()
    assert re.fullmatch(r"ctk_[0-9a-f]{12}_[0-9a-f]{64}_[0-9a-f]{8}", key)
    assert id_of(key) == key.split("_")[1]
    assert id_of("0123456789ab." + "x" * 43) == "0123456789ab"


@given(st.data())
def test_a_mistyped_key_is_known_by_its_checksum(data: st.DataObject) -> None:
    key = new_key()
    at = data.draw(st.integers(0, len(key) - 1))
    character = data.draw(st.sampled_from("0123456789abcdef_x"))
    mistyped = key[:at] + character + key[at + 1 :]
    assert id_of(mistyped) is None or mistyped == key
    assert id_of(key[:-1]) is id_of(key + "0") is None


def test_names_that_stand_for_something_else_are_reserved(engine: Engine) -> None:
    for name in (*RESERVED_NAMES, "Admin", "ｓｅｅｄ"):
        with pytest.raises(KeyRefused, match="is reserved, as are admin, cli, import, seed"):
            create_key(engine, name, "monitor")
    for name, character in (("a\u202eb", "U+202E"), ("a\u200bb", "U+200B"), ("a\x9bb", "U+009B"), ("a\nb", "U+000A")):
        with pytest.raises(KeyRefused, match=re.escape(character)):
            create_key(engine, name, "monitor")


# --- the end


def test_a_key_expires(engine: Engine) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with freeze_time(start, real_asyncio=True) as clock:
        key = create_key(engine, "alice", "monitor", expires_at=start + timedelta(days=90))
        keys = ring(engine)
        clock.tick(timedelta(days=90, seconds=-1))
        assert keys.caller(key).name == "alice"
        clock.tick(timedelta(seconds=1))
        with pytest.raises(Unauthorized, match="the key has expired, on 2026-05-30"):
            keys.caller(key)
        again = create_key(engine, "alice", "reader")
        assert ring(engine).caller(again).role == "reader"
        with pytest.raises(KeyRefused, match="would have expired already"):
            create_key(engine, "bob", "reader", expires_at=start)


def test_a_replaced_key_works_on_for_a_while(engine: Engine) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with freeze_time(start, real_asyncio=True) as clock:
        old = create_key(engine, "alice", "auditor")
        new = rotate_key(engine, "alice", overlap=timedelta(days=7))
        keys = ring(engine)
        assert keys.caller(old) == keys.caller(new)
        with pytest.raises(KeyRefused, match="in force"):
            create_key(engine, "alice", "reader")
        clock.tick(timedelta(days=7))
        with pytest.raises(Unauthorized, match="expired"):
            keys.caller(old)
        assert keys.caller(new).role == "auditor"
        newest = rotate_key(engine, "alice")
        revoke_key(engine, "alice")
        keys = ring(engine)
        for key in (old, new, newest):
            with pytest.raises(Unauthorized):
                keys.caller(key)
        with pytest.raises(KeyRefused, match="no key named"):
            rotate_key(engine, "alice")


def test_a_replacement_lasts_as_long_as_its_key_and_never_extends_it(engine: Engine) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with freeze_time(start, real_asyncio=True) as clock:
        create_key(engine, "alice", "reader", expires_at=start + timedelta(days=30))
        clock.tick(timedelta(days=28))
        rotate_key(engine, "alice")
        ends = {key.replaced_at is not None: key.expires_at for key in list_keys(engine)}
        assert ends == {True: "2026-03-31T00:00:00.000000Z", False: "2026-04-28T00:00:00.000000Z"}


# --- the scope


def test_idempotency_belongs_to_the_key_not_to_its_name(api: Api) -> None:
    engine, keys = api.services.engine, api.services.keys
    body = {"pledge": "x", "fact": made()}

    def post(key: str) -> Any:
        return api.post("/v1/pledges", body, headers={**bearer(key), "Idempotency-Key": "k"})

    alice = create_key(engine, "alice", "monitor")
    keys.refresh()
    assert post(alice).status_code == 201
    replacement = rotate_key(engine, "alice")
    keys.refresh()
    for key in (alice, replacement):
        assert post(key).headers["idempotency-replayed"] == "true"
    revoke_key(engine, "alice")
    another = create_key(engine, "alice", "monitor")
    keys.refresh()
    problem(post(another), 409, "pledge_exists")


def test_rates_belong_to_the_key_not_to_its_name(sqlite_url: str) -> None:
    with running(sqlite_url, rate_limit=1) as api:
        api.open()
        engine, keys = api.services.engine, api.services.keys
        for _ in range(2):
            key = create_key(engine, "alice", "monitor")
            keys.refresh()
            statuses = [
                api.post("/v1/pledges/aid-2024/events", statement(), headers=bearer(key)).status_code for _ in "12"
            ]
            assert statuses == [201, 429]
            revoke_key(engine, "alice")


# --- the table of release 0.1

TABLE_OF_0_1 = """CREATE TABLE access_keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, sha256 TEXT NOT NULL, created_at TEXT NOT NULL,
    revoked_at TEXT)"""
INDEX_OF_0_1 = "CREATE UNIQUE INDEX access_keys_in_force ON access_keys (name) WHERE revoked_at IS NULL"


def test_the_table_of_0_1_is_upgraded_and_its_keys_stay_good_in_their_scope(engine: Engine) -> None:
    old = {name: f"{number:012x}.{'s' * 43}" for number, name in enumerate(("alice", "admin", "gone"))}
    with writing(engine).begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL search_path TO public"))
        conn.execute(text("DROP TABLE access_keys"))
        conn.execute(text(TABLE_OF_0_1))
        conn.execute(text(INDEX_OF_0_1))
        for name, key in old.items():
            row = {"id": id_of(key), "name": name, "sha256": hash_of(key), "gone": "2026" if name == "gone" else None}
            conn.execute(text("INSERT INTO access_keys VALUES (:id, :name, 'monitor', :sha256, '2025', :gone)"), row)
    create_tables(engine)
    create_tables(engine)
    keys = ring(engine)
    assert keys.caller(old["alice"]).scope == "alice"
    assert keys.caller(old["admin"]).scope == "key\n000000000001"
    with pytest.raises(Unauthorized):
        keys.caller(old["gone"])
    rotated = rotate_key(engine, "alice")
    assert ring(engine).caller(rotated).scope == "alice"
    assert len(list_keys(engine)) == 4


# --- the last use


def test_the_last_use_is_kept_by_day_and_written_once(engine: Engine) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with freeze_time(start, real_asyncio=True) as clock:
        key = create_key(engine, "alice", "reader")
        keys = ring(engine)
        with statements(engine) as asked:
            for _ in range(3):
                keys.caller(key)
            assert asked == []
            for _ in range(3):
                keys.note_uses()
            assert len(asked) == 1
            keys.refresh()
            keys.note_uses()
            assert len(asked) == 2
        assert [one.last_used_on for one in list_keys(engine)] == ["2026-03-01"]
        clock.tick(timedelta(days=1))
        keys.caller(key)
        keys.note_uses()
        assert [one.last_used_on for one in list_keys(engine)] == ["2026-03-02"]


def test_a_server_notes_the_last_use(api: Api) -> None:
    key = create_key(api.services.engine, "alice", "reader")
    api.services.keys.refresh()
    api.get("/v1/pledges", headers=bearer(key))
    wait_until(lambda: list_keys(api.services.engine)[0].last_used_on is not None)


# --- failed keys


def test_a_failed_key_costs_no_read_of_the_table(lite: Api) -> None:
    lite.services.follower.stop()
    lite.services.keys.refresh()
    with statements(lite.services.engine) as asked:
        for key in (new_key(), "0123456789ab." + "x" * 43, new_key()[:-1], "nonsense"):
            problem(lite.get("/v1/pledges", headers=bearer(key)), 401, "unauthorized")
    assert asked == []


def test_failed_keys_are_limited_by_address_and_good_ones_are_not(sqlite_url: str) -> None:
    with running(sqlite_url, failed_key_limit=3) as api:
        good = create_key(api.services.engine, "alice", "reader")
        api.services.keys.refresh()
        failed = [api.get("/v1/pledges", headers=bearer(new_key())) for _ in range(5)]
        assert [answer.status_code for answer in failed] == [401, 401, 401, 429, 429]
        problem(failed[-1], 429, "rate_limited")
        assert 1 <= int(failed[-1].headers["retry-after"]) <= 60
        for key in (good, ADMIN):
            assert api.get("/v1/pledges", headers=bearer(key)).status_code == 200
        assert api.get("/v1/summary").status_code == 200
    with running(sqlite_url, failed_key_limit=0) as api:
        for _ in range(100):
            assert api.get("/v1/pledges", headers=bearer("x")).status_code == 401


def test_each_address_has_a_minute_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("api.http.windows.time.monotonic", lambda: clock[0])
    limit = FailedKeyLimit(1)
    limit.count("192.0.2.1")
    limit.count("192.0.2.2")
    with pytest.raises(RateLimited):
        limit.count("192.0.2.1")
    clock[0] = 160.0
    limit.count("192.0.2.1")


# --- the command


def test_the_command_makes_replaces_lists_and_revokes(database_url: str, tmp_path: Path) -> None:
    shell = with_tables(database_url, tmp_path)
    made_ = shell.run("keys", "create", "--name", "desk", "--role", "monitor", "--expires", "2999-12-30")
    assert "It works until 2999-12-31T00:00:00Z." in made_.stderr
    assert id_of(made_.stdout.strip())
    rotated = shell.run("keys", "rotate", "desk", "--overlap", "2d")
    assert id_of(rotated.stdout.strip()) not in (None, id_of(made_.stdout.strip()))
    assert "The old one works until " in rotated.stderr
    shell.run("keys", "create", "--name", "partner", "--role", "reader", "--expires", "90d")
    listed = shell.run("keys", "list").stdout.splitlines()
    assert listed[0].split() == ["name", "role", "created", "expires", "last", "used", "revoked"]
    assert len(listed) == 4
    assert sum("(replaced)" in line for line in listed) == 1
    shell.run("keys", "revoke", "desk")
    assert "no key named 'desk' is in force" in shell.run("keys", "rotate", "desk", code=1).stderr
    for wrong in ("2026-02-30", "x", "99999999d", "2020-01-01"):
        code = 1 if wrong == "2020-01-01" else 2
        shell.run("keys", "create", "--name", "x", "--role", "reader", "--expires", wrong, code=code)
