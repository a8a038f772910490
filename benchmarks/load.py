"""A load client that is cheaper than what it asks: a process of its own, epoll, keep-alive, answers cut by length."""

from __future__ import annotations

import multiprocessing
import re
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, TypeVar

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


MeasuredT = TypeVar("MeasuredT")


@dataclass
class Client:
    """One connection with the answer that is on its way."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    wanted: int = 0


def request(path: str, port: int, headers: dict[str, str] | None = None) -> bytes:
    """A GET as bytes."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def rate(port: int, message: bytes, *, status: int, seconds: float, connections: int = 16) -> float:
    """Answers a second to one request repeated on a loopback server, from a process of its own.

    Raises: RuntimeError if an answer has another status.
    """
    return in_process(_run, port, message, status, seconds, connections)


def in_process(measure: Callable[..., MeasuredT], *given: Any) -> MeasuredT:
    """What a function finds in a process of its own.

    Raises: RuntimeError with its error.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_told, args=(theirs, measure, given))
    process.start()
    theirs.close()
    try:
        found, failure = ours.recv()
    finally:
        process.join()
    if failure:
        raise RuntimeError(failure)
    measured: MeasuredT = found
    return measured


def _told(pipe: Connection, measure: Callable[..., Any], given: tuple[Any, ...]) -> None:
    try:
        pipe.send((measure(*given), ""))
    except Exception as error:
        pipe.send((None, f"{type(error).__name__}: {error}"))


def _run(port: int, message: bytes, status: int, seconds: float, connections: int) -> float:
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, Client(sock))
        sock.sendall(message)
    prefix = b"HTTP/1.1 %d " % status
    answered, started = 0, time.perf_counter()
    until = started + seconds
    while (now := time.perf_counter()) < until:
        for key, _ in selector.select(timeout=5):
            client: Client = key.data
            if complete(client, prefix):
                answered += 1
                client.sock.sendall(message)
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    return answered / (now - started)


def complete(client: Client, prefix: bytes) -> bool:
    """Take in what has come; whether the answer is whole, which MUST begin with `prefix`."""
    data = client.sock.recv(262_144)
    if not data:
        raise ConnectionError("the server closed the connection")
    received = client.received
    received += data
    if client.wanted == 0:
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not received.startswith(prefix):
            raise ValueError(bytes(received[:200]).decode("latin-1"))
        length = _LENGTH.search(received, 0, end)
        client.wanted = end + 4 + (int(length[1]) if length is not None and b" 304 " not in prefix else 0)
    if len(received) < client.wanted:
        return False
    client.received, client.wanted = bytearray(), 0
    return True
