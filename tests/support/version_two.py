"""A pledge for each thing that version 2 of the law adds, as facts to post (DOMAIN §3 and §4)."""

from __future__ import annotations

from typing import Any

from tests.support.api import SOURCE, made, progress

Fact = dict[str, Any]

YEARS = {"start": "2020-01-01", "end": "2022-12-31"}
YEAR = {"start": "2024-01-01", "end": "2024-12-31"}
OTHER = {"publisher": "Other Agency", "tier": "official"}


def total(quantity: str, period: dict[str, str] | None = None, **fields: Any) -> Fact:
    """A running total of a period, said soon after it."""
    figure = {"basis": "cumulative", "period": period or YEAR, **fields.pop("figure", {})}
    return progress(quantity, **{"stated_on": "2025-01-20", **fields}, figure=figure)


def payment(quantity: str, day: str, source: dict[str, Any], **figure: Any) -> Fact:
    """An increment of one day."""
    period = {"start": day, "end": day}
    return progress(quantity, stated_on=day, source=source, figure={"basis": "increment", "period": period, **figure})


def said(type_: str, stated_on: str, **fields: Any) -> Fact:
    """Another fact with a source."""
    return {"type": type_, "stated_on": stated_on, "source": SOURCE, **fields}


PLEDGES: dict[str, list[Fact]] = {
    "baseline": [
        made(title="Less carbon", kind="count", target="at most 60 count:mtco2e", direction="down",
             baseline={"quantity": "100 count:mtco2e", "on": "1990", "text": "as of 1990"}),
        total("80 count:mtco2e", figure={"basis": "level"}),
    ],
    "relative": [
        made(title="Far less carbon", kind="count", target="at least 55 percent:below-baseline",
             baseline={"quantity": "100 count:mtco2e", "on": "1990"}),
        total("37 percent:below-baseline", figure={"basis": "level", "nature": "provisional"}),
    ],
    "recurring": [
        made(title="A hundred a year", target="at least 100bn USD", window=None,
             recurrence={"every": "year", **YEARS}),
        *(total(amount, {"start": f"{year}-01-01", "end": f"{year}-12-31"}, stated_on=f"{year + 1}-03-01")
          for year, amount in ((2020, "83bn USD"), (2021, "90bn USD"), (2022, "116bn USD"))),
    ],
    "instalments": [
        made(title="In three parts", target="at least 100m EUR",
             instalments=[{"due": "2024-03", "quantity": "10m EUR"}, {"due": "2024-06", "quantity": "20m EUR"},
                          {"due": "2024-12", "quantity": "70m EUR"}]),
        payment("10m EUR", "2024-03-15", SOURCE),
    ],
    "conditions": [
        made(title="If parliament agrees", conditions=[{"condition": "law", "text": "if parliament agrees"},
                                                        {"condition": "audit", "text": "if the audit is clean"}]),
        said("ConditionReported", "2024-05-01", condition="audit", state="fulfilled"),
    ],
    "joint": [
        made(title="Two together", pledgor={"name": "Denmark", "code": "DK"}, target="at least 100m DKK",
             joint=[{"party": {"name": "Norway", "code": "NO"}, "share": "25"}]),
    ],
    "party-changes": [
        made(title="A donor that merged", pledgor={"name": "Old Agency", "code": "old-agency"}),
        said("PledgeRevised", "2024-06-01", pledgor={"name": "New Ministry", "code": "new-ministry"}, reason="merged"),
    ],
    "equivalent": [
        made(title="Kronor as dollars", target="at least 700m USD"),
        total("8bn SEK", figure={"equivalent": "760m USD"}),
    ],
    "constant-prices": [
        made(title="Without inflation", target="at least 50m USD:constant-2020"),
        total("60m USD:constant-2020"),
        total("70m USD", source=OTHER),
    ],
    "references": [
        made(title="One transaction", target="at least 20m EUR"),
        payment("5m EUR", "2024-03-01", {**SOURCE, "reference": "TX-1"}),
        payment("5m EUR", "2024-04-05", {**OTHER, "reference": "TX-1"}),
    ],
    "duplicates": [
        made(title="One payment or two", target="at least 20m EUR"),
        payment("5m EUR", "2024-03-01", SOURCE),
        payment("5m EUR", "2024-04-05", OTHER),
    ],
    "envelope": [
        made(title="Up to a hundred", target="at most 100m EUR"),
        total("80m EUR"),
    ],
    "on": [
        made(title="Members by a day", target=None, kind="ratio",
             group={"rule": "each_member", "members": ["BE", "FR"]}),
        said("MemberReported", "2025-03-01", member="BE", verdict="met", on="2024-11"),
        said("MemberReported", "2025-03-01", member="FR", verdict="met", on="2025-02"),
    ],
    "rated": [
        made(title="Judged by hand"),
        {"type": "AssessmentIssued", "stated_on": "2024-09-01", "rating": "Compromise", "rubric": "Promise meter",
         "rubric_version": "3", "reasoning": "Half of it."},
    ],
    "part": [made(title="A part of another", part_of="rated", target="at least 1bn EUR")],
    "estimates": [
        made(title="Estimated after the fact", target="at least 20m EUR"),
        total("10m EUR", {"start": "2024-01-01", "end": "2024-06-30"}, source=OTHER, stated_on="2024-08-01"),
        total("15m EUR", figure={"nature": "estimate"}),
    ],
    "promised-only": [
        made(title="Only said again"),
        total("100bn EUR", figure={"stage": "pledged"}),
    ],
    "reinstated": [
        made(title="Taken back, and given again"),
        said("PledgeWithdrawn", "2024-05-01", reason="An election."),
        said("PledgeReaffirmed", "2024-06-01"),
    ],
}  # fmt: skip
"""By slug: the pledge, then what was said of it."""
