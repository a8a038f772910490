"""What pages say: amounts, dates and the field's words for people. A bound stays a bound, also when abbreviated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import pycountry

from api.meanings import STATUS as STATUS
from api.meanings import STATUS_MEANS as STATUS_MEANS
from api.meanings import means as means
from tracker.quantity import EXACT, OP_WORDS, plain

NBSP = "\u00a0"

FLAG = {
    "disputed": ("Disputed", "reports contradict each other"),
    "suspected_duplicate": ("Duplicate?", "two reports may be of one payment; both count until a reviewer ranks one"),
    "added_totals": ("Added totals", "totals of separate years are added up"),
    "suspected_unit_error": ("Unit error?", "the same digits in two currencies"),
    "falling_total": ("Falling total", "a running total went down without a restatement"),
    "overlap": ("Overlap", "increments overlap in part, so they are not added up"),
    "assertion_conflict": ("Claim conflicts", "a claim is contradicted by its own figure"),
    "unproven_claim": ("Unproven claim", "somebody claims it without a figure that proves it"),
    "tally_mismatch": ("Tally mismatch", "the count and the members' reports disagree"),
    "converted": ("Converted", "compared across currencies, at the ECB's rate or as the source says"),
    "late": ("Late", "after the first deadline, or after the day a step was due"),
    "revised_target": ("Revised target", "the target is not the first one"),
    "revised_after_close": (
        "Revised after close",
        "terms were changed when the time was up, which moves no answer",
    ),
    "envelope": ("Envelope", "“up to” so much was promised: compared as that much"),
    "conditional": ("Conditional", "a condition that it hangs on is open or failed"),
    "instalment_overdue": ("Instalment overdue", "less is reported than was promised for by now"),
    "reinstated": ("Reinstated", "withdrawn once, and promised again"),
    "broken_period": ("Broken period", "the target was not kept in a period that is over"),
    "estimated": ("Estimated", "the figure is an estimate"),
    "provisional": ("Provisional", "the figure may still change"),
    "stale": ("Stale", "nothing said for half a year while it is open, a year and more where it runs long"),
    "single_source": ("Single source", "what counts here goes back to one origin"),
    "stale_projection": ("Being repaired", "an event could not be taken in yet"),
}

EVIDENCE = {
    "none": "no report that counts",
    "single_source": "one origin",
    "corroborated": "two origins or more",
    "disputed": "disputed",
    "retracted": "retracted",
}
SCHEDULE = {
    "no_deadline": "no deadline",
    "open": "open",
    "due_soon": "due soon",
    "overdue": "overdue",
    "kept_on_time": "kept on time",
    "kept_late": "kept late",
    "closed": "closed",
}
TRAJECTORY = {"ahead": "ahead", "on_track": "on track", "behind": "behind", "unknown": "not known"}
VERDICT = {
    "met": "Met",
    "not_met": "Not met",
    "not_applicable": "Does not apply",
    "opted_out": "Opted out",
    "not_reported": "Not reported",
}
MILESTONE = {
    "scheduled": "Not reached yet",
    "reached": "Reached",
    "partly_reached": "Partly reached",
    "missed": "Missed",
}
TYPE = {
    "PledgeMade": "Pledge made",
    "PledgeReaffirmed": "Pledge reaffirmed",
    "PledgeRevised": "Pledge revised",
    "PledgeWithdrawn": "Pledge withdrawn",
    "PledgeSuperseded": "Pledge superseded",
    "ProgressReported": "Progress reported",
    "PledgeMet": "Claimed to be met",
    "PledgeExceeded": "Claimed to be exceeded",
    "PledgeMissed": "Claimed to be missed",
    "MemberReported": "Member reported",
    "TallyReported": "Tally reported",
    "ShareReported": "Share reported",
    "MilestoneScheduled": "Milestone scheduled",
    "MilestoneReached": "Milestone reached",
    "MilestoneMissed": "Milestone missed",
    "ConditionReported": "Condition reported",
    "StatementMade": "Statement",
    "FigureRestated": "Figure restated by its source",
    "StatementRetracted": "Statement retracted",
    "EventCorrected": "Our record corrected",
    "EventVoided": "Our record voided",
    "FigureRanked": "Figure ranked by a reviewer",
    "SourceCaptured": "Source captured",
    "AssessmentIssued": "Assessment issued",
}
CHANGED = {"because": "reasons", "claimed_trajectory": "what speakers claim", "past_targets": "earlier targets"}

_SYMBOL = {"EUR": "€", "USD": "US$", "GBP": "£", "JPY": "¥"}
_MILLION = 1_000_000
_SCALE = ((12, "tn"), (9, "bn"), (6, "m"))
_DIGITS = 3
_FULL = 7
"""So many digits are too many for an abbreviation: the number is written in full."""
_SIDE = {"gt": ROUND_FLOOR, "ge": ROUND_FLOOR, "lt": ROUND_CEILING, "le": ROUND_CEILING, "nearly": ROUND_CEILING}
_HALF_A_TENTH = Decimal("0.05")
_WHOLE = {"gdp": "GDP"}
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LONG = "January February March April May June July August September October November December".split()


class AmountText(NamedTuple):
    """A quantity for people: ``short`` abbreviated ("over €50bn"), ``exact`` in full, ``text`` as it was said."""

    short: str
    exact: str
    text: str | None


Near = Mapping[tuple[str, Decimal, str], int]
"""To how many digits a value of a unit with a rounding is abbreviated, by what stands beside it."""

_ALONE: Near = MappingProxyType({})


def amount(quantity: Mapping[str, str] | None, near: Near = _ALONE) -> AmountText | None:
    """A quantity of a status document for people; ``near`` is what ``apart`` says of all that is shown together."""
    if quantity is None:
        return None
    op, unit = quantity["op"], quantity["unit"]
    ends = _ends(quantity)
    short = [short_value(v, unit, side, near.get((unit, v, side), _DIGITS)) for v, side in ends]
    exact = [exact_value(value, unit) for value, _ in ends]
    if op == "between":
        return AmountText(f"between {' and '.join(short)}", f"between {' and '.join(exact)}", quantity.get("text"))
    return AmountText(OP_WORDS[op] + short[0], OP_WORDS[op] + exact[0], quantity.get("text"))


def same(one: Any, other: Any) -> bool:
    """Two members of documents say the same; quantities do, however they were worded."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**one, "text": None} == {**other, "text": None}
    return bool(one == other)


