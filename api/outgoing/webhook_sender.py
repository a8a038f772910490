"""Sends the messages of webhooks, signed as Standard Webhooks, again and again for days until they are taken.

A message is at least once with its receiver: it is noted as taken after the receiver said so, and a process that ends
in between sends it again, with the same id. One process sends at a time; others stand by.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpcore
from eventsourcing.persistence import PersistenceError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.outgoing import webhook_messages
from api.outgoing.public_addresses import AddressRefused, Network, PublicBackend, Resolver
from api.outgoing.webhooks import (
    SECRET_PREFIX,
    Delivery,
    Webhook,
    WebhookRefused,
    attempted,
    disable_webhook,
    due,
    keep_taken,
    prune,
    waited_for,
    webhooks,
)
from api.settings import Settings
from projections.lease import process_lock
from projections.timeline import Timeline
from tracker.errors import TrackerError
from tracker.log.recorder import LogRecorder

RETRY_SECONDS = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400)
"""Seconds before the second and each further attempt: in all four days, then the message failed."""

SPREAD = 0.2
"""By how much of itself a pause is longer at most, so that not all messages come back at one moment."""

MAX_RETRY_AFTER_SECONDS = 86_400
"""Seconds that a receiver may ask to be left alone."""

ANSWER_SECONDS = 15.0
"""Seconds that a receiver has to connect, and to answer."""

MAX_REDIRECTS = 3
"""Redirects that are followed, each to an address that is looked at like the first."""

AT_ONCE = 4
"""Messages on their way to one webhook at one time, at most: one that does not answer holds up no other."""

LOOK_SECONDS = 0.5
"""Seconds between two looks at the log for something to send, and after which a look leaves the rest for the next."""

IDLE_SECONDS = 15.0
"""Seconds for which a connection is kept that nothing is sent on; the next one goes to where the name leads then."""

STANDBY_SECONDS = 2.0
"""Seconds between two attempts to become the one that sends."""

PRUNE_SECONDS = 3_600.0
"""Seconds between two looks for messages that are old enough to be forgotten."""

LOCK_NAME = "webhooks"
"""The lock of the one that sends."""

_STORE = (TrackerError, SQLAlchemyError, PersistenceError)
"""What is raised where the store is away: all webhooks wait for it."""

_REDIRECTS = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
_log = logging.getLogger("tracker.webhooks")


class Answer(NamedTuple):
    """How an attempt went. `retry_after` is how many seconds the receiver wants to be left alone, if it said so."""

    taken: bool
    told: str
    status: int = 0
    retry_after: int | None = None


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, `v1,` and base64 of the HMAC-SHA256 (Standard Webhooks)."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}"


def pause(message: str, attempts: int) -> timedelta | None:
    """How long after so many attempts the next one is made; None after the last."""
    if attempts > len(RETRY_SECONDS):
        return None
    share = hashlib.sha256(f"{message}.{attempts}".encode()).digest()[0] / 255
    return timedelta(seconds=RETRY_SECONDS[attempts - 1] * (1 + SPREAD * share))


class WebhookSender:
    """Reads the log for every webhook, and sends what is due. `networks` may be sent to although they are private."""

    def __init__(
        self,
        engine: Engine,
        log: LogRecorder,
        settings: Settings,
        now: Callable[[], datetime],
        networks: Sequence[Network],
    ) -> None:
        self._engine, self._log, self._settings, self._now = engine, log, settings, now
        self._timeline = Timeline(engine, log)
        resolver, trusted = Resolver(), ssl.create_default_context()
        # Where a receiver sends us on to is its word, not the operator's: no private network is allowed there.
        self._pools = {
            (scheme, is_own): httpcore.AsyncConnectionPool(
                ssl_context=trusted,
                network_backend=PublicBackend(networks if is_own else (), public=scheme == "https", resolver=resolver),
                max_connections=None,
                keepalive_expiry=IDLE_SECONDS,
            )
            for scheme in ("https", "http")
            for is_own in (True, False)
        }
        self._pruned_at = 0.0
        self._left: list[str] = []
        self._is_more = False
        self._told: set[tuple[str, type[Exception]]] = set()
        self._sending: dict[str, asyncio.Task[None]] = {}
        self.delivered = 0
        """Messages that were taken."""

    async def run(self, stopping: asyncio.Event, *, once: bool) -> None:
        """Send until `stopping`, or until nothing is due. A store that is away is asked again.

        Raises: with `once`, what the store raises; WebhookRefused if another process sends.
        """
        lock = process_lock(self._settings.database_url, LOCK_NAME)
        try:
            while not stopping.is_set():
                try:
                    if not await asyncio.to_thread(lock.acquire):
                        if once:
                            raise WebhookRefused("another process sends the webhooks")
                        await _wait(stopping, STANDBY_SECONDS)
                        continue
                    is_more = await asyncio.to_thread(self.take)
                    await self._begin_due(stopping)
                    if once and not is_more and not self._sending:
                        return
                    await self._look_again(stopping, 0 if is_more else LOOK_SECONDS)
                    self._tell_over("")
                except Exception as error:
                    if once:
                        raise
                    self._tell("", error)
                    await _wait(stopping, STANDBY_SECONDS)
        finally:
            await asyncio.gather(*self._sending.values(), return_exceptions=True)
            await asyncio.to_thread(lock.release)
            for pool in self._pools.values():
                await pool.aclose()

    def take(self) -> bool:
        """Make messages of what was recorded, and of the days that have begun, since the last time.

        Each webhook has its turn: one that catches up with a long log holds up no other. True if there is more to read.
        """
        now = self._now()
        identity = self._log.look()
        if self._log.guard.refusal is not None:
            raise self._log.guard.refusal
        head, identities = self._timeline.position(), self._log.identities()
        if time.monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            prune(self._engine, now)
        told = {webhook.id: webhook for webhook in webhooks(self._engine, now) if webhook.disabled is None}
        left = [id_ for id_ in self._left if id_ in told]
        if not left:  # a round begins
            left, self._is_more = [*told], False
        until = time.monotonic() + LOOK_SECONDS
        while left:
            webhook = told[left.pop(0)]
            position = webhook_messages.begun(webhook, identities)
            try:
                self._is_more |= position <= head and self._take_for(webhook, identity.log, position, head, now)
                self._tell_over(webhook.id)
            except _STORE:
                raise
            except Exception as error:
                self._tell(webhook.id, error)
            if time.monotonic() > until:
                break
        self._left = left
        return bool(left) or self._is_more

    def _take_for(self, webhook: Webhook, log: str, position: int, head: int, now: datetime) -> bool:
        """Take a day's changes, or some events; whether there is more. `head` is what is projected, and not less."""
        today = now.date()
        if webhook.day < today:
            day = webhook_messages.next_day(webhook, today)
            told = [] if webhook.what == "events" else [
                *webhook_messages.of_day(webhook, position, self._timeline, day, now)
            ]  # fmt: skip
            keep_taken(self._engine, webhook, told, log=log, position=position, day=str(day))
            return True
        if position == head:
            return False
        read = self._log.read(position, webhook_messages.READ_EVENTS, upto=head)
        rows = webhook_messages.folded(webhook, read, self._timeline)
        if not rows:
            return False
        messages = [*webhook_messages.of_events(webhook, rows, self._timeline, today, now)]
        keep_taken(self._engine, webhook, messages, log=log, position=rows[-1].position)
        return rows[-1].position < head

    def _tell(self, webhook: str, error: Exception) -> None:
        """Say once of each kind of trouble that nothing is sent, to any webhook or to one; with a trace of a fault."""
        if (webhook, type(error)) not in self._told:
            of, is_fault = f" to {webhook}" if webhook else "", not isinstance(error, _STORE)
            _log.warning("nothing is sent%s, and it is tried again: %s", of, error, exc_info=is_fault and error)
        self._told.add((webhook, type(error)))

    def _tell_over(self, webhook: str) -> None:
        if any(of == webhook for of, _ in self._told):
            _log.warning("messages are sent%s again", f" to {webhook}" if webhook else "")
            self._told = {one for one in self._told if one[0] != webhook}

    async def _begin_due(self, stopping: asyncio.Event) -> None:
        """Begin to send to each webhook that has something due, unless its last messages are still on their way."""
        now = self._now()
        waiting = await asyncio.to_thread(waited_for, self._engine, now)
        for webhook in await asyncio.to_thread(webhooks, self._engine, now):
            if webhook.id in waiting and webhook.id not in self._sending:
                self._sending[webhook.id] = asyncio.create_task(self._send_due(webhook, stopping))

    async def _look_again(self, stopping: asyncio.Event, seconds: float) -> None:
        """Return when it is time to look again: at the end of what is sent to a webhook, or after so many seconds.

        Raises: what the store raised to one that was sending.
        """
        if not self._sending:
            await _wait(stopping, seconds)
            return
        ended, _ = await asyncio.wait(self._sending.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self._sending = {id_: task for id_, task in self._sending.items() if task not in ended}
        for raised in [error for task in ended if (error := task.exception()) is not None]:
            raise raised

    async def _send_due(self, webhook: Webhook, stopping: asyncio.Event) -> None:
        """Send what is due to a webhook, some at once; after LOOK_SECONDS leave the rest for the next look."""
        until = time.monotonic() + LOOK_SECONDS
        while not stopping.is_set() and time.monotonic() < until:
            waiting = await asyncio.to_thread(due, self._engine, webhook.id, self._now(), AT_ONCE)
            if not waiting:
                return
            sent = await asyncio.gather(*(self._send(webhook, one) for one in waiting), return_exceptions=True)
            for raised in [one for one in sent if isinstance(one, BaseException)]:
                raise raised  # none of them is on its way any more

    async def _send(self, webhook: Webhook, delivery: Delivery) -> None:
        body = await asyncio.to_thread(webhook_messages.body_of, delivery, self._log, self._settings)
        now = self._now()
        if body is None:
            answer = Answer(taken=False, told="the log has this event no more")
            await asyncio.to_thread(self._note, delivery, answer, now, None)
            return
        answer = await self._post(webhook, delivery.id, body, round(now.timestamp()))
        after = pause(delivery.id, delivery.attempts + 1)
        if after is not None and answer.retry_after is not None:
            after = max(after, timedelta(seconds=min(answer.retry_after, MAX_RETRY_AFTER_SECONDS)))
        await asyncio.to_thread(self._note, delivery, answer, self._now(), after)
        if answer.status == HTTPStatus.GONE:
            _log.warning("webhook %s is gone (410), and nothing more is sent to it", webhook.id)
            with suppress(WebhookRefused):  # removed meanwhile
                await asyncio.to_thread(disable_webhook, self._engine, webhook.id, "its receiver answered 410")

    def _note(self, delivery: Delivery, answer: Answer, now: datetime, after: timedelta | None) -> None:
        if answer.taken:
            self.delivered += 1
            attempted(self._engine, delivery, now, state="delivered", answer=answer.told, next_at=now)
        elif after is None:
            attempted(self._engine, delivery, now, state="failed", answer=answer.told, next_at=now)
        else:
            attempted(self._engine, delivery, now, state="pending", answer=answer.told, next_at=now + after)

    async def _post(self, webhook: Webhook, message: str, body: bytes, timestamp: int) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"commitments-tracker/{version('commitments-tracker')}",
            "webhook-id": message,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(secret, message, timestamp, body) for secret in webhook.secrets),
        }
        url = webhook.url
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                for _ in range(MAX_REDIRECTS + 1):
                    is_own = urlsplit(url).netloc == urlsplit(webhook.url).netloc
                    status, told = await self._request(url, headers, body, is_own=is_own)
                    if status not in _REDIRECTS or "location" not in told:
                        return _answer(status, told, self._now())
                    url = urljoin(url, told["location"])
                return Answer(taken=False, told=f"more than {MAX_REDIRECTS} redirects")
        except TimeoutError:
            return Answer(taken=False, told=f"no answer within {ANSWER_SECONDS:g} s")
        except (AddressRefused, ValueError, ssl.SSLError, OSError) as refused:
            return Answer(taken=False, told=f"refused: {refused}"[:300])
        except Exception as error:  # of the connection and the protocol: whatever a receiver does is its answer
            return Answer(taken=False, told=f"{type(error).__name__}: {error}"[:300])

    async def _request(
        self, url: str, headers: dict[str, str], body: bytes, *, is_own: bool
    ) -> tuple[int, dict[str, str]]:
        """The status and the headers of an answer; what it says is not read. `is_own` is the webhook's own host.

        Raises: ValueError if the address is none to send to; AddressRefused; httpcore's errors.
        """
        must_be_address(url)
        parts = urlsplit(url)
        sent = {"Host": parts.netloc, **headers, "Content-Length": str(len(body))}
        pool = self._pools[parts.scheme, is_own]
        async with pool.stream("POST", url, headers=list(sent.items()), content=body) as reply:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers}
            return reply.status, told


def must_be_address(url: str) -> None:
    """Check that messages can be sent to an address.

    Raises: ValueError if not; the sentence says why.
    """
    parts = urlsplit(url)
    is_visible = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_visible or len(url) > 2_000:
        raise ValueError("an address begins with https:// and a host, and has at most 2,000 ASCII characters, no space")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("an address has no user, password or fragment")
    _ = parts.port  # a ValueError, too, if it is none


def _answer(status: int, headers: dict[str, str], now: datetime) -> Answer:
    taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return Answer(taken, f"answered {status}", status, retry_seconds(headers.get("retry-after", ""), now))


def retry_seconds(waits: str, now: datetime) -> int | None:
    """What `Retry-After` asks for, in seconds or as the date of its end; None if it is neither."""
    if waits.isdecimal() and len(waits) < 10:
        return int(waits)
    try:
        until = parsedate_to_datetime(waits)
        return max(0, round((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()))
    except (ValueError, OverflowError):
        return None


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
