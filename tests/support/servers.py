"""A server as a process of its own, and what it answers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx

from tests.support.api import ADMIN, made
from tests.support.shell import Shell, gone
from tests.support.waiting import HANG_SECONDS, wait_until

KEY = {"Authorization": f"Bearer {ADMIN}"}
READ_SECONDS = 1.0
"""The read time-out of the servers here."""

SETTINGS = {"TRACKER_ADMIN_KEY": ADMIN, "TRACKER_RATE_LIMIT": "0", "TRACKER_READ_TIMEOUT": str(READ_SECONDS)}
"""What these servers are told."""


class Server:
    """A server as a process, and what it answers."""

    def __init__(self, address: str, process: subprocess.Popen[str]) -> None:
        self.address, self.process = address, process
        self.client = httpx.Client(base_url=address, headers=KEY, timeout=HANG_SECONDS)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def failing(self, path: str = "/health/ready") -> dict[str, str]:
        """The checks that fail, with the reasons; the status code MUST agree."""
        answer = self.get(path)
        failing = {name: c["why"] for name, c in answer.json()["checks"].items() if not c["ok"]}
        assert answer.status_code == (503 if failing else 200)
        return failing

    def add(self, pledge: str = "aid-2024", **fields: Any) -> httpx.Response:
        return self.client.post("/v1/pledges", json={"pledge": pledge, "fact": made(**fields)})

    def total(self) -> int | None:
        """The number of pledges that are answered; None while they are not."""
        answer = self.get("/v1/pledges")
        return answer.json()["total"] if answer.status_code == 200 else None

    def comes(self, holds: Callable[[], bool]) -> None:
        wait_until(holds, self.process)


@contextmanager
def serving(shell: Shell, *arguments: str, program: str = "", **env: str) -> Iterator[Server]:
    """A server that answers; it is killed in the end."""
    process = shell.start("serve", "--port", "0", *arguments, program=program, **{**SETTINGS, **env})
    try:
        assert process.stderr is not None
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
        server = Server(address, process)
        with closing(server.client):
            wait_until(lambda: is_up(server), process)
            yield server
    finally:
        gone(process)


def is_up(server: Server) -> bool:
    """Whether the server answers at all."""
    with suppress(httpx.TransportError):
        return server.get("/health/live").status_code == 200
    return False
