"""Webhooks: who is told of what, and the messages that are on their way. Two tables beside the log.

`webhooks`            an address with its filter, its secrets, and how far the log was read for it
`webhook_deliveries`  one message to one webhook: what it tells, the attempts, and how the last one went

A message holds no text of a fact: its body is made when it is sent, so that what is withheld by then is in none. The
messages of some events and the position that was read for them are written in one transaction.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    delete,
    exists,
    insert,
    select,
    text,
    update,
)

from projections.queries import Filters
from projections.tables import BigIntColumn, TextColumn, writing
from tracker.event import stamp

What = Literal["events", "statuses", "both"]
"""What a webhook is told of."""

State = Literal["pending", "delivered", "failed"]
"""A message waits for its next attempt, was taken, or is not tried any more."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - what all of them begin with
"""What a secret begins with, as Standard Webhooks have it; base64 of its bytes follows."""

SECRET_BYTES = 32
"""Random bytes of a secret."""

MAX_WEBHOOKS = 100
"""Webhooks in force, at most: each is read for by one process."""

KEPT_DAYS = 30
"""Days for which a message is kept in the list of deliveries after its end."""

METADATA = MetaData()

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("types", Text, nullable=False),  # a JSON list of types of facts; empty for all
    Column("filters", Text, nullable=False),  # a JSON object of `Filters`' members
    Column("secrets", Text, nullable=False),  # a JSON list of [secret, end or null], the newest first
    Column("created_at", Text, nullable=False),
    Column("disabled", Text),  # why nothing is sent any more
    Column("log", Text, nullable=False),
    Column("position", BigIntColumn, nullable=False),
    Column("day", Text, nullable=False),
)
"""`position` is how far log `log` was read for a webhook, `day` the last day whose changes were."""

DELIVERIES = Table(
    "webhook_deliveries",
    METADATA,
    Column("webhook", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", BigIntColumn, nullable=False),
    Column("pledge", Text, nullable=False),
    Column("event_id", Text),
    Column("as_of", Text),  # of a change of status, and the statuses
    Column("status_before", Text),
    Column("status_after", Text),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", TextColumn, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", TextColumn, nullable=False),
    Column("ended_at", TextColumn),
)

Index("webhook_deliveries_due", DELIVERIES.c.webhook, DELIVERIES.c.state, DELIVERIES.c.next_at)


class WebhookRefused(ValueError):
    """The webhooks cannot be changed so; the message says why."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of what. `secrets` are those that sign now, the newest first."""

    id: str
    url: str
    what: What
    types: tuple[str, ...]
    filters: Filters
    secrets: tuple[str, ...] = field(repr=False)
    created_at: str
    disabled: str | None
    log: str
    position: int
    day: date


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook. Of an event `event_id` alone is set; a change of status has its day and statuses,
    and the event that made it known if one did. Instants are RFC 3339; `answer` tells how the last attempt went."""

    webhook: str
    id: str
    position: int
    pledge: str
    event_id: str | None
    as_of: str | None
    status_before: str | None
    status_after: str | None
    state: State
    attempts: int
    next_at: str
    answer: str
    created_at: str
    ended_at: str | None


def create_tables(engine: Engine, *, app_role: str | None = None) -> None:
    """Make the tables if they are missing; on PostgreSQL `app_role` may then change what is in them."""
    with writing(engine).begin() as conn:
        is_postgres = conn.dialect.name == "postgresql"
        if is_postgres:
            conn.execute(text("SET LOCAL search_path TO public"))
        METADATA.create_all(conn)
        if app_role is not None and is_postgres:
            role = conn.dialect.identifier_preparer.quote_identifier(app_role)
            names = ", ".join(METADATA.tables)
            conn.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {names} TO {role}"))


def new_secret() -> str:
    """A secret that nobody has yet."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def add_webhook(
    engine: Engine, url: str, what: What, types: Sequence[str], given: Filters, now: datetime, log: str, position: int
) -> tuple[str, str]:
    """Add a webhook that is told of what comes behind a position of a log: its id and its secret.

    Raises: WebhookRefused if there are too many.
    """
    id_, secret = f"wh_{secrets.token_hex(6)}", new_secret()
    row = {
        "id": id_, "url": url, "what": what, "types": json.dumps(list(types)), "filters": _written(given),
        "secrets": json.dumps([[secret, None]]), "created_at": stamp(now), "log": log, "position": position,
        "day": now.date().isoformat(),
    }  # fmt: skip
    with writing(engine).begin() as conn:
        if len(conn.execute(select(WEBHOOKS.c.id)).all()) >= MAX_WEBHOOKS:
            raise WebhookRefused(f"there are {MAX_WEBHOOKS} webhooks: remove one first")
        conn.execute(insert(WEBHOOKS).values(**row))
    return id_, secret


