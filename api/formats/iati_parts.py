"""What all of an IATI activity is written with: narratives, spans of days, and a pledge's terms period by period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from api import amounts, wording
from api.formats.xml_text import xml_text
from tracker.values import end_of

ORG_OTHER = "90"
"""The code of an organisation of whatever type (OrganisationType)."""

UPPER_BOUNDS = ("le", "lt", "nearly")
"""The bounds that say how much at most: none of them is an amount that was paid."""

Status = Mapping[str, Any]
"""A status document."""

Amount = Mapping[str, str]
"""A quantity of a status document."""


@dataclass(frozen=True, slots=True)
class Term:
    """What was promised for some days, and what was reported of it; the whole pledge, or one of its periods."""

    start: date
    end: date
    target: Amount | None
    actual: Amount | None
    is_period: bool = False


def is_money(status: Status) -> bool:
    """Whether money is promised: an amount at current prices that is to be reached, and no ceiling or change."""
    units = [status[name]["unit"] for name in ("target", "actual") if status[name] is not None]
    return bool(units) and all(map(is_currency, units)) and status["direction"] == "up" and "baseline" not in status


def is_currency(unit: str) -> bool:
    """Whether a unit is a currency at current prices, which IATI's values are in."""
    return ":" not in unit


def terms_of(status: Status, start: date, end: date) -> list[Term]:
    """The terms of a status: one for each period of a recurring pledge, else one for the days of the activity."""
    if "periods" not in status:
        return [Term(start, end, status["target"], status["actual"])]
    return [
        Term(day(one["start"]), day(one["end"]), status["target"], one["actual"], is_period=True)
        for one in status["periods"]
    ]


def day(text: str) -> date:
    """A date as it stands in a document."""
    return date.fromisoformat(text)


def span_of(partial: str) -> tuple[date, date]:
    """The first and the last day of a date that may lack its day or month: 2025, 2025-H2, 2025-Q1, 2025-03."""
    last, rest = end_of(partial), partial[5:]
    if len(rest) == len("03-01"):
        return last, last
    months = 12 if not rest else {"H": 6, "Q": 3}.get(rest[0], 1)
    return last.replace(month=last.month - months + 1, day=1), last


def words(amount: Amount) -> str:
    """An amount for people, exactly; as the source says it, where it does."""
    shown = amounts.amount_text(amount)
    return shown.exact if shown.text is None else f"{shown.exact} (“{shown.text}”)"


def bound_words(amount: Amount) -> str | None:
    """An amount in words where its number alone would say something else; None where it would not."""
    return words(amount) if amount["op"] != "eq" or "text" in amount else None


def narrative(text: str) -> str:
    """Text as IATI has it, with plain spaces; the language is the activity's."""
    return f"<narrative>{xml_text(text.replace(wording.NBSP, ' '))}</narrative>"


def period(start: date, end: date) -> str:
    """The days of a budget, a disbursement or a result."""
    return f'<period-start iso-date="{start}"/><period-end iso-date="{end}"/>'


def orgs(status: Status) -> Iterator[str]:
    """Who gives and who receives, as a transaction and a planned disbursement name them."""
    yield f'<provider-org type="{ORG_OTHER}">{narrative(wording.party(status["pledgor"]))}</provider-org>'
    if status["beneficiary"] is not None:
        yield f'<receiver-org type="{ORG_OTHER}">{narrative(wording.party(status["beneficiary"]))}</receiver-org>'
