"""IATI activities as facts (docs/import.md): an activity is a pledge, its transactions what became of it.

budgets                   the target: the sum of the revised ones, else of the original ones
planned disbursements     instalments
outgoing transactions     increments: pledged (12), committed (2), disbursed (3, 4); those of a day are one
results                   a pledge for each target of an indicator, part of the activity's, with its actual
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

import pycountry

from api.imports.bounds import MAX_ROWS
from api.imports.iati_xml import activities_of, day_of, language_of, narrative
from api.imports.items import ImportItem, ImportProblem, UnreadableFile
from tracker.quantity import EXACT, plain
from tracker.values import COUNTRIES, slug_of

FOLLOWED_AS: Final = "iati"
"""What every IATI file is called, in the locators of its facts."""

_STAGES = {"2": "committed", "3": "disbursed", "4": "disbursed", "12": "pledged"}
"""Types of outgoing transactions by IATI's list TransactionType; those that come in are told by who gives."""

_GOVERNMENT = ("10", "11", "15")
_REVISED = "2"
_FUNDING = "1"
_PLANNED_START, _ACTUAL_START, _PLANNED_END, _ACTUAL_END = "1", "2", "3", "4"
_PERCENTAGE = "2"
_MEASURED = ("1", "2")
"""Codes of IATI's lists OrganisationType, BudgetType, OrganisationRole, ActivityDateType and IndicatorMeasure."""

_MAX_LINE = 300
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,127}")


