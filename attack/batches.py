"""The largest and the worst batches, and what each is answered; each costs a process memory and time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.support.api import SOURCE, made

MEBIBYTE = 2**20
SIZE = 64 * MEBIBYTE - 1024
"""Bytes of the largest body that is read, nearly."""

MAX_BYTES = 400 * MEBIBYTE
"""Bytes of memory that any request may take, at most."""

MAX_FACTOR = 10
"""Times its own size that a request may take."""

ROOM = 16 * MEBIBYTE
"""Bytes that a request may take whatever its size: threads, buffers and what is imported at first use."""

JSON = "application/json"
NDJSON = "application/x-ndjson"


def filled(opening: bytes, part: bytes, closing: bytes, size: int = SIZE) -> bytes:
    """A body of at most `size` bytes: one part over and over between an opening and a closing."""
    return opening + part * ((size - len(opening) - len(closing)) // len(part)) + closing


def wrong_fields(size: int) -> bytes:
    """A batch of items with 4,000 unknown fields each, in at most `size` bytes."""
    fact = {"type": "StatementMade", **{f"f{number}": 1 for number in range(4_000)}}
    item = json.dumps({"pledge": "aid-2024", "fact": fact}).encode()
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"


def wide(size: int) -> bytes:
    """An object with as many names as fit, the first of them twice."""
    names = b",".join(b'"%07d":1' % number for number in range(size // 11))
    return b'[{"a":1,' + names + b',"a":2}]'


WORST: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "many items": (JSON, lambda: filled(b"[{}", b",{}", b"]"), 413),
    "many lists": (JSON, lambda: filled(b"[[]", b",[]", b"]"), 413),
    "many wrong fields": (JSON, lambda: wrong_fields(SIZE), 422),
    "many wrong fields in one item": (JSON, lambda: wrong_fields(60_000), 422),
    "one string": (JSON, lambda: filled(b'["', b"a", b'"]'), 413),
    "one string, escaped": (JSON, lambda: filled(b'["', b"\\u20ac", b'"]'), 413),
    "one string and no list": (JSON, lambda: filled(b'"', b"a", b'"'), 413),
    "one item of lists": (JSON, lambda: filled(b'[{"a":[[]', b",[]", b"]}]"), 413),
    "a name twice in a wide object": (JSON, lambda: wide(SIZE), 413),
    "a name twice in the last item": (
        JSON,
        lambda: filled(b"[" + b"[" * 9 + b"1" + b"]" * 9, b',["' + b"a" * 9_000 + b'"]', b',{"a":1,"a":2}]'),
        400,
    ),
    "a name twice, deep": (JSON, lambda: b"[" + b'{"a":' * 150 + b'{"b":1,"b":2}' + b"}" * 150 + b"]", 400),
    "deep": (JSON, lambda: filled(b"", b"[", b""), 400),
    "deep objects": (JSON, lambda: filled(b"[", b'{"a":', b""), 400),
    "spaces": (JSON, lambda: filled(b"[", b" ", b"]"), 422),
    "blank lines": (NDJSON, lambda: filled(b"", b"\n", b""), 422),
    "many lines": (NDJSON, lambda: filled(b"{}", b"\n{}", b""), 413),
    "one line": (NDJSON, lambda: filled(b'"', b"a", b'"'), 413),
    "a large number": (JSON, lambda: filled(b"[", b"1", b"]"), 400),
    "emoji": (JSON, lambda: filled(b'["x"', ',"😀😀😀"'.encode() * 800, b"]"), 413),
    "6,000 sound facts of 110 instalments": (
        JSON,
        lambda: json.dumps(
            [{"pledge": f"aid-{number}", "fact": _with_instalments(number, 110)} for number in range(6_000)]
        ).encode(),
        413,
    ),
    "long items": (JSON, lambda: filled(b'["x"', b',"' + b"a" * 200_000 + b'"', b"]"), 422),
}
"""What a batch is made of: its media type, what makes it, the status of its answer."""


def _with_texts(number: int) -> dict[str, Any]:
    return made(summary="Aid. " * 790, source=SOURCE | {"url": f"https://e.example/{'a' * 950}"})


def _with_tags(number: int) -> dict[str, Any]:
    return made(tags=[f"t{tag}-{'x' * 90}" for tag in range(50)])


def _with_members(number: int) -> dict[str, Any]:
    return made(group={"rule": "each_member", "members": [f"member-{member}" for member in range(95)]})


def _with_instalments(number: int, instalments: int = 9) -> dict[str, Any]:
    due = [f"{2024 + month // 12}-{month % 12 + 1:02}" for month in range(instalments)]
    return made(summary="Aid. " * 780, instalments=[{"due": day, "quantity": "1 EUR"} for day in due])


LARGEST = {
    "long texts": _with_texts,
    "many tags": _with_tags,
    "many members": _with_members,
    "many instalments": _with_instalments,
}
"""What makes each fact of a batch large, in a batch of as many items as may be that is recorded."""


def largest(name: str, items: int = 10_000) -> bytes:
    """A batch of nearly the largest size that is recorded whole."""
    slug = name.replace(" ", "-")
    batch = [{"pledge": f"{slug}-{number}", "fact": LARGEST[name](number)} for number in range(items)]
    return json.dumps(batch, separators=(",", ":")).encode()
