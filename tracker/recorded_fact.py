"""One recorded fact as a pledge keeps it for its decisions: decoded at first, then packed with its neighbours.

With all that is kept of it a decoded fact takes some 1.9 kB, a packed one 0.4: the facts of a block are compressed
together, since those of one pledge are alike. Whoever asks for a packed fact gets it decoded anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue
from pydantic_core import from_json

from tracker.event import fact_line
from tracker.fact_decoding import decode_fact
from tracker.facts import AnyFact

Patch = Mapping[str, JsonValue]
"""The changes of a correction."""

_NO_PATCHES: Mapping[str, Patch] = MappingProxyType({})
_LEVEL = 1


class _Packed(NamedTuple):
    """A fact in a block of facts, JSON a line."""

    block: bytes
    line: int

    def decoded(self) -> AnyFact:
        """The fact."""
        return decode_fact(from_json(zlib.decompress(self.block).split(b"\n")[self.line]))


class RecordedFact:
    """One recorded fact: as posted, as corrected, and whether it still stands."""

    __slots__ = ("_fact", "_patches", "_posted", "_restated_by", "id", "version", "voided")

    def __init__(self, id_: str, version: int, posted: AnyFact) -> None:
        self.id = id_
        self.version = version
        self.voided = False
        self._posted: AnyFact | _Packed = posted
        self._fact: AnyFact | None = None
        self._patches: dict[str, Patch] | None = None
        self._restated_by: set[str] | None = None

    @property
    def posted(self) -> AnyFact:
        """The fact as it was posted."""
        return self._posted.decoded() if isinstance(self._posted, _Packed) else self._posted

    @property
    def fact(self) -> AnyFact:
        """The fact as it is corrected."""
        return self.posted if self._fact is None else self._fact

    @fact.setter
    def fact(self, corrected: AnyFact) -> None:
        self._fact = corrected

    @property
    def patches(self) -> Mapping[str, Patch]:
        """The corrections that stand, by their ids."""
        return _NO_PATCHES if self._patches is None else self._patches

    def patch(self, id_: str, changes: Patch) -> None:
        """Add a correction."""
        if self._patches is None:
            self._patches = {}
        self._patches[id_] = changes

    def unpatch(self, id_: str) -> None:
        """Take a correction away, if it is there."""
        if self._patches is not None:
            self._patches.pop(id_, None)

    @property
    def is_restated(self) -> bool:
        """Whether a restatement stands."""
        return bool(self._restated_by)

    def restate(self, id_: str) -> None:
        """Add a restatement."""
        if self._restated_by is None:
            self._restated_by = set()
        self._restated_by.add(id_)

    def unrestate(self, id_: str) -> None:
        """Take a restatement away, if it is there."""
        if self._restated_by is not None:
            self._restated_by.discard(id_)


def pack(facts: Sequence[RecordedFact]) -> None:
    """Pack facts together in one block."""
    block = zlib.compress(b"\n".join(fact_line(recorded.posted) for recorded in facts), _LEVEL)
    for line, recorded in enumerate(facts):
        recorded._posted = _Packed(block, line)
