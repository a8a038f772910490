"""Heads of requests beyond every bound, and how each is answered; none needs a key."""

from __future__ import annotations

from tests.support.api import ADMIN

MEBIBYTE = 2**20
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/pledges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
KEY = f"Authorization: Bearer {ADMIN}\r\n".encode()

HEADS: dict[str, tuple[list[bytes], int]] = {
    "60,000 header lines": ([GET, b"X-A: b\r\n" * 60_000, b"\r\n"], 431),
    "101 header lines": ([GET, b"X-A: b\r\n" * 100, b"\r\n"], 431),
    "60,000 lines of one name that is asked for": ([GET, b"Authorization: b\r\n" * 60_000, b"\r\n"], 431),
    "a header of 300 MB": ([GET, b"X-A: ", *[b"a" * MEBIBYTE] * 300, b"\r\n\r\n"], 431),
    "a header name of 10 MB": ([GET, *[b"a" * MEBIBYTE] * 10, b": b\r\n\r\n"], 431),
    "a head of 66 KB": ([GET, b"X-A: " + b"a" * 66 * 1024 + b"\r\n\r\n"], 431),
    "blank lines without an end": ([b"\r\n" * MEBIBYTE], 431),
    "an address of 17 KB": ([b"GET /" + b"a" * 17 * 1024 + b" HTTP/1.1\r\nHost: x\r\n\r\n"], 414),
    "a query of 17 KB": ([b"GET /?" + b"a" * 17 * 1024 + b" HTTP/1.1\r\nHost: x\r\n\r\n"], 414),
    "an address without an end": ([b"GET /", *[b"a" * MEBIBYTE] * 10], 414),
    "no HTTP": ([b"\x16\x03\x01 hello\r\n\r\n"], 400),
    "no target": ([b"GET  HTTP/1.1\r\n\r\n"], 400),
    "a body whose chunks are none": ([POST, KEY, b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"], 400),
    "a trailer of 10 MB": (
        [POST, KEY, b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", *[b"a" * MEBIBYTE] * 10, b"\r\n\r\n"],
        431,
    ),
}
"""What is sent, and the status of its answer."""
