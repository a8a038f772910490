"""What is odd about a fact that may be recorded: it is told beside the receipt and refuses nothing.

A warning is a question to who typed the fact, so each is a function of the fact and of what the pledge holds already.
It changes no status; the flags of `tracker.rules` are what readers are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Literal

import pycountry

from tracker.facts import AnyFact, EventCorrected, EventVoided, MemberReported, TallyReported, figure_in
from tracker.merge_patch import corrected
from tracker.pledge import Pledge, series
from tracker.promise_facts import PledgeMade, PledgeRevised, StatedFact
from tracker.quantity import Quantity
from tracker.recorded_fact import RecordedFact
from tracker.rules.sums import DUPLICATE_WITHIN
from tracker.values import Figure, Group, Party, end_of

TENFOLD = 10
"""Times by which a figure is more or less than the last one of its series to be asked about."""

LATE_REPORT = timedelta(days=92)
"""A source that is published so long after the statement is far from it."""

LOOKED_AT = 100
"""Facts of a pledge that are looked through for one that is alike, the latest first."""

MIN_CODE_LETTERS = 4
"""Letters of a code from which another letter is a slip: `DE` and `DK` are two states."""

SPORTS_CODES = {
    "ALG": "DZ", "ANG": "AO", "BUL": "BG", "CHI": "CL", "CRO": "HR", "DEN": "DK", "ESA": "SV", "GER": "DE",
    "GRE": "GR", "GUA": "GT", "HAI": "HT", "HON": "HN", "INA": "ID", "IRI": "IR", "KSA": "SA", "KUW": "KW",
    "LAT": "LV", "LBA": "LY", "LIB": "LB", "MAS": "MY", "MGL": "MN", "MYA": "MM", "NED": "NL", "NEP": "NP",
    "NGR": "NG", "NIG": "NE", "OMA": "OM", "PAR": "PY", "PHI": "PH", "POR": "PT", "PUR": "PR", "RSA": "ZA",
    "SLO": "SI", "SRI": "LK", "SUD": "SD", "SUI": "CH", "TAN": "TZ", "TOG": "TG", "UAE": "AE", "URU": "UY",
    "VIE": "VN", "ZAM": "ZM", "ZIM": "ZW",
}  # fmt: skip
"""Codes of the International Olympic Committee that ISO 3166 does not have, and the state that they mean."""


WarningCode = Literal["tenfold", "new_currency", "party_code", "source_date", "likely_duplicate"]


@dataclass(frozen=True, slots=True)
class FactWarning:
    """One thing to look at again: a code, the place in the fact, a sentence, and the event that it is held against."""

    code: WarningCode
    pointer: str
    message: str
    event: str | None = None

    def json(self, below: str = "") -> dict[str, str]:
        """Its members as they are answered, the pointer below another one."""
        told = {"code": self.code, "pointer": below + self.pointer, "message": self.message}
        return told if self.event is None else told | {"event": self.event}


def warnings_of(fact: AnyFact, pledge: Pledge) -> tuple[FactWarning, ...]:
    """What is odd about a fact beside what its pledge holds before it is recorded.

    A correction is looked at as the fact that it makes, its pointers below `/changes`. The fact MUST have passed
    `Pledge.check`.
    """
    if isinstance(fact, EventVoided):
        return ()
    if isinstance(fact, EventCorrected):
        target = pledge.facts[fact.event]
        made = corrected(target.posted, target.patches.values(), fact.changes)
        found = _all(made, [known for known in _standing(pledge) if known.id != fact.event])
        return tuple(
            FactWarning(each.code, f"/changes{each.pointer}", each.message, each.event)
            for each in found
            if not each.pointer or each.pointer.split("/")[1] in fact.changes
        )
    return tuple(_all(fact, _standing(pledge)))


def _standing(pledge: Pledge) -> list[RecordedFact]:
    """The latest facts that stand, the latest first."""
    return list(islice((known for known in reversed(pledge.facts.values()) if not known.voided), LOOKED_AT))


def _all(fact: AnyFact, known: list[RecordedFact]) -> Iterator[FactWarning]:
    figure = figure_in(fact)
    if figure is not None:
        yield from _tenfold(fact, figure, known)
        yield from _new_currency("/figure/quantity/unit", figure.quantity, known)
    elif isinstance(fact, PledgeRevised) and fact.target is not None:
        yield from _tenfold_target(fact.target, known)
        yield from _new_currency("/target/unit", fact.target, known)
    yield from _codes(fact, known)
    if isinstance(fact, StatedFact):
        yield from _far_from_source(fact)
        yield from _alike(fact, figure, known)


def _tenfold(fact: AnyFact, figure: Figure, known: list[RecordedFact]) -> Iterator[FactWarning]:
    own, amount = series(fact, figure), figure.quantity
    if figure.nature == "projection":
        return
    for other in known:
        last = figure_in(other.fact)
        if last is None or last.nature == "projection" or last.basis != figure.basis:
            continue
        if series(other.fact, last) == own and last.quantity.unit == amount.unit:
            if _is_tenfold(amount, last.quantity):
                yield FactWarning(
                    "tenfold", "/figure/quantity", f"{amount} is ten times more or less than {last.quantity}, the last"
                    " figure of the kind: is the unit of the source in thousands or millions?", other.id,
                )  # fmt: skip
            return


def _tenfold_target(target: Quantity, known: list[RecordedFact]) -> Iterator[FactWarning]:
    for other in known:
        before = other.fact.target if isinstance(other.fact, PledgeMade | PledgeRevised) else None
        if before is not None:
            if before.unit == target.unit and _is_tenfold(target, before):
                message = f"{target} is ten times more or less than the target so far, {before}"
                yield FactWarning("tenfold", "/target", message, other.id)
            return


def _is_tenfold(one: Quantity, other: Quantity) -> bool:
    small, large = sorted((abs(one.value), abs(other.value)))
    return small > 0 and large >= TENFOLD * small


def _new_currency(pointer: str, amount: Quantity, known: list[RecordedFact]) -> Iterator[FactWarning]:
    if amount.measure != "money":
        return
    had: dict[str, str] = {}
    for other in known:
        for quantity in _amounts(other.fact):
            if quantity.unit == amount.unit:
                return
            if quantity.measure == "money":
                had.setdefault(quantity.unit, other.id)
    if had:
        message = f"the pledge has amounts in {', '.join(sorted(had))} and had none in {amount.unit}"
        yield FactWarning("new_currency", pointer, message, next(iter(had.values())))


def _amounts(fact: AnyFact) -> Iterator[Quantity]:
    figure = figure_in(fact)
    if figure is not None:
        yield figure.quantity
    if isinstance(fact, PledgeMade | PledgeRevised):
        if fact.target is not None:
            yield fact.target
        if fact.baseline is not None:
            yield fact.baseline.quantity


def _codes(fact: AnyFact, known: list[RecordedFact]) -> Iterator[FactWarning]:
    given = list(_codes_in(fact))
    had: dict[str, str] = {}
    for other in known:
        for _, code in _codes_in(other.fact):
            had.setdefault(code, other.id)
    for pointer, code in given:
        if code in had:
            continue
        state = _state_meant(code)
        if state is not None:
            yield FactWarning("party_code", pointer, f'"{code}" is no code of ISO 3166 alpha-2: is it {state}?')
            continue
        near = next((other for other in had if _is_one_letter_from(code, other)), None)
        if near is not None:
            message = f'"{code}" is one letter from "{near}", which this pledge has already'
            yield FactWarning("party_code", pointer, message, had[near])


def _codes_in(fact: AnyFact) -> Iterator[tuple[str, str]]:
    """The codes of parties and members that a fact names, each with its pointer."""
    named: list[tuple[str, Party | None]] = [("/speaker", fact.speaker)]
    group: Group | None = None
    if isinstance(fact, PledgeMade | PledgeRevised):
        named += [("/pledgor", fact.pledgor), ("/beneficiary", fact.beneficiary)]
        named += [(f"/joint/{index}/party", one.party) for index, one in enumerate(fact.joint or ())]
        group = fact.group
    for pointer, party in named:
        if party is not None and party.code is not None:
            yield f"{pointer}/code", party.code
    if isinstance(fact, MemberReported):
        yield "/member", fact.member
    if isinstance(fact, TallyReported):
        for name in ("members_met", "members_not_met"):
            for index, member in enumerate(getattr(fact, name) or ()):
                yield f"/{name}/{index}", member
    for index, member in enumerate(group.members if group is not None else ()):
        yield f"/group/members/{index}", member


def _state_meant(code: str) -> str | None:
    """The alpha-2 code of the state that a code of three capitals means; None if it may be anything else."""
    if len(code) != 3 or not code.isascii() or not code.isupper():
        return None
    found = pycountry.countries.get(alpha_3=code)
    return found.alpha_2 if found is not None else SPORTS_CODES.get(code)


def _is_one_letter_from(one: str, other: str) -> bool:
    """Whether one letter is another, missing or too many, or two have changed places."""
    if one == other or min(len(one), len(other)) < MIN_CODE_LETTERS or abs(len(one) - len(other)) > 1:
        return False
    if any(letter.isdigit() for letter in one + other):
        return False  # numbered codes are one figure apart and mean it
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[start:], other[start:]
    if len(one) == len(other):
        return rest[1:] == others[1:] or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
    return rest[1:] == others or rest == others[1:]


def _far_from_source(fact: StatedFact) -> Iterator[FactWarning]:
    published = fact.source.published_on
    if published is None:
        return
    last = end_of(published)
    if last < fact.stated_on:
        message = f"the source is of {published}, before it was said ({fact.stated_on})"
    elif _first(published) > fact.stated_on + LATE_REPORT:
        message = f"the source is of {published}, long after it was said ({fact.stated_on})"
    else:
        return
    yield FactWarning("source_date", "/stated_on", message)


def _first(partial: str) -> date:
    """The first day that a partial date can mean."""
    last = end_of(partial)
    if len(partial) == 10:
        return last
    months = 12 if len(partial) == 4 else 3 if "Q" in partial else 6 if "H" in partial else 1
    return date(last.year, last.month - months + 1, 1)


def _alike(fact: StatedFact, figure: Figure | None, known: Iterable[RecordedFact]) -> Iterator[FactWarning]:
    for other in known:
        if isinstance(other.fact, StatedFact) and _may_be_one(fact, figure, other.fact):
            yield FactWarning(
                "likely_duplicate", "", f"it may say what {other.id} says already, stated on {other.fact.stated_on} and"
                f" published by {other.fact.source.publisher}", other.id,
            )  # fmt: skip
            return


def _may_be_one(one: StatedFact, figure: Figure | None, other: StatedFact) -> bool:
    """One payment told by two origins (as the flag `suspected_duplicate`), or one statement recorded anew."""
    last = figure_in(other)  # type: ignore[arg-type]  # each stated fact is one of the types of facts
    if figure is not None and figure.basis == "increment":
        near = abs(one.stated_on - other.stated_on) <= DUPLICATE_WITHIN
        same = last is not None and last.basis == "increment" and last.quantity == figure.quantity
        told = one.source.reference is not None and one.source.reference == other.source.reference
        return near and same and not told and one.source.quoted_origin != other.source.quoted_origin
    if one.type != other.type or one.stated_on != other.stated_on or figure is not None or last is not None:
        return False
    if isinstance(one, MemberReported):
        return False
    if one.source.url is None:  # a publisher says much in a day, so only the very same fact is alike
        return one == other
    return one.source.url == other.source.url and one.summary == other.summary and one.quote == other.quote
