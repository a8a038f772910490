"""What costs most, one at a time: the memory that it takes, and how long others wait beside it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import httpx

from api.http.body_room import ROOM_BYTES
from attack.batches import JSON, LARGEST, MAX_BYTES, MAX_FACTOR, ROOM, SIZE, WORST, largest, wrong_fields
from attack.heads import HEADS
from tests.support.api import MONITOR
from tests.support.served import STALL_SECONDS, Cost, Served

ANSWER_SECONDS = 600.0
"""Seconds after which the answer to a batch is given up."""

MAX_HEAD_BYTES = 8 * 2**20
"""Bytes of memory that a head may cost, at most."""


class Row(NamedTuple):
    """One attack, what it sent and what it cost."""

    name: str
    sent: int
    status: str
    cost: Cost
    wanted: int
    bound: int

    @property
    def holds(self) -> bool:
        """Whether it was answered as it must be, within its bounds of memory and of others' waits."""
        within = self.cost.grown <= self.bound and self.cost.stall_seconds <= STALL_SECONDS
        return self.status == str(self.wanted) and within


def heads(served: Served) -> Iterator[Row]:
    """Every head beyond a bound, without a key."""
    for name, (pieces, wanted) in HEADS.items():
        cost = served.attacked(partial(served.answer, *pieces))
        status = cost.answer.partition(b"\r\n")[0].split()[1].decode()
        yield Row(name, sum(map(len, pieces)), status, cost, wanted, MAX_HEAD_BYTES)


def batches(served: Served) -> Iterator[Row]:
    """Every bad batch and the largest good ones, by one key; then eight large ones at once."""
    for name, (media_type, make, wanted) in WORST.items():
        body = make()
        yield _batch(served, name, media_type, body, wanted, min(MAX_BYTES, MAX_FACTOR * len(body) + ROOM))
    for name in LARGEST:
        yield _batch(served, f"10,000 facts that are recorded: {name}", JSON, largest(name), 201, MAX_BYTES)
    body = wrong_fields(SIZE)
    answers: list[httpx.Response] = []

    def eight() -> bytes:
        with ThreadPoolExecutor(8) as many:
            answers.extend(many.map(lambda _: _posted(served, JSON, body), range(8)))
        return b""

    cost = served.attacked(eight)
    taken = sorted({answer.status_code for answer in answers} - {503})
    name = f"eight of 64 MiB at once ({sum(answer.status_code == 503 for answer in answers)} of them 503)"
    yield Row(name, 8 * len(body), " ".join(map(str, taken)), cost, 422, MAX_BYTES + ROOM_BYTES)


def _batch(served: Served, name: str, media_type: str, body: bytes, wanted: int, bound: int) -> Row:
    statuses: list[int] = []

    def attack() -> bytes:
        answer = _posted(served, media_type, body)
        statuses.append(answer.status_code)
        return answer.content

    cost = served.attacked(attack)
    return Row(name, len(body), str(statuses[0]), cost, wanted, bound)


def _posted(served: Served, media_type: str, body: bytes) -> httpx.Response:
    headers = MONITOR | {"Content-Type": media_type, "Prefer": "respond-async"}
    return httpx.post(f"{served.address}/v1/events", content=body, headers=headers, timeout=ANSWER_SECONDS)
