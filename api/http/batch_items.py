"""The items of a batch, read one at a time: no more of the body is parsed than is asked for, and no tree is whole.

An array is cut into its items by the standard library's C parser, in windows of `MAX_ITEM_BYTES`; that pass finds
doubled names as well. What it cuts out is read as every body is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from api.http.bodies import RepeatedName, finite, malformed, named_twice, parse, without_repeats
from api.http.contract import NDJSON
from api.http.problems import Malformed
from tracker.errors import InvalidFact, TooLarge

MAX_ITEM_BYTES = 256 * 1024
"""Bytes of the text of one item, at most: a fact of 48 KiB, however it is spaced and escaped."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_SPACE_BYTES = 1024 * 1024
"""Bytes of space that are passed over at a time, so that other threads get their turn."""

_DECODER = json.JSONDecoder(object_pairs_hook=without_repeats, parse_float=finite)


def batch_items(media_type: str, body: bytes | bytearray) -> Iterator[Any]:
    """The items of a batch, as they are asked for; of NDJSON the lines that are not blank.

    Raises: Malformed if the body is no JSON up to there, InvalidFact if it is no list, TooLarge if an item is.
    """
    return _lines(_Reader(body)) if media_type == NDJSON else _elements(_Reader(body))


class _Reader:
    """A place in a body, with its line and column, and a window of text from there on."""

    def __init__(self, body: bytes | bytearray) -> None:
        self.body = body
        self.at = 0
        self.line = 1
        self.line_start = 0
        self._text = ""
        self._char = 0
        self._end = 0
        """Where the window ends in the body."""

    def move(self, to: int) -> None:
        """Go on to a later place."""
        if lines := self.body.count(b"\n", self.at, to):
            self.line += lines
            self.line_start = self.body.rindex(b"\n", self.at, to) + 1
        self.at = to

    def mark(self) -> bytes:
        """The next byte that is no space, where the reader stands then; nothing at the end."""
        while True:
            found = _SPACE.match(self.body, self.at, self.at + _SPACE_BYTES)
            end = self.at if found is None else found.end()
            whole = end < self.at + _SPACE_BYTES
            self._char += end - self.at
            self.move(end)
            if whole:
                return bytes(self.body[end : end + 1])

    def pass_mark(self) -> bytes:
        """Go on behind this byte, and to the next that is no space."""
        self._char += 1
        self.move(self.at + 1)
        return self.mark()

    def refused(self, message: str) -> Malformed:
        """The refusal of what stands here."""
        return malformed(f"{message} at line 1 column 1", self.line, self.at - self.line_start)

    def value(self, index: int) -> Any:
        """The JSON value that begins here; the reader goes behind it.

        Raises: Malformed if there is none, TooLarge if it is over `MAX_ITEM_BYTES`.
        """
        end = self._cut() if self.at < self._end else None
        if end is None:
            self._load()
            end = self._cut()
        if end is None:
            raise self._broken(index)
        part = self._text[self._char : end].encode()
        value = parse(part, first_line=self.line, before=self.at - self.line_start, unrepeated=True)
        self._char = end
        self.move(self.at + len(part))
        return value

    def _load(self) -> None:
        window = bytes(self.body[self.at : self.at + MAX_ITEM_BYTES])
        try:
            self._text = window.decode()
        except UnicodeDecodeError as error:
            if error.start < len(window) - 3 or self.at + len(window) == len(self.body):
                raise self.refused("it is not UTF-8") from None
            window = window[: error.start]
            self._text = window.decode()
        self._char, self._end = 0, self.at + len(window)

    def _cut(self) -> int | None:
        """Where the value ends in the window, or None if it does not end in it."""
        try:
            _, end = _DECODER.raw_decode(self._text, self._char)
        except RepeatedName as repeated:
            raise named_twice(self._text[self._char :], repeated.name, self.line, self.at - self.line_start) from None
        except (ValueError, RecursionError, OverflowError):
            return None
        cut_off = end == len(self._text) and self._end < len(self.body) and self._text[end - 1] not in '}]"'
        return None if cut_off else end

    def _broken(self, index: int) -> Malformed | TooLarge:
        window = self._text.encode()
        whole = self._end == len(self.body)
        try:
            from_json(window, allow_inf_nan=False, allow_partial=False if whole else "trailing-strings")
        except ValueError as error:
            return malformed(str(error), self.line, self.at - self.line_start)
        if whole:
            return self.refused("a number is out of reach; decimals are strings,")
        return TooLarge(f"an item has at most {MAX_ITEM_BYTES} bytes as it is written", pointer=f"/{index}")


def _elements(reader: _Reader) -> Iterator[Any]:
    if reader.mark() != b"[":
        reader.value(0)
        if reader.mark():
            raise reader.refused("trailing characters")
        raise InvalidFact("a batch is a list of one item or more")
    mark, index = reader.pass_mark(), 0
    while mark != b"]" or index:
        if index and mark == b"]":
            raise reader.refused("trailing comma")
        yield reader.value(index)
        index += 1
        mark = reader.mark()
        if mark == b"]":
            break
        if mark != b",":
            raise reader.refused("expected `,` or `]`" if mark else "EOF while parsing a list")
        mark = reader.pass_mark()
    if reader.pass_mark():
        raise reader.refused("trailing characters")


def _lines(reader: _Reader) -> Iterator[Any]:
    index = 0
    while reader.mark():
        end = reader.body.find(b"\n", reader.at, reader.at + MAX_ITEM_BYTES + 1)
        if end < 0:
            end = len(reader.body)
        if end - reader.at > MAX_ITEM_BYTES:
            raise TooLarge(f"an item has at most {MAX_ITEM_BYTES} bytes as it is written", pointer=f"/{index}")
        line = bytes(reader.body[reader.at : end])
        yield parse(line, first_line=reader.line, before=reader.at - reader.line_start)
        reader.move(end)
        index += 1
