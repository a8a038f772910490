"""The keys of people and programs: their form, and the table of all that were ever made.

    ctk_<id>_<secret>_<checksum>     12, 64 and 8 hexadecimal digits

The prefix lets scanners of source code find a key that leaked, the checksum (CRC-32 of what is before it) tells a
mistyped one without asking anybody. The secret has 256 random bits, so that its SHA-256 is all that needs to be
stored. Keys of release 0.1 have the form `<id>.<secret>` and stay good.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from zlib import crc32

from sqlalchemy import (
    DDL,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    event,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from api.http import system_clock
from projections.tables import writing
from tracker.event import stamp
from tracker.visible_text import unseen_in

Role = Literal["reader", "contributor", "monitor", "auditor", "admin"]
"""What a key allows."""

KEY_PREFIX = "ctk_"
"""What every key begins with."""

RESERVED_NAMES = frozenset({"admin", "seed", "import", "cli"})
"""Names in `recorded_by` that stand for no key: what the settings' key and the command line record."""

DEFAULT_OVERLAP = timedelta(days=7)
"""The time for which a key still works after it was replaced."""

KEY_METADATA = MetaData()

KEYS = Table(
    "access_keys",
    KEY_METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
    Column("expires_at", Text),
    Column("replaced_at", Text),
    Column("last_used_on", Text),
    Column("scope", Text),
)
"""Every key that was ever made; one of a name is in force at a time, and beside it those that it replaced.

`scope` is that of `Caller`; a key that replaces another one has the other's.
"""

_ADDED_COLUMNS = ("expires_at", "replaced_at", "last_used_on", "scope")
"""The columns that tables of release 0.1 lack."""

_INDEX_OF_0_1 = "access_keys_in_force"

_IS_CURRENT = KEYS.c.revoked_at.is_(None) & KEYS.c.replaced_at.is_(None)

# One key of a name is current. SQLAlchemy would load the dialect of PostgreSQL for an `Index` with a condition.
_ONE_CURRENT = DDL(  # type: ignore[no-untyped-call]
    "CREATE UNIQUE INDEX IF NOT EXISTS access_keys_current ON access_keys (name)"
    " WHERE revoked_at IS NULL AND replaced_at IS NULL"
)
event.listen(KEYS, "after_create", _ONE_CURRENT)

