"""The rules against the oracle, at every boundary of random streams, on both clocks.

    python -m tests.rules.oracle.fuzz --points 100000 [--seed 0]

It prints how many points were compared and the differences by kind, and exits with 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from tracker.errors import Refusal
from tracker.event import Event
from tracker.facts import FACT_ADAPTER
from tracker.pledge import Pledge
from tracker.rules.rates import published
from tracker.rules.status import StatusFold

from . import oracle
from .streams import BELOW_ZERO, PLANS, boundaries, generate, known_boundaries

STEP = Decimal("0.000001")
"""Ratios are rounded: the rules to the side that keeps a bound true, the oracle to the nearest."""

BELOW_ZERO_EVERY = 8
"""Of so many streams one is about amounts and targets below zero and at it."""

MUCH_LATER = datetime(2060, 1, 1, tzinfo=UTC)
CENT = Decimal("0.01")
STATES = {"partly": "partly_reached"}
ONE_TO_ONE = (
    "status", "title", "pledgor", "tags", "stage", "schedule", "trajectory", "evidence", "lifecycle",
)  # fmt: skip


def rates(currency: str, day: date) -> tuple[Decimal, date] | None:
    """The rates that the rules use: what they are is not what is compared."""
    return published(currency, day)


@dataclass
class Compared:
    """What a run has found."""

    points: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, date, int, Any, Any]] = field(default_factory=dict)
    """Of each kind the first: seed, day, number of events known, ours, the oracle's."""


def read(raw: dict[str, Any]) -> Event:
    """An event as the rules take it."""
    at = datetime.fromisoformat(raw["recorded_at"])
    fact = FACT_ADAPTER.validate_python(raw["fact"])
    return Event(raw["id"], raw["pledge"], raw["version"], at, raw["recorded_by"], fact, raw["position"])


def stream(seed: int) -> list[dict[str, Any]]:
    """The events of a seed that may be recorded."""
    return accepted(generate(seed, BELOW_ZERO if (seed + 1) % BELOW_ZERO_EVERY == 0 else PLANS))


