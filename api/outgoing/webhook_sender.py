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
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpcore
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.outgoing import webhook_messages
from api.outgoing.public_addresses import AddressRefused, Network, PublicBackend
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
"""Seconds between two looks at the log for something to send."""

STANDBY_SECONDS = 2.0
"""Seconds between two attempts to become the one that sends."""

PRUNE_SECONDS = 3_600.0
"""Seconds between two looks for messages that are old enough to be forgotten."""

LOCK_NAME = "webhooks"
"""The lock of the one that sends."""

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
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=ssl.create_default_context(),
                network_backend=PublicBackend(networks, public=scheme == "https"),
                max_connections=None,
            )
            for scheme in ("https", "http")
        }
        self._pruned_at = 0.0
        self._sending: dict[str, asyncio.Task[None]] = {}
        self.delivered = 0
        """Messages that were taken."""

    async def run(self, stopping: asyncio.Event, *, once: bool) -> None:
        """Send until `stopping`, or until nothing is due. A store that is away is asked again.

        Raises: with `once`, what the store raises; WebhookRefused if another process sends.
        """
        lock = process_lock(self._settings.database_url, LOCK_NAME)
        told = False
        try:
            while not stopping.is_set():
                try:
                    if not await asyncio.to_thread(lock.acquire):
                        if once:
                            raise WebhookRefused("another process sends the webhooks")
                        await _wait(stopping, STANDBY_SECONDS)
                        continue
                    await asyncio.to_thread(self.take)
                    await self._begin_due(stopping)
                    if once and not self._sending:
                        return
                    await self._look_again(stopping)
                    told = False
                except (TrackerError, SQLAlchemyError) as error:
                    if once:
                        raise
                    if not told:
                        _log.warning("nothing is sent, and it is tried again: %s", error)
                    told = True
                    await _wait(stopping, STANDBY_SECONDS)
        finally:
            await asyncio.gather(*self._sending.values(), return_exceptions=True)
            await asyncio.to_thread(lock.release)
            for pool in self._pools.values():
                await pool.aclose()

    def take(self) -> None:
        """Make the messages of all that was recorded, and of the days that have begun, since the last time."""
        now = self._now()
        identity = self._log.look()
        if self._log.guard.refusal is not None:
            raise self._log.guard.refusal
        head = self._timeline.position()
        identities = self._log.identities()
        for webhook in webhooks(self._engine, now):
            if webhook.disabled is None:
                position = webhook_messages.begun(webhook, identities, head)
                self._take_for(webhook, identity.log, position, head, now)
        if time.monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            prune(self._engine, now)

    def _take_for(self, webhook: Webhook, log: str, position: int, head: int, now: datetime) -> None:
        today = now.date()
        if webhook.day < today:
            told = [] if webhook.what == "events" else [
                *webhook_messages.of_days(webhook, position, self._timeline, today, now)
            ]  # fmt: skip
            if not keep_taken(self._engine, webhook, told, log=log, position=position, day=str(today)):
                return  # another process is further; the next look reads the webhook anew
            webhook = replace(webhook, log=log, position=position, day=today)
        while position < head:
            rows = self._log.read(position, webhook_messages.READ_EVENTS, upto=head)
            if not rows:
                return
            messages = [*webhook_messages.of_events(webhook, rows, self._timeline, today, now)]
            position = rows[-1].position
            if not keep_taken(self._engine, webhook, messages, log=log, position=position):
                return
            webhook = replace(webhook, log=log, position=position)

    async def _begin_due(self, stopping: asyncio.Event) -> None:
        """Begin to send to each webhook that has something due, unless its last messages are still on their way."""
        now = self._now()
        waiting = await asyncio.to_thread(waited_for, self._engine, now)
        for webhook in await asyncio.to_thread(webhooks, self._engine, now):
            if webhook.id in waiting and webhook.id not in self._sending:
                self._sending[webhook.id] = asyncio.create_task(self._send_due(webhook, stopping))

    async def _look_again(self, stopping: asyncio.Event) -> None:
        """Return when it is time to look again: at the end of what is sent to a webhook, or after LOOK_SECONDS.

        Raises: what the store raised to one that was sending.
        """
        if not self._sending:
            await _wait(stopping, LOOK_SECONDS)
            return
        ended, _ = await asyncio.wait(self._sending.values(), timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        self._sending = {id_: task for id_, task in self._sending.items() if task not in ended}
        for task in ended:
            task.result()

    async def _send_due(self, webhook: Webhook, stopping: asyncio.Event) -> None:
        """Send what is due to a webhook, some at once; after LOOK_SECONDS leave the rest for the next look."""
        until = time.monotonic() + LOOK_SECONDS
        while not stopping.is_set() and time.monotonic() < until:
            waiting = await asyncio.to_thread(due, self._engine, webhook.id, self._now(), AT_ONCE)
            if not waiting:
                return
            await asyncio.gather(*(self._send(webhook, one) for one in waiting))

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
                    status, told = await self._request(url, headers, body)
                    if status not in _REDIRECTS or "location" not in told:
                        return _answer(status, told)
                    url = urljoin(url, told["location"])
                return Answer(taken=False, told=f"more than {MAX_REDIRECTS} redirects")
        except TimeoutError:
            return Answer(taken=False, told=f"no answer within {ANSWER_SECONDS:g} s")
        except (AddressRefused, ValueError, ssl.SSLError, OSError) as refused:
            return Answer(taken=False, told=f"refused: {refused}"[:300])
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Answer(taken=False, told=f"{type(error).__name__}: {error}"[:300])

    async def _request(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """The status and the headers of an answer; what it says is not read.

        Raises: ValueError if the address is none to send to; AddressRefused; httpcore's errors.
        """
        must_be_address(url)
        parts = urlsplit(url)
        sent = {"Host": parts.netloc, **headers, "Content-Length": str(len(body))}
        async with self._pools[parts.scheme].stream("POST", url, headers=list(sent.items()), content=body) as reply:
            told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers}
            return reply.status, told


def must_be_address(url: str) -> None:
    """Check that messages can be sent to an address.

    Raises: ValueError if not; the sentence says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isascii() or len(url) > 2_000:
        raise ValueError("an address begins with https:// and a host, and has at most 2,000 ASCII characters")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("an address has no user, password or fragment")
    _ = parts.port  # a ValueError, too, if it is none


def _answer(status: int, headers: dict[str, str]) -> Answer:
    waits = headers.get("retry-after", "")
    taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return Answer(taken, f"answered {status}", status, int(waits) if waits.isdecimal() and len(waits) < 10 else None)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
