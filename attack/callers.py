"""Who asks: nobody, a key of every role, and keys that are in force no more or never were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, get_args

from sqlalchemy import update

from api.http.access_keys import KEYS, Role, create_key, id_of, new_key, revoke_key
from projections.tables import open_engine
from tests.support.routes import Route
from tracker.event import stamp

MAY: dict[str, frozenset[str]] = {
    "reader": frozenset({"reader"}),
    "contributor": frozenset({"reader", "contributor"}),
    "auditor": frozenset({"reader", "auditor"}),
    "monitor": frozenset({"reader", "contributor", "monitor"}),
    "admin": frozenset({"reader", "contributor", "auditor", "monitor", "admin"}),
}
"""What each role may do, told here once more and not asked of the product."""


class Caller(NamedTuple):
    """One who asks. `role` is that of a key in force; without one the key is none, or refused."""

    name: str
    key: str | None = None
    role: str | None = None

    def may(self, route: Route, *, public_read: bool) -> bool:
        """Whether the route is for this caller."""
        if route.role is None:
            return True
        if self.key is None:
            return public_read and route.role == "reader" and not route.keyed
        return self.role is not None and not MAY[self.role].isdisjoint(route.role.split(" or "))

    @property
    def refusal(self) -> int:
        """The status with which a route that is not for this caller refuses it."""
        return 403 if self.role is not None else 401


def callers(database_url: str) -> list[Caller]:
    """All callers, their keys made in the store: those without a key in force first."""
    engine = open_engine(database_url)
    try:
        revoked = create_key(engine, "revoked", "admin")
        revoke_key(engine, "revoked")
        expired = create_key(engine, "expired", "admin", expires_at=datetime.now(UTC) + timedelta(days=1))
        with engine.begin() as conn:
            ended = stamp(datetime.now(UTC) - timedelta(minutes=1))
            conn.execute(update(KEYS).where(KEYS.c.id == id_of(expired)).values(expires_at=ended))
        return [
            Caller("no key"),
            Caller("made-up key", new_key()),
            Caller("revoked key", revoked),
            Caller("expired key", expired),
            *(Caller(role, create_key(engine, f"a-{role}", role), role) for role in get_args(Role)),
        ]
    finally:
        engine.dispose()
