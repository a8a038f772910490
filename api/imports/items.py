"""The facts of an import file before they meet the log, and what is wrong with single places of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.formats.fact_columns import label_of
from tracker.facts import FACT_TYPES


class UnreadableFile(Exception):
    """The file cannot be read at all; the message says why."""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """What is wrong with one place of a file: the line or the sheet and row, the column or JSON Pointer, a sentence.

    `code` is that of the log's refusal; empty where the file itself is wrong.
    """

    place: str
    where: str
    message: str
    code: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.where, self.message) if part)

    @property
    def row(self) -> int:
        """The number of the line or row, by which problems are sorted."""
        return int(self.place.rpartition(" ")[2])


@dataclass(slots=True)
class Noted:
    """Sentences of which all are counted and the first are kept."""

    total: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Count a sentence."""
        self.total += 1
        if len(self.first) < MAX_NOTED:
            self.first.append(sentence)


MAX_NOTED = 20
"""Rows that are left out, and remarks, that are told one by one, at most."""


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One fact of a file, its references still as they were written.

    `place` is the line, or the sheet and row. `labels` are the columns of the fact's places, by path; None where the
    places are JSON Pointers. `old_id` is the id that the event had where it was exported from. `sound` is False if
    the item has a problem already: it is not recorded, and stays for the sake of the items that follow from it.
    `certain` is False if a broken cell leaves open whether the row becomes this fact at all. `key` names the row in
    every release of its sheet.
    """

    place: str
    pledge: str
    fact: Any
    ref: str | None = None
    old_id: str | None = None
    expected_version: int | None = None
    labels: Mapping[str, str] | None = None
    sound: bool = True
    certain: bool = True
    key: str | None = None

    def problem(self, pointer: str, message: str, code: str = "") -> ImportProblem:
        """The problem of the place that a JSON Pointer into the fact names, with the value that stands there."""
        where = f"/fact{pointer}" if self.labels is None else label_of(pointer, self.labels)
        return ImportProblem(self.place, where, quoting(message, value_at(self.fact, pointer)), code)

    @property
    def fact_type(self) -> str:
        """The type of the fact; empty if no fact has the type that the item names."""
        named = self.fact.get("type") if isinstance(self.fact, dict) else None
        return named if isinstance(named, str) and named in FACT_TYPES else ""

    @property
    def content(self) -> bytes:
        """The bytes of the item that the payload hash of its chunk is made of."""
        content = [self.pledge, self.fact, self.ref, self.old_id, self.expected_version]
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


_MAX_QUOTED_CHARACTERS = 80


def _is_quoted(text: str, message: str) -> bool:
    return f'"{text}"' in message or f"'{text}'" in message


def quoting(message: str, value: Any) -> str:
    """The message with the value that it is about, unless it names it already."""
    if isinstance(value, bool) or not isinstance(value, str | int) or _is_quoted(text := str(value), message):
        return message
    shown = text if len(text) <= _MAX_QUOTED_CHARACTERS else f"{text[:_MAX_QUOTED_CHARACTERS]}…"
    return f'{message}; here stands "{shown}"'


def value_at(fact: Any, pointer: str) -> Any:
    """The value at a JSON Pointer; None if there is none."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(fact, list) and name.isdecimal() and int(name) < len(fact):
            fact = fact[int(name)]
        else:
            fact = fact.get(name) if isinstance(fact, dict) else None
    return fact
