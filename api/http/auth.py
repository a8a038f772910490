"""Who may do what, decided in one place for every route.

Keys in force are held in memory and read anew at least every second: a revoked key is refused within a second in every
process, and no request waits for a database to have its key checked, be it good or not.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from datetime import datetime
from math import inf
from threading import Lock
from typing import NamedTuple, get_args

from pydantic import SecretStr
from sqlalchemy import Engine, select

from api.http import system_clock
from api.http.access_keys import KEYS, Role, hash_of, id_of, note_uses
from api.http.contract import Needs
from api.http.problems import Forbidden, Unauthorized
from tracker.errors import Unavailable
from tracker.log.away import READ_SECONDS

MAX_KEY_AGE_SECONDS = 0.9
"""Seconds for which the keys in memory count as current."""

KEY_REFRESH_SECONDS = 0.4
"""Seconds between two reads of the keys from the database."""

ADMIN_NAME = "admin"
"""`recorded_by` of what the key in the settings records, and its scope."""

_ROLES_FOR: dict[Needs, frozenset[Role]] = {
    "reader": frozenset(get_args(Role)),
    "contributor": frozenset({"contributor", "monitor", "admin"}),
    "monitor": frozenset({"monitor", "admin"}),
    "auditor": frozenset({"auditor", "admin"}),
    "auditor or monitor": frozenset({"auditor", "monitor", "admin"}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key: the name, which becomes `recorded_by`, and the role.

    `scope` is what idempotency and rates are counted under: a name that was revoked and given again has another one.
    """

    name: str
    role: Role
    scope: str


class _KnownKey(NamedTuple):
    sha256: str
    caller: Caller
    expires_at: datetime | None
    last_used_on: str


class KeyRing:
    """The keys in force, in memory. It MUST NOT answer from keys read more than `MAX_KEY_AGE_SECONDS` ago."""

    def __init__(self, engine: Engine, admin_key: SecretStr | None, *, notes_uses: bool = True) -> None:
        self._engine = engine
        self._notes_uses = notes_uses
        self._admin = None if admin_key is None else hash_of(admin_key.get_secret_value())
        self._keys: dict[str, _KnownKey] = {}
        self._used_on: dict[str, str] = {}
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
                columns = (KEYS.c.id, KEYS.c.sha256, KEYS.c.name, KEYS.c.role, KEYS.c.scope, KEYS.c.expires_at)
                in_force = select(*columns, KEYS.c.last_used_on).where(KEYS.c.revoked_at.is_(None))
                rows = conn.execute(in_force).all()
            self._keys = {
                row.id: _KnownKey(
                    row.sha256,
                    Caller(row.name, row.role, row.scope or row.name),
                    None if row.expires_at is None else datetime.fromisoformat(row.expires_at),
                    row.last_used_on or "",
                )
                for row in rows
            }
            self._read_at = before
        finally:
            self._read_lock.release()

    def note_uses(self) -> None:
        """Keep the day on which keys were used, once a day and key; never called while a request waits."""
        keys = self._keys if self._notes_uses else {}
        news = {id_: day for id_, day in list(self._used_on.items()) if id_ in keys and keys[id_].last_used_on < day}
        if not news:
            return
        note_uses(self._engine, news)
        with self._read_lock:  # the keys may have been read again meanwhile
            noted = {id_: self._keys[id_]._replace(last_used_on=day) for id_, day in news.items() if id_ in self._keys}
            self._keys = self._keys | noted

    def is_current(self) -> bool:
        """Whether the keys may be answered from without reading them again."""
        return self.age <= MAX_KEY_AGE_SECONDS

    def is_admin(self, key: str) -> bool:
        """Whether it is the key of the settings, which no database knows."""
        return self._admin is not None and hmac.compare_digest(self._admin, hash_of(key))

    def caller(self, key: str) -> Caller:
        """The holder of a key.

        Raises: Unauthorized if it is not known, mistyped, revoked or has expired.
        """
        if self.is_admin(key):
            return Caller(ADMIN_NAME, "admin", ADMIN_NAME)
        key_id = id_of(key)
        if key_id is None:
            raise Unauthorized("this is no key, or it was mistyped", error="invalid_token")
        known = self._keys.get(key_id)
        if known is None or not hmac.compare_digest(known.sha256, hash_of(key)):
            raise Unauthorized("the key is not known, or it is revoked", error="invalid_token")
        now = system_clock.now()
        if known.expires_at is not None and now >= known.expires_at:
            raise Unauthorized(f"the key has expired, on {known.expires_at.date()}", error="invalid_token")
        self._used_on[key_id] = now.date().isoformat()
        return known.caller


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
