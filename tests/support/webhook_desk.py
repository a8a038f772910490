"""A tracker that sends webhooks to a receiver on this machine, at times that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from api.outgoing.webhook_sender import WebhookSender
from api.outgoing.webhooks import deliveries, webhooks
from tests.support.api import Api
from tests.support.receivers import Receiver
from tests.support.shell import Shell
from tests.support.waiting import wait_until

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
"""What the clock says at first."""


class Desk:
    """A tracker whose clock the test sets, with one receiver."""

    def __init__(self, api: Api, shell: Shell, receiver: Receiver) -> None:
        self.api, self.shell, self.receiver, self.now = api, shell, receiver, NOW
        self.engine = api.services.engine

    def add(self, *options: str) -> tuple[str, str]:
        """A webhook of the receiver, as if it had been added at the test's time: its id and its secret."""
        secret = self.shell.run("webhooks", "add", self.receiver.url, *options).stdout.split()[-1]
        id_ = webhooks(self.engine, self.now)[-1].id
        with self.engine.begin() as conn:
            conn.exec_driver_sql(f"UPDATE webhooks SET day = '{self.now.date()}' WHERE id = '{id_}'")
        return id_, secret

    def sender(self, networks: tuple[str, ...] = ("127.0.0.0/8",)) -> WebhookSender:
        return WebhookSender(
            self.engine, self.api.services.tracker.log, self.api.services.settings, lambda: self.now,
            tuple(map(ip_network, networks)),
        )  # fmt: skip

    def send(self, *, networks: tuple[str, ...] = ("127.0.0.0/8",), until: Callable[[], bool] | None = None) -> int:
        """Send what is due, or go on until something holds; how many messages were taken."""

        async def sending() -> int:
            sender, stopping = self.sender(networks), asyncio.Event()
            running = asyncio.create_task(sender.run(stopping, once=until is None))
            if until is not None:
                await asyncio.to_thread(wait_until, until)
                stopping.set()
            await running
            return sender.delivered

        return asyncio.run(sending())

    def log(self) -> list[Any]:
        return deliveries(self.engine, None, None, 1_000)
