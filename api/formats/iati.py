"""Statuses as IATI 2.03 activities: they pass IATI's schema and break no rule of its published ruleset.

A pledge is an activity. Money is in transactions, budgets and planned disbursements (`iati_money.py`), everything else
in a result (`iati_results.py`). We report on others' promises, so every activity has `secondary-reporter="1"`.

Every activity has a planned start: that of its window or recurrence, else the day on which the pledge was made. Its
sector is "not specified" (DAC 99810), since no source tells one. Its recipient is the beneficiary's country; without
one a region of our own vocabulary says so. The identifiers begin with the log's name. A file without activities is
well-formed, but IATI wants one at least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from xml.sax.saxutils import escape, quoteattr

import pycountry
from pydantic_core import from_json

from api import amounts, wording
from api.formats import iati_money, iati_results
from api.formats.iati_parts import ORG_OTHER, UPPER_BOUNDS, Status, day, is_money, narrative, terms_of, words
from api.formats.provenance import Provenance
from api.formats.xml_text import xml_safe

BATCH_STATUSES = 200
"""Statuses in memory at a time, whose causes are dated in one query."""

_ROLE_FUNDING = "1"
_PLANNED_START, _PLANNED_END = "1", "3"
_PIPELINE, _IMPLEMENTATION, _FINALISATION, _CANCELLED = "1", "2", "3", "5"
_GENERAL, _OTHER_DESCRIPTION = "1", "4"
"""Codes of IATI's lists OrganisationRole, ActivityDateType, ActivityStatus and DescriptionType."""

_SECTOR_NOT_SPECIFIED = "99810"
_OUR_VOCABULARY = "99"
_UNFIT_FOR_IDS = re.compile(r"[/&|?\s]+")
"""What the ruleset does not want in identifiers."""


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """An `iati-activities` file; the clocks and the licence stand in a comment at its head."""
    reporter = _UNFIT_FOR_IDS.sub("-", provenance.origin or "commitments-tracker").strip("-")
    about = ", ".join(f"{name} {value}" for name, value in provenance.footer.items() if value is not None)
    comment = xml_safe(about).replace("--", "- -").removesuffix("-")
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {escape(comment)} -->\n'.encode()
    yield b'<iati-activities version="2.03">\n'
    remaining = iter(documents)
    while batch := [from_json(document) for document in islice(remaining, BATCH_STATUSES)]:
        causes = {id_ for status in batch for name in ("target", "actual") for id_ in status["because"].get(name, ())}
        stated_days = provenance.stated_days(sorted(causes))
        first_days = provenance.first_days([status["pledge"] for status in batch])
        for status in batch:
            made_on = first_days.get(status["pledge"], day(status["last_stated_on"]))
            yield "\n".join(_activity(status, reporter, made_on, stated_days)).encode() + b"\n"
    yield b"</iati-activities>\n"


def _activity(status: Status, reporter: str, made_on: date, stated_days: Mapping[str, str]) -> Iterator[str]:
    start, end = _days(status, made_on)
    terms = terms_of(status, start, end or max(start, _last_day(status)))
    has_money = is_money(status)
    promised_on, reported_on = (_stated_on(status, name, stated_days) for name in ("target", "actual"))
    yield f'<iati-activity xml:lang="en"{_default_currency(status) if has_money else ""}>'
    yield f"<iati-identifier>{reporter}-{status['pledge']}</iati-identifier>"
    yield f'<reporting-org ref={quoteattr(reporter)} type="{ORG_OTHER}" secondary-reporter="1">'
    yield f"{narrative('Commitments Tracker')}</reporting-org>"
    yield f"<title>{narrative(status['title'])}</title>"
    yield f'<description type="{_GENERAL}">{narrative(_description(status))}</description>'
    if terms_in_words := _terms_in_words(status):
        yield f'<description type="{_OTHER_DESCRIPTION}">{narrative(terms_in_words)}</description>'
    for party in (status["pledgor"], *(one["party"] for one in status.get("joint", ()))):
        yield f'<participating-org role="{_ROLE_FUNDING}" type="{ORG_OTHER}">{narrative(wording.party(party))}'
        yield "</participating-org>"
    yield f'<activity-status code="{_activity_status(status)}"/>'
    yield f'<activity-date iso-date="{start}" type="{_PLANNED_START}"/>'
    if end is not None:
        yield f'<activity-date iso-date="{end}" type="{_PLANNED_END}"/>'
    yield _recipient(status)
    yield f'<sector vocabulary="1" code="{_SECTOR_NOT_SPECIFIED}"/>'
    for tag in status["tags"]:
        yield f'<tag vocabulary="{_OUR_VOCABULARY}" code="{tag}">{narrative(tag)}</tag>'
    if has_money:
        yield from iati_money.budgets(status, terms, promised_on)
        yield from iati_money.planned_disbursements(status, promised_on)
        yield from iati_money.transactions(status, terms, promised_on, reported_on)
    if "part_of" in status:
        above = quoteattr(f"{reporter}-{status['part_of']}")
        yield f'<related-activity ref={above} type="1"/>'
    if status.get("conditions"):
        yield '<conditions attached="1"/>'
    yield from iati_results.result(status, terms, has_money=has_money)
    yield "</iati-activity>"


