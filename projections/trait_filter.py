"""The traits of a pledge, and the filters of lists that they answer without a look at its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projections.queries import Filters, plain

MAX_KNOWN_TRAITS = 100_000
"""Traits of which it is kept whether they pass some filters, at most."""


class Traits(NamedTuple):
    """The columns of the read models that facets count or filter by, as they are stored."""

    status: str
    flags: str
    kind: str
    tags: str
    parties: str
    pledgors: str
    beneficiaries: str


class TraitFilter:
    """The filters that traits answer, each as what must occur in a column."""

    def __init__(self, filters: Filters) -> None:
        def listed(words: tuple[str, ...]) -> list[str]:
            return [f",{word}," for word in plain(words) if word and "," not in word]

        def lined(words: tuple[str, ...]) -> list[str]:
            return [f"\n{word.casefold()}\n" for word in plain(words) if word and "\n" not in word]

        self._equal = [(n, set(getattr(filters, n))) for n in ("status", "kind") if getattr(filters, n)]
        given = (
            ("flag", "flags", filters.flag, listed),
            ("tag", "tags", filters.tag, listed),
            ("pledgor", "pledgors", filters.pledgor, lined),
            ("beneficiary", "beneficiaries", filters.beneficiary, lined),
        )
        self._held = [(name, column, written(words)) for name, column, words, written in given if words]
        self._party = lined(filters.party) if filters.party else None
        self._asks_nothing = not (self._equal or self._held or self._party is not None)
        self._known: dict[Traits, Sequence[str]] = {}

    def failed(self, traits: Traits) -> Sequence[str]:
        """The filters that the traits do not pass."""
        if self._asks_nothing:
            return ()
        if (failed := self._known.get(traits)) is None:
            if len(self._known) > MAX_KNOWN_TRAITS:
                self._known.clear()
            failed = self._known[traits] = self._failed(traits)
        return failed

    def _failed(self, traits: Traits) -> Sequence[str]:
        failed = [name for name, words in self._equal if getattr(traits, name) not in words]
        for name, column, words in self._held:
            text = getattr(traits, column)
            if not any(word in text for word in words):
                failed.append(name)
        if self._party is not None:
            text = traits.pledgors + traits.beneficiaries
            if not any(word in text for word in self._party):
                failed.append("party")
        return failed
