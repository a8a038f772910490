"""Writers that never give up, and the audit of what they were told: which acknowledged events are lost, which facts
stand in the log twice."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import httpx

from tests.support.api import made, statement
from tests.support.servers import KEY
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.log.recorder import LogRecorder

ANSWER_SECONDS = 40.0
"""Seconds that a writer waits for an answer: longer than a SQLite file's writer waits for its turn."""

PAUSE_SECONDS = 0.05
"""Seconds after which a request that was not acknowledged is sent again."""

AGAIN = frozenset({408, 425, 429, 502, 503, 504})
"""Status codes after which the same request is sent again."""


@dataclass(frozen=True)
class Receipt:
    """What a writer was told of one fact."""

    event: str
    pledge: str
    position: int
    version: int


@dataclass(frozen=True)
class Audit:
    """What the log has of all that was sent. `lost` are keys, `doubled` keys, ids and places that stand twice."""

    lost: list[str]
    doubled: list[str]


@dataclass
class Writers:
    """Threads that record statements, each with an `Idempotency-Key` that its summary repeats, until told to stop.

    `address` gives the address of the server that the nth writer talks to, which may change while it retries.
    """

    address: Callable[[int], str]
    count: int = 8
    acknowledged: dict[str, Receipt] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    """Answers that are neither an acknowledgement nor a reason to try again."""
    retried: int = 0
    sent: set[str] = field(default_factory=set)
    """The keys of all that was sent, acknowledged or not."""
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(headers=KEY, timeout=ANSWER_SECONDS))
    _lock: Lock = field(default_factory=Lock)
    _stopped: Event = field(default_factory=Event)

    def close(self) -> None:
        """Close the writers' connections."""
        self._client.close()

    def open(self) -> None:
        """Open every writer's pledge, and one that all of them share."""
        for pledge in {self._pledge(number, turn) for number in range(self.count) for turn in (0, 1)}:
            body = {"pledge": pledge, "fact": made(title=f"Pledge of {pledge}")}
            assert self._send(0, "/v1/pledges", body, uuid.uuid4().hex) is not None, self.unexpected

    def record(self, number: int = 0, turn: int = 0) -> Receipt | None:
        """Record one statement; None if the writers were stopped first."""
        key = uuid.uuid4().hex
        with self._lock:
            self.sent.add(key)
        path = f"/v1/pledges/{self._pledge(number, turn)}/events"
        receipt = self._send(number, path, statement(summary=key), key)
        if receipt is not None:
            with self._lock:
                self.acknowledged[key] = receipt
        return receipt

    def write(self, each: int) -> None:
        """Every writer records so many statements, all writers at once."""
        threads = [Thread(target=self._some, args=(number, each), daemon=True) for number in range(self.count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG_SECONDS)
            assert not thread.is_alive(), "a writer was never acknowledged"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All writers record without a pause; in the end each leaves what was not acknowledged."""
        threads = [Thread(target=self._some, args=(number, None), daemon=True) for number in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(HANG_SECONDS)
            self._stopped.clear()

    def more(self, facts: int) -> None:
        """Wait until so many further facts are acknowledged."""
        enough = len(self.acknowledged) + facts
        wait_until(lambda: len(self.acknowledged) >= enough or bool(self.unexpected))
        assert not self.unexpected, self.unexpected

    def audit(self, log: LogRecorder) -> Audit:
        """Read the whole log, and look up every acknowledgement in it."""
        events, keys, places = Counter[str](), Counter[str](), Counter[str]()
        at: dict[str, str] = {}
        after = 0
        while rows := log.read(after):
            for row in rows:
                at[f"{row.position} {row.pledge} {row.version}"] = row.event_id
                events[row.event_id] += 1
                places[f"position {row.position}"] += 1
                places[f"{row.pledge} version {row.version}"] += 1
                with suppress(ValueError, KeyError):
                    keys[json.loads(row.state)["fact"]["summary"]] += 1
            after = rows[-1].position
        lost = [
            key
            for key, told in self.acknowledged.items()
            if at.get(f"{told.position} {told.pledge} {told.version}") != told.event
        ]
        keys = Counter({key: n for key, n in keys.items() if key in self.sent})
        return Audit(lost, [name for counted in (events, keys, places) for name, n in counted.items() if n > 1])

    def _some(self, number: int, each: int | None) -> None:
        turn = 0
        while (each is None and not self._stopped.is_set()) or (each is not None and turn < each):
            self.record(number, turn)
            turn += 1

    @staticmethod
    def _pledge(number: int, turn: int) -> str:
        """Every other fact of a writer goes to the pledge that all share."""
        return f"writer-{number}" if turn % 2 == 0 else "shared"

    def _send(self, number: int, path: str, body: object, key: str) -> Receipt | None:
        while not self._stopped.is_set():
            with suppress(httpx.TransportError):
                url = f"{self.address(number)}{path}"
                answer = self._client.post(url, json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 201:
                    told = answer.json()
                    event = told["event"]
                    return Receipt(event["id"], event["pledge"], told["position"], told["version"])
                if answer.status_code not in AGAIN:
                    self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")
                    return None
            self.retried += 1
            time.sleep(PAUSE_SECONDS)
        return None
