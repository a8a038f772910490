"""Synthetic logs shaped like the seeds: pledges of 8–12 events, one in five with corrections or late arrivals.

    python -m benchmarks.generate --database-url sqlite:///bench.db --pledges 100000

The same seed gives the same log, byte for byte. Events are appended to the log as the recorder writes them, without
the decisions of the aggregate: that every pledge would have passed them is checked on a sample by a test.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from pydantic_core import to_json

from tracker.event import event_id, restamp, stamp
from tracker.log.open import open_recorder
from tracker.log.rows import NewLogRow

SEED = 20240710
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "GBP", "SEK")
PLEDGORS = ("DE", "FR", "NL", "PL", "SE", "IT", "ES", "GB", "US", "CA", "NO", "DK", "FI", "EE", "NATO", "world-bank")
BENEFICIARIES = ("UA", "UA", "MD", "SD", "SY", "LR")
TAGS = ("security-assistance", "humanitarian", "energy", "climate", "health", "education")
FIRST_DAY = date(2020, 1, 1)
LAST_DAY = date(2026, 6, 30)


@dataclass(frozen=True, slots=True)
class Planned:
    """One event before it has its place in the log."""

    recorded_at: datetime
    pledge: int
    sequence: int
    fact: dict[str, Any]
    id: str


def slug(number: int) -> str:
    """The slug of the numbered pledge."""
    return f"pledge-{number:06d}"


def pledge_events(number: int, seed: int = SEED) -> list[Planned]:
    """The events of one pledge in the order in which they were stated."""
    random = Random(f"{seed}/{number}")  # a reproducible choice, no secret
    made = FIRST_DAY + timedelta(days=random.randrange((LAST_DAY - FIRST_DAY).days - 500))
    end = date(made.year + 1, made.month, min(made.day, 28))
    unit = random.choice(CURRENCIES)
    amount = random.randrange(1, 400) * 5 * 10 ** random.choice((6, 6, 7, 8))
    late_or_corrected = random.random() < 0.2
    planned: list[Planned] = []

    def add(stated: date, fact: dict[str, Any], delay: int | None = None) -> str:
        days = random.randrange(0, 4) if delay is None else delay
        at = datetime(stated.year, stated.month, stated.day, tzinfo=UTC) + timedelta(
            days=days, seconds=random.randrange(86_400), microseconds=random.randrange(1_000_000)
        )
        if planned and not late_or_corrected:
            at = max(at, planned[-1].recorded_at + timedelta(seconds=1))
        at = max(at, planned[0].recorded_at + timedelta(seconds=1)) if planned else at
        randomness = hashlib.sha256(f"{seed}/{number}/{len(planned)}".encode()).digest()[:10]
        own = event_id(at, randomness)
        fact = {"type": fact.pop("type"), "stated_on": stated.isoformat(), **fact}
        planned.append(Planned(at, number, len(planned), fact, own))
        return own

    def source(stated: date) -> dict[str, str]:
        outlet = random.randrange(40)
        return {
            "publisher": f"Outlet {outlet}",
            "url": f"https://outlet-{outlet}.example/{number}/{stated.isoformat()}/{len(planned)}",
            "published_on": stated.isoformat(),
            "tier": random.choice(("official", "primary", "media", "media")),
        }

    def figure(value: int, start: date, last: date, op: str = "eq") -> dict[str, Any]:
        return {
            "quantity": {"op": op, "value": str(value), "unit": unit},
            "stage": "committed",
            "basis": "cumulative",
            "nature": "actual",
            "period": {"start": start.isoformat(), "end": last.isoformat()},
        }

    pledgor = random.choice(PLEDGORS)
    beneficiary = random.choice(BENEFICIARIES)
    add(
        made,
        {
            "type": "PledgeMade",
            "source": source(made),
            "title": f"Assistance of {amount} {unit} to {beneficiary} by {pledgor}, no. {number}",
            "pledgor": {"name": f"Government of {pledgor}", "code": pledgor},
            "beneficiary": {"name": f"State of {beneficiary}", "code": beneficiary},
            "kind": "money",
            "target": {"op": "ge", "value": str(amount), "unit": unit},
            "window": {"start": made.isoformat(), "end": end.isoformat()},
            "tags": random.sample(TAGS, k=2),
        },
    )
    steps = random.randrange(5, 8)
    pace = random.uniform(0.7, 1.4)
    reports: list[tuple[str, date, int]] = []
    for step in range(1, steps + 1):
        until = made + (end - made) * step // (steps + 1)
        stated = until + timedelta(days=random.randrange(5, 40))
        share = pace * step / (steps + 1)
        value = max(1, round(amount * share / 10**5)) * 10**5
        late = late_or_corrected and step == 2
        own = add(
            stated,
            {"type": "ProgressReported", "source": source(stated), "figure": figure(value, made, until)},
            delay=random.randrange(120, 400) if late else None,
        )
        reports.append((own, stated, value))
        if random.random() < 0.25:
            said = stated + timedelta(days=3)
            trajectory = random.choice(("on_track", "behind"))
            add(said, {"type": "StatementMade", "source": source(said), "trajectory": trajectory})
    if random.random() < 0.3:
        said = made + timedelta(days=random.randrange(60, 200))
        add(said, {"type": "PledgeReaffirmed", "source": source(said)})
    if late_or_corrected:
        own, stated, value = reports[2]
        decided = stated + timedelta(days=random.randrange(10, 60))
        changes = {"figure": {"quantity": {"value": str(value + 10**5)}}}
        add(decided, {"type": "EventCorrected", "event": own, "changes": changes, "reason": "a digit was wrong"})
    closing = end + timedelta(days=random.randrange(20, 90))
    if random.random() < 0.6:
        value = round(amount * pace / 10**5) * 10**5 + 10**5
        kind = "PledgeExceeded" if value > amount else "PledgeMet" if value == amount else "PledgeMissed"
        final = figure(value, made, end, random.choice(("eq", "gt")))
        add(closing, {"type": kind, "source": source(closing), "figure": final})
    while len(planned) < 8:
        said = closing + timedelta(days=7 * len(planned))
        add(said, {"type": "StatementMade", "source": source(said), "stance": "supports"})
    return planned


def log_lines(pledges: int, seed: int = SEED) -> Iterator[NewLogRow]:
    """The lines of the whole log in the order of recording."""
    order: list[tuple[datetime, int, int]] = []
    for number in range(pledges):
        order += [(p.recorded_at, p.pledge, p.sequence) for p in pledge_events(number, seed)]
    order.sort()
    open_pledges: dict[int, dict[int, Planned]] = {}
    versions: dict[int, int] = {}
    for at, number, sequence in order:
        waiting = open_pledges.get(number)
        if waiting is None:
            waiting = open_pledges[number] = {p.sequence: p for p in pledge_events(number, seed)}
        planned = waiting.pop(sequence)
        versions[number] = versions.get(number, 0) + 1
        yield _line(planned, at, versions[number])
        if not waiting:
            del open_pledges[number], versions[number]


def _line(planned: Planned, at: datetime, version: int) -> NewLogRow:
    state = to_json(
        {
            "id": planned.id,
            "pledge": slug(planned.pledge),
            "version": version,
            "recorded_at": stamp(at),
            "recorded_by": f"monitor-{planned.pledge % 7}",
            "fact": planned.fact,
        }
    )
    return NewLogRow(slug(planned.pledge), version, planned.fact["type"], planned.id, state, at)


def load(database_url: str, pledges: int, *, seed: int = SEED, batch: int = 10_000) -> int:
    """Append the whole log to an empty store in batches; the number of events."""
    log = open_recorder(database_url)
    try:
        if log.head():
            raise SystemExit("the log is not empty")
        count, started = 0, time.perf_counter()
        lines = log_lines(pledges, seed)
        while chunk := list(islice(lines, batch)):
            log.append(chunk, restamp=restamp)
            count += len(chunk)
            if sys.stderr.isatty():
                rate = count / (time.perf_counter() - started)
                print(f"\r{count:,} events, {rate:,.0f}/s", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return count
    finally:
        log.close()


def main() -> None:
    """Load a synthetic log into the store of `--database-url`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--pledges", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    started = time.perf_counter()
    count = load(args.database_url, args.pledges, seed=args.seed)
    print(f"{count} events of {args.pledges} pledges in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
