"""Facts and events written by hand, in few words: plain dicts as they are served."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from . import oracle

Fact = dict[str, Any]
EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
RATES = {
    ("USD", "2024-06-28"): "1.0705",
    ("USD", "2024-09-30"): "1.1196",
    ("USD", "2024-10-16"): "1.0897",
    ("USD", "2024-12-31"): "1.0389",
    ("GBP", "2024-12-31"): "0.82918",
}


def rates(currency: str, day: date) -> tuple[Decimal, date] | None:
    """A tiny table: the latest rate on or before the day, at most 7 days back."""
    for back in range(8):
        published = day - timedelta(days=back)
        rate = RATES.get((currency, published.isoformat()))
        if rate is not None:
            return Decimal(rate), published
    return None


def q(words: str) -> Fact:
    """`"ge 40 EUR"`, `"between 3 5 EUR"`."""
    parts = words.split()
    if parts[0] == "between":
        return {"op": "between", "value": parts[1], "upper": parts[2], "unit": parts[3]}
    return {"op": parts[0], "value": parts[1], "unit": parts[2]}


def source(publisher: str = "NATO", **more: Any) -> Fact:
    """A source."""
    return {"publisher": publisher, "tier": "official", **more}


def fact(kind: str, on: str, /, **fields: Any) -> Fact:
    """A fact said on a day, from the official source unless another is given."""
    return {"type": kind, "stated_on": on, "source": source(), **fields}


def made(target: str | None = None, on: str = "2024-01-02", kind: str = "money", **fields: Any) -> Fact:
    """`PledgeMade`."""
    said = {"title": "A pledge", "pledgor": {"name": "NATO"}, "kind": kind, **fields}
    return fact("PledgeMade", on, **said, **({} if target is None else {"target": q(target)}))


def year(number: int, until: int | None = None) -> Fact:
    """A window or period of whole years."""
    return {"start": f"{number}-01-01", "end": f"{until or number}-12-31"}


def figure(words: str, basis: str = "cumulative", **fields: Any) -> Fact:
    """A figure."""
    return {"quantity": q(words), "basis": basis, **fields}


def report(words: str, on: str, by: str = "NATO", kind: str = "ProgressReported", /, **fields: Any) -> Fact:
    """`ProgressReported`, or a claim with a figure."""
    of_source = {name: fields.pop(name) for name in ("origin", "reference", "tier") if name in fields}
    reason = {"reason": fields.pop("reason")} if "reason" in fields else {}
    return fact(kind, on, figure=figure(words, **fields), **reason) | {"source": source(by, **of_source)}


def member(code: str, verdict: str, on: str, **fields: Any) -> Fact:
    """`MemberReported`."""
    return fact("MemberReported", on, member=code, verdict=verdict, **fields)


def revised(on: str, **fields: Any) -> Fact:
    """`PledgeRevised`."""
    return fact("PledgeRevised", on, reason="as said", **fields)


def event_id(version: int) -> str:
    """The id of the n-th event of a stream."""
    return f"00000000-0000-7000-8000-{version:012d}"


def stream(*facts: Fact) -> list[dict[str, Any]]:
    """The facts in their envelopes, recorded an hour apart from 2026 on."""
    return [
        {
            "id": event_id(version),
            "pledge": "a-pledge",
            "version": version,
            "recorded_at": recorded_at(version).isoformat(),
            "recorded_by": "alice",
            "fact": said,
            "position": version,
        }
        for version, said in enumerate(facts, 1)
    ]


def recorded_at(version: int) -> datetime:
    """When the n-th event of a stream was recorded."""
    return EPOCH + timedelta(hours=version)


class Given:
    """A stream to ask."""

    def __init__(self, *facts: Fact) -> None:
        self.events = stream(*facts)

    def at(self, as_of: str, known: int | None = None) -> dict[str, Any]:
        """The status at a day, as known after the n-th event; fails where the pledge does not exist."""
        found = self.found(as_of, known)
        assert found is not None
        return found

    def found(self, as_of: str, known: int | None = None) -> dict[str, Any] | None:
        """The status at a day, or None."""
        known_at = None if known is None else recorded_at(known)
        return oracle(self.events, date.fromisoformat(as_of), known_at, rates)

    def status(self, as_of: str, known: int | None = None) -> str:
        """The headline at a day."""
        return str(self.at(as_of, known)["status"])
