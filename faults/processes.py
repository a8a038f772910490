"""Faults of the tracker's own processes: servers and projectors that are killed, frozen, absent, or one too many."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from faults.trial import WRITER_COUNT, Trial, end
from tests.support.servers import Server
from tests.support.waiting import wait_until

TAKEOVER_SECONDS = 15.0
"""Seconds within which a standby projects after the one at work is frozen."""

MAX_WRITES_BEFORE_KILL = 60
"""Facts that are acknowledged before a server is killed, at most; the number is drawn."""


def server_killed(trial: Trial) -> None:
    """`kill -9` to the server while eight writers record, and a new one is started.

    MUST lose and double nothing; once the new one says that it is ready, it MUST know every acknowledged event.
    """
    drawn = random.Random(trial.times)
    trial.row.unnoticed = 0
    with trial.on_fresh_store():
        server = trial.serve()
        trial.writers.open()
        with trial.writers.at_work():
            for _ in range(trial.times):
                trial.writers.more(drawn.randint(1, MAX_WRITES_BEFORE_KILL))
                trial.kill(server)
                killed = time.monotonic()
                known = max(receipt.position for receipt in list(trial.writers.acknowledged.values()))
                server = trial.serve()
                wait_until(trial.is_ready, server.process)
                if server.get("/v1/log").json()["head"] < known:
                    trial.row.unnoticed += 1
                trial.recover(killed)


def two_servers(trial: Trial) -> None:
    """Two servers on one store, each with half of the writers; the second one is killed and started again.

    MUST lose and double nothing, and what one acknowledged the other one MUST answer.
    """
    with trial.on_fresh_store():
        trial.serve()
        second = trial.serve()
        trial.writers.open()
        with trial.writers.at_work():
            for _ in range(trial.times):
                trial.writers.more(2 * WRITER_COUNT)
                trial.kill(second)
                killed = time.monotonic()
                second = trial.serve()
                trial.recover(killed)
                wait_until(partial(trial.is_ready, second))
        known = max(receipt.position for receipt in trial.writers.acknowledged.values())
        for server in trial.servers:
            server.comes(partial(_knows, server, known))


def _knows(server: Server, position: int) -> bool:
    return bool(server.get("/v1/log").json()["head"] >= position)


def projector_killed(trial: Trial) -> None:
    """`kill -9` to the only projector, beside a server that has none; another one is started.

    Readiness MUST say 503 within 30 s, since facts wait and nobody folds them.
    """
    with trial.on_fresh_store():
        trial.serve("--no-projector")
        at_work = [trial.project()]

        @contextmanager
        def killed() -> Iterator[None]:
            end(at_work.pop())
            yield
            at_work.append(trial.project())

        trial.writers.open()
        trial.rounds(killed)


def projector_absent(trial: Trial) -> None:
    """A server is started where nobody projects; facts are recorded; then a projector is started.

    Readiness MUST say 503 from the beginning.
    """
    with trial.on_fresh_store():
        trial.serve("--no-projector")
        trial.writers.open()

        for _ in range(trial.times):
            trial.writers.write(1)
            trial.notice()
            projector = trial.project()
            trial.recover()
            end(projector)
            trial.notice()


def projector_frozen_alone(trial: Trial) -> None:
    """SIGSTOP to the only projector, and SIGCONT once it was noticed.

    Readiness MUST say 503 within 30 s.
    """
    with trial.on_fresh_store():
        trial.serve("--no-projector")
        projector = trial.project()

        @contextmanager
        def frozen() -> Iterator[None]:
            projector.send_signal(signal.SIGSTOP)
            yield
            projector.send_signal(signal.SIGCONT)

        trial.writers.open()
        trial.rounds(frozen)


def projector_frozen(trial: Trial) -> None:
    """SIGSTOP to the projector at work while another one stands by; SIGCONT once that one has taken over.

    The standby MUST project within 15 s, and the one that wakes up MUST stand by.
    """
    trial.row.unnoticed = 0
    with trial.on_fresh_store():
        trial.serve("--no-projector")
        at_work = trial.project()
        standby = trial.project()
        trial.writers.open()
        with trial.writers.at_work():
            for _ in range(trial.times):
                trial.writers.more(WRITER_COUNT)
                at_work.send_signal(signal.SIGSTOP)
                took = trial.recover()
                trial.must(took < TAKEOVER_SECONDS, f"a standby took {took:.1f} s to take over from a frozen projector")
                at_work.send_signal(signal.SIGCONT)
                at_work, standby = standby, at_work