_CHECKED = re.compile(rf"({KEY_PREFIX}([0-9a-f]{{12}})_[0-9a-f]{{64}}_)([0-9a-f]{{8}})")
_OF_0_1 = re.compile(r"([0-9a-f]{12})\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as it is listed: never the secret, nor its hash. Instants are RFC 3339, `last_used_on` is a day (UTC)."""

    id: str
    name: str
    role: Role
    created_at: str
    expires_at: str | None
    last_used_on: str | None
    replaced_at: str | None
    revoked_at: str | None

    def is_in_force(self, at: datetime) -> bool:
        """Whether the key is accepted at an instant."""
        return self.revoked_at is None and (self.expires_at is None or stamp(at) < self.expires_at)


class KeyRefused(ValueError):
    """The keys cannot be changed so; the message says why."""


def new_key() -> str:
    """A key that nobody has yet."""
    body = f"{KEY_PREFIX}{secrets.token_hex(6)}_{secrets.token_hex(32)}_"
    return f"{body}{_checksum(body)}"


def id_of(key: str) -> str | None:
    """The id in a key; None if it has the form of none, or its checksum tells that it was mistyped."""
    if found := _CHECKED.fullmatch(key):
        return found[2] if found[3] == _checksum(found[1]) else None
    of_0_1 = _OF_0_1.fullmatch(key)
    return None if of_0_1 is None else of_0_1[1]


def hash_of(key: str) -> str:
    """The SHA-256 of a key, by which it is known."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(body: str) -> str:
    return f"{crc32(body.encode()):08x}"


def scope_of(key_id: str) -> str:
    """The scope of the key with this id. No name is equal to it: a name is on one line."""
    return f"key\n{key_id}"


def create_tables(engine: Engine, *, app_role: str | None = None) -> None:
    """Make the table of keys if it is missing, or add what it lacks; on PostgreSQL `app_role` may then change keys."""
    with writing(engine).begin() as conn:
        is_postgres = conn.dialect.name == "postgresql"
        if is_postgres:
            conn.execute(text("SET LOCAL search_path TO public"))
        if inspect(conn).has_table(KEYS.name, schema="public" if is_postgres else None):
            _upgrade(conn, "public" if is_postgres else None)
        KEY_METADATA.create_all(conn)
        if app_role is not None and is_postgres:
            role = conn.dialect.identifier_preparer.quote_identifier(app_role)
            conn.execute(text(f"GRANT SELECT, INSERT, UPDATE ON {KEYS.name} TO {role}"))


def _upgrade(conn: Connection, schema: str | None) -> None:
    """Add the columns and the index that a table of release 0.1 lacks.

    In 0.1 the scope was the name, and stored idempotency keys begin with it: keys of then keep it. One whose name is
    reserved now shared its scope with another recorder, and gets its own.
    """
    there = {column["name"] for column in inspect(conn).get_columns(KEYS.name, schema=schema)}
    missing = [name for name in _ADDED_COLUMNS if name not in there]
    if not missing:
        return
    for name in missing:
        conn.execute(text(f"ALTER TABLE {KEYS.name} ADD COLUMN {name} TEXT"))
    conn.execute(text(f"DROP INDEX IF EXISTS {_INDEX_OF_0_1}"))
    conn.execute(_ONE_CURRENT)
    for key_id, name in conn.execute(select(KEYS.c.id, KEYS.c.name).where(KEYS.c.scope.is_(None))).all():
        scope = scope_of(key_id) if is_reserved(name) else name
        conn.execute(update(KEYS).where(KEYS.c.id == key_id).values(scope=scope))


def is_reserved(name: str) -> bool:
    """Whether a name is, or looks like, one that stands for no key."""
    return unicodedata.normalize("NFKC", name).casefold() in RESERVED_NAMES


def create_key(engine: Engine, name: str, role: str, *, expires_at: datetime | None = None) -> str:
    """Make a key and return it: it is shown once and can never be read again.

    Raises: KeyRefused if a key of this name is in force, or the name, the role or the end cannot be.
    """
    if role not in get_args(Role):
        raise KeyRefused(f"no role is called {role!r}; it is one of {', '.join(get_args(Role))}")
    _must_be_name(name)
    now, key = system_clock.now(), new_key()
    _must_be_ahead(expires_at, now)
    try:
        with writing(engine).begin() as conn:
            ended = KEYS.c.revoked_at.is_(None) & (KEYS.c.name == name) & (KEYS.c.expires_at <= stamp(now))
            conn.execute(update(KEYS).where(ended).values(revoked_at=KEYS.c.expires_at))
            conn.execute(insert(KEYS).values(**_row(key, name, role, now, expires_at)))
    except IntegrityError:
        raise KeyRefused(f"a key named {name!r} is in force; revoke it first, or choose another name") from None
    return key


def rotate_key(engine: Engine, name: str, *, overlap: timedelta = DEFAULT_OVERLAP) -> str:
    """Make a key that replaces the one of this name, and return it; the other one works on for `overlap`.

    The new key has the name, the role and the scope of the other, and its lifetime if that expires.

    Raises: KeyRefused if none is in force.
    """
    now, key = system_clock.now(), new_key()
    with writing(engine).begin() as conn:
        columns = (KEYS.c.id, KEYS.c.role, KEYS.c.created_at, KEYS.c.expires_at, KEYS.c.scope)
        old = conn.execute(select(*columns).where(_IS_CURRENT, KEYS.c.name == name)).one_or_none()
        if old is None or (old.expires_at is not None and old.expires_at <= stamp(now)):
            raise KeyRefused(f"no key named {name!r} is in force")
        expires_at = None
        if old.expires_at is not None:
            expires_at = now + (datetime.fromisoformat(old.expires_at) - datetime.fromisoformat(old.created_at))
        ends = stamp(now + overlap)
        ends = ends if old.expires_at is None else min(ends, old.expires_at)
        conn.execute(update(KEYS).where(KEYS.c.id == old.id).values(replaced_at=stamp(now), expires_at=ends))
        conn.execute(insert(KEYS).values(**_row(key, name, old.role, now, expires_at, old.scope)))
    return key


def _row(
    key: str, name: str, role: str, now: datetime, expires_at: datetime | None, scope: str | None = None
) -> dict[str, str | None]:
    key_id = str(id_of(key))
    return {
        "id": key_id,
        "name": name,
        "role": role,
        "sha256": hash_of(key),
        "created_at": stamp(now),
        "expires_at": None if expires_at is None else stamp(expires_at),
        "scope": scope or scope_of(key_id),
    }


def _must_be_name(name: str) -> None:
    if (character := unseen_in(name)) is not None:
        raise KeyRefused(f"{character} does not belong into a name: it is not seen on one line")
    if not 1 <= len(name) <= 64 or name != name.strip():
        raise KeyRefused("a name is 1 to 64 characters on one line, without spaces around it")
    if is_reserved(name):
        raise KeyRefused(f"the name {name!r} is reserved, as are {', '.join(sorted(RESERVED_NAMES))}; choose another")


def _must_be_ahead(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise KeyRefused(f"the key would have expired already, at {stamp(expires_at)}")


def list_keys(engine: Engine) -> list[AccessKey]:
    """All keys, those out of force too, oldest first."""
    with engine.connect() as conn:
        columns = (
            *(KEYS.c.id, KEYS.c.name, KEYS.c.role, KEYS.c.created_at, KEYS.c.expires_at, KEYS.c.last_used_on),
            *(KEYS.c.replaced_at, KEYS.c.revoked_at),
        )
        rows = conn.execute(select(*columns).order_by(KEYS.c.created_at, KEYS.c.id))
        return [AccessKey(*row) for row in rows]


def stored_keys(engine: Engine) -> list[dict[str, str | None]]:
    """All rows of the table of keys, with the hashes of the keys: for a move to another store."""
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id)).mappings()]


def put_keys(engine: Engine, rows: Sequence[Mapping[str, str | None]]) -> None:
    """Put rows of another store's table of keys here, those that are not here yet."""
    with writing(engine).begin() as conn:
        here = set(conn.scalars(select(KEYS.c.id)))
        if new := [dict(row) for row in rows if row["id"] not in here]:
            conn.execute(insert(KEYS), new)


def revoke_key(engine: Engine, name: str) -> None:
    """Take the key of this name out of force, and those that it replaced.

    Raises: KeyRefused if none is in force.
    """
    in_force = KEYS.c.revoked_at.is_(None)
    with writing(engine).begin() as conn:
        revoked = update(KEYS).where(KEYS.c.name == name, in_force).values(revoked_at=stamp(system_clock.now()))
        if conn.execute(revoked).rowcount == 0:
            raise KeyRefused(f"no key named {name!r} is in force")


def note_uses(engine: Engine, days: dict[str, str]) -> None:
    """Keep the day on which each key, by its id, was used last."""
    with writing(engine).begin() as conn:
        for key_id, day in days.items():
            is_news = KEYS.c.last_used_on.is_(None) | (KEYS.c.last_used_on < day)
            conn.execute(update(KEYS).where(KEYS.c.id == key_id, is_news).values(last_used_on=day))