def apart(*shown: Any) -> Near:
    """How far to abbreviate the quantities in documents that are shown beside each other.

    What is less reads as less, and two amounts read the same only if they are: 39.999bn beside 40bn is not 40bn.
    """
    by_unit: dict[str, set[tuple[Decimal, str]]] = {}
    for quantity in _quantities(shown):
        by_unit.setdefault(quantity["unit"], set()).update(_ends(quantity))
    return {(unit, *end): n for unit, ends in by_unit.items() for end, n in _digits(sorted(ends)).items()}


def _quantities(shown: Any) -> Iterator[Mapping[str, str]]:
    if isinstance(shown, Mapping):
        if "unit" in shown and "op" in shown:
            yield shown
        else:
            yield from _quantities(shown.values())
    elif isinstance(shown, Iterable) and not isinstance(shown, str | bytes):
        for part in shown:
            yield from _quantities(part)


def _ends(quantity: Mapping[str, str]) -> list[tuple[Decimal, str]]:
    """The values that a quantity is written with, and the side to which each is rounded."""
    value = Decimal(quantity["value"])
    if quantity["op"] == "between":
        return [(value, ROUND_FLOOR), (Decimal(quantity["upper"]), ROUND_CEILING)]
    return [(value, _SIDE.get(quantity["op"], ROUND_HALF_EVEN))]


