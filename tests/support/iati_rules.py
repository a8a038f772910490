"""IATI's published ruleset, evaluated as its SPEC.rst says: which rules a document breaks, and how badly."""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from tests.support.paths import SHARED

IATI = SHARED / "data" / "iati"
"""IATI's own schemas and rules, which are not ours to copy."""

RULES, SCHEMA = IATI / "rulesets" / "standard.json", IATI / "schema_2.03" / "iati-activities-schema.xsd"

_WITHOUT_LISTS = "ORG-ID-PREFIX"
"""A rule that asks for prefixes of registered organisations, of which the ruleset has no list."""

_ALL = {
    "lang": ".//narrative[not(@xml:lang)]",
    "sector": "transaction[not(sector)]",
    "currency": ".//value[not(@currency)]",
}
"""What must not be there where a rule wants `all` to have something."""

Case = dict[str, Any]


class Broken(NamedTuple):
    """A rule that an element breaks."""

    severity: str
    rule: str
    message: str
    place: str


def broken(document: Any, today: date, rules: Path = RULES) -> list[Broken]:
    """The rules that a document breaks on a day."""
    found = []
    for context, named in json.loads(rules.read_text()).items():
        for element in document.xpath(context):
            for name, rule in named.items():
                for case in rule["cases"]:
                    found += [
                        Broken(
                            info.get("severity", ""),
                            name,
                            info.get("message", ""),
                            element.getroottree().getpath(element),
                        )
                        for info in _broken(name, case, element, today)
                    ]
    return found


def _broken(name: str, case: Case, element: Any, today: date) -> Iterator[dict[str, str]]:
    if "condition" in case and not element.xpath(f"boolean({case['condition']})"):
        return
    if name == "loop":
        for value in sorted({str(v) for v in element.xpath(case["foreach"])}):
            for inner, rule in case["do"].items():
                for one in rule["cases"]:
                    yield from _broken(inner, _filled(one, value), element, today)
    elif not _RULES[name](case, element, today):
        yield case.get("ruleInfo", {})


def _filled(case: Case, value: str) -> Case:
    filled: Case = json.loads(json.dumps(case).replace("$1", value))
    return filled


def _texts(case: Case, element: Any) -> list[str]:
    return [_text(node) for path in case["paths"] for node in element.xpath(path)]


def _text(node: Any) -> str:
    return str(node) if isinstance(node, str) else str(node.xpath("string()"))


def _dates(path: str, element: Any, today: date) -> list[date]:
    return [today] if path == "NOW" else [date.fromisoformat(str(found)[:10]) for found in element.xpath(path)]


def _starts(case: Case, element: Any, _: date) -> bool:
    if case["prefix"] == [_WITHOUT_LISTS]:
        return True
    starts = [_text(node) + case.get("separator", "") for path in case["prefix"] for node in element.xpath(path)]
    return all(any(text.startswith(start) for start in starts) for text in _texts(case, element))


def _in_order(case: Case, element: Any, today: date) -> bool:
    less, more = _dates(case["less"], element, today), _dates(case["more"], element, today)
    return not less or not more or max(less) <= min(more)


def _within_a_year(case: Case, element: Any, today: date) -> bool:
    (start,), (end,) = (_dates(case[name], element, today) for name in ("start", "end"))
    return end <= start.replace(year=start.year + 1, day=min(start.day, 28) if start.month == 2 else start.day)


_RULES: dict[str, Callable[[Case, Any, date], bool]] = {
    "atleast_one": lambda case, element, _: any(element.xpath(path) for path in case["paths"]),
    "no_more_than_one": lambda case, element, _: sum(len(element.xpath(path)) for path in case["paths"]) <= 1,
    "one_or_all": lambda case, element, _: bool(element.xpath(case["one"])) or not element.xpath(_ALL[case["all"]]),
    "unique": lambda case, element, _: len(set(_texts(case, element))) == len(_texts(case, element)),
    "startswith": _starts,
    "regex_matches": lambda case, element, _: all(re.search(case["regex"], text) for text in _texts(case, element)),
    "no_spaces": lambda case, element, _: all(text == text.strip() for text in _texts(case, element)),
    "date_now": lambda case, element, today: all(on <= today for on in _dates(case["date"], element, today)),
    "date_order": _in_order,
    "time_limit": _within_a_year,
    "if_then": lambda case, element, _: (
        not element.xpath(f"boolean({case['if']})") or bool(element.xpath(f"boolean({case['then']})"))
    ),
    "range": lambda case, element, _: all(
        case.get("min", -math.inf) <= float(text) <= case.get("max", math.inf) for text in _texts(case, element)
    ),
    "strict_sum": lambda case, element, _: sum(map(Decimal, _texts(case, element))) == case["sum"],
}


def schema() -> Any:
    """IATI's schema of activities."""
    return etree.XMLSchema(etree.parse(SCHEMA))
