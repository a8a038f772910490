"""Faults of the record itself: an older copy, a wrong clock, an event of another version."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from statistics import median
from threading import Event, Thread
from typing import Self

import httpx

from faults import moved_clock
from faults.trial import WRITER_COUNT, Trial
from tests.support.api import made
from tests.support.put_back import copied
from tests.support.servers import Server
from tests.support.waiting import HANG_SECONDS, wait_until
from tracker.event import restamp, stamp
from tracker.log.rows import NewLogRow

AT_ONCE_SECONDS = 2.0
"""Seconds within which readiness says that the log went back: it looks four times a second, and machines are slow."""

CHANGE_SECONDS = 2.0
"""Seconds within which open streams end and a server goes on after the log was put back, or forked."""

MOVED_HOURS = (3, -3)
"""Hours by which the clock is set ahead and back."""


def log_put_back(trial: Trial) -> None:
    """An older copy of the log is put back under a running server; then the operator forks the log.

    Readiness MUST say so at once and nothing may be written until then. What was acknowledged before the copy and after
    the fork MUST be there; what the copy lacks is gone by the operator's hand, and is counted apart.
    """
    taken = 0
    with trial.on_fresh_store():
        server = trial.serve()
        trial.writers.open()
        ended: list[float] = []
        went_on: list[float] = []
        for number in range(trial.times):
            trial.writers.write(3)
            put_back = copied(trial.shell.url, ("restore", "cp", "mv")[number % 3], server.process)
            kept, there = dict(trial.writers.acknowledged), trial.shell.head()
            trial.writers.write(2)
            taken += len(trial.writers.acknowledged) - len(kept)
            trial.writers.acknowledged = kept
            with StreamReader(server.address) as reader:
                put_back()
                gone_at = time.monotonic()
                with trial.writers.at_work():
                    trial.notice(AT_ONCE_SECONDS)
                    ended.append(reader.told_at() - gone_at)
                    trial.must(trial.shell.head() == there, "something was written into the wrong history")
                    with StreamReader(server.address) as reader_of_what_is_left:
                        forked = _forked(trial)
                        at = time.monotonic()
                        ended.append(reader_of_what_is_left.told_at() - at)
                    server.comes(lambda: server.get("/v1/log").headers["tracker-log"] == forked)  # noqa: B023
                    went_on.append(time.monotonic() - at)
                    trial.recover(at)
        trial.must(max(ended) < CHANGE_SECONDS, f"a stream ended {max(ended):.1f} s after the log was another one")
        trial.must(max(went_on) < CHANGE_SECONDS, f"a server went on {max(went_on):.1f} s after the fork")
    trial.row.remarks.append(f"{taken} acknowledged events were not in the copies")
    trial.row.remarks.append(
        f"open streams ended {median(ended):.1f} s (≤ {max(ended):.1f}) after the log was put back or forked,"
        f" and the server had the new id {median(went_on):.1f} s (≤ {max(went_on):.1f}) after the fork"
    )


def _forked(trial: Trial) -> str:
    """Fork the log as the operator does; its new id."""
    return trial.shell.run("log", "fork", "--reason", "a copy was put back").stdout.splitlines()[-1]


class StreamReader:
    """An open stream whose reader notes when it is told that the log is another one now."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opened, self._told = Event(), Event()
        self._told_at = 0.0
        self._thread = Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._opened.wait(HANG_SECONDS), "the stream did not begin"
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(HANG_SECONDS)
        assert not self._thread.is_alive(), "the stream did not end"

    def told_at(self) -> float:
        """When the reader was told, once it was."""
        assert self._told.wait(HANG_SECONDS), "a stream was told nothing"
        return self._told_at

    def _read(self) -> None:
        with httpx.stream("GET", f"{self._address}/v1/events/stream", timeout=HANG_SECONDS) as answer:
            for line in answer.iter_lines():
                self._opened.set()
                if line == "event: log_changed":
                    self._told_at = time.monotonic()
                    self._told.set()


