"""A way to a PostgreSQL server that can be cut: what is sent goes nowhere, and nobody is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit, urlunsplit

_PIECE_BYTES = 65_536


class Way:
    """A port of this machine that leads to a server's socket while it is not cut."""

    def __init__(self, server_socket: str) -> None:
        self._server_socket = server_socket
        self._loop = asyncio.new_event_loop()
        self._open: asyncio.Event | None = None
        self._server: asyncio.Server | None = None
        self._ready = Event()
        self.port = 0
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def cut(self) -> None:
        """Let nothing through from now on; connections stay as they are, and new ones are taken and lead nowhere."""
        self._set(is_open=False)

    def heal(self) -> None:
        """Let everything through again, what was sent meanwhile first."""
        self._set(is_open=True)

    def refuse(self) -> None:
        """End all connections and take no more, as a server that is gone."""
        done = Event()

        def end() -> None:
            assert self._server is not None
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            done.set()

        self._loop.call_soon_threadsafe(end)
        done.wait()

    def close(self) -> None:
        """End all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _set(self, *, is_open: bool) -> None:
        done = Event()

        def change() -> None:
            assert self._open is not None
            (self._open.set if is_open else self._open.clear)()
            done.set()

        self._loop.call_soon_threadsafe(change)
        done.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def listen() -> None:
            self._open = asyncio.Event()
            self._open.set()
            self._server = await asyncio.start_server(self._lead, "127.0.0.1", 0, family=socket.AF_INET)
            self.port = self._server.sockets[0].getsockname()[1]
            self._ready.set()

        self._loop.run_until_complete(listen())
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the turn after

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._open is not None
        with closing(writer), suppress(OSError):
            await self._open.wait()
            from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
            with closing(to_server):
                await asyncio.gather(self._pass(reader, to_server), self._pass(from_server, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._open is not None
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        await self._open.wait()
        writer.close()


@contextmanager
def way_to(database_url: str) -> Iterator[tuple[str, Way]]:
    """The address of the same database over a way that can be cut. The server listens on a socket of this machine."""
    parts = urlsplit(database_url)
    directory = parse_qs(parts.query)["host"][0]
    way = Way(f"{directory}/.s.PGSQL.5432")
    try:
        user = parts.netloc.rpartition("@")[0] or "postgres"
        yield urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{way.port}", query="")), way
    finally:
        way.close()
