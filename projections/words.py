"""The words by which a pledge is found: those of each of its facts, for the days on which the fact is in force.

The words of a fact are its title, parties, tags, speaker and summary, and its amounts in every common spelling; those
of a `PledgeMade` have the pledge's slug too. Record-keeping has none: what it repairs is found as repaired.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel

from tracker.acting import ACTING, REPAIRS
from tracker.event import Event
from tracker.promise_facts import Fact, PledgeMade
from tracker.quantity import Quantity
from tracker.quantity_spellings import spellings
from tracker.rules.pledge_history import PledgeHistory
from tracker.values import Party, Source

_NAMED = ("title", "summary", "tags")
"""Fields whose text is searched as it is."""

_WORDLESS = (str, date, int, Decimal, Source)
"""Values that hold neither an amount nor a party."""


class WordsRow(NamedTuple):
    """One row of `words_<n>` without its pledge and bounds; `version` is that of the fact's event."""

    version: int
    text: str


class WordsStretch(NamedTuple):
    """The words of a fact on the days `[valid_from, valid_to)`; `valid_to` is None for an end that is open."""

    valid_from: date
    valid_to: date | None
    row: WordsRow


def text_of(pledge: str, fact: Fact) -> str:
    """The words of a fact, a line each, case-folded; empty for record-keeping."""
    if isinstance(fact, REPAIRS):
        return ""
    lines = [pledge] if isinstance(fact, PledgeMade) else []
    lines += (text for name in _NAMED for text in _texts(getattr(fact, name, None)))
    lines += _of_values(fact)
    return "\n".join(dict.fromkeys(lines)).casefold()


def words_after(history: PledgeHistory, event: Event) -> dict[int, list[WordsStretch]]:
    """The words of every fact that an event may have changed, by version, when it is the last of the history."""
    if not isinstance(event.fact, ACTING):
        text = text_of(event.pledge, event.fact)
        return {event.version: [WordsStretch(event.in_force_on, None, WordsRow(event.version, text))] if text else []}
    return _resolved(PledgeHistory(history.related(event)))


def words_on(history: PledgeHistory, as_of: date) -> frozenset[WordsRow]:
    """The words of the facts in force on a day; none where the pledge does not exist."""
    view = history.view(as_of)
    if view is None:
        return frozenset()
    pledge = history.events[0].pledge
    rows = (WordsRow(history.versions[item.id], text_of(pledge, item.fact)) for item in view.items)
    return frozenset(row for row in rows if row.text)


def _resolved(related: PledgeHistory) -> dict[int, list[WordsStretch]]:
    found: dict[int, list[WordsStretch]] = {event.version: [] for event in related.events}
    days = sorted({s.in_force_on for resolution in related.resolutions for s in resolution})
    for day in days:
        resolution, retracted = related.resolve(day)
        now = {
            s.event.version: text
            for s in resolution
            if s.in_force_on <= day and s.event.id not in retracted and (text := text_of(s.event.pledge, s.fact))
        }
        for version, stretches in found.items():
            last = stretches[-1] if stretches and stretches[-1].valid_to is None else None
            said = now.get(version)
            if last is not None and last.row.text != said:
                stretches[-1] = last._replace(valid_to=day)
            if said is not None and (last is None or last.row.text != said):
                stretches.append(WordsStretch(day, None, WordsRow(version, said)))
    return found


def _of_values(fact: BaseModel) -> Iterator[str]:
    for _, value in fact:
        if value is not None and not isinstance(value, _WORDLESS):
            yield from _of_value(value)


def _of_value(value: object) -> Iterator[str]:
    if isinstance(value, Quantity):
        yield from spellings(value)
    elif isinstance(value, Party):
        yield from _texts((value.name, value.code))
    elif isinstance(value, BaseModel):
        yield from _of_values(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _of_value(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _of_value(one)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from (text for text in value if isinstance(text, str))
