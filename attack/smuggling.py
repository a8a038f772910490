"""Requests whose end can be read in two ways: none may hide another one."""

from __future__ import annotations

from collections.abc import Iterator

from attack.wire import said

HIDDEN = b"GET /zq-hidden HTTP/1.1\r\nHost: x\r\n\r\n"
"""A request that stands in another one's body."""

_POST = b"POST /v1/pledges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

CASES: dict[str, bytes] = {
    "a length and chunks": _POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": _POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a list of lengths": _POST + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a length with a sign": _POST + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length in another base": _POST + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "another coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked, then another coding": _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two codings": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a space before the colon": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a folded header": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a tab before the coding": _POST + b"Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size beyond all": _POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\n" + HIDDEN,
    "a NUL in a header": b"GET /v1/pledges HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n" + HIDDEN,
    "a bare CR in a header": b"GET /v1/pledges HTTP/1.1\r\nHost: x\r\nX-A: a\rTransfer-Encoding: chunked\r\n\r\n",
    "no version": b"GET /v1/pledges\r\n\r\n" + HIDDEN,
    "another version": b"GET /v1/pledges HTTP/3.9\r\nHost: x\r\n\r\n" + HIDDEN,
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 300,
    "a proxy's greeting": b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + HIDDEN,
}
"""Each must be refused, or be one request and no more."""

SEPARATE = frozenset({"a NUL in a header", "another version"})
"""Cases in which the second request is one of its own, should the first be answered."""


def smuggled(place: tuple[str, int]) -> Iterator[str]:
    """A sentence for each case that was read as more requests than one, or answered with a 5xx or without headers."""
    for name, request in CASES.items():
        answer = said(place, request)
        heads = [part.partition(b"\r\n\r\n")[0] for part in answer.split(b"HTTP/1.1 ")[1:]]
        if not heads:
            yield f"{name}: no answer"
        if b"zq-hidden" in answer and name not in SEPARATE:
            yield f"{name}: the hidden request was answered"
        for head in heads:
            if head.startswith(b"5"):
                yield f"{name}: {head[:80]!r}"
            if b"nosniff" not in head:
                yield f"{name}: no security headers: {head[:200]!r}"
