"""A real NATS server with JetStream, as deploy/nats/nats.conf has it, which can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nats
from nats.js.errors import NotFoundError

from tests.support.paths import ROOT
from tests.support.waiting import wait_until


def program(name: str) -> str:
    """The path of a program of the environment that runs the tests, else of the machine."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _pass_over(error: Exception) -> None:
    """The library would print it."""


class Nats:
    """A server on one port and one store directory."""

    def __init__(self, directory: Path) -> None:
        self.port, self._directory = free_port(), directory
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        env = {
            **os.environ,
            "NATS_NAME": "test",
            "NATS_LISTEN": f'"127.0.0.1:{self.port}"',
            "NATS_STORE": f'"{self._directory}"',
        }
        command = [program("nats-server"), "-c", str(ROOT / "deploy/nats/nats.conf")]
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def kill(self) -> None:
        """End at once, as by kill -9."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self, *, on: bool) -> None:
        """Let it stand still (SIGSTOP), its kernel taking what is sent until it is full; or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def messages(self, stream: str = "TRACKER") -> list[Any]:
        """All messages of a stream in their order."""

        async def read() -> list[Any]:
            connection = await nats.connect(self.url)
            try:
                context = connection.jetstream()
                state = (await context.stream_info(stream)).state
                found = []
                for sequence in range(state.first_seq, state.last_seq + 1):
                    with suppress(NotFoundError):  # deleted
                        found.append(await context.get_msg(stream, sequence))
                return found
            finally:
                await connection.close()

        return asyncio.run(read())

    def last_sequence(self, stream: str = "TRACKER") -> int:
        """The sequence number of the last message; 0 while there is no stream, or no server."""

        async def ask() -> int:
            connection = await nats.connect(
                self.url, allow_reconnect=False, max_reconnect_attempts=1, error_cb=_pass_over
            )
            try:
                return int((await connection.jetstream().stream_info(stream)).state.last_seq)
            finally:
                await connection.close()

        try:
            return asyncio.run(ask())
        except Exception:
            return 0

    def purge(self, stream: str = "TRACKER") -> None:
        """Delete all messages of a stream."""
        self._tell(lambda context: context.purge_stream(stream))

    def delete(self, sequence: int, stream: str = "TRACKER") -> None:
        """Delete one message of a stream."""
        self._tell(lambda context: context.delete_msg(stream, sequence))

    def _tell(self, what: Callable[[Any], Awaitable[Any]]) -> None:
        async def telling() -> None:
            connection = await nats.connect(self.url)
            try:
                await what(connection.jetstream())
            finally:
                await connection.close()

        asyncio.run(telling())

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the server did not start"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def nats_server(directory: Path) -> Iterator[Nats]:
    """A server for as long as this lasts."""
    server = Nats(directory)
    server.start()
    try:
        yield server
    finally:
        server.kill()
