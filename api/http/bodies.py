"""Request bodies: bytes to JSON values, with the line and column of what is wrong in them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException
from pydantic_core import from_json

from api.http.body_room import Share
from api.http.headers import header
from api.http.problems import Malformed, UnsupportedMediaType

_PLACE = re.compile(r" at line (\d+) column (\d+)$")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


async def read_body(
    request: Request[Any, Any, Any], *accepted: str, share: Share | None = None
) -> tuple[str, bytearray]:
    """The media type and the bytes of a body of JSON, as `read_bytes` reads them.

    Raises: UnsupportedMediaType, too, if it is not UTF-8.
    """
    parameters = (header(request.scope, b"content-type") or b"").decode("latin-1").partition(";")[2]
    charset = re.search(r'charset\s*=\s*"?([^\s";]+)', parameters, re.IGNORECASE)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType("JSON is UTF-8", accepted=list(accepted))
    return await read_bytes(request, *accepted, share=share)


async def read_bytes(
    request: Request[Any, Any, Any], *accepted: str, share: Share | None = None
) -> tuple[str, bytearray]:
    """The media type and the bytes of a body. The route bounds their number while they are read; `share` counts them.

    Raises: UnsupportedMediaType if it is none of those accepted, or compressed; Malformed if it broke off;
    TooMuchAtOnce if the process has no room for it.
    """
    media_type = media_type_of(request, *accepted)
    body = bytearray()
    async for piece in _pieces(request, share):
        body += piece
    return media_type, body


def media_type_of(request: Request[Any, Any, Any], *accepted: str) -> str:
    """The media type of a body that is not compressed.

    Raises: UnsupportedMediaType if it is none of those accepted, or compressed.
    """
    given = (header(request.scope, b"content-type") or b"").decode("latin-1")
    media_type = given.partition(";")[0].strip().lower()
    if media_type not in accepted:
        raise UnsupportedMediaType(
            f"{media_type or 'a body without Content-Type'} is not read here; send {' or '.join(accepted)}",
            accepted=list(accepted),
        )
    if (header(request.scope, b"content-encoding") or b"identity").lower() != b"identity":
        raise UnsupportedMediaType("send the body as it is, not compressed", accepted=list(accepted))
    return media_type


async def put_aside(request: Request[Any, Any, Any], accepted: str, path: Path, share: Share) -> None:
    """Write a body of this media type to a file, as it comes. The route bounds its size; `share` counts it.

    Raises: as `read_bytes`.
    """
    media_type_of(request, accepted)
    with path.open("wb") as file:
        async for piece in _pieces(request, share):
            file.write(piece)


async def _pieces(request: Request[Any, Any, Any], share: Share | None) -> AsyncIterator[bytes]:
    """The pieces of a body.

    Raises: Malformed if it broke off; TooMuchAtOnce if the process has no room for it.
    """
    try:
        async for piece in request.stream():
            if share is not None:
                share.grow(len(piece))
            yield piece
    except InternalServerException:  # so Litestar says that the caller has gone
        raise Malformed("the body broke off") from None


def parse(body: bytes | bytearray, *, first_line: int = 1, before: int = 0, unrepeated: bool = False) -> Any:
    """The JSON value in some bytes, which stand on this line with `before` bytes before them.

    `unrepeated` says that doubled names and numbers out of reach were looked for already.

    Raises: Malformed with line and column, also for NaN, numbers out of reach, deep nesting and a name given twice.
    """
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise malformed(str(error), first_line, before) from None
    if unrepeated:
        return value
    text = body.decode()
    try:
        json.loads(text, object_pairs_hook=without_repeats, parse_float=finite)
    except RepeatedName as repeated:
        raise named_twice(text, repeated.name, first_line, before) from None
    except OverflowError:
        raise Malformed("a number is out of reach; decimals are strings") from None
    return value


def payload_hash(value: Any) -> bytes:
    """SHA-256 of a JSON value: the same for any spaces and any order of names."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()


HASHED_BYTES = 256 * 1024
"""Bytes of a list that are hashed at a time. Hashing gives the interpreter's lock away; for the few microseconds of a
small item no other thread wakes up in time to take it, and each such try has it wait anew."""


class ListHash:
    """The `payload_hash` of a list, item by item."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._next = bytearray(b"[")
        self._empty = True

    def add(self, item: Any) -> Any:
        """Add an item, and return it."""
        text = json.dumps(item, sort_keys=True, separators=(",", ":"))
        self._next += (text if self._empty else f",{text}").encode()
        self._empty = False
        if len(self._next) >= HASHED_BYTES:
            self._hash.update(self._next)
            self._next.clear()
        return item

    def digest(self) -> bytes:
        """The hash of the list."""
        whole = self._hash.copy()
        whole.update(self._next + b"]")
        return whole.digest()


class RepeatedName(Exception):
    """An object has a name twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object that has these names, which the standard library's parser has found.

    Raises: RepeatedName if one stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        raise RepeatedName(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return found


def finite(text: str) -> float:
    """The number of a JSON text.

    Raises: OverflowError if it is out of reach.
    """
    if math.isinf(number := float(text)):
        raise OverflowError
    return number


def named_twice(text: str, name: str, first_line: int, before: int) -> Malformed:
    """The refusal of a text in which an object has this name twice; it stands as in `parse`."""
    lines, column = _second_place(text, name)
    return Malformed(
        f"the name {name[:80]!r} stands twice in one object",
        line=first_line + lines,
        column=column + (0 if lines else before),
    )


def malformed(message: str, first_line: int, before: int) -> Malformed:
    """The refusal for which a parser gives this message; what it parsed stands as in `parse`."""
    place = _PLACE.search(message)
    if place is None:
        return Malformed(f"the body is not JSON: {message}")
    line, column = first_line + int(place[1]) - 1, int(place[2]) + (before if place[1] == "1" else 0)
    return Malformed(
        f"the body is not JSON: {message[: place.start()]}, line {line} column {column}", line=line, column=column
    )


def _second_place(text: str, name: str) -> tuple[int, int]:
    """The place where an object has `name` again: (lines before it, column from 1). Slow: for the refusal only."""
    seen: list[set[str] | None] = []
    previous = ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            seen.append(set() if mark == "{" else None)
        elif mark in "}]":
            seen.pop()
        elif mark == ":" and seen and (names := seen[-1]) is not None:
            key = json.loads(previous)
            if key == name and key in names:
                start = text.rfind(previous, 0, token.start())
                return text.count("\n", 0, start), start - text.rfind("\n", 0, start)
            names.add(key)
        previous = mark
    return 0, 1
