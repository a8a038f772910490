"""A real history as facts: OCHA FTS on the Ebola response 2014–15, vintage by vintage, through the public API.

A row of a vintage is a donor's funding of one project. It has no id, so a row is known by donor, channel, description,
area and, among equal ones, its place. Each row is a pledge; what a vintage changes is a fact:

    a new row                       PledgeMade, with the amount as target
    committed                       ProgressReported of the amount, stage committed
    another amount                  PledgeRevised, and FigureRestated if it was committed
    no longer committed             StatementRetracted of the report
    no longer there                 PledgeWithdrawn
    there again                     StatementRetracted of the withdrawal

Then `status=met` sums up to what was committed and `status=announced` to what was pledged only, at every vintage.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

RowKey = tuple[str, str, str, str, int]

STALLED_SECONDS = 60.0
"""Seconds without any progress of the projection after which it is not waited for any longer."""


class Client(Protocol):
    """The part of httpx.Client and of Litestar's TestClient that is used here."""

    def get(self, url: str, **kwargs: Any) -> Any: ...
    def post(self, url: str, **kwargs: Any) -> Any: ...


@dataclass(frozen=True)
class Vintage:
    """One state of the table: when it was published (UTC), and its rows by key as (amount in USD, committed)."""

    at: str
    rows: dict[RowKey, tuple[int, bool]]

    @property
    def day(self) -> str:
        return self.at[:10]


@dataclass
class Known:
    """The facts that were recorded about one row."""

    amount: int
    committed: bool
    report: str | None = None
    withdrawal: str | None = None


def vintages(folder: Path) -> Iterator[Vintage]:
    """The vintages in a folder, oldest first."""
    for path in sorted((folder / "vintages").glob("*.json")):
        day, clock = path.name.split("_")[0].split("T")
        at = f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}Z"
        seen: Counter[tuple[str, ...]] = Counter()
        rows: dict[RowKey, tuple[int, bool]] = {}
        for row in json.loads(path.read_text("utf-8")):
            name = (row["Donor"], row["Channel"], " ".join(row["Description"].split()), row["Area"])
            seen[name] += 1
            rows[(*name, seen[name])] = (row["Funding"], row["Committed"].strip().lower().startswith("com"))
        yield Vintage(at, rows)


def slug(key: RowKey) -> str:
    """A stable slug of a row: its donor and a digest of its key."""
    donor = re.sub(r"[^a-z0-9]+", "-", key[0].lower()).strip("-")[:60]
    return f"fts-{donor}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}"


class Recorder:
    """Records what each vintage changes, and remembers the ids that later facts refer to."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}
        self._known: dict[RowKey, Known] = {}

    def record(self, vintage: Vintage) -> int:
        """Record one vintage as one batch; the log position after it."""
        items = [item for key in self._keys(vintage) for item in self._items(key, vintage)]
        if not items:
            return self._position()
        answer = self._client.post("/v1/events", json=items, headers=self._headers)
        if answer.status_code != 201:
            raise RuntimeError(answer.text)
        self._learn(vintage, answer.json()["first_position"], answer.json()["last_position"])
        for key, (amount, committed) in vintage.rows.items():
            known = self._known.setdefault(key, Known(amount, committed))
            known.amount, known.committed = amount, committed
        return int(answer.json()["last_position"])

    def wait_projected(self, position: int) -> None:
        """Wait until the projection has a position, however long that takes as long as it moves.

        Raises: TimeoutError if it has not moved for STALLED_SECONDS.
        """
        reached, moved_at = -1, time.monotonic()
        while reached < position:
            now = int(self._client.get("/health/ready").json()["position"])
            if now > reached:
                reached, moved_at = now, time.monotonic()
            elif time.monotonic() - moved_at > STALLED_SECONDS:
                raise TimeoutError(f"the projection stands at {reached} of {position}")
            time.sleep(0.02)

    def _keys(self, vintage: Vintage) -> list[RowKey]:
        return sorted(vintage.rows.keys() | self._known.keys())

    def _position(self) -> int:
        return int(self._client.get("/v1/events", params={"limit": 1}, headers=self._headers).json()["position"])

    def _items(self, key: RowKey, vintage: Vintage) -> Iterator[dict[str, Any]]:
        for fact in self._facts(key, vintage):
            source = {"publisher": "OCHA FTS", "published_on": vintage.day, "tier": "official", "locator": vintage.at}
            yield {"pledge": slug(key), "fact": {"stated_on": vintage.day, "source": source, **fact}}

    def _facts(self, key: RowKey, vintage: Vintage) -> Iterator[dict[str, Any]]:
        known, now = self._known.get(key), vintage.rows.get(key)
        if now is None:
            if known is not None and known.withdrawal is None:
                yield {"type": "PledgeWithdrawn", "reason": "the row is no longer in the table"}
            return
        amount, committed = now
        quantity = {"op": "eq", "value": str(amount), "unit": "USD"}
        figure = {"quantity": quantity, "stage": "committed", "basis": "cumulative"}
        if known is None:
            yield {
                "type": "PledgeMade",
                "title": key[2][:300] or "not described",
                "pledgor": {"name": key[0]},
                "beneficiary": {"name": key[3]},
                "kind": "money",
                "target": quantity,
                "tags": ["ebola-response"],
            }
            if committed:
                yield {"type": "ProgressReported", "figure": figure}
            return
        if known.withdrawal is not None:
            yield {"type": "StatementRetracted", "event": known.withdrawal, "reason": "the row is in the table again"}
        if amount != known.amount:
            yield {"type": "PledgeRevised", "target": quantity, "reason": "the table has another amount"}
        if committed and known.report is None:
            yield {"type": "ProgressReported", "figure": figure}
        elif committed and amount != known.amount:
            reason = "the table has another amount"
            yield {"type": "FigureRestated", "event": known.report, "figure": figure, "reason": reason}
        elif not committed and known.report is not None:
            yield {"type": "StatementRetracted", "event": known.report, "reason": "no longer listed as committed"}

    def _learn(self, vintage: Vintage, first: int, last: int) -> None:
        """Read back what was recorded: later vintages refer to reports and withdrawals by their event ids."""
        by_slug = {slug(key): key for key in self._keys(vintage)}
        after = first - 1
        while after < last:
            page = self._client.get("/v1/events", params={"after": after, "limit": 1000}, headers=self._headers).json()
            for event in page["items"]:
                after = event["position"]
                self._take_in(event, by_slug[event["pledge"]])

    def _take_in(self, event: dict[str, Any], key: RowKey) -> None:
        fact = event["fact"]
        known = self._known.setdefault(key, Known(0, committed=False))
        match fact["type"]:
            case "ProgressReported":
                known.report = event["id"]
            case "PledgeWithdrawn":
                known.withdrawal = event["id"]
            case "StatementRetracted" if fact["event"] == known.withdrawal:
                known.withdrawal = None
            case "StatementRetracted":
                known.report = None
