"""Conditions of a map: what must stand in a cell for a rule to apply to its row (docs/import.md).

"Commitment"            this text, in any case; "*" is any text, "" none
["A", "B"]              one of these texts
{ in = ["A", "B"] }     the same
{ like = "Total*" }     a pattern: * is any characters, ? is one, [ab] is a or b
{ not = "Total" }       everything else; also { not = ["A", "B"] } and { not = { like = "Total*" } }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

CellText = Annotated[str, StringConstraints(strict=True, max_length=4_000)]
"""A text of a map: TOML strings only, never a number."""

Pattern = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
"""A pattern with `*`, `?` and `[…]`."""


class MapPart(BaseModel):
    """A part of a map; an unknown key is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class CellTest(MapPart):
    """A condition that is more than a text; every key that is given must hold."""

    any_of: CellText | list[CellText] | None = Field(None, alias="in")
    like: Pattern | list[Pattern] | None = None
    none_of: CellText | list[CellText] | CellTest | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _must_ask_something(self) -> Self:
        if self.any_of is None and self.like is None and self.none_of is None:
            raise ValueError("a condition has one of the keys in, like, not")
        return self


CellCondition = CellText | list[CellText] | CellTest
"""What may be asked of a cell."""


CellPredicate = Callable[[str], bool]


def predicate_of(condition: CellCondition) -> CellPredicate:
    """What tells whether a cell fulfils the condition."""
    if not isinstance(condition, CellTest):
        return _is_one_of(_listed(condition))
    every: list[CellPredicate] = []
    if condition.any_of is not None:
        every.append(_is_one_of(_listed(condition.any_of)))
    if condition.like is not None:
        patterns = _listed(condition.like)
        every.append(lambda cell: is_like(cell, patterns))
    if condition.none_of is not None:
        refused = predicate_of(condition.none_of)
        every.append(lambda cell: not refused(cell))
    return lambda cell: all(holds(cell) for holds in every)


def _is_one_of(texts: Iterable[str]) -> CellPredicate:
    """Whether one of the texts stands in the cell, in any case; "*" is any text but none."""
    wanted = frozenset(text.strip().casefold() for text in texts)
    takes_any = "*" in texts

    def holds(cell: str) -> bool:
        cell = cell.strip().casefold()
        return cell in wanted or (takes_any and cell != "")

    return holds


def is_like(text: str, patterns: Iterable[str]) -> bool:
    """Whether the text fits one of the patterns, in any case."""
    text = text.strip().casefold()
    return any(_compiled(pattern).match(text) is not None for pattern in patterns)


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.strip().casefold()))


def _listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts
