"""The filters of a list as links: each value with how many pledges it would give, to be chosen or given up again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api import amounts, wording
from api.pages.frame import PageRequest

SHOWN_VALUES = 6
"""Values of a facet that are shown at once; those that are chosen come first, and none of them is hidden."""

FOLDED_VALUES = 60
"""Further values in a fold, at most. Beyond them the search finds a party or a tag by its name."""

_FACETS = (("pledgor", "Promised by"), ("beneficiary", "To"), ("kind", "Kind"), ("tag", "Tag"), ("flag", "Flag"))

_LINES = ("pledgor", "beneficiary")
"""Filters whose values may have commas themselves: several stand in several lines of a query's text."""

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a filter, in words: how many pledges it would give, and the address that sets it or takes it away."""

    value: str
    words: str
    count: int
    link: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FacetLinks:
    """A filter with its values: those shown, those folded, and the number of those left out."""

    name: str
    words: str
    shown: tuple[FacetValue, ...]
    folded: tuple[FacetValue, ...]
    left_out: int

    @property
    def chosen(self) -> int:
        """The number of values that are chosen."""
        return sum(value.chosen for value in self.shown)


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The pledges with a headline, their share of all, and the address that narrows the list to them or widens it."""

    status: str
    count: int
    share: str
    link: str
    chosen: bool


def status_counts(page: PageRequest, counted: Sequence[Mapping[str, Any]], chosen: Sequence[str]) -> list[StatusCount]:
    """The headlines in their order: those that occur among the pledges of all other filters, or are chosen."""
    counts = {one["key"]: one["count"] for one in counted}
    total = sum(counts.values())
    return [
        StatusCount(status, counts.get(status, 0), _share(counts.get(status, 0), total), link, status in chosen)
        for status in wording.STATUS
        if status in counts or status in chosen
        for link in (_toggled(page, "status", status, status in chosen),)
    ]


def facets_of(page: PageRequest, counted: Mapping[str, Sequence[Mapping[str, Any]]], total: int) -> list[FacetLinks]:
    """The facets that narrow the list of so many pledges; one that does not, and has nothing chosen, is left out."""
    found = []
    for name, words in _FACETS:
        values = list(_values(page, name, counted[name]))
        chosen = sum(value.chosen for value in values)
        if chosen or any(value.count < total for value in values):
            most = max(SHOWN_VALUES, chosen)
            folded = values[most : most + FOLDED_VALUES]
            found.append(FacetLinks(name, words, tuple(values[:most]), tuple(folded), len(values) - most - len(folded)))
    return found


def _values(page: PageRequest, name: str, counted: Sequence[Mapping[str, Any]]) -> Iterator[FacetValue]:
    """The values, the chosen first. What is asked for is found by its value or its words, in any case."""
    asked = {text.casefold(): text for text in _asked(page, name)}
    offered = list[tuple[bool, str, str, int, str | None]]()
    for one in counted:
        said = _words(name, one)
        own = {one["key"].casefold(), said.casefold()} & asked.keys()
        offered += [(False, one["key"], said, one["count"], asked.pop(text)) for text in own]
        if not own:
            offered.append((True, one["key"], said, one["count"], None))
    offered += [(False, text, _words(name, {"key": text}), 0, text) for text in asked.values()]
    for is_other, key, said, count, given in sorted(offered, key=lambda value: value[0]):
        yield FacetValue(key, said, count, _toggled(page, name, given or key, not is_other), not is_other)


def _words(name: str, one: Mapping[str, Any]) -> str:
    if name == "flag":
        return wording.FLAG.get(str(one["key"]), (str(one["key"]), ""))[0]
    return str(one.get("name", one["key"]))


def _asked(page: PageRequest, name: str) -> list[str]:
    text = page.query.get(name)
    return [] if text is None else text.split("\n" if name in _LINES else ",")


def _toggled(page: PageRequest, name: str, value: str, is_chosen: bool) -> str:
    """This page with the value among those that are asked for, or without it; from its first page on."""
    asked = _asked(page, name)
    values = [text for text in asked if text != value] if is_chosen else [*asked, value]
    changes = {name: ("\n" if name in _LINES else ",").join(values) or None, "page": None}
    return page.link(**changes)


def _share(count: int, total: int) -> str:
    """The share of all in whole percent; what is there is never 0 %, and less than all never 100 %."""
    if not total:
        return amounts.percent(Decimal(0))
    if 0 < count * 100 < total:
        return f"under {amounts.percent(Decimal('0.01'))}"
    share = Decimal(round(_HUNDRED * count / total))
    if share == _HUNDRED and count < total:
        share -= 1
    return amounts.percent(share / _HUNDRED)