class _Unreadable(ValueError):
    """A value of an activity that cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class _Amount:
    value: Decimal
    unit: str

    @property
    def json(self) -> dict[str, str]:
        return {"op": "eq", "value": plain(self.value), "unit": self.unit}


def read_activities(
    path: Path, note_remark: Callable[[str], None], max_activities: int = MAX_ROWS
) -> Iterator[ImportItem | ImportProblem]:
    """The items of an IATI activity file, and its problems; `note_remark` gets what is left out, in sentences.

    Raises: UnreadableFile if the file is no IATI activity file, or a bound is passed.
    """
    for number, element in enumerate(activities_of(path), start=1):
        if number > max_activities:
            raise UnreadableFile(f"a file has at most {max_activities:,} activities here; split it into several")
        activity = _Activity(element, number)
        yield from activity.items()
        yield from activity.problems
        for remark in activity.remarks:
            note_remark(f"{activity.place}: {remark}")


class _Activity:
    """One activity, and the facts that it becomes."""

    def __init__(self, element: Element, number: int) -> None:
        self.element = element
        self.place = f"activity {number}"
        self.language = language_of(element)
        self.identifier = " ".join((element.findtext("iati-identifier") or "").split())
        self.pledge = slug_of(f"iati {self.identifier}")
        self.problems: list[ImportProblem] = []
        self.remarks: list[str] = []
        self.updated = day_of(element, "last-updated-datetime")
        self._days = {one.get("type"): day for one in element.iterfind("activity-date") if (day := day_of(one))}

    def items(self) -> Iterator[ImportItem]:
        """The facts, the PledgeMade first; none of an activity without an identifier."""
        if not self.identifier:
            self._problem("/iati-identifier", "an activity needs its identifier")
            return
        made_on = self._made_on()
        if made_on is None:
            self._problem("/activity-date", "an activity without a start and last-updated-datetime has no day")
            return
        yield self._item("activity", self.pledge, self._made(made_on))
        yield from self._transactions()
        yield from self._results(made_on)

    def _problem(self, where: str, message: str) -> None:
        self.problems.append(ImportProblem(self.place, where, message))

    def _item(self, key: str, pledge: str, fact: dict[str, Any], reference: str = "") -> ImportItem:
        key = f"{self.identifier} {key}"[: _MAX_LINE - len(FOLLOWED_AS) - 1]
        source = self._source() | {"locator": f"{FOLLOWED_AS} {key}"}
        if reference:
            source["reference"] = reference[:_MAX_LINE]
        return ImportItem(self.place, pledge, fact | {"source": source}, key=key)

    def _source(self) -> dict[str, Any]:
        reporter = self.element.find("reporting-org")
        name = narrative(reporter, self.language) or ("" if reporter is None else reporter.get("ref", ""))
        is_secondary = reporter is not None and reporter.get("secondary-reporter") in ("1", "true")
        is_state = reporter is not None and reporter.get("type") in _GOVERNMENT
        tier = "other" if is_secondary else "official" if is_state else "primary"
        return {"publisher": name[:_MAX_LINE] or "unknown publisher", "tier": tier}

    def _made_on(self) -> date | None:
        """The day on which the promise can be known: the start of the activity, or the update that announced it."""
        start = self._days.get(_ACTUAL_START) or self._days.get(_PLANNED_START)
        days = [day for day in (start, self.updated) if day is not None]
        return min(days, default=None)

    def _made(self, made_on: date) -> dict[str, Any]:
        fact: dict[str, Any] = {
            "type": "PledgeMade",
            "stated_on": made_on.isoformat(),
            "title": (narrative(self.element.find("title"), self.language) or self.identifier)[:_MAX_LINE],
            "pledgor": self._pledgor(),
            "kind": "money",
            "tags": ["iati"],
        }
        countries = [one for one in self.element.findall("recipient-country") if one.get("code") in COUNTRIES]
        if len(countries) == 1:
            fact["beneficiary"] = _country(countries[0].get("code", ""), narrative(countries[0], self.language))
        if window := self._window():
            fact["window"] = window
        target = self._target()
        if target is not None:
            fact |= {"target": target.json, "required_stage": "disbursed"}
        if instalments := self._instalments(target):
            fact["instalments"] = instalments
        return fact

    def _pledgor(self) -> dict[str, str]:
        funders = [one for one in self.element.iterfind("participating-org") if one.get("role") == _FUNDING]
        who = funders[0] if funders else self.element.find("reporting-org")
        name = narrative(who, self.language)
        code = "" if who is None else who.get("ref", "").strip()
        party = {"name": (name or code or "unknown")[:_MAX_LINE]}
        return party | {"code": code} if _CODE.fullmatch(code) else party

    def _window(self) -> dict[str, str]:
        start = self._days.get(_PLANNED_START) or self._days.get(_ACTUAL_START)
        end = self._days.get(_PLANNED_END) or self._days.get(_ACTUAL_END)
        if start is not None and end is not None and end < start:
            self.remarks.append(f"it ends on {end}, before it starts; its start is left out")
            start = None
        return {name: day.isoformat() for name, day in (("start", start), ("end", end)) if day is not None}

    def _amount(self, element: Element, where: str) -> _Amount | None:
        """The amount of an element; None, and a problem, if it cannot be read."""
        value = element.find("value")
        try:
            return self._read_amount(value)
        except _Unreadable as wrong:
            self._problem(f"/{where}/value", str(wrong))
            return None

    def _read_amount(self, value: Element | None) -> _Amount:
        text = "" if value is None else (value.text or "").strip()
        unit = (None if value is None else value.get("currency")) or self.element.get("default-currency")
        if not unit:
            raise _Unreadable("neither the value nor the activity (default-currency) names a currency")
        return _Amount(_decimal(text), unit)

    def _target(self) -> _Amount | None:
        """The sum of the budgets of each period, a revised one in the place of the original one."""
        budgets: dict[tuple[date | None, date | None], tuple[bool, list[_Amount]]] = {}
        for number, element in enumerate(self.element.iterfind("budget"), start=1):
            amount = self._amount(element, f"budget/{number}")
            if amount is None:
                continue
            period = day_of(element.find("period-start")), day_of(element.find("period-end"))
            is_revised = element.get("type") == _REVISED
            was_revised, amounts = budgets.get(period, (False, []))
            if is_revised == was_revised:
                budgets[period] = is_revised, [*amounts, amount]
            elif is_revised or not amounts:
                budgets[period] = is_revised, [amount]
        amounts = [amount for _, of_period in budgets.values() for amount in of_period]
        if len({amount.unit for amount in amounts}) > 1:
            self.remarks.append("its budgets are in several currencies, so it has no target")
            return None
        return _sum(amounts)

    def _instalments(self, target: _Amount | None) -> list[dict[str, Any]]:
        found = []
        for number, element in enumerate(self.element.iterfind("planned-disbursement"), start=1):
            amount = self._amount(element, f"planned-disbursement/{number}")
            due = day_of(element.find("period-end")) or day_of(element.find("period-start"))
            if amount is None or due is None:
                continue
            if target is not None and amount.unit != target.unit:
                self.remarks.append(
                    f"a planned disbursement is in {amount.unit}, the budgets in {target.unit}: left out"
                )
                continue
            found.append({"due": due.isoformat(), "quantity": amount.json})
        return sorted(found, key=lambda instalment: str(instalment["due"]))

    def _transactions(self) -> Iterator[ImportItem]:
        """The outgoing transactions: those of one day, stage and currency are one increment."""
        groups: defaultdict[tuple[date, str, str], list[tuple[_Amount, Element]]] = defaultdict(list)
        left_out: Counter[str] = Counter()
        for number, element in enumerate(self.element.iterfind("transaction"), start=1):
            code = _code(element.find("transaction-type"))
            stage = _STAGES.get(code)
            if stage is None:
                left_out[code or "none"] += 1
                continue
            day = day_of(element.find("transaction-date"))
            if day is None:
                self._problem(f"/transaction/{number}/transaction-date", "a transaction needs its day, YYYY-MM-DD")
                continue
            amount = self._amount(element, f"transaction/{number}")
            if amount is not None:
                groups[day, stage, amount.unit].append((amount, element))
        if left_out:
            kinds = ", ".join(f"{count} of type {code}" for code, count in sorted(left_out.items()))
            self.remarks.append(f"transactions that do not go out are left out: {kinds}")
        for (day, stage, unit), parts in groups.items():
            yield self._increment(day, stage, unit, parts)

    def _increment(self, day: date, stage: str, unit: str, parts: Sequence[tuple[_Amount, Element]]) -> ImportItem:
        whole = _sum([amount for amount, _ in parts])
        assert whole is not None
        references = [reference for _, element in parts if (reference := (element.get("ref") or "").strip())]
        texts = dict.fromkeys(filter(None, (narrative(e.find("description"), self.language) for _, e in parts)))
        words = "; ".join(texts)
        if len(parts) > 1:
            listed = f": {', '.join(references)}" if references else ""
            words = f"{len(parts)} transactions of one day{listed}. {words}"
        fact: dict[str, Any] = {
            "type": "ProgressReported",
            "stated_on": day.isoformat(),
            "figure": {
                "quantity": whole.json,
                "stage": stage,
                "basis": "increment",
                "period": {"start": day.isoformat(), "end": day.isoformat()},
            },
        }
        if words.strip():
            fact["summary"] = words.strip()[:4_000]
        if whole.value < 0:
            fact["reason"] = "The publisher reports a negative amount: money returned, or a commitment lowered."
        reference = references[0] if len(parts) == 1 and references else ""
        return self._item(f"{stage} {day} {unit}", self.pledge, fact, reference)

    def _results(self, made_on: date) -> Iterator[ImportItem]:
        """A pledge for each target of an indicator, and its actual."""
        number = 0
        for result in self.element.iterfind("result"):
            for indicator in result.iterfind("indicator"):
                number += 1
                if indicator.get("measure", "1") not in _MEASURED:
                    self.remarks.append(f"indicator {number} is in words, and is left out")
                    continue
                for order, period in enumerate(indicator.iterfind("period"), start=1):
                    try:
                        yield from self._result(indicator, result, period, f"{number}-{order}", made_on)
                    except _Unreadable as wrong:
                        self._problem(f"/result/indicator/{number}/period/{order}", str(wrong))

    def _result(
        self, indicator: Element, result: Element, period: Element, name: str, made_on: date
    ) -> Iterator[ImportItem]:
        title = narrative(indicator.find("title"), self.language) or narrative(result.find("title"), self.language)
        title = title or f"Indicator {name}"
        is_share = indicator.get("measure") == _PERCENTAGE
        unit = f"{'percent' if is_share else 'count'}:{slug_of(title)[:100].strip('-')}"
        start, end = day_of(period.find("period-start")), day_of(period.find("period-end"))
        target, actual = (_value(period.find(side)) for side in ("target", "actual"))
        if target is None:
            self.remarks.append(f'"{title}" has a period without a target, which is left out')
            return
        is_down = indicator.get("ascending") in ("0", "false")
        days = {place: day.isoformat() for place, day in (("start", start), ("end", end)) if day is not None}
        pledge = slug_of(f"{self.pledge[:100]} result {name}")
        made: dict[str, Any] = {
            "type": "PledgeMade",
            "stated_on": min(filter(None, (made_on, start))).isoformat(),
            "title": f"{title[: _MAX_LINE - 30]} ({end or start or 'no period'})",
            "pledgor": self._pledgor(),
            "kind": "ratio" if is_share else "count",
            "target": {"op": "le" if is_down else "ge", "value": plain(target), "unit": unit},
            "direction": "down" if is_down else "up",
            "part_of": self.pledge,
            "tags": ["iati"],
        }
        if days:
            made["window"] = days
        yield self._item(f"result {name}", pledge, made)
        if actual is None:
            return
        said_on = max(filter(None, (end, self.updated)), default=made_on)
        figure: dict[str, Any] = {
            "quantity": _Amount(actual, unit).json,
            "basis": "level" if is_share else "cumulative",
        }
        if days:
            figure["period"] = days
        fact = {"type": "ProgressReported", "stated_on": said_on.isoformat(), "figure": figure}
        yield self._item(f"actual {name}", pledge, fact)


def _sum(amounts: Sequence[_Amount]) -> _Amount | None:
    """The exact sum of amounts of one currency; None of none."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount.value)
    return _Amount(total, amounts[0].unit) if amounts else None


def _value(element: Element | None) -> Decimal | None:
    text = None if element is None else element.get("value")
    return None if text is None or not text.strip() else _decimal(text.strip())


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", text):
        raise _Unreadable(f'"{text[:80]}" is no decimal number')
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _Unreadable(f'"{text[:80]}" is no decimal number') from None


def _code(element: Element | None) -> str:
    return "" if element is None else element.get("code", "")


def _country(code: str, name: str) -> dict[str, str]:
    found: Any = pycountry.countries.get(alpha_2=code)
    return {"name": name or (code if found is None else str(found.name)), "code": code}
