"""Logs as static files, made without a store: what a server or an export would publish, and forgeries of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from tests.support.api import made, progress, statement
from tracker.checkpoint import Checkpoint
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.merkle import leaf_hash
from tracker.signed_note import SigningKey
from tracker.tile_tree import TileBuilder
from tracker.tiles import TILE_WIDTH, TileMissing, encode_bundle

ORIGIN = "example.org/pledges"
KEY = SigningKey(ORIGIN, bytes(range(32)))
OTHER_KEY = SigningKey(ORIGIN, bytes(range(1, 33)))
START = datetime(2026, 1, 1, tzinfo=UTC)


def event_uuid(number: int) -> str:
    """The id of the event with this number."""
    return f"0189abcd-0000-7000-8000-{number:012x}"


def entry(number: int, pledge: str, version: int, fact: dict[str, Any], **members: Any) -> bytes:
    """The line of an event that is recorded `number` seconds after the start."""
    at = START + timedelta(seconds=number)
    line = Event(event_uuid(number), pledge, version, at, "alice", read_fact(fact)).line
    return to_json(from_json(line) | members) if members else line


@cache
def entries(count: int, pledges: int = 3) -> tuple[bytes, ...]:
    """The lines of a small log: the pledges in turn, each with its making, then reports and statements."""
    lines = []
    for number in range(count):
        pledge, version = f"aid-{number % pledges}", number // pledges + 1
        fact = made() if version == 1 else progress() if version == 2 else statement(summary=f"Talk {number}.")
        lines.append(entry(number, pledge, version, fact))
    return tuple(lines)


@dataclass(frozen=True)
class PublishedLog:
    """A log as its operator has it; `files` are what is published of it. `withheld` are positions."""

    entries: Sequence[bytes]
    key: SigningKey = KEY
    origin: str = ORIGIN
    withheld: frozenset[int] = frozenset()
    replaced: dict[str, bytes] = field(default_factory=dict)
    """Files that an attacker puts in the place of those of the log."""

    @property
    def files(self) -> dict[str, bytes]:
        """Every file by its path."""
        builder = TileBuilder()
        files = {tile.path: data for tile, data in builder.extend(map(leaf_hash, self.entries))}
        files |= {tile.path: data for tile, data in builder.partial_tiles()}
        shown = [b"" if at in self.withheld else line for at, line in enumerate(self.entries, start=1)]
        for start in range(0, len(shown), TILE_WIDTH):
            some = shown[start : start + TILE_WIDTH]
            index = start // TILE_WIDTH
            partial = f".p/{len(some)}" if len(some) < TILE_WIDTH else ""
            files[f"tile/entries/{index:03d}{partial}"] = encode_bundle(some)
        files["checkpoint"] = self.checkpoint.sign([self.key])
        files["key"] = f"{self.key.verifier}\n".encode()
        return files | self.replaced

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the whole log."""
        builder = TileBuilder()
        for _ in builder.extend(map(leaf_hash, self.entries)):
            pass
        return Checkpoint(self.origin, len(self.entries), builder.root())

    def fetch(self, path: str) -> bytes:
        """A file of the log."""
        try:
            return self.files[path]
        except KeyError:
            raise TileMissing(path) from None

    def with_files(self, **replaced: bytes) -> PublishedLog:
        """The same log with other files in the place of some."""
        return replace(self, replaced=self.replaced | replaced)

    def write(self, directory: Path) -> Path:
        """The files on disk."""
        for path, data in self.files.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return directory