def webhooks(engine: Engine, now: datetime) -> list[Webhook]:
    """All webhooks, the oldest first."""
    with engine.connect() as conn:
        rows = conn.execute(select(WEBHOOKS).order_by(WEBHOOKS.c.created_at, WEBHOOKS.c.id)).all()
    return [_webhook(row, now) for row in rows]


def remove_webhook(engine: Engine, id_: str) -> None:
    """Remove a webhook, with what was on its way.

    Raises: WebhookRefused if there is none of this id.
    """
    with writing(engine).begin() as conn:
        conn.execute(delete(DELIVERIES).where(DELIVERIES.c.webhook == id_))
        _must_be_one(conn.execute(delete(WEBHOOKS).where(WEBHOOKS.c.id == id_)).rowcount, id_)


def rotate_secret(engine: Engine, id_: str, now: datetime, overlap: timedelta) -> str:
    """Give a webhook a new secret and return it; the ones before it sign on, beside it, for `overlap`.

    Raises: WebhookRefused if there is none of this id.
    """
    secret, until = new_secret(), stamp(now + overlap)
    with writing(engine).begin() as conn:
        row = conn.execute(select(WEBHOOKS.c.secrets).where(WEBHOOKS.c.id == id_)).one_or_none()
        _must_be_one(0 if row is None else 1, id_)
        kept = [] if row is None else [(old, min(end or until, until)) for old, end in json.loads(row.secrets)]
        signing = [[secret, None], *([old, end] for old, end in kept if end > stamp(now))]
        conn.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == id_).values(secrets=json.dumps(signing)))
    return secret


def disable_webhook(engine: Engine, id_: str, why: str | None) -> None:
    """Let nothing be sent to a webhook any more, or let it be sent again (`why` is None).

    Raises: WebhookRefused if there is none of this id.
    """
    with writing(engine).begin() as conn:
        changed = conn.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == id_).values(disabled=why))
        _must_be_one(changed.rowcount, id_)


def keep_taken(engine: Engine, webhook: Webhook, messages: Sequence[Mapping[str, Any]], **reached: Any) -> bool:
    """Keep the messages of what was read for a webhook, and how far that is: `log`, `position`, `day`.

    False, and nothing is kept, if another process has read on for it meanwhile. A message that is there stays as it is.
    """
    t = WEBHOOKS.c
    as_read = (t.id == webhook.id, t.log == webhook.log, t.position == webhook.position, t.day == str(webhook.day))
    with writing(engine).begin() as conn:
        if conn.execute(update(WEBHOOKS).where(*as_read).values(**reached)).rowcount != 1:
            return False
        there = _ids(conn, webhook.id, [message["id"] for message in messages])
        if new := [dict(message) for message in messages if message["id"] not in there]:
            conn.execute(insert(DELIVERIES), new)
    return True


def waited_for(engine: Engine, now: datetime) -> set[str]:
    """The webhooks that take messages and have one whose next attempt is due."""
    in_force = select(WEBHOOKS.c.id).where(WEBHOOKS.c.disabled.is_(None), exists().where(*_is_due(WEBHOOKS.c.id, now)))
    with engine.connect() as conn:
        return set(conn.scalars(in_force))


def due(engine: Engine, webhook: str, now: datetime, limit: int) -> list[Delivery]:
    """Messages of a webhook whose next attempt is due, those that wait longest first."""
    t = DELIVERIES.c
    longest = select(DELIVERIES).where(*_is_due(webhook, now)).order_by(t.next_at, t.position).limit(limit)
    with engine.connect() as conn:
        return [Delivery(*row) for row in conn.execute(longest).all()]