def accepted(raw: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of a stream that may be recorded, one after the other."""
    pledge = Pledge("a-pledge")
    found = []
    for event in raw:
        read_event = read(event)
        try:
            pledge.check(read_event.fact, MUCH_LATER)
        except Refusal:
            continue
        pledge.apply(read_event)
        found.append(event)
    return found


def without_text(quantity: Any) -> Any:
    """A quantity without the words of its source."""
    return {k: v for k, v in quantity.items() if k != "text"} if isinstance(quantity, dict) else quantity


def window(raw: Any) -> Any:
    """A window by what it says: `latest` is left out where it is `end`, and the words always."""
    if not isinstance(raw, dict):
        return raw
    found = {name: day for name, day in raw.items() if name != "text"}
    if "end" not in found and "latest" in found:
        found["end"] = found["latest"]
    if found.get("latest") == found.get("end"):
        found.pop("latest", None)
    return found or None


def near(ours: Any, theirs: Any) -> bool:
    """Whether two ratios are the same but for rounding."""
    if ours is None or theirs is None:
        return ours == theirs
    if (ours["op"], ours.get("open"), "upper" in ours) != (theirs["op"], theirs.get("open"), "upper" in theirs):
        return False
    names = [name for name in ("value", "upper") if name in ours]
    return all(abs(Decimal(ours[name]) - Decimal(theirs[name])) <= STEP for name in names)


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What two answers say differently: the kind, ours, the oracle's."""
    for name in ONE_TO_ONE:
        if ours[name] != theirs[name]:
            yield name, ours[name], theirs[name]
    for flag in sorted(set(ours["flags"]) ^ theirs["flags"]):
        yield f"flag {flag}", flag in ours["flags"], flag in theirs["flags"]
    for name in ("target", "relative_target", "actual"):
        if without_text(ours.get(name)) != theirs[name]:
            yield name, ours.get(name), theirs[name]
    for name in ("ratio", "progress"):
        if not near(ours[name], theirs[name]):
            yield name, ours[name], theirs[name]
    yield from _lists(ours, theirs)


def _lists(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    announced = [{k: v for k, v in one.items() if k != "period"} for one in ours.get("announced_amounts", ())]
    pairs: dict[str, tuple[Any, Any]] = {
        "joint": (ours.get("joint", []), theirs["joint"]),
        "announced_amounts": (
            [a | {"quantity": without_text(a["quantity"])} for a in announced],
            theirs["announced_amounts"],
        ),
        "period": (ours["period"] or None, theirs["period"] or None),
        "window": (window(ours["window"]), theirs["window"] or None),
        "claimed_trajectory": (
            sorted(one["trajectory"] for one in ours["claimed_trajectory"]),
            sorted(theirs["claimed_trajectory"]),
        ),
        "projection": (ours.get("projection", {}).get("event"), (theirs["projection"] or {}).get("event")),
        "milestones": (
            {one["milestone"]: one["state"] for one in ours.get("milestones", ())},
            {name: STATES.get(one["state"], one["state"]) for name, one in theirs["milestones"].items()},
        ),
        "periods_tally": (ours.get("periods_tally"), theirs["periods_tally"]),
        "instalments": (
            [{k: one[k] for k in ("due", "state")} for one in ours.get("instalments", ())],
            [{k: one[k] for k in ("due", "state")} for one in theirs["instalments"]],
        ),
        "conditions": (
            [{k: one[k] for k in ("condition", "state")} for one in ours.get("conditions", ())],
            theirs["conditions"],
        ),
        "past_targets": (
            [p | {"target": without_text(p["target"]), "window": window(p["window"])} for p in ours["past_targets"]],
            [p | {"window": p["window"] or None} for p in theirs["past_targets"]],
        ),
        "conversion": (_conversion(ours.get("conversion")), _conversion(theirs["conversion"])),
    }
    shares = [sorted(answer.get("shares", ()), key=lambda share: share["event"]) for answer in (ours, theirs)]
    bounds = [[one["bound"] for one in found] for found in shares]
    if len(bounds[0]) != len(bounds[1]) or not all(map(_same_amount, *bounds)):
        yield "shares", *bounds
    for name, (own, other) in pairs.items():
        if own != other:
            yield name, own, other
    for name, own, other in (*_periods(ours, theirs), *_members(ours, theirs)):
        yield name, own, other


def _conversion(how: Any) -> Any:
    """How it was converted; between two currencies other than the euro the oracle names no rate."""
    if how is None or (how["provider"] == "ECB" and how.get("rate", 0) is None):
        return None
    names = ("from", "to", "provider") if "EUR" not in (how["from"], how["to"]) else ("from", "to", "provider", "rate")
    return {name: how.get(name) for name in names}


def _same_amount(one: Any, other: Any) -> bool:
    """Whether two amounts are the same but for the places that a derived one is shown with."""
    if one is None or other is None:
        return bool(one == other)
    rest = [{k: v for k, v in amount.items() if k not in ("value", "upper", "text")} for amount in (one, other)]
    ends = [(Decimal(one[k]), Decimal(other[k])) for k in ("value", "upper") if k in one and k in other]
    are_alike = rest[0] == rest[1] and ("upper" in one) == ("upper" in other)
    return are_alike and all(abs(a - b) <= CENT / 2 for a, b in ends)


def _periods(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    own, others = ours.get("periods", []), theirs["periods"]
    if [p["start"] for p in own] != [p["start"] for p in others]:
        yield "periods", own, others
        return
    for one, other in zip(own, others, strict=True):
        if one["status"] != other["status"] or not _same_amount(one["actual"], other["actual"]):
            yield "periods", one, other
        if not near(one["ratio"], other["ratio"]):
            yield "periods ratio", one, other


def _members(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    own, other = ours.get("members"), theirs["members"]
    if other is None or own is None:
        return
    for name in ("eligible", "met", "not_met", "not_applicable", "opted_out", "total"):
        if isinstance(own[name], int) and other[name] is not None and own[name] != other[name]:
            yield f"members {name}", own, other


def compare_stream(seed: int, found: Compared, limit: int, step: int = 1) -> None:
    """Compare every boundary of one stream, at every state of the record; `limit` ends it."""
    raw = stream(seed)
    events = [read(event) for event in raw]
    days = boundaries(raw)[seed % step :: step]
    for known in known_boundaries(raw):
        known_at = None if known is None else datetime.fromisoformat(known)
        kept = [event for event in events if known_at is None or event.recorded_at <= known_at]
        if known_at is None or len(kept) < len(events):
            fold = StatusFold(kept)
            for day in days:
                if found.points >= limit:
                    return
                found.points += 1
                _compare_point(seed, day, fold, oracle(raw, day, known_at, rates), found)


def _compare_point(seed: int, day: date, fold: StatusFold, theirs: dict[str, Any] | None, found: Compared) -> None:
    status = fold.status(day)
    place = (seed, day, len(fold.events))
    if status is None or theirs is None:
        if (status is None) != (theirs is None):
            _note(found, "exists", (*place, status is not None, theirs is not None))
        return
    for kind, own, other in differences(status.document, theirs):
        _note(found, kind, (*place, own, other))


def _note(found: Compared, kind: str, example: tuple[int, date, int, Any, Any]) -> None:
    found.differences[kind] += 1
    known = found.examples.get(kind)
    if known is None or example[2] < known[2]:
        found.examples[kind] = example


def run(points: int, first_seed: int = 0, step: int = 1) -> Compared:
    """Compare so many points, from one seed on."""
    found = Compared()
    for seed in count(first_seed):
        if found.points >= points:
            break
        compare_stream(seed, found, points, step)
    return found


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--step", type=int, default=11, help="of the boundaries of a stream take every so many")
    args = parser.parse_args()
    found = run(args.points, args.seed, args.step)
    print(f"{found.points:,} points compared, {sum(found.differences.values()):,} differences")
    for kind, number in found.differences.most_common():
        seed, day, known, ours, theirs = found.examples[kind]
        print(f"  {number:>6,}  {kind}: seed {seed}, {day}, {known} events: ours {ours!r}, the oracle's {theirs!r}")
    sys.exit(1 if found.differences else 0)


if __name__ == "__main__":
    main()