def _digits(ends: list[tuple[Decimal, str]]) -> dict[tuple[Decimal, str], int]:
    digits = dict.fromkeys(ends, _DIGITS)

    def misread() -> set[tuple[Decimal, str]]:
        read = [_rounded(*end, digits[end]) for end in ends]
        pairs = zip(pairwise(ends), pairwise(read), strict=True)
        wrong = {end for (a, b), (x, y) in pairs if (a[0] < b[0]) != (x < y) or x > y for end in (a, b)}
        return {end for end in wrong if _rounded(*end, digits[end]) != end[0]}

    for more in range(_DIGITS + 1, _FULL + 1):
        digits |= dict.fromkeys(misread(), more)
    return dict.fromkeys(ends, _FULL) if misread() else digits


def short_value(value: Decimal, unit: str, rounding: str = ROUND_HALF_EVEN, digits: int = _DIGITS) -> str:
    """A value with its unit in three digits, €20.9bn; what is below a million stays in full."""
    return with_unit(short_number(value, rounding, digits), unit)


def short_number(value: Decimal, rounding: str = ROUND_HALF_EVEN, digits: int = _DIGITS) -> str:
    """A number in three digits, 20.9bn."""
    if digits < _FULL and abs(value) >= _MILLION:
        number = _rounded(value, rounding, digits)
        exponent, name = next((e, name) for e, name in _SCALE if number.adjusted() >= e)
        return f"{grouped(number.scaleb(-exponent, context=EXACT))}{name}"
    return grouped(value)


def _rounded(value: Decimal, rounding: str, digits: int) -> Decimal:
    """What the abbreviation of a value says."""
    if digits >= _FULL or abs(value) < _MILLION:
        return value
    place = min(value.adjusted() + 1 - digits, _SCALE[0][0])
    return value.quantize(Decimal(1).scaleb(place), rounding=rounding, context=EXACT)


def exact_value(value: Decimal, unit: str) -> str:
    """A value in full with its unit: 20,900,000,000 EUR."""
    if ":" not in unit:
        return f"{grouped(value)}{NBSP}{unit}"
    return with_unit(grouped(value), unit)


def with_unit(number: str, unit: str) -> str:
    """A written number with its unit."""
    kind, _, what = unit.partition(":")
    words = _WHOLE.get(what, what.replace("-", " "))
    if kind == "percent":
        preposition = "" if what.startswith(("increase", "growth", "real", "decrease")) else "of "
        return f"{number}{NBSP}% {preposition}{words}"
    if kind == "count":
        return f"{number}{NBSP}{words}"
    symbol = _SYMBOL.get(unit)
    if symbol is None:
        return f"{unit}{NBSP}{number}"
    return f"−{symbol}{number[1:]}" if number.startswith("−") else f"{symbol}{number}"


def grouped(value: Decimal) -> str:
    """A number with separators for thousands and a true minus."""
    whole, _, rest = plain(abs(value)).partition(".")
    return f"{'−' if value < 0 else ''}{int(whole):,}{'.' + rest if rest else ''}"


def unit_words(unit: str) -> str:
    """What a unit is called: EUR, 155mm rounds, % of GDP."""
    return unit if ":" not in unit else with_unit("", unit).strip(f" {NBSP}")


def ratio(value: Mapping[str, str] | None, actual: Mapping[str, str] | None = None) -> str | None:
    """A ratio in percent, with one decimal, rounded to the side that keeps a bound true: "over 125 %".

    It reads 100 % only if it is that. ``actual`` tells a nothing from what is too little for a ratio of six decimals.
    """
    if value is None:
        return None
    op, share = value["op"], Decimal(value["value"])
    if op == "between":
        return f"between {percent(share, ROUND_FLOOR)} and {percent(Decimal(value['upper']), ROUND_CEILING)}"
    said = share or Decimal((actual or value)["value"])
    if said and op in ("eq", "approx", "nearly") and abs(share) * 100 <= _HALF_A_TENTH:
        return f"under {'0.1' if said > 0 else '0'}{NBSP}%"
    if said > 0 == share and op in ("ge", "gt"):
        return f"over 0{NBSP}%"
    return OP_WORDS[op] + percent(share, _SIDE.get(op, ROUND_HALF_EVEN))


