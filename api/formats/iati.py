"""Statuses as IATI 2.03 activities: a pledge is an activity, its target an outgoing pledge, its actual what it came to.

IATI has no bounds: "over 50bn EUR" becomes the value 50000000000, and the words stand in the transaction's description.
What is no money has no transaction; its activity says it in words. We report on others' promises, so every activity has
`secondary-reporter="1"`. A file without activities is well-formed, but IATI wants one at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pycountry
from pydantic_core import from_json

from api import amounts, wording
from api.formats.provenance import Provenance
from api.formats.xml_text import xml_safe, xml_text

BATCH_STATUSES = 200
"""Statuses in memory at a time, whose causes are dated in one query."""

OUTGOING_PLEDGE, OUTGOING_COMMITMENT, DISBURSEMENT = "12", "2", "3"
_TRANSACTION_TYPES = {"pledged": OUTGOING_PLEDGE, "disbursed": DISBURSEMENT, "delivered": DISBURSEMENT}
"""IATI's transaction types by stage; every stage between is a commitment."""

_ORG_OTHER, _ROLE_FUNDING = "90", "1"
_PLANNED_START, _PLANNED_END = "1", "3"
_PIPELINE, _IMPLEMENTATION, _FINALISATION, _CANCELLED = "1", "2", "3", "5"
"""Codes of IATI's lists OrganisationType, OrganisationRole, ActivityDateType and ActivityStatus."""


def write_statuses(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """An `iati-activities` file; the clocks and the licence stand in a comment at its head."""
    reporter = provenance.origin or "commitments-tracker"
    about = ", ".join(f"{name} {value}" for name, value in provenance.footer.items() if value is not None)
    comment = xml_safe(about).replace("--", "- -").removesuffix("-")
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {escape(comment)} -->\n'.encode()
    yield b'<iati-activities version="2.03">\n'
    remaining = iter(documents)
    while batch := [from_json(document) for document in islice(remaining, BATCH_STATUSES)]:
        causes = {id_ for status in batch for name in ("target", "actual") for id_ in status["because"].get(name, ())}
        stated_days = provenance.stated_days(sorted(causes))
        for status in batch:
            yield "\n".join(_activity(status, reporter, stated_days)).encode() + b"\n"
    yield b"</iati-activities>\n"


def _activity(status: Mapping[str, Any], reporter: str, stated_days: Mapping[str, str]) -> Iterator[str]:
    money = [q["unit"] for q in (status["target"], status["actual"]) if q is not None and ":" not in q["unit"]]
    currency = f" default-currency={quoteattr(money[0])}" if money else ""
    own = f"{reporter}-{status['pledge']}"
    yield f'<iati-activity xml:lang="en"{currency}>'
    yield f"<iati-identifier>{xml_text(own)}</iati-identifier>"
    yield f'<reporting-org ref={quoteattr(reporter)} type="{_ORG_OTHER}" secondary-reporter="1">'
    yield f"{_narrative('Commitments Tracker')}</reporting-org>"
    yield f"<title>{_narrative(status['title'])}</title>"
    yield f'<description type="1">{_narrative(_description(status))}</description>'
    pledgor = _narrative(wording.party(status["pledgor"]))
    yield f'<participating-org role="{_ROLE_FUNDING}" type="{_ORG_OTHER}">{pledgor}'
    yield "</participating-org>"
    yield f'<activity-status code="{_activity_status(status)}"/>'
    yield from _dates(status)
    code = (status["beneficiary"] or {}).get("code", "")
    if pycountry.countries.get(alpha_2=code) is not None and len(code) == 2:
        yield f'<recipient-country code="{code.upper()}"/>'
    for tag in status["tags"]:
        yield f'<tag vocabulary="99" code="{tag}">{_narrative(tag)}</tag>'
    target, actual = status["target"], status["actual"]
    stage_type = _TRANSACTION_TYPES.get(status["stage"], OUTGOING_COMMITMENT)
    for name, quantity, kind in (("target", target, OUTGOING_PLEDGE), ("actual", actual, stage_type)):
        if (amount := amounts.amount(quantity)) is not None and ":" not in quantity["unit"]:
            days = [stated_days[id_] for id_ in status["because"].get(name, ()) if id_ in stated_days]
            day = max(days, default=status["last_stated_on"])
            yield from _transaction(kind, quantity, amount.text or amount.exact, day, status)
    if "part_of" in status:
        above = quoteattr(f"{reporter}-{status['part_of']}")
        yield f'<related-activity ref={above} type="1"/>'
    yield "</iati-activity>"


def _transaction(
    kind: str, quantity: Mapping[str, str], description: str, day: str, status: Mapping[str, Any]
) -> Iterator[str]:
    yield f'<transaction><transaction-type code="{kind}"/><transaction-date iso-date="{day}"/>'
    yield f'<value currency="{quantity["unit"]}" value-date="{day}">{quantity["value"]}</value>'
    yield f"<description>{_narrative(description)}</description>"
    yield f'<provider-org type="{_ORG_OTHER}">{_narrative(wording.party(status["pledgor"]))}</provider-org>'
    if status["beneficiary"] is not None:
        yield f'<receiver-org type="{_ORG_OTHER}">{_narrative(wording.party(status["beneficiary"]))}</receiver-org>'
    yield "</transaction>"


def _description(status: Mapping[str, Any]) -> str:
    parts = [f"{wording.STATUS[status['status']]}: {wording.means(status)}."]
    for name, word in (("target", "Promised"), ("actual", "Reported")):
        if (amount := amounts.amount(status[name])) is not None:
            parts.append(f"{word}: {amount.text or amount.exact}.")
    return " ".join(parts)


def _activity_status(status: Mapping[str, Any]) -> str:
    if status["lifecycle"] in ("withdrawn", "superseded"):
        return _CANCELLED
    if status["status"] in ("exceeded", "met", "partly_met", "missed"):
        return _FINALISATION
    return _PIPELINE if status["status"] == "announced" else _IMPLEMENTATION


def _dates(status: Mapping[str, Any]) -> Iterator[str]:
    """IATI wants a date: where the pledge has no window, the day of what was said last."""
    window = status["window"] or {}
    start, end = window.get("start"), window.get("latest") or window.get("end")
    if start or not end:
        yield f'<activity-date iso-date="{start or status["last_stated_on"]}" type="{_PLANNED_START}"/>'
    if end:
        yield f'<activity-date iso-date="{end}" type="{_PLANNED_END}"/>'


def _narrative(text: str) -> str:
    return f"<narrative>{xml_text(text)}</narrative>"