def _is_due(webhook: str | ColumnElement[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    t = DELIVERIES.c
    return t.webhook == webhook, t.state == "pending", t.next_at <= stamp(now)


def attempted(
    engine: Engine, delivery: Delivery, now: datetime, *, state: State, answer: str, next_at: datetime
) -> None:
    """Note how an attempt went."""
    t = DELIVERIES.c
    ended = None if state == "pending" else stamp(now)
    values = {
        "state": state, "answer": answer, "attempts": delivery.attempts + 1, "next_at": stamp(next_at),
        "ended_at": ended,
    }  # fmt: skip
    with writing(engine).begin() as conn:
        conn.execute(update(DELIVERIES).where(t.webhook == delivery.webhook, t.id == delivery.id).values(**values))


def deliveries(engine: Engine, webhook: str | None, state: State | None, limit: int) -> list[Delivery]:
    """The last messages, the newest first: of one webhook and in one state, or of any."""
    t = DELIVERIES.c
    wanted = [t.webhook == webhook] if webhook else []
    wanted += [t.state == state] if state else []
    newest = select(DELIVERIES).where(*wanted).order_by(t.created_at.desc(), t.position.desc(), t.id).limit(limit)
    with engine.connect() as conn:
        return [Delivery(*row) for row in conn.execute(newest).all()]


def must_be_there(engine: Engine, id_: str) -> None:
    """Check that there is a webhook of this id.

    Raises: WebhookRefused if there is none.
    """
    with engine.connect() as conn:
        _must_be_one(len(conn.execute(select(WEBHOOKS.c.id).where(WEBHOOKS.c.id == id_)).all()), id_)


def send_again(
    engine: Engine, webhook: str, now: datetime, *, message: str | None = None, since: str | None = None
) -> int:
    """Let messages of a webhook be sent again, whatever became of them: how many.

    It is the one `message`, those made `since` an instant, or else all that failed.

    Raises: WebhookRefused if there is no webhook of this id.
    """
    must_be_there(engine, webhook)
    t = DELIVERIES.c
    wanted = t.state == "failed" if since is None else t.created_at >= since
    if message is not None:
        wanted = t.id == message
    anew = {"state": "pending", "attempts": 0, "next_at": stamp(now), "ended_at": None}
    with writing(engine).begin() as conn:
        return conn.execute(update(DELIVERIES).where(t.webhook == webhook, wanted).values(**anew)).rowcount


def prune(engine: Engine, now: datetime) -> None:
    """Forget the messages that came to their end more than KEPT_DAYS ago."""
    with writing(engine).begin() as conn:
        conn.execute(delete(DELIVERIES).where(DELIVERIES.c.ended_at < stamp(now - timedelta(days=KEPT_DAYS))))


def stored_webhooks(engine: Engine) -> list[dict[str, Any]]:
    """All rows of the table of webhooks, with their secrets: for a move to another store."""
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(select(WEBHOOKS).order_by(WEBHOOKS.c.id)).mappings()]


def put_webhooks(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows of another store's table of webhooks here, those that are not here yet."""
    with writing(engine).begin() as conn:
        here = set(conn.scalars(select(WEBHOOKS.c.id)))
        if new := [dict(row) for row in rows if row["id"] not in here]:
            conn.execute(insert(WEBHOOKS), new)


def _ids(conn: Connection, webhook: str, ids: Sequence[str]) -> set[str]:
    t = DELIVERIES.c
    return set(conn.scalars(select(t.id).where(t.webhook == webhook, t.id.in_(ids)))) if ids else set()


def _must_be_one(count: int, id_: str) -> None:
    if count != 1:
        raise WebhookRefused(f"there is no webhook {id_!r}; `tracker webhooks list` has all")


def _webhook(row: Row[Any], now: datetime) -> Webhook:
    given: dict[str, Any] = {name: tuple(values) for name, values in json.loads(row.filters).items()}
    signing = tuple(secret for secret, end in json.loads(row.secrets) if end is None or end > stamp(now))
    return Webhook(
        row.id, row.url, row.what, tuple(json.loads(row.types)), Filters(**given), signing, row.created_at,
        row.disabled, row.log, row.position, date.fromisoformat(row.day),
    )  # fmt: skip


def _written(given: Filters) -> str:
    found = {one.name: getattr(given, one.name) for one in fields(given)}
    return json.dumps({name: values for name, values in found.items() if isinstance(values, tuple) and values})