def exact_ratio(status: Mapping[str, Any]) -> str:
    """The ratio of a status document with all of its digits."""
    value, actual, target = status["ratio"], status["actual"], status["target"]
    share = Decimal(value["value"])
    if value["op"] == "between":
        return f"between {_percent(share)} and {_percent(Decimal(value['upper']))}"
    if value["op"] != "eq":
        return OP_WORDS[value["op"]] + _percent(share)
    product = EXACT.multiply(share, Decimal(target["value"]))
    is_exact = actual["unit"] == target["unit"] and product == Decimal(actual["value"])
    return f"{'exactly' if is_exact else 'rounded to'} {_percent(share)}"


def percent(share: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """A share as a percentage with one decimal, and more where it would read 0 or 100 % without being that."""
    exact = share.scaleb(2, context=EXACT)
    for places in range(1, 13):
        number = exact.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=EXACT)
        if number not in (0, 100) or number == exact:
            return f"{grouped(number)}{NBSP}%"
    return _percent(share)


def _percent(share: Decimal) -> str:
    return f"{grouped(share.scaleb(2, context=EXACT))}{NBSP}%"


def count(value: int | Mapping[str, str] | None) -> str:
    """A number of members, which may be a quantity ("about 66.67 % of members") or unknown."""
    if value is None:
        return "not known"
    if isinstance(value, int):
        return str(value)
    said = amount(value)
    assert said is not None
    return said.short


def day(value: date | str | None) -> str:
    """A date in words: 16 Oct 2024; also one that is only a year, a half, a quarter or a month."""
    if value is None:
        return "—"
    text = value if isinstance(value, str) else value.isoformat()
    year, _, rest = text.partition("-")
    if not rest:
        return year
    if rest[0] == "H":
        return f"{'first' if rest[1] == '1' else 'second'} half of {year}"
    if rest[0] == "Q":
        return f"{rest} {year}"
    month, _, number = rest.partition("-")
    name = _MONTHS[int(month) - 1]
    return f"{int(number)}{NBSP}{name}{NBSP}{year}" if number else f"{name}{NBSP}{year}"


def stated(fact: Mapping[str, Any]) -> str:
    """When a fact was said, no more precisely than the source has it: July 2024."""
    on, precision = date.fromisoformat(fact["stated_on"]), fact.get("precision", "day")
    match precision:
        case "month":
            return f"{_LONG[on.month - 1]}{NBSP}{on.year}"
        case "quarter":
            return f"Q{(on.month + 2) // 3} {on.year}"
        case "half":
            return day(f"{on.year}-H{1 if on.month <= 6 else 2}")
        case "year":
            return str(on.year)
    return day(on)


def instant(stamp: str | None) -> str:
    """When we recorded it, to the second: 21 Nov 2026, 16:00:00 UTC."""
    if stamp is None:
        return "now"
    on, _, at = stamp.partition("T")
    return f"{day(on)}, {at[:8]}{NBSP}UTC"


def span(period: Mapping[str, str] | None) -> str:
    """A period or window from one day to another; a whole year or half is called so."""
    if period is None:
        return "—"
    start, end = period.get("start"), period.get("end")
    if start and end and start[:4] == end[:4]:
        for first, last, name in (("01-01", "12-31", ""), ("01-01", "06-30", "-H1"), ("07-01", "12-31", "-H2")):
            if (start[5:], end[5:]) == (first, last):
                return day(start[:4] + name)
    if start and end:
        return f"{day(start)} – {day(end)}"
    return f"from {day(start)}" if start else f"until {day(end)}" if end else "—"


def party(value: Mapping[str, str] | None) -> str:
    """Who."""
    return "" if value is None else value["name"]


def member(code: str) -> str:
    """The name of a state by its code; any other code is a name already."""
    found = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    if found is None:
        return {"EU": "European Union", "XK": "Kosovo"}.get(code, code)
    return str(getattr(found, "common_name", found.name)).partition(",")[0]


def humane(name: str) -> str:
    """A member of a document in words: past_targets → past targets."""
    return CHANGED.get(name, name.replace("_", " "))
