"""The money of an IATI activity: budgets, planned disbursements and transactions.

IATI has no bounds. "Over 50bn EUR" becomes the value 50000000000, and the words stand in the description. What is an
upper bound, "up to 80m EUR" or "nearly 80m EUR", is no amount that was paid or will be: it has no commitment, no
disbursement and no planned one, and the activity's description says it. As a promise it is an outgoing pledge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from api import wording
from api.formats.iati_parts import (
    UPPER_BOUNDS,
    Amount,
    Status,
    Term,
    is_currency,
    narrative,
    orgs,
    period,
    span_of,
    words,
)
from tracker.quantity import EXACT, plain

OUTGOING_PLEDGE, OUTGOING_COMMITMENT, DISBURSEMENT = "12", "2", "3"
_TYPES = {"disbursed": DISBURSEMENT, "delivered": DISBURSEMENT}
"""IATI's transaction types by stage; every stage before is a commitment."""

_ORIGINAL, _INDICATIVE = "1", "1"
"""Codes of IATI's lists BudgetType and BudgetStatus."""

_LONGEST_BUDGET_DAYS = 366


def budgets(status: Status, terms: Sequence[Term], said_on: date) -> Iterator[str]:
    """What was promised for each period, and else for each year in which instalments are due."""
    if "periods" in status:
        for term in terms:
            if term.target is not None and (term.end - term.start).days < _LONGEST_BUDGET_DAYS:
                yield _budget(term.start, term.end, term.target["unit"], term.target["value"], said_on)
        return
    sums: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for one in _instalments(status):
        due, unit = span_of(one["due"])[1], one["quantity"]["unit"]
        sums[due.year, unit] = EXACT.add(sums[due.year, unit], Decimal(one["quantity"]["value"]))
    for (year, unit), value in sorted(sums.items()):
        yield _budget(date(year, 1, 1), date(year, 12, 31), unit, plain(value), said_on)


def planned_disbursements(status: Status, said_on: date) -> Iterator[str]:
    """The instalments, each for the days on which it is due."""
    for one in _instalments(status):
        if one["quantity"]["op"] not in UPPER_BOUNDS:
            yield f'<planned-disbursement type="{_ORIGINAL}">{period(*span_of(one["due"]))}'
            yield _value(one["quantity"]["unit"], one["quantity"]["value"], said_on)
            yield from orgs(status)
            yield "</planned-disbursement>"


def transactions(status: Status, terms: Sequence[Term], promised_on: date, reported_on: date) -> Iterator[str]:
    """What was promised as outgoing pledges, and what it came to."""
    for term in terms:
        days = f" for {wording.span({'start': str(term.start), 'end': str(term.end)})}" if term.is_period else ""
        if (target := term.target) is not None and is_currency(target["unit"]):
            yield from _transaction(OUTGOING_PLEDGE, target, f"{words(target)}{days}", promised_on, status)
        if (actual := term.actual) is not None and is_currency(actual["unit"]) and actual["op"] not in UPPER_BOUNDS:
            on = min(term.end, reported_on) if term.is_period else reported_on
            kind = _TYPES.get(status["stage"], OUTGOING_COMMITMENT)
            said = "" if status["stage"] != "unspecified" else ", at a stage that the source does not name"
            yield from _transaction(kind, actual, f"{words(actual)}{days}{said}", on, status)


def _instalments(status: Status) -> Iterator[Status]:
    return (one for one in status.get("instalments", ()) if is_currency(one["quantity"]["unit"]))


def _transaction(kind: str, amount: Amount, description: str, on: date, status: Status) -> Iterator[str]:
    yield f'<transaction><transaction-type code="{kind}"/><transaction-date iso-date="{on}"/>'
    yield _value(amount["unit"], amount["value"], on)
    yield f"<description>{narrative(description)}</description>"
    yield from orgs(status)
    yield "</transaction>"


def _budget(start: date, end: date, unit: str, value: str, on: date) -> str:
    opening = f'<budget type="{_ORIGINAL}" status="{_INDICATIVE}">'
    return f"{opening}{period(start, end)}{_value(unit, value, on)}</budget>"


def _value(unit: str, value: str, on: date) -> str:
    return f'<value currency="{unit}" value-date="{on}">{value}</value>'