def _days(status: Status, made_on: date) -> tuple[date, date | None]:
    """The planned start of an activity, and its planned end if it has one."""
    bounds = status.get("recurrence") or status["window"] or {}
    last = bounds.get("latest") or bounds.get("end")
    end = None if last is None else day(last)
    if "start" in bounds:
        return day(bounds["start"]), end
    return made_on if end is None else min(made_on, end), end


def _last_day(status: Status) -> date:
    """The day with which the period of a result ends that has no deadline."""
    period = status["period"] or {}
    return day(period.get("end") or status["as_of"])


def _stated_on(status: Status, name: str, stated_days: Mapping[str, str]) -> date:
    """When a member of the status was said last."""
    days = [stated_days[id_] for id_ in status["because"].get(name, ()) if id_ in stated_days]
    return day(max(days, default=status["last_stated_on"]))


def _default_currency(status: Status) -> str:
    unit = next(status[name]["unit"] for name in ("target", "actual") if status[name] is not None)
    return f" default-currency={quoteattr(unit)}"


def _recipient(status: Status) -> str:
    beneficiary = status["beneficiary"] or {}
    code = beneficiary.get("code", "")
    if len(code) == 2 and pycountry.countries.get(alpha_2=code) is not None:
        return f'<recipient-country code="{code.upper()}"/>'
    name = wording.party(beneficiary) if beneficiary else "The source names no country or region."
    return f'<recipient-region vocabulary="{_OUR_VOCABULARY}" code="unspecified">{narrative(name)}</recipient-region>'


def _description(status: Status) -> str:
    parts = [f"{wording.STATUS[status['status']]}: {wording.means(status)}."]
    for name, word in (("target", "Promised"), ("actual", "Reported")):
        if (amount := amounts.amount(status[name])) is not None:
            parts.append(f"{word}: {amount.text or amount.exact}.")
    actual = status["actual"]
    if actual is not None and actual["op"] in UPPER_BOUNDS and is_money(status):
        parts.append("What was reported is an upper bound, so no transaction says it.")
    return " ".join(parts)


def _terms_in_words(status: Status) -> str:
    """Instalments, conditions and the recurrence in words: IATI's own elements have no room for bounds and texts."""
    told = []
    if "recurrence" in status:
        told.append(f"What is promised holds for each {status['recurrence']['every']}.")
    if "instalments" in status:
        listed = (
            f"{words(one['quantity'])} by {wording.day(one['due'])}: {one['state']}" for one in status["instalments"]
        )
        told.append(f"Instalments: {'; '.join(listed)}.")
    if "conditions" in status:
        listed = (f"{one['text']}: {one['state']}" for one in status["conditions"])
        told.append(f"Conditions: {'; '.join(listed)}.")
    return " ".join(told)


def _activity_status(status: Status) -> str:
    if status["lifecycle"] in ("withdrawn", "superseded"):
        return _CANCELLED
    if status["status"] in ("exceeded", "met", "partly_met", "missed"):
        return _FINALISATION
    return _PIPELINE if status["status"] == "announced" else _IMPLEMENTATION
