"""An event in a line: what it says beyond its type, with its numbers and verdicts, abbreviated and exact."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from api import amounts, wording

_TALLIED = (
    ("met", "met it"),
    ("not_met", "did not"),
    ("not_applicable", "it does not apply to"),
    ("total", "in all"),
)
"""Counts of a tally, with the words that stand with them."""

_EXPECTED = (("met", "expected to meet it"), ("not_met", "not expected to"), *_TALLIED[2:])
"""The same of a tally of what is to come."""


class EventLine(NamedTuple):
    """What an event says, in a line: `short` with abbreviated amounts, `exact` with amounts in full. Empty for talk."""

    short: str
    exact: str


def event_line(fact: Mapping[str, Any], digits: amounts.Digits | None = None) -> EventLine:
    """What a fact says beyond its type. `digits` are those of all amounts that are shown with it."""
    given = digits or {}
    short = ", ".join(_parts(fact, lambda quantity: amounts.amount_text(quantity, given).short))
    exact = ", ".join(_parts(fact, lambda quantity: amounts.amount_text(quantity).exact))
    return EventLine(short, exact)


def _parts(fact: Mapping[str, Any], amount: Callable[[Mapping[str, str]], str]) -> Iterator[str]:
    """The parts of a line, each a few words."""
    if member := fact.get("member"):
        yield wording.member(member)
        yield wording.VERDICT[fact["verdict"]].lower()
    if fact["type"] == "TallyReported":
        yield from _tally(fact, amount)
    if subset := fact.get("subset"):
        yield f"{subset}: {amount(fact['share'])}"
    if milestone := fact.get("milestone"):
        yield milestone + (" (partly)" if fact.get("partly") else "")
        if due := fact.get("due"):
            yield f"due {wording.day(due)}"
    if condition := fact.get("condition"):
        yield f"{wording.in_words(condition)}: {wording.CONDITION[fact['state']]}"
    if quantity := (fact.get("figure") or {}).get("quantity"):
        yield amount(quantity) + _beside_figure(fact["figure"])
    if target := fact.get("target"):
        yield amount(target)
    if fact["type"] == "PledgeRevised" and fact.get("window"):
        yield f"for {wording.span(fact['window'])}"
    if by := fact.get("by"):
        yield f"by {by}"
    for name in ("stance", "rank", "rating"):
        if said := fact.get(name):
            yield said
    if trajectory := fact.get("trajectory"):
        yield f"claims: {wording.TRAJECTORY[trajectory]}"


def _beside_figure(figure: Mapping[str, Any]) -> str:
    """What a figure is where it is no total of what was done: an increment, a projection."""
    said = [figure["basis"]] if figure.get("basis") == "increment" else []
    said += [figure["nature"]] if figure.get("nature", "actual") != "actual" else []
    return f" ({', '.join(said)})" if said else ""


def _tally(fact: Mapping[str, Any], amount: Callable[[Mapping[str, str]], str]) -> Iterator[str]:
    """The counts of a tally: 22 met it, 9 did not, 32 in all."""
    nature = fact.get("nature", "actual")
    for name, words in _EXPECTED if nature == "projection" else _TALLIED:
        said = fact.get(name)
        if said is not None:
            number = str(said) if isinstance(said, int) else amount(said)
            yield f"{words} {number}" if name == "not_applicable" else f"{number} {words}"
    if nature not in ("actual", "projection"):
        yield str(nature)
