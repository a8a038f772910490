"""One server, everybody who may ask it, and everything that they send; what came of it."""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from attack.callers import Caller, callers
from attack.checks import broken
from attack.inputs import MARK, Attack, attacks
from attack.smuggling import smuggled
from attack.wire import Answer, Wire
from tests.support.api import MONITOR, SOURCE, made, progress, statement
from tests.support.routes import routes
from tests.support.served import Served
from tests.support.waiting import HANG_SECONDS, wait_until

SENDERS = 4
"""Connections that send at a time."""

MEBIBYTE = 2**20


@dataclass
class Findings:
    """What came of one server: how many requests of each kind, how they were answered, and what did not hold."""

    store: str
    public_read: bool
    routes: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Answers by caller and class of status (2, 3, 4, 5)."""

    broken: list[str] = field(default_factory=list)
    grown: int = 0
    """Bytes of memory that the server took beyond what it had before."""

    waits: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Seconds that another caller waited meanwhile: the median, the 99th in a hundred, the longest."""

    @property
    def sent(self) -> int:
        """All requests."""
        return sum(self.kinds.values())

    def note(self, caller: Caller, attack: Attack, answer: Answer) -> None:
        """Count an answer, and note what does not hold of it."""
        self.kinds[attack.kind] += 1
        self.statuses[caller.name, answer.status // 100] += 1
        for sentence in broken(caller, attack, answer, public_read=self.public_read):
            method = attack.method or attack.route.method
            self.broken.append(
                f"{self.store}, {caller.name}, {method} {attack.target[:120]!r} ({attack.kind}): {sentence}"
            )


def attacked(served: Served, url: str, found: Findings, *, full: Sequence[str], share: int, seed: int = 1) -> Findings:
    """Send everything: all of it as the callers named in `full`, and of each route `share` inputs as the others."""
    began = time.monotonic()
    _fill(served)
    everybody = callers(url)
    wait_until(lambda: _is_known(served, everybody))
    offered = list(routes(httpx.get(f"{served.address}/schema/openapi.json", timeout=HANG_SECONDS).json()))
    found.routes = len(offered)
    drawn = random.Random(seed)
    todo = [
        (caller, attack)
        for caller in everybody
        for route in offered
        for attack in _drawn(drawn, list(attacks(route)), None if caller.name in full else share)
    ]
    drawn.shuffle(todo)
    before = served.forget_peak()
    with served.others() as waits:
        _send(served, todo, found)
        for sentence in smuggled(served.place):
            found.broken.append(f"{found.store}: {sentence}")
    found.grown = served.peak_bytes() - before
    hundred = statistics.quantiles(waits.seconds, n=100)
    found.waits = (hundred[49], hundred[98], max(waits.seconds))
    found.broken += _recorded_by_others(served, found)
    found.seconds = time.monotonic() - began
    return found


def _drawn(drawn: random.Random, inputs: list[Attack], share: int | None) -> list[Attack]:
    """The first, which is as it should be, and so many of the others; all of them without a share."""
    return inputs if share is None or share >= len(inputs) else [inputs[0], *drawn.sample(inputs[1:], share - 1)]


def _send(served: Served, todo: list[tuple[Caller, Attack]], found: Findings) -> None:
    def send(part: list[tuple[Caller, Attack]]) -> list[tuple[Caller, Attack, Answer]]:
        wire, answers = Wire(served.place), []
        for caller, attack in part:
            headers = list(attack.headers)
            if attack.keyed and caller.key is not None:
                headers.append((b"authorization", f"Bearer {caller.key}".encode()))
            method = attack.method or attack.route.method
            answer = wire.ask(method, attack.target, headers, attack.body, head_only=attack.is_endless)
            answers.append((caller, attack, answer))
        wire.close()
        return answers

    with ThreadPoolExecutor(SENDERS) as senders:
        for answers in senders.map(send, [todo[number :: SENDERS * 8] for number in range(SENDERS * 8)]):
            for caller, attack, answer in answers:
                found.note(caller, attack, answer)


def _fill(served: Served) -> None:
    """A pledge whose every text is markup, and a sound one."""
    hostile = f"\"{MARK}'</title></script>{MARK}&"
    party = {"name": hostile, "code": "zq"}
    source = SOURCE | {"publisher": hostile, "title": hostile, "locator": hostile, "url": "https://e.example/?a=%22%3E"}
    own: dict[str, Any] = {"summary": hostile, "quote": hostile, "speaker": party, "source": source}
    facts = [
        made(title=hostile, pledgor=party, beneficiary=party, measurable_note=hostile, **own),
        progress(**own),
        statement(**own),
    ]
    with httpx.Client(base_url=served.address, headers=MONITOR, timeout=HANG_SECONDS) as client:
        for number, fact in enumerate(facts):
            path = "/v1/pledges/aid-2024/events" if number else "/v1/pledges"
            answer = client.post(path, json=fact if number else {"pledge": "aid-2024", "fact": fact})
            assert answer.status_code == 201, answer.text
        assert client.post("/v1/pledges", json={"pledge": "sound", "fact": made(title="Sound")}).status_code == 201


def _is_known(served: Served, everybody: list[Caller]) -> bool:
    """Whether the server knows all keys as they are now: it reads them within a second."""
    wire = Wire(served.place)
    try:
        asked = [(c, wire.ask("GET", b"/v1/log", [_bearer(c)], head_only=False)) for c in everybody if c.key]
    finally:
        wire.close()
    return all((answer.status == 200) == (caller.role is not None) for caller, answer in asked)


def _bearer(caller: Caller) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {caller.key}".encode()


def _recorded_by_others(served: Served, found: Findings) -> Iterator[str]:
    """A sentence for each event that somebody recorded who may not."""
    after, by = 0, Counter[str]()
    with httpx.Client(base_url=served.address, headers=MONITOR, timeout=HANG_SECONDS) as client:
        while items := client.get("/v1/events", params={"after": after, "limit": 1000}).json()["items"]:
            by.update(event["recorded_by"] for event in items)
            after = items[-1]["position"]
    for name in by.keys() - {"admin", "a-admin", "a-monitor"}:
        yield f"{found.store}: {by[name]} events were recorded by {name}"


@contextmanager
def on_store(directory: Path, url: str | None, *, public_read: bool) -> Iterator[tuple[Served, str]]:
    """A server on a SQLite file in the directory, or on the PostgreSQL database of the URL, and the store's URL."""
    from tests.support.served import serving
    from tests.support.shell import Shell

    where = url or f"sqlite:///{directory}/tracker.db"
    Shell(where, directory).run("init")
    settings = {
        "TRACKER_DATABASE_URL": where,
        "TRACKER_PUBLIC_READ": str(public_read).lower(),
        "TRACKER_FAILED_KEY_LIMIT": "0",
        "TRACKER_READ_TIMEOUT": "60",
        "TRACKER_STATE_DIR": str(directory / "state"),
    }
    with serving(directory, **settings) as served:
        yield served, where
