"""Keys and roles: who may do what, decided in one place for every route.

A key is `<id>.<secret>` with 256 random bits in the secret, so that its SHA-256 is all that needs to be stored. Keys in
force are held in memory and read anew at least every second: a revoked key is refused within a second in every process,
and no request waits for a database to have its key checked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from threading import Lock
from typing import get_args

from pydantic import SecretStr
from sqlalchemy import Column, Engine, Index, MetaData, Table, Text, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from api.http.contract import Needs, Role
from api.http.problems import Forbidden, Unauthorized
from projections.tables import writing
from tracker.errors import Unavailable
from tracker.event import stamp
from tracker.log.away import READ_SECONDS

MAX_KEY_AGE_SECONDS = 0.9
"""Seconds for which the keys in memory count as current."""

KEY_REFRESH_SECONDS = 0.4
"""Seconds between two reads of the keys from the database."""

ADMIN_NAME = "admin"
"""`recorded_by` of what the key in the settings records."""

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
)
"""Every key that was ever made. One of a name is in force at a time."""

Index(
    "access_keys_in_force",
    KEYS.c.name,
    unique=True,
    sqlite_where=KEYS.c.revoked_at.is_(None),
    postgresql_where=KEYS.c.revoked_at.is_(None),
)

_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\s\x00-\x1f\x7f])?")
_ROLES_FOR: dict[Needs, frozenset[Role]] = {
    "reader": frozenset(get_args(Role)),
    "monitor": frozenset({"monitor", "admin"}),
    "auditor": frozenset({"auditor", "admin"}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key: the name, which becomes `recorded_by`, and the role."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as it is listed: never the secret, nor its hash."""

    id: str
    name: str
    role: Role
    created_at: str
    revoked_at: str | None


class KeyRefused(ValueError):
    """The keys cannot be changed so; the message says why."""


def create_tables(engine: Engine, *, app_role: str | None = None) -> None:
    """Make the table of keys if it is missing; on PostgreSQL in `public`, and let `app_role` add and revoke keys."""
    with writing(engine).begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL search_path TO public"))
        KEY_METADATA.create_all(conn)
        if app_role is not None and conn.dialect.name == "postgresql":
            role = conn.dialect.identifier_preparer.quote_identifier(app_role)
            conn.execute(text(f"GRANT SELECT, INSERT, UPDATE ON {KEYS.name} TO {role}"))


def create_key(engine: Engine, name: str, role: str) -> str:
    """Make a key and return it: it is shown once and can never be read again.

    Raises: KeyRefused if a key of this name is in force, or the name or role cannot be.
    """
    if role not in get_args(Role):
        raise KeyRefused(f"no role is called {role!r}; it is one of {', '.join(get_args(Role))}")
    if not _NAME.fullmatch(name):
        raise KeyRefused("a name is 1 to 64 characters on one line, without spaces around it")
    key = f"{secrets.token_hex(6)}.{secrets.token_urlsafe(32)}"
    row = {"id": _id(key), "name": name, "role": role, "sha256": _hash(key), "created_at": stamp(datetime.now(UTC))}
    try:
        with writing(engine).begin() as conn:
            conn.execute(insert(KEYS).values(**row))
    except IntegrityError:
        raise KeyRefused(f"a key named {name!r} is in force; revoke it first, or choose another name") from None
    return key


def list_keys(engine: Engine) -> list[AccessKey]:
    """All keys, those revoked too, oldest first."""
    with engine.connect() as conn:
        columns = (KEYS.c.id, KEYS.c.name, KEYS.c.role, KEYS.c.created_at, KEYS.c.revoked_at)
        rows = conn.execute(select(*columns).order_by(KEYS.c.created_at, KEYS.c.id))
        return [AccessKey(*row) for row in rows]


def revoke_key(engine: Engine, name: str) -> None:
    """Take the key of this name out of force.

    Raises: KeyRefused if none is in force.
    """
    in_force = KEYS.c.revoked_at.is_(None)
    with writing(engine).begin() as conn:
        revoked = update(KEYS).where(KEYS.c.name == name, in_force).values(revoked_at=stamp(datetime.now(UTC)))
        if conn.execute(revoked).rowcount == 0:
            raise KeyRefused(f"no key named {name!r} is in force")


class KeyRing:
    """The keys in force, in memory. It MUST NOT answer from keys read more than `MAX_KEY_AGE_SECONDS` ago."""

    def __init__(self, engine: Engine, admin_key: SecretStr | None) -> None:
        self._engine = engine
        self._admin = None if admin_key is None else _hash(admin_key.get_secret_value())
        self._keys: dict[str, tuple[str, Caller]] = {}
        self._read_at: float | None = None
        self._read_lock = Lock()

    @property
    def age(self) -> float:
        """Seconds since the keys were read."""
        return float("inf") if self._read_at is None else time.monotonic() - self._read_at

    def refresh(self, older_than: float = 0.0, since: float = inf) -> None:
        """Read the keys again if they are older than `older_than` seconds and were not read since `since`.

        `since` is an instant of the monotonic clock.

        Raises: Unavailable if another thread is reading them and gets no answer either.
        """
        if not self._read_lock.acquire(timeout=READ_SECONDS):
            raise Unavailable("the keys cannot be read: the store does not answer those who ask already")
        try:
            if self.age < older_than or (self._read_at is not None and self._read_at >= since):
                return
            before = time.monotonic()
            with self._engine.connect() as conn:
                columns = (KEYS.c.id, KEYS.c.sha256, KEYS.c.name, KEYS.c.role)
                rows = conn.execute(select(*columns).where(KEYS.c.revoked_at.is_(None))).all()
            self._keys = {id_: (sha256, Caller(name, role)) for id_, sha256, name, role in rows}
            self._read_at = before
        finally:
            self._read_lock.release()

    def is_current(self) -> bool:
        """Whether the keys may be answered from without reading them again."""
        return self.age <= MAX_KEY_AGE_SECONDS

    def is_admin(self, key: str) -> bool:
        """Whether it is the key of the settings, which no database knows."""
        return self._admin is not None and hmac.compare_digest(self._admin, _hash(key))

    def caller(self, key: str) -> Caller:
        """The holder of a key.

        Raises: Unauthorized if it is not known, or revoked.
        """
        if self.is_admin(key):
            return Caller(ADMIN_NAME, "admin")
        sha256, caller = self._keys.get(_id(key), ("", None))
        if not hmac.compare_digest(sha256, _hash(key)) or caller is None:
            raise Unauthorized("the key is not known, or it is revoked", error="invalid_token")
        return caller


def bearer(authorization: bytes) -> str:
    """The key in an `Authorization` header.

    Raises: Unauthorized if the header holds something else.
    """
    scheme, _, key = authorization.decode("latin-1").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise Unauthorized("the key goes into the header `Authorization: Bearer <key>`", error="invalid_request")
    return key


def must_allow(caller: Caller | None, needs: Needs, *, public_read: bool) -> None:
    """Check that the caller may use a route.

    Raises: Unauthorized if there is no key and one is needed; Forbidden if its role is another one.
    """
    if needs == "open" or (needs == "reader" and public_read):
        return
    if caller is None:
        raise Unauthorized("this needs a key: `Authorization: Bearer <key>`")
    if caller.role not in _ROLES_FOR[needs]:
        raise Forbidden(f"this needs the role {needs}; the key {caller.name!r} has the role {caller.role}")


def _id(key: str) -> str:
    return key.partition(".")[0]


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
