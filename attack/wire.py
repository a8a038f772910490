"""Requests as bytes, which no client library would send, and their answers."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple

ANSWER_SECONDS = 120.0
"""Seconds after which an answer is given up: a hang."""

MAX_READ_BYTES = 64 * 1024 * 1024
"""Bytes of an answer that are read, at most."""

Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer; a status of 0 is none: the connection was closed, or nothing came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Wire:
    """One connection at a time to a server, opened again when it was closed."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._place = place
        self._connection: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self, method: str, target: bytes, headers: Sequence[Header] = (), body: bytes | None = None, *, head_only: bool
    ) -> Answer:
        """The answer to a request; of one without an end (`head_only`) no body is read."""
        lines = [b"%s %s HTTP/1.1\r\nHost: localhost\r\n" % (method.encode(), target)]
        lines += [b"%s: %s\r\n" % pair for pair in headers]
        if body is not None:
            lines.append(b"Content-Length: %d\r\n" % len(body))
        request = b"".join(lines) + b"\r\n" + (body or b"")
        kept = self._connection is not None
        answer = self._sent(method, request, head_only=head_only)
        if answer.status == 0 and kept:  # it had been closed as idle
            answer = self._sent(method, request, head_only=head_only)
        return answer

    def _sent(self, method: str, request: bytes, *, head_only: bool) -> Answer:
        if self._connection is None:
            self._connection = socket.create_connection(self._place, timeout=ANSWER_SECONDS)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.sendall(request)
        answer = HTTPResponse(self._connection, method=method)
        try:
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            body = b"" if head_only else answer.read(MAX_READ_BYTES)
            if head_only or answer.will_close:
                self.close()
            return Answer(answer.status, headers, body)
        except (HTTPException, OSError):
            self.close()
            return Answer(0, {}, b"")
        finally:
            answer.close()


def said(place: tuple[str, int], request: bytes, seconds: float = 2.0) -> bytes:
    """All that a server says to some bytes until it closes, or has said nothing for some seconds."""
    found = b""
    with socket.create_connection(place, timeout=ANSWER_SECONDS) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        connection.settimeout(seconds)
        with suppress(ConnectionResetError, TimeoutError):
            while piece := connection.recv(65536):
                found += piece
    return found