def clock_moved(trial: Trial) -> None:
    """The clock of the server is set three hours ahead, back to right, three hours back, and so on (injected clock).

    Writes MUST be refused with `clock_implausible` while it is wrong, and no stamp may be wrong by more than a minute.
    """
    file = trial.directory / "clock"

    def move(hours: int) -> None:
        """Set the clock; a process reads the file before or after, and never half of it."""
        written = file.with_suffix(".new")
        written.write_text(str(hours * 3600))
        written.replace(file)

    move(0)
    hours = cycle(MOVED_HOURS)

    @contextmanager
    def wrong() -> Iterator[None]:
        move(next(hours))
        yield
        _must_refuse(trial, "clock_implausible")
        move(0)

    with trial.on_fresh_store():
        began = datetime.now(UTC)
        trial.serve(program=moved_clock.PROGRAM, **{moved_clock.VARIABLE: str(file)})
        trial.writers.open()
        trial.rounds(wrong)
        minute = timedelta(minutes=1)
        with trial.shell.log() as log:
            stamps = [row.recorded_at for row in log.read(limit=100_000)]
        wrong_stamps = sum(not began - minute < at < datetime.now(UTC) + minute for at in stamps)
        trial.must(not wrong_stamps, f"{wrong_stamps} stamps are wrong by more than a minute")


def _must_refuse(trial: Trial, code: str) -> None:
    answer = httpx.post(
        f"{trial.servers[0].address}/v1/pledges",
        json={"pledge": "refused", "fact": made()},
        headers=dict(trial.servers[0].client.headers),
        timeout=60,
    )
    told = answer.json().get("code")
    trial.must(told == code, f"a write was answered {answer.status_code} {told}, not {code}")


PAGES = ("/", "/v1/pledges", "/v1/summary", "/v1/events?limit=1000", "/v1/feed.atom", "/v1/export", "/metrics")
"""What is asked after an event that cannot be read, beside its own pledge's resources."""

RESOURCES = ("", "/events", "/history", "/timeline", "/figures", "/members")
"""The resources of a pledge."""


def event_unreadable(trial: Trial) -> None:
    """A newer version records a fact of a type that this one does not know.

    `parked` MUST tell it, readiness stays 200, everything answers, and only its own pledge takes no more facts.
    """
    trial.row.unnoticed = 0
    with trial.on_fresh_store():
        server = trial.serve()
        trial.writers.open()
        with trial.writers.at_work():
            for number in range(trial.times):
                trial.writers.more(WRITER_COUNT)
                pledge = f"newer-{number}"
                assert server.add(pledge, title=f"Newer {number}").status_code == 201
                _append_unreadable(trial, pledge)
                at = time.monotonic()
                wait_until(partial(_parks, server, number + 1))
                trial.row.noticed.append(time.monotonic() - at)
                own = [f"/v1/pledges/{pledge}{resource}" for resource in RESOURCES]
                for path in (*PAGES, *own, f"/pledges/{pledge}"):
                    status = server.get(path).status_code
                    trial.must(status == 200, f"{path} was answered {status}")
                trial.recover(at)


def _parks(server: Server, events: int) -> bool:
    return bool(server.get("/health/ready").json()["parked"] == events)


def _append_unreadable(trial: Trial, pledge: str) -> None:
    now, id_ = datetime.now(UTC), str(uuid.uuid4())
    fact = {"type": "PledgeGilded", "stated_on": "2024-07-01", "gilt": "gold"}
    line = {"id": id_, "pledge": pledge, "version": 2, "recorded_at": stamp(now), "recorded_by": "newer", "fact": fact}
    state = json.dumps(line, separators=(",", ":")).encode()
    with trial.shell.log() as log:
        log.append([NewLogRow(pledge, 2, "PledgeGilded", id_, state, now)], restamp=restamp)
